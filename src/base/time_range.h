// A half-open range of wall-clock time.
#pragma once

#include <cstdint>
#include <limits>

namespace weft {

// [start_ns, end_ns) in ns since 1970. Unsigned like OTLP's fixed64, so that clocks from 1970 to
// 2554 fit.
struct TimeRange {
  uint64_t start_ns = 0;
  uint64_t end_ns = std::numeric_limits<uint64_t>::max();

  bool Contains(uint64_t t_ns) const { return t_ns >= start_ns && t_ns < end_ns; }
  // Whether any point of the closed interval [first_ns, last_ns] lies in the range.
  bool Touches(uint64_t first_ns, uint64_t last_ns) const {
    return last_ns >= start_ns && first_ns < end_ns;
  }
  bool unlimited() const { return start_ns == 0 && end_ns == std::numeric_limits<uint64_t>::max(); }
};

}  // namespace weft
