// What tests have in common that compare the engine with the reference interpreter: random rounds,
// the same spans in different places, values of both as text.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "block/row_source.h"
#include "model/span_batch.h"
#include "query/exec/memory_source.h"
#include "query/exec/random_queries.h"
#include "query/exec/reference_interpreter.h"
#include "query/exec/search.h"

namespace weft::query::exec {

// Calls round(seed), which is false after a failure, for three seconds, from seed 1; with
// WEFT_DIFFERENTIAL_SECONDS and WEFT_DIFFERENTIAL_SEED longer and from elsewhere.
void RunRounds(const std::function<bool(uint64_t seed)>& round);

// Equal for equal values.
std::string Text(const PlainValue& value);
std::string Text(const FoundValue& value);

// Cuts the spans into up to four groups. With `excluded`, some spans stand in a second group too,
// marked excluded there: as live rows whose block has become visible.
MemorySource Scatter(const model::SpanBatch& spans, bool excluded, Chance* chance);

// Cuts the spans into up to three blocks with small row groups and pages. Null after a failure.
std::shared_ptr<const block::RowSource> Store(const model::SpanBatch& spans, Chance* chance);

}  // namespace weft::query::exec
