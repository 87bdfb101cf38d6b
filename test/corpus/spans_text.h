// Spans written as text, for tests that a user can read. The form is described in
// test/corpus/README.md.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/span_batch.h"

namespace weft::corpus {

// What a test file's spans are, and how its expectations name them.
struct SpanSet {
  // Time 0 of every trace that is not moved with `at`: 2026-01-01T00:00:00Z.
  static constexpr uint64_t kEpochNs = 1767225600ULL * 1'000'000'000ULL;

  model::SpanBatch spans;
  std::vector<std::string> labels;                     // of each span
  std::map<model::TraceId, std::string> trace_labels;  // labels are unique
  std::vector<std::string> resource_names, scope_names;

  // The label of a span (of a trace, by id); "?" and the id when there is none.
  std::string LabelOf(model::TraceId trace, model::SpanId span, uint8_t kind) const;
  std::string LabelOf(model::TraceId trace) const;
};

// Appends the spans that `text` describes. An error says the line (counted from `first_line`).
Error ReadSpans(std::string_view text, uint32_t first_line, SpanSet* out);

// "100ms", "-5us", "2s", "0": a time with its unit, in ns.
Result<int64_t> ReadTime(std::string_view text);

}  // namespace weft::corpus
