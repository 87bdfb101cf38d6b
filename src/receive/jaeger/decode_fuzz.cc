// Any bytes, as each of Jaeger's formats: refused, or a batch that is well formed.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "receive/jaeger/decode.h"

using weft::model::SpanBatch;
using weft::receive::DecodeLimits;
using weft::receive::RejectedSpans;
using weft::receive::ThriftProtocol;
namespace jaeger = weft::receive::jaeger;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  DecodeLimits limits;
  limits.elements_max = 10'000;
  const auto check = [&](auto decode) {
    SpanBatch batch;
    RejectedSpans rejected;
    if (decode(&batch, &rejected).ok() && !IsWellFormed(batch)) std::abort();
  };
  check([&](SpanBatch* b, RejectedSpans* r) { return jaeger::DecodeThrift(bytes, limits, b, r); });
  check([&](SpanBatch* b, RejectedSpans* r) { return jaeger::DecodeProto(bytes, limits, b, r); });
  for (const ThriftProtocol protocol : {ThriftProtocol::kBinary, ThriftProtocol::kCompact}) {
    check([&](SpanBatch* b, RejectedSpans* r) {
      return jaeger::DecodeThriftCall(bytes, protocol, limits, b, r);
    });
  }
  return 0;
}
