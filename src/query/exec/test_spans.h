// Spans for tests that care about little.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/span_batch.h"

namespace weft::query::exec {

// Adds a trace of one span of 1 ns, `name`, without attributes.
void AddTrace(uint64_t id, uint64_t start_ns, std::string_view name, model::SpanBatch* out);

}  // namespace weft::query::exec
