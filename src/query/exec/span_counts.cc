#include "query/exec/span_counts.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "base/fair_share.h"
#include "block/renewal.h"
#include "query/exec/chosen_rows.h"
#include "query/exec/row_labels.h"
#include "query/exec/value_key.h"

namespace weft::query::exec {
namespace {

using block::Column;
using block::Intrinsic;

// What one thread has counted.
class Sums {
 public:
  uint32_t LineOf(std::vector<plan::Value> labels) {
    std::vector<ValueKey> key;
    key.reserve(labels.size());
    size_t bytes = 128;
    for (const plan::Value& value : labels) {
      bytes += 2 * (sizeof(ValueKey) + value.text.size());
      key.push_back({value});
    }
    const auto [found, is_new] =
        by_labels_.try_emplace(std::move(key), static_cast<uint32_t>(lines_.size()));
    if (is_new) {
      lines_.push_back(std::move(labels));
      bytes_ += bytes;
    }
    return found->second;
  }

  void Add(uint32_t line, uint64_t interval, uint32_t bucket, uint64_t count,
           unsigned __int128 total_ns) {
    Sum& sum = cells_[{line, interval << 8 | bucket}];
    sum.count += count;
    sum.total_ns += total_ns;
  }

  void Merge(const Sums& other) {
    std::vector<uint32_t> line_of;
    for (const auto& labels : other.lines_) line_of.push_back(LineOf(labels));
    for (const auto& [key, sum] : other.cells_) {
      Add(line_of[key.first], key.second >> 8, key.second & 0xff, sum.count, sum.total_ns);
    }
  }

  size_t bytes() const { return bytes_ + cells_.capacity() * (sizeof(Key) + sizeof(Sum) + 1); }

  std::vector<SpanLine> Take() {
    std::vector<SpanLine> out(lines_.size());
    for (size_t i = 0; i < lines_.size(); ++i) out[i].labels = std::move(lines_[i]);
    for (const auto& [key, sum] : cells_) {
      out[key.first].cells.push_back(
          {key.second >> 8, static_cast<uint32_t>(key.second & 0xff), sum.count, sum.total_ns});
    }
    for (SpanLine& line : out) {
      std::ranges::sort(line.cells, [](const SpanCell& a, const SpanCell& b) {
        return std::pair(a.interval, a.bucket) < std::pair(b.interval, b.bucket);
      });
    }
    return out;
  }

 private:
  using Key = std::pair<uint32_t, uint64_t>;  // line; interval and bucket
  struct Sum {
    uint64_t count = 0;
    unsigned __int128 total_ns = 0;
  };

  std::vector<std::vector<plan::Value>> lines_;
  absl::flat_hash_map<std::vector<ValueKey>, uint32_t> by_labels_;
  absl::flat_hash_map<Key, Sum> cells_;
  size_t bytes_ = 0;
};

class Run {
 public:
  Run(const block::RowSource& source, const Env& env, TaskRunner& runner,
      const SpanCountsQuery& query, const Budget& budget)
      : source_(source),
        runner_(runner),
        query_(query),
        budget_(budget),
        clock_(budget, env),
        range_{(query.first - 1) * query.interval_ns + 1, query.last * query.interval_ns + 1},
        sums_(runner.width()) {}

  Result<std::vector<SpanLine>> Count() {
    WEFT_ASSIGN_OR_RETURN(groups_, source_.Snapshot(query_.tenant, range_, {.lazy = true}));
    std::vector<Error> errors(sums_.size());
    std::atomic<size_t> next{0};
    std::atomic<bool> stop{false};
    runner_.Run(sums_.size(), [&](size_t thread) {
      for (size_t i = next++; i < groups_.size() && !stop; i = next++) {
        FairShare::Offer();
        errors[thread] = CheckLimits(sums_[thread]);
        if (errors[thread].ok()) errors[thread] = AddGroup(*groups_[i], &sums_[thread]);
        if (!errors[thread].ok()) stop = true;
      }
    });
    for (const Error& error : errors) WEFT_RETURN_IF_ERROR(error);
    for (size_t i = 1; i < sums_.size(); ++i) sums_[0].Merge(sums_[i]);
    WEFT_RETURN_IF_ERROR(CheckLimits(sums_[0]));
    return sums_[0].Take();
  }

 private:
  Error CheckLimits(const Sums& sums) const {
    if (clock_.cancelled()) return {ErrorCode::kCancelled, "the query was cancelled"};
    if (const std::string limit = clock_.Exhausted(); !limit.empty()) {
      return {ErrorCode::kUnavailable, limit + ": ask for a shorter range"};
    }
    if (budget_.memory_bytes == 0 || sums.bytes() * sums_.size() <= budget_.memory_bytes) {
      return Error::Ok();
    }
    return {ErrorCode::kResourceExhausted,
            "the memory limit of " + std::to_string(budget_.memory_bytes) +
                " bytes ran out: ask for fewer series or a shorter range"};
  }

  Error AddGroup(const block::RowGroup& group, Sums* sums) {
    WEFT_ASSIGN_OR_RETURN(const ChosenRows chosen,
                          ChooseRows(group, &query_.filter, range_, nullptr, budget_.profile));
    if (chosen.Any()) WEFT_RETURN_IF_ERROR(AddRows(chosen.rows, chosen.columns.get(), sums));
    clock_.AddRead(group.bytes_read());
    return Error::Ok();
  }

  Error AddRows(const Bitmap& rows, GroupColumns* columns, Sums* sums) {
    WEFT_ASSIGN_OR_RETURN(const RowLabels labels,
                          RowLabels::Open(query_.by, rows, columns, nullptr));
    WEFT_ASSIGN_OR_RETURN(const Column* start, columns->Read(Intrinsic::kStartTime));
    WEFT_ASSIGN_OR_RETURN(const Column* duration, columns->Read(Intrinsic::kDuration));
    constexpr uint32_t kUnknown = UINT32_MAX;
    std::vector<uint32_t> line_of(labels.size(), kUnknown);
    rows.ForEach([&](uint32_t row) {
      const uint32_t combination = labels.of(row);
      uint32_t& line = line_of[combination];
      if (line == kUnknown) line = sums->LineOf(labels.Values(combination));
      const auto start_ns = static_cast<uint64_t>(start->ints[row]);
      const int64_t duration_ns = duration->ints[row];
      sums->Add(line, (start_ns - 1) / query_.interval_ns + 1,
                query_.bounds ? query_.bounds->BucketOf(duration_ns) : 0, 1,
                static_cast<uint64_t>(std::max<int64_t>(duration_ns, 0)));
    });
    return Error::Ok();
  }

  const block::RowSource& source_;
  TaskRunner& runner_;
  const SpanCountsQuery& query_;
  const Budget& budget_;
  BudgetClock clock_;
  const TimeRange range_;
  std::vector<std::shared_ptr<const block::RowGroup>> groups_;
  std::vector<Sums> sums_;  // one a thread
};

}  // namespace

Result<std::vector<SpanLine>> CountSpans(const block::RowSource& source, const Env& env,
                                         TaskRunner& runner, const SpanCountsQuery& query,
                                         const Budget& budget) {
  return block::WithRenewal<std::vector<SpanLine>>(
      source, [&] { return Run(source, env, runner, query, budget).Count(); });
}

}  // namespace weft::query::exec
