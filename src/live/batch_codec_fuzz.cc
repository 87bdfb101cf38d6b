// Whatever bytes a WAL record holds: decoding refuses or gives a batch that encodes again. Also
// tried with a valid header before the input, so that the arrays behind the compression are
// reached.
#include <cstdlib>
#include <cstring>
#include <string>

#include <lz4.h>

#include "live/batch_codec.h"

namespace {

void TryDecode(std::string_view bytes) {
  auto batch = weft::live::DecodeBatch(bytes);
  if (!batch.ok()) return;
  auto again = weft::live::EncodeBatch(**batch);
  if (!again.ok() || !weft::live::DecodeBatch(*again).ok()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  TryDecode(input);
  std::string wrapped(5 + LZ4_compressBound(static_cast<int>(size)), '\0');
  wrapped[0] = 1;
  const uint32_t raw_size = static_cast<uint32_t>(size);
  std::memcpy(wrapped.data() + 1, &raw_size, 4);
  const int n = LZ4_compress_default(input.data(), wrapped.data() + 5, static_cast<int>(size),
                                     static_cast<int>(wrapped.size() - 5));
  wrapped.resize(5 + n);
  TryDecode(wrapped);
  return 0;
}
