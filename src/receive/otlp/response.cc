#include "receive/otlp/response.h"

#include "model/json_writer.h"
#include "model/proto_writer.h"

namespace weft::receive::otlp {
namespace {

using model::JsonWriter;
using model::ProtoWriter;

std::string_view RejectedName(Signal signal) {
  switch (signal) {
    case Signal::kTraces: return "rejectedSpans";
    case Signal::kLogs: return "rejectedLogRecords";
    case Signal::kMetrics: return "rejectedDataPoints";
  }
  return "rejectedSpans";
}

}  // namespace

const char* NotStored(Signal signal) {
  return signal == Signal::kLogs ? "weft does not store logs yet; stop exporting them to it"
                                 : "weft does not store metrics yet; stop exporting them to it";
}

std::string EncodeExportResponse(Encoding encoding, Signal signal, uint64_t rejected,
                                 std::string_view message) {
  std::string out;
  const bool full = rejected == 0 && message.empty();
  if (encoding == Encoding::kProtobuf) {
    if (full) return out;
    ProtoWriter to(&out);
    const size_t partial = to.Begin(1);
    if (rejected != 0) to.Varint(1, rejected);
    if (!message.empty()) to.Bytes(2, message);
    to.End(partial);
    return out;
  }
  JsonWriter to(&out);
  to.BeginObject();
  if (!full) {
    to.Name("partialSuccess");
    to.BeginObject();
    to.Name(RejectedName(signal));
    to.Uint64Text(rejected);
    to.Name("errorMessage");
    to.String(message);
    to.EndObject();
  }
  to.EndObject();
  return out;
}

}  // namespace weft::receive::otlp
