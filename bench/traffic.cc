#include "bench/traffic.h"

#include <algorithm>

namespace weft::bench {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kStepNs = kSecondNs / 10;
constexpr double kSpansPerVirtualSecond = 1e6 / 60;
// An hour of incidents in a virtual minute.
constexpr double kTimelineSpeed = 60;

demo::ShopFeedOptions VirtualTime(uint64_t spans, uint64_t seed, uint64_t now_ns) {
  demo::ShopFeedOptions options;
  options.seed = seed;
  const auto length_ns =
      static_cast<uint64_t>(static_cast<double>(spans) / kSpansPerVirtualSecond * 1e9);
  options.first_ns = now_ns - length_ns - 10 * kSecondNs;
  options.requests_per_second = kSpansPerVirtualSecond / kSpansPerRequest;
  options.wave_height = 0;
  options.timeline_speed = kTimelineSpeed;
  return options;
}

}  // namespace

TrafficMaker::TrafficMaker(uint64_t spans, uint64_t seed, uint64_t now_ns)
    : TrafficMaker(spans, VirtualTime(spans, seed, now_ns)) {}

TrafficMaker::TrafficMaker(uint64_t spans, const demo::ShopFeedOptions& options)
    : spans_(spans), time_ns_(options.first_ns), feed_(options) {}

bool TrafficMaker::MakeSome(std::vector<demo::ExportRequest>* requests) {
  if (made_ >= spans_) return false;
  const size_t before = requests->size();
  feed_.Advance(time_ns_, requests);
  time_ns_ += kStepNs;
  for (size_t i = before; i < requests->size(); ++i) made_ += (*requests)[i].span_count;
  return true;
}

Traffic MakeTraffic(uint64_t spans, uint64_t seed, uint64_t now_ns) {
  TrafficMaker maker(spans, seed, now_ns);
  Traffic traffic;
  while (maker.MakeSome(&traffic.requests)) {
  }
  for (const demo::ExportRequest& request : traffic.requests) {
    traffic.spans += request.span_count;
    traffic.bytes += request.body.size();
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
