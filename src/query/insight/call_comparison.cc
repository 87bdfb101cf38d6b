#include "query/insight/call_comparison.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "block/renewal.h"
#include "query/exec/group_filter.h"
#include "query/exec/plan_rows.h"
#include "query/exec/row_labels.h"

namespace weft::query::insight {
namespace {

using block::Column;
using block::Intrinsic;
using exec::Bitmap;
using exec::GroupColumns;
using exec::PlanRows;
using exec::SideCounts;
using exec::ValueTally;
using plan::Field;

constexpr uint32_t kNobody = UINT32_MAX;  // who calls roots
constexpr int8_t kNoSide = -1;

using Tallies = std::array<CallTally, 2>;

// The names of a call as one text, from which they can be read again.
void AppendText(std::string_view text, std::string* out) {
  out->append(std::to_string(text.size())).append(":").append(text);
}

std::string_view TakeText(std::string_view* key) {
  const size_t colon = key->find(':');
  const size_t size = std::stoull(std::string(key->substr(0, colon)));
  const std::string_view text = key->substr(colon + 1, size);
  key->remove_prefix(colon + 1 + size);
  return text;
}

CallName ReadCall(std::string_view key) {
  CallName out;
  out.service = TakeText(&key);
  out.name = TakeText(&key);
  out.of_root = key.empty();
  if (out.of_root) return out;
  out.parent_service = TakeText(&key);
  out.parent_name = TakeText(&key);
  return out;
}

using CallMap = absl::flat_hash_map<std::string, Tallies>;

// What one thread has found.
class FoundCallTallies {
 public:
  // Only these calls; null: all, as long as there are not too many.
  explicit FoundCallTallies(const CallMap* known) : known_(known) {}

  void Add(const std::string& key, const Tallies& sides) {
    if (known_ == nullptr) {
      for (const exec::Side side : {exec::Side::kBaseline, exec::Side::kSelection}) {
        const uint64_t traces = sides[static_cast<size_t>(side)].traces;
        if (traces != 0) tally_.Add(side, plan::Scalar::String(key), traces);
      }
      if (!exact()) {
        calls_.clear();
        bytes_ = 0;
        return;
      }
    } else if (!known_->contains(key)) {
      return;
    }
    const auto [found, is_new] = calls_.try_emplace(key);
    if (is_new) bytes_ += sizeof(std::string) + sizeof(Tallies) + key.size();
    for (const size_t side : {0, 1}) {
      bytes_ -= found->second[side].per_trace.bytes();
      found->second[side].Merge(sides[side]);
      bytes_ += found->second[side].per_trace.bytes();
    }
  }
  void Merge(FoundCallTallies&& other) {
    tally_.Merge(other.tally_);
    for (const size_t side : {0, 1}) traces_[side] += other.traces_[side];
    if (!exact()) calls_.clear();
    for (auto& [key, sides] : other.calls_) {
      if (!exact()) break;
      Tallies& own = calls_[key];
      for (const size_t side : {0, 1}) own[side].Merge(sides[side]);
    }
    other.calls_ = {};
  }

  bool exact() const { return tally_.exact(); }
  const ValueTally& tally() const { return tally_; }
  const CallMap& calls() const { return calls_; }
  SideCounts& traces() { return traces_; }
  const SideCounts& traces() const { return traces_; }
  size_t bytes() const { return tally_.bytes() + bytes_ + calls_.capacity(); }

 private:
  const CallMap* known_;
  ValueTally tally_;  // by traces
  CallMap calls_;
  size_t bytes_ = 0;
  SideCounts traces_{};
};

// The calls of the traces of one part.
class PartCalls {
 public:
  PartCalls(const plan::Comparison& comparison, const PlanRows::Part& part, GroupColumns* columns,
            FoundCallTallies* found)
      : comparison_(comparison),
        part_(part),
        group_(*part.group),
        columns_(columns),
        found_(*found) {}

  Error Run() {
    WEFT_RETURN_IF_ERROR(group_.LoadTraces());
    WEFT_RETURN_IF_ERROR(ChooseSides());
    WEFT_RETURN_IF_ERROR(Count());
    for (const auto& [call, number] : numbers_) found_.Add(KeyOf(call), tallies_[number]);
    return Error::Ok();
  }

