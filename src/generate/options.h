// How series are made of spans, and how much room they have.
#pragma once

#include <cstdint>
#include <vector>

#include "model/span_metrics.h"

namespace weft::generate {

struct Options {
  bool span_metrics = true;
  bool service_graphs = false;
  // Labels of span metrics besides the intrinsic ones.
  std::vector<model::SpanDimension> dimensions;
  // Whether span metrics say `job` and `instance` of their resource, and traces_target_info what
  // else is known of it.
  bool target_info = false;
  uint64_t memory_bytes_max = 32 << 20;      // of all series of all tenants
  int64_t stale_ns = 15 * 60'000'000'000LL;  // a series that was not seen for so long goes
};

}  // namespace weft::generate
