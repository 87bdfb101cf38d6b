#include "receive/zipkin/format.h"

#include <string>

#include "receive/http_intake.h"
#include "receive/zipkin/decode.h"

namespace weft::receive::zipkin {
namespace {

enum class Encoding : uint8_t { kJson, kProtobuf, kThrift };

constexpr std::string_view kV1Path = "/api/v1/spans";
constexpr std::string_view kV2Path = "/api/v2/spans";

// As Zipkin's server: what says nothing else is JSON, also from browsers, which may only send plain
// text without asking first.
Encoding EncodingOf(const net::HttpRequestHead& head) {
  const std::string_view type = MediaTypeOf(head);
  const auto is = [type](std::string_view name) { return net::EqualsIgnoringCase(type, name); };
  if (is("application/x-protobuf") || is("application/protobuf")) return Encoding::kProtobuf;
  return is("application/x-thrift") ? Encoding::kThrift : Encoding::kJson;
}

class Format : public PostedFormat {
 public:
  std::string protocol() const override { return "zipkin_http"; }

  Error Check(const net::HttpRequestHead& head) const override {
    const bool v1 = head.path == kV1Path;
    if (!v1 && head.path != kV2Path) {
      return {ErrorCode::kNotFound,
              "Zipkin's spans are received at /api/v2/spans and "
              "/api/v1/spans, not at " +
                  head.path};
    }
    const Encoding encoding = EncodingOf(head);
    if (v1 && encoding == Encoding::kProtobuf) {
      return {ErrorCode::kUnsupported,
              "Content-Type at /api/v1/spans must be application/json or application/x-thrift; "
              "protobuf goes to /api/v2/spans"};
    }
    if (!v1 && encoding == Encoding::kThrift) {
      return {ErrorCode::kUnsupported,
              "Content-Type at /api/v2/spans must be application/json or "
              "application/x-protobuf; Thrift goes to /api/v1/spans"};
    }
    return Error::Ok();
  }

  Error Decode(const net::HttpRequestHead& head, std::string* body, const DecodeLimits& limits,
               model::SpanBatch* batch, RejectedSpans* rejected) const override {
    switch (EncodingOf(head)) {
      case Encoding::kProtobuf: return DecodeProto(*body, limits, batch, rejected);
      case Encoding::kThrift: return DecodeThriftV1(*body, limits, batch, rejected);
      case Encoding::kJson: break;
    }
    return head.path == kV1Path ? DecodeJsonV1(body, limits, batch, rejected)
                                : DecodeJson(body, limits, batch, rejected);
  }
};

}  // namespace

std::unique_ptr<PostedFormat> MakeFormat() { return std::make_unique<Format>(); }

}  // namespace weft::receive::zipkin
