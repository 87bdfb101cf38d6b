// What is computed at one step. Inside this folder only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/prometheus/labels.h"

namespace weft::query::prometheus {

struct Sample {
  LabelSet labels = 0;
  double value = 0;
};
using Vector = std::vector<Sample>;

}  // namespace weft::query::prometheus
