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

// At least `spans` spans, those of one virtual minute per million, ending about now.
Traffic MakeTraffic(uint64_t spans, uint64_t seed, uint64_t now_ns);

// A feed that makes `spans_per_second` in real time from `now_ns` on.
demo::ShopFeed MakeLiveFeed(double spans_per_second, uint64_t seed, uint64_t now_ns);

}  // namespace weft::bench
