#include "block/row_set.h"

#include <algorithm>
#include <utility>

namespace weft::block {

Result<RowSet> RowSet::FromRuns(std::vector<Run> runs) {
  RowSet set;
  for (size_t i = 0; i < runs.size(); ++i) {
    const bool apart = i == 0 || runs[i].first > runs[i - 1].first + runs[i - 1].count;
    if (runs[i].count == 0 || runs[i].first + runs[i].count < runs[i].first || !apart) {
      return Error(ErrorCode::kCorrupt, "runs of rows are out of order");
    }
    set.row_count_ += runs[i].count;
  }
  set.runs_ = std::move(runs);
  return set;
}

std::vector<RowSet::Run>::const_iterator RowSet::RunAfter(uint64_t row) const {
  return std::partition_point(runs_.begin(), runs_.end(),
                              [row](const Run& run) { return run.first + run.count <= row; });
}

uint64_t RowSet::CountIn(uint64_t first, uint64_t count) const {
  uint64_t found = 0;
  const uint64_t end = first + count;
  for (auto run = RunAfter(first); run != runs_.end() && run->first < end; ++run) {
    found += std::min(end, run->first + run->count) - std::max(first, run->first);
  }
  return found;
}

std::vector<uint64_t> RowSet::Bits(uint64_t first, uint32_t count) const {
  std::vector<uint64_t> bits;
  const uint64_t end = first + count;
  for (auto run = RunAfter(first); run != runs_.end() && run->first < end; ++run) {
    bits.resize((count + 63) / 64, 0);
    const uint64_t last = std::min(end, run->first + run->count);
    for (uint64_t row = std::max(first, run->first); row < last; ++row) {
      bits[(row - first) / 64] |= uint64_t{1} << ((row - first) % 64);
    }
  }
  return bits;
}

RowSet RowSet::Union(const RowSet& a, const RowSet& b) {
  std::vector<Run> all;
  all.reserve(a.runs_.size() + b.runs_.size());
  std::merge(a.runs_.begin(), a.runs_.end(), b.runs_.begin(), b.runs_.end(),
             std::back_inserter(all), [](const Run& x, const Run& y) { return x.first < y.first; });
  RowSetBuilder builder;
  for (const Run& run : all) builder.Add(run.first, run.count);
  return builder.Finish();
}

RowSet RowSet::Complement(uint64_t row_count) const {
  RowSetBuilder builder;
  uint64_t next = 0;
  for (const Run& run : runs_) {
    if (run.first >= row_count) break;
    builder.Add(next, run.first - next);
    next = run.first + run.count;
  }
  if (next < row_count) builder.Add(next, row_count - next);
  return builder.Finish();
}

void RowSetBuilder::Add(uint64_t first, uint64_t count) {
  if (count == 0) return;
  if (!runs_.empty() && first <= runs_.back().first + runs_.back().count) {
    RowSet::Run& last = runs_.back();
    last.count = std::max(last.first + last.count, first + count) - last.first;
  } else {
    runs_.push_back({first, count});
  }
}

RowSet RowSetBuilder::Finish() {
  // Runs of the builder keep the rules.
  auto set = RowSet::FromRuns(std::move(runs_));
  runs_.clear();
  return set.ok() ? std::move(set).value() : RowSet();
}

}  // namespace weft::block
