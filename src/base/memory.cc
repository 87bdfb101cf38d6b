#include "base/memory.h"

#include <atomic>
#include <chrono>
#include <cstdint>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace weft {

void ReturnFreeMemory() {
  using std::chrono::steady_clock;
  constexpr steady_clock::rep kInterval =
      std::chrono::duration_cast<steady_clock::duration>(std::chrono::seconds(2)).count();
  static std::atomic<steady_clock::rep> last{0};
  const steady_clock::rep now = steady_clock::now().time_since_epoch().count();
  steady_clock::rep before = last.load();
  if (now - before < kInterval || !last.compare_exchange_strong(before, now)) return;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace weft
