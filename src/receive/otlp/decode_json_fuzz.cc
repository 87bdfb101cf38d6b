// Any text: refused, or a batch that is well formed and whose JSON is accepted again.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "model/otlp_encode.h"
#include "receive/otlp/count_records.h"
#include "receive/otlp/decode_json.h"

using weft::model::SpanBatch;
using weft::receive::DecodeLimits;
using weft::receive::RejectedSpans;
namespace otlp = weft::receive::otlp;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string body(reinterpret_cast<const char*>(data), size);
  DecodeLimits limits;
  limits.elements_max = 10'000;
  SpanBatch batch;
  RejectedSpans rejected;
  (void)otlp::CountRecords(weft::receive::Encoding::kJson, otlp::Signal::kLogs, body);
  (void)otlp::CountRecords(weft::receive::Encoding::kJson, otlp::Signal::kMetrics, body);
  if (!otlp::DecodeTracesJson(&body, limits, &batch, &rejected).ok()) return 0;
  if (!IsWellFormed(batch)) std::abort();
  SpanBatch again;
  RejectedSpans none;
  limits.elements_max = 1'000'000;
  std::string json = EncodeOtlpJson(batch);
  if (!otlp::DecodeTracesJson(&json, limits, &again, &none).ok()) std::abort();
  if (none.total() != 0 || again.size() != batch.size()) std::abort();
  return 0;
}
