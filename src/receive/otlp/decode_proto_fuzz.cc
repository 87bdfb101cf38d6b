// Any bytes: refused, or a batch that is well formed and says the same after it was encoded and
// decoded again.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/otlp_encode.h"
#include "receive/otlp/count_records.h"
#include "receive/otlp/decode_proto.h"

using weft::model::SpanBatch;
using weft::receive::DecodeLimits;
using weft::receive::RejectedSpans;
namespace otlp = weft::receive::otlp;

namespace {

uint64_t SumOfHashes(const SpanBatch& batch) {
  uint64_t sum = batch.size();
  for (uint32_t i = 0; i < batch.size(); ++i) sum += ContentHash(batch, i);
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  DecodeLimits limits;
  limits.elements_max = 10'000;
  SpanBatch batch;
  RejectedSpans rejected;
  (void)otlp::CountRecords(weft::receive::Encoding::kProtobuf, otlp::Signal::kLogs, bytes);
  (void)otlp::CountRecords(weft::receive::Encoding::kProtobuf, otlp::Signal::kMetrics, bytes);
  if (!otlp::DecodeTraces(bytes, limits, &batch, &rejected).ok()) return 0;
  if (!IsWellFormed(batch)) std::abort();
  SpanBatch again;
  RejectedSpans none;
  limits.elements_max = 1'000'000;  // a shared resource is written once for each place it stands
  if (!otlp::DecodeTraces(EncodeOtlpProto(batch), limits, &again, &none).ok()) std::abort();
  if (none.total() != 0 || SumOfHashes(again) != SumOfHashes(batch)) std::abort();
  return 0;
}