 private:
  using Call = std::pair<uint32_t, uint32_t>;  // operations of parent (or kNobody) and child

  Error ChooseSides() {
    WEFT_ASSIGN_OR_RETURN(
        Bitmap selected,
        exec::GroupFilter(columns_, part_.joiner).Filter(comparison_.selection, part_.rows));
    if (comparison_.window) {
      WEFT_ASSIGN_OR_RETURN(const Bitmap within, exec::RowsInRange(columns_, *comparison_.window));
      selected.And(within);
    }
    const std::vector<uint32_t>& trace_of_row = group_.trace_of_row();
    side_of_trace_.assign(group_.trace_count(), kNoSide);
    part_.rows.ForEach([&](uint32_t row) { side_of_trace_[trace_of_row[row]] = 0; });
    selected.ForEach([&](uint32_t row) { side_of_trace_[trace_of_row[row]] = 1; });
    for (const int8_t side : side_of_trace_) {
      if (side != kNoSide) ++found_.traces()[static_cast<size_t>(side)];
    }
    return Error::Ok();
  }

  Error Count() {
    Bitmap rows(group_.row_count(), true);
    rows.AndNotWords(group_.excluded_rows());
    const std::vector<plan::LabelField> by{
        {Field::Attribute(block::Scope::kResource, "service.name"), plan::Meaning::kPlain, {}},
        {Field::Of(plan::Property::kName), plan::Meaning::kPlain, {}}};
    WEFT_ASSIGN_OR_RETURN(operations_, exec::RowLabels::Open(by, rows, columns_, nullptr));
    WEFT_ASSIGN_OR_RETURN(const Column* parent, columns_->Read(Intrinsic::kParentRow));
    const std::vector<uint32_t>& trace_of_row = group_.trace_of_row();
    uint32_t trace = UINT32_MAX;
    rows.ForEach([&](uint32_t row) {
      if (side_of_trace_[trace_of_row[row]] == kNoSide) return;
      if (trace_of_row[row] != trace) EndTrace(trace);
      trace = trace_of_row[row];
      const auto back = static_cast<uint32_t>(parent->ints[row]);
      CountCall({back == 0 ? kNobody : operations_->of(row - back), operations_->of(row)});
    });
    EndTrace(trace);
    return Error::Ok();
  }

  void CountCall(const Call& call) {
    const auto [at, is_new] = numbers_.try_emplace(call, static_cast<uint32_t>(tallies_.size()));
    if (is_new) {
      tallies_.emplace_back();
      in_trace_.push_back(0);
    }
    if (in_trace_[at->second]++ == 0) touched_.push_back(at->second);
  }

  void EndTrace(uint32_t trace) {
    for (const uint32_t number : touched_) {
      const auto side = static_cast<size_t>(side_of_trace_[trace]);
      tallies_[number][side].Add(in_trace_[number], group_.trace_id(trace));
      in_trace_[number] = 0;
    }
    touched_.clear();
  }

  std::string KeyOf(const Call& call) const {
    std::string key;
    AppendOperation(call.second, &key);
    if (call.first != kNobody) AppendOperation(call.first, &key);
    return key;
  }
  void AppendOperation(uint32_t operation, std::string* key) const {
    for (const plan::Value& value : operations_->Values(operation)) AppendText(value.text, key);
  }

  const plan::Comparison& comparison_;
  const PlanRows::Part& part_;
  const block::RowGroup& group_;
  GroupColumns* const columns_;
  FoundCallTallies& found_;
  std::vector<int8_t> side_of_trace_;
  std::optional<exec::RowLabels> operations_;
  absl::flat_hash_map<Call, uint32_t> numbers_;
  std::vector<Tallies> tallies_;    // by number
  std::vector<uint64_t> in_trace_;  // by number: calls of the trace that is counted
  std::vector<uint32_t> touched_;   // numbers with such
};

class CallComparing {
 public:
  CallComparing(const block::RowSource& source, exec::TaskRunner& runner, exec::BudgetClock* clock,
                const exec::Budget& budget, const plan::SeriesExpression& expression,
                const model::TenantId& tenant, TimeRange range)
      : source_(source),
        runner_(runner),
        clock_(*clock),
        budget_(budget),
        expression_(expression),
        tenant_(tenant),
        range_(range) {}

