#include "bench/traffic.h"

#include <algorithm>

namespace weft::bench {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kStepNs = kSecondNs / 10;
constexpr double kSpansPerVirtualSecond = 1e6 / 60;
// An hour of incidents in a virtual minute.
constexpr double kTimelineSpeed = 60;

}  // namespace

Traffic MakeTraffic(uint64_t spans, uint64_t seed, uint64_t now_ns) {
  demo::ShopFeedOptions options;
  options.seed = seed;
  const auto length_ns =
      static_cast<uint64_t>(static_cast<double>(spans) / kSpansPerVirtualSecond * 1e9);
  options.first_ns = now_ns - length_ns - 10 * kSecondNs;
  options.requests_per_second = kSpansPerVirtualSecond / kSpansPerRequest;
  options.wave_height = 0;
  options.timeline_speed = kTimelineSpeed;
  demo::ShopFeed feed(options);
  Traffic traffic;
  for (uint64_t t = options.first_ns; traffic.spans < spans; t += kStepNs) {
    const size_t before = traffic.requests.size();
    feed.Advance(t, &traffic.requests);
    for (size_t i = before; i < traffic.requests.size(); ++i) {
      traffic.spans += traffic.requests[i].span_count;
      traffic.bytes += traffic.requests[i].body.size();
    }
  }
  return traffic;
}

demo::ShopFeed MakeLiveFeed(double spans_per_second, uint64_t seed, uint64_t now_ns) {
  demo::ShopFeedOptions options;
  options.seed = seed;
  options.first_ns = now_ns;
  options.requests_per_second = spans_per_second / kSpansPerRequest;
  options.wave_height = 0;
  options.timeline_speed = kTimelineSpeed;
  return demo::ShopFeed(options);
}

}  // namespace weft::bench
