// Traces of a web shop of 18 services, as their OpenTelemetry SDKs would send them: one request
// after the other, in virtual time.
//
// The same options give the same spans. One thread at a time.
#pragma once

#include <array>
#include <cstdint>

#include "demo/active_span.h"
#include "demo/timeline.h"
#include "demo/visit.h"

namespace weft::demo {

struct ShopOptions {
  uint64_t seed = 1;
  TimelineOptions timeline;
};

class Shop {
 public:
  // `sink` gets every span when it ends; it must outlive the shop.
  Shop(const ShopOptions& options, FinishedSpanSink& sink)
      : world_(options.seed, options.timeline, sink) {}

  const Fleet& fleet() const { return world_.fleet; }
  Random& random() { return world_.random; }

  // Plays one person's request that begins at `start_ns`, to the end: its spans (of one trace, at
  // times of two or three) go to the sink in the order in which they are closed, children first.
  // Spans end up to some seconds after `start_ns`.
  void PlayRequest(uint64_t start_ns);

 private:
  World world_;
};

}  // namespace weft::demo