  Result<CallComparison> Run() {
    WEFT_ASSIGN_OR_RETURN(FoundCallTallies found, Find(nullptr));
    answer_.traces = found.traces();
    answer_.calls_complete = found.exact();
    if (!found.exact() && answer_.complete) {
      const CallMap frequent = Frequent(found);
      WEFT_ASSIGN_OR_RETURN(found, Find(&frequent));
    }
    for (const auto& [key, sides] : found.calls()) answer_.calls.push_back({ReadCall(key), sides});
    std::sort(answer_.calls.begin(), answer_.calls.end(),
              [](const auto& a, const auto& b) { return a.call < b.call; });
    return std::move(answer_);
  }

 private:
  Result<FoundCallTallies> Find(const CallMap* known) {
    PlanRows rows(source_, runner_, &clock_, expression_.spans, tenant_, range_,
                  /*whole_traces=*/true);
    std::vector<FoundCallTallies> found(rows.width(), FoundCallTallies(known));
    const auto find = [&](const PlanRows::Part& part, GroupColumns* columns, size_t thread) {
      WEFT_RETURN_IF_ERROR(PartCalls(expression_.comparison, part, columns, &found[thread]).Run());
      return CheckMemory(found[thread].bytes() * rows.width());
    };
    WEFT_RETURN_IF_ERROR(rows.ForEach(find));
    for (size_t i = 1; i < found.size(); ++i) found[0].Merge(std::move(found[i]));
    rows.AddStats(&answer_.stats);
    if (!rows.reason().empty()) {
      answer_.complete = false;
      answer_.reason = rows.reason();
    }
    return std::move(found[0]);
  }

  Error CheckMemory(size_t bytes) const {
    if (budget_.memory_bytes == 0 || bytes <= budget_.memory_bytes) return Error::Ok();
    return {ErrorCode::kResourceExhausted, "the memory limit of " +
                                               std::to_string(budget_.memory_bytes) +
                                               " bytes ran out; compare fewer spans"};
  }

  // Calls that may be in one of kFrequent traces of a side.
  static CallMap Frequent(const FoundCallTallies& found) {
    CallMap out;
    for (const auto& [key, counts] : found.tally().counts()) {
      bool frequent = false;
      for (const exec::Side side : {exec::Side::kBaseline, exec::Side::kSelection}) {
        const auto s = static_cast<size_t>(side);
        const uint64_t at_most = counts[s] + found.tally().lost(side);
        frequent =
            frequent || (at_most > 0 && at_most >= found.traces()[s] / ValueTally::kFrequent);
      }
      if (frequent) out.try_emplace(key.value.text);
    }
    return out;
  }

  const block::RowSource& source_;
  exec::TaskRunner& runner_;
  exec::BudgetClock& clock_;
  const exec::Budget& budget_;
  const plan::SeriesExpression& expression_;
  const model::TenantId& tenant_;
  const TimeRange range_;
  CallComparison answer_;
};

}  // namespace

void CallTally::Add(uint64_t calls_of_trace, const model::TraceId& id) {
  CallTally one;
  one.traces = 1;
  one.calls = one.example_calls = calls_of_trace;
  one.per_trace.Add(static_cast<int64_t>(calls_of_trace));
  one.example = id;
  Merge(one);
}

void CallTally::Merge(const CallTally& other) {
  traces += other.traces;
  calls += other.calls;
  per_trace.Merge(other.per_trace);
  if (other.traces == 0) return;
  const bool more = other.example_calls > example_calls;
  if (!more && (other.example_calls < example_calls || example <= other.example)) return;
  example = other.example;
  example_calls = other.example_calls;
}

Result<CallComparison> CompareCalls(const block::RowSource& source, exec::TaskRunner& runner,
                                    exec::BudgetClock* clock, const exec::Budget& budget,
                                    const plan::SeriesExpression& expression,
                                    const model::TenantId& tenant, TimeRange range) {
  return block::WithRenewal<CallComparison>(source, [&] {
    return CallComparing(source, runner, clock, budget, expression, tenant, range).Run();
  });
}

}  // namespace weft::query::insight
