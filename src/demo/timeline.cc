#include "demo/timeline.h"

#include <algorithm>
#include <cmath>

namespace weft::demo {
namespace {

constexpr double kCycleSeconds = 3600;
constexpr double kStormBegins = 7 * 60;
constexpr double kStormEnds = 8 * 60;
constexpr double kRollOutBegins = 10 * 60;
constexpr double kRollBackBegins = 40 * 60;
constexpr double kSecondsPerPod = 20;
constexpr uint32_t kPodsMax = 100;

uint32_t PodsSince(double seconds) {
  return seconds < 0
             ? 0
             : static_cast<uint32_t>(std::min<double>(kPodsMax, 1 + seconds / kSecondsPerPod));
}

}  // namespace

double Timeline::SecondOfCycle(uint64_t now_ns) const {
  if (now_ns < options_.first_ns) return 0;
  return std::fmod(static_cast<double>(now_ns - options_.first_ns) * 1e-9 * options_.speed,
                   kCycleSeconds);
}

uint32_t Timeline::RolledOutPods(uint64_t now_ns) const {
  const double second = SecondOfCycle(now_ns);
  return second >= kRollBackBegins ? 0 : PodsSince(second - kRollOutBegins);
}

bool Timeline::QuoteIsDown(uint64_t now_ns) const {
  const double second = SecondOfCycle(now_ns);
  return second >= kStormBegins && second < kStormEnds;
}

}  // namespace weft::demo
