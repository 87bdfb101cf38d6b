#include "receive/jaeger/format.h"

#include <string>

#include "receive/http_intake.h"
#include "receive/jaeger/decode.h"

namespace weft::receive::jaeger {
namespace {

constexpr std::string_view kPath = "/api/traces";
constexpr std::string_view kMethod = "/jaeger.api_v2.CollectorService/PostSpans";

class Posted : public PostedFormat {
 public:
  std::string protocol() const override { return "jaeger_http"; }

  Error Check(const net::HttpRequestHead& head) const override {
    if (head.path != kPath) {
      return {ErrorCode::kNotFound,
              "Jaeger's spans are received at /api/traces, not at " + head.path};
    }
    const std::string_view type = MediaTypeOf(head);
    for (const std::string_view name :
         {"application/x-thrift", "application/vnd.apache.thrift.binary"}) {
      if (net::EqualsIgnoringCase(type, name)) return Error::Ok();
    }
    return {ErrorCode::kUnsupported,
            "Content-Type must be application/x-thrift or application/vnd.apache.thrift.binary: a "
            "jaeger.thrift Batch in the binary protocol"};
  }

  Error Decode(const net::HttpRequestHead& /*head*/, std::string* body, const DecodeLimits& limits,
               model::SpanBatch* batch, RejectedSpans* rejected) const override {
    return DecodeThrift(*body, limits, batch, rejected);
  }
};

class Grpc : public GrpcFormat {
 public:
  std::string protocol() const override { return "jaeger_grpc"; }
  bool Has(std::string_view method) const override { return method == kMethod; }

  Result<GrpcReply> Decode(std::string_view /*method*/, std::string_view bytes,
                           const DecodeLimits& limits, model::SpanBatch* batch,
                           RejectedSpans* rejected) const override {
    WEFT_RETURN_IF_ERROR(DecodeProto(bytes, limits, batch, rejected));
    return GrpcReply{RefusedInPart(*rejected, batch->size()), ""};
  }
};

}  // namespace

std::unique_ptr<PostedFormat> MakePostedFormat() { return std::make_unique<Posted>(); }
std::unique_ptr<GrpcFormat> MakeGrpcFormat() { return std::make_unique<Grpc>(); }

}  // namespace weft::receive::jaeger
