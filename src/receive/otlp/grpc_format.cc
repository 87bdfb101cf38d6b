#include "receive/otlp/grpc_format.h"

#include <optional>
#include <string>

#include "receive/otlp/count_records.h"
#include "receive/otlp/decode_proto.h"
#include "receive/otlp/response.h"

namespace weft::receive::otlp {
namespace {

std::optional<Signal> SignalOf(std::string_view method) {
  constexpr std::string_view kPrefix = "/opentelemetry.proto.collector.";
  if (!method.starts_with(kPrefix)) return std::nullopt;
  method.remove_prefix(kPrefix.size());
  if (method == "trace.v1.TraceService/Export") return Signal::kTraces;
  if (method == "logs.v1.LogsService/Export") return Signal::kLogs;
  if (method == "metrics.v1.MetricsService/Export") return Signal::kMetrics;
  return std::nullopt;
}

class GrpcExport : public GrpcFormat {
 public:
  std::string protocol() const override { return "otlp_grpc"; }
  bool Has(std::string_view method) const override { return SignalOf(method).has_value(); }

  Result<GrpcReply> Decode(std::string_view method, std::string_view bytes,
                           const DecodeLimits& limits, model::SpanBatch* batch,
                           RejectedSpans* rejected) const override {
    const Signal signal = *SignalOf(method);
    uint64_t count = 0;
    std::string message;
    if (signal == Signal::kTraces) {
      WEFT_RETURN_IF_ERROR(DecodeTraces(bytes, limits, batch, rejected));
      count = rejected->total();
      message = rejected->Message();
    } else {
      WEFT_ASSIGN_OR_RETURN(count, CountRecords(Encoding::kProtobuf, signal, bytes));
      if (count > 0) message = NotStored(signal);
    }
    return GrpcReply{Error::Ok(),
                     EncodeExportResponse(Encoding::kProtobuf, signal, count, message)};
  }
};

}  // namespace

std::unique_ptr<GrpcFormat> MakeGrpcFormat() { return std::make_unique<GrpcExport>(); }

}  // namespace weft::receive::otlp
