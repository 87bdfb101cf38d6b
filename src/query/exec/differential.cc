#include "query/exec/differential.h"

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/env.h"
#include "query/exec/stored_test_source.h"
#include "query/lang/traceql/literal_text.h"

namespace weft::query::exec {

namespace {

int64_t Setting(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

}  // namespace

void RunRounds(const std::function<bool(uint64_t seed)>& round) {
  const int64_t seconds = Setting("WEFT_DIFFERENTIAL_SECONDS", 3);
  auto seed = static_cast<uint64_t>(Setting("WEFT_DIFFERENTIAL_SEED", 1));
  const int64_t end_ns = Env::Posix().MonotonicNs() + seconds * 1'000'000'000;
  // At least some rounds, however slow the machine.
  for (int done = 0; done < 20 || Env::Posix().MonotonicNs() < end_ns; ++done, ++seed) {
    ASSERT_TRUE(round(seed)) << "WEFT_DIFFERENTIAL_SEED=" << seed;
  }
}

std::string Text(const PlainValue& value) {
  switch (value.type) {
    case PlainValue::Type::kNil: return "nil";
    case PlainValue::Type::kBool: return value.number != 0 ? "true" : "false";
    case PlainValue::Type::kInt: return std::to_string(value.number);
    case PlainValue::Type::kFloat: return lang::traceql::PrintFloat(value.real);
    default: return "'" + value.text + "'";
  }
}

std::string Text(const FoundValue& value) {
  switch (value.type) {
    case model::ValueType::kEmpty: return "nil";
    case model::ValueType::kBool: return value.number != 0 ? "true" : "false";
    case model::ValueType::kInt: return std::to_string(value.number);
    case model::ValueType::kDouble: return lang::traceql::PrintFloat(value.real);
    default: return "'" + value.text + "'";
  }
}

MemorySource Scatter(const model::SpanBatch& spans, bool excluded, Chance* chance) {
  const uint32_t groups = 1 + chance->Below(4);
  const bool by_trace = chance->OneIn(2);
  std::vector<std::vector<uint32_t>> rows(groups);
  std::vector<std::vector<uint32_t>> hidden(groups);
  for (uint32_t i = 0; i < spans.size(); ++i) {
    const uint32_t group = by_trace ? spans.trace[i] % groups : chance->Below(groups);
    rows[group].push_back(i);
    if (!excluded || !chance->OneIn(5) || groups == 1) continue;
    const uint32_t other = (group + 1) % groups;
    hidden[other].push_back(static_cast<uint32_t>(rows[other].size()));
    rows[other].push_back(i);
  }
  std::vector<MemorySource::Group> out;
  for (uint32_t g = 0; g < groups; ++g) {
    auto batch = std::make_shared<model::SpanBatch>();
    model::BatchAppender(batch.get()).Append(spans, rows[g]);
    out.push_back({std::move(batch), hidden[g]});
  }
  return MemorySource(std::move(out));
}

std::shared_ptr<const block::RowSource> Store(const model::SpanBatch& spans, Chance* chance) {
  std::vector<model::SpanBatch> batches(1 + chance->Below(3));
  std::vector<std::vector<uint32_t>> rows(batches.size());
  const bool by_trace = chance->OneIn(2);
  for (uint32_t i = 0; i < spans.size(); ++i) {
    const uint32_t piece = by_trace ? spans.trace[i] : chance->Below(1000);
    rows[piece % rows.size()].push_back(i);
  }
  for (size_t i = 0; i < rows.size(); ++i) model::BatchAppender(&batches[i]).Append(spans, rows[i]);
  block::BlockWriterOptions options;
  options.row_group_rows_max = 1 + chance->Below(40);
  options.filter_from_bytes = chance->OneIn(2) ? 1 : 1u << 14;
  options.page_rows = 1 + chance->Below(10);
  const auto made = StoredTestSource::Make(batches, options);
  EXPECT_TRUE(made.ok()) << made.error().message();
  return made.ok() ? *made : nullptr;
}

}  // namespace weft::query::exec
