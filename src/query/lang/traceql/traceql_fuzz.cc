// Any bytes: parsing ends without a crash; what parses is printed, parses again, and is the same
// tree.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "query/lang/traceql/compile.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::query::lang::traceql;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tree = Parse(text);
  if (!tree.ok()) {
    const auto& error = tree.error();
    const bool inside = error.offset <= size && error.length <= size - error.offset;
    if (error.error.ok() || error.error.message().empty() || !inside) std::abort();
    return 0;
  }
  const std::string printed = Print(**tree);
  const auto again = Parse(printed);
  if (!again.ok() || !SameTree(**tree, **again)) {
    std::fprintf(stderr, "printed: %s\n", printed.c_str());
    std::abort();
  }
  const auto plan = Compile(text);
  if (plan.ok() == false && plan.error().error.ok()) std::abort();
  const auto path = CompilePath(text);
  if (path.ok() == false && path.error().error.ok()) std::abort();
  return 0;
}
