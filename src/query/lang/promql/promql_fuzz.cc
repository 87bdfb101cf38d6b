// Any bytes: parsing ends without a crash; what parses is printed, parses again, and is the same
// tree.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "query/lang/promql/tree.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::query::lang::promql;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tree = Parse(text);
  if (!tree.ok()) {
    const auto& error = tree.error();
    const bool inside = error.offset <= size && error.length <= size - error.offset;
    if (error.error.ok() || error.error.message().empty() || !inside) std::abort();
    return 0;
  }
  const std::string printed = Print(**tree);
  if (printed.size() > kQueryBytesMax) return 0;
  const auto again = Parse(printed);
  // Printing adds parentheses, so a deep tree may become too deep.
  const bool too_deep = !again.ok() && again.error().error.code() == weft::ErrorCode::kTooLarge;
  if (!too_deep && (!again.ok() || Print(**again) != printed)) {
    std::fprintf(stderr, "printed: %s\n", printed.c_str());
    std::abort();
  }
  return 0;
}
