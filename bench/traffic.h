// The workload: spans of the demo's shop (src/demo), at a rate that gives every benchmark the same
// mix of incidents.
#pragma once

#include <cstdint>
#include <vector>

#include "demo/shop_feed.h"

namespace weft::bench {

inline constexpr double kSpansPerRequest =
    15.3;  // of a person's request, the traces that it causes included

struct Traffic {
  std::vector<demo::ExportRequest> requests;
  uint64_t spans = 0;
  uint64_t bytes = 0;
};

// Makes at least `spans` spans, those of one virtual minute per million, ending about now. One
// thread.
class TrafficMaker {
 public:
  TrafficMaker(uint64_t spans, uint64_t seed, uint64_t now_ns);

  // Appends the requests of the next moment; false when all have been made.
  bool MakeSome(std::vector<demo::ExportRequest>* requests);
  uint64_t made() const { return made_; }

 private:
  TrafficMaker(uint64_t spans, const demo::ShopFeedOptions& options);

  const uint64_t spans_;
  uint64_t made_ = 0;
  uint64_t time_ns_;
  demo::ShopFeed feed_;
};

// All of them at once.
Traffic MakeTraffic(uint64_t spans, uint64_t seed, uint64_t now_ns);

// A feed that makes `spans_per_second` in real time from `now_ns` on.
demo::ShopFeed MakeLiveFeed(double spans_per_second, uint64_t seed, uint64_t now_ns);

}  // namespace weft::bench
