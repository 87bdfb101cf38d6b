// When the shop's incidents happen. Everything else in the shop asks here, so that the stories of
// docs/demo.md have one home.
//
// A cycle of an hour repeats from the first instant on: minute 7 a retry storm of one minute;
// minute 10 payment's next version is rolled out, a pod every 20 seconds; minute 40 it is rolled
// back. The other stories never stop. Immutable; any thread.
#pragma once

#include <cstdint>

namespace weft::demo {

struct TimelineOptions {
  uint64_t first_ns = 0;  // the instant at which the first cycle begins
  double speed = 1;       // cycles run this many times faster
};

class Timeline {
 public:
  explicit Timeline(const TimelineOptions& options) : options_(options) {}

  // How many pods of a deployed service run its next version.
  uint32_t RolledOutPods(uint64_t now_ns) const;
  // Whether the quote service is failing, so that its callers retry.
  bool QuoteIsDown(uint64_t now_ns) const;

 private:
  // Seconds into the running cycle, at the cycle's own speed.
  double SecondOfCycle(uint64_t now_ns) const;

  TimelineOptions options_;
};

}  // namespace weft::demo
