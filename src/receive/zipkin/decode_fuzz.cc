// Any bytes, as each of Zipkin's formats: refused, or a batch that is well formed.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "receive/zipkin/decode.h"

using weft::Error;
using weft::model::SpanBatch;
using weft::receive::DecodeLimits;
using weft::receive::RejectedSpans;
namespace zipkin = weft::receive::zipkin;

namespace {

template <typename Decode>
void Try(Decode decode, const std::string& input) {
  DecodeLimits limits;
  limits.elements_max = 10'000;
  std::string body = input;
  SpanBatch batch;
  RejectedSpans rejected;
  if (!decode(&body, limits, &batch, &rejected).ok()) return;
  if (!IsWellFormed(batch) || body != input) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  Try(zipkin::DecodeJson, body);
  Try(zipkin::DecodeJsonV1, body);
  const auto of_bytes = [](auto decode) {
    return [decode](std::string* b, const DecodeLimits& l, SpanBatch* batch, RejectedSpans* r) {
      return decode(*b, l, batch, r);
    };
  };
  Try(of_bytes(zipkin::DecodeProto), body);
  Try(of_bytes(zipkin::DecodeThriftV1), body);
  return 0;
}
