#include "query/exec/series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "base/read_account.h"
#include "block/renewal.h"
#include "query/exec/comparison.h"
#include "query/exec/counted_blocks.h"
#include "query/exec/metric_sums.h"
#include "query/exec/plan_rows.h"
#include "query/exec/profile.h"
#include "query/exec/row_labels.h"
#include "query/exec/row_values.h"
#include "query/exec/series_operations.h"
#include "query/plan/description.h"

namespace weft::query::exec {
namespace {

using block::Column;
using block::Intrinsic;
using plan::Metric;
using plan::SeriesExpression;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// One metric of spans while it is computed.
class MetricRun {
 public:
  MetricRun(const block::RowSource& source, TaskRunner& runner, BudgetClock* clock,
            const Budget& budget, const SeriesExpression& expression, const SeriesQuery& query)
      : budget_(budget),
        metric_(expression.metric),
        query_(query),
        counted_(CountedBlocks::For(expression, query)),
        rows_(source, runner, clock, expression.spans, query.tenant, query.axis.range()) {}

  // `top` as for MetricSums::TakeLines.
  Result<std::vector<MetricLine>> Run(std::optional<size_t> top, MetricAnswer* answer) {
    for (size_t i = 0; i < rows_.width(); ++i) sums_.emplace_back(metric_, query_);
    const auto add = [&](const PlanRows::Part& part, GroupColumns* columns, size_t thread) {
      WEFT_RETURN_IF_ERROR(AddRows(part.rows, columns, part.joiner, &sums_[thread]));
      return CheckMemory(sums_[thread]);
    };
    PlanRows::Claim claim;
    if (counted_) {
      claim = [&](const PlanRows::Groups& of_block, size_t thread) -> Result<bool> {
        auto counted = counted_->Add(of_block, &sums_[thread]);
        if (counted.ok()) WEFT_RETURN_IF_ERROR(CheckMemory(sums_[thread]));
        return counted;
      };
    }
    WEFT_RETURN_IF_ERROR(rows_.ForEach(add, claim));
    for (size_t i = 1; i < sums_.size(); ++i) sums_[0].Merge(sums_[i]);
    rows_.AddStats(&answer->stats);
    if (answer->complete && !rows_.reason().empty()) {
      answer->complete = false;
      answer->reason = rows_.reason();
    }
    return sums_[0].TakeLines(top);
  }

 private:
  Error CheckMemory(const MetricSums& sums) const {
    if (budget_.memory_bytes == 0 || sums.bytes() * sums_.size() <= budget_.memory_bytes) {
      return Error::Ok();
    }
    return {ErrorCode::kResourceExhausted,
            "the memory limit of " + std::to_string(budget_.memory_bytes) +
                " bytes ran out; group by fewer values or ask for fewer steps"};
  }

  Error AddRows(const Bitmap& rows, GroupColumns* columns, TraceJoiner* joiner, MetricSums* sums) {
    WEFT_ASSIGN_OR_RETURN(const RowLabels labels,
                          RowLabels::Open(metric_.by, rows, columns, joiner));
    WEFT_ASSIGN_OR_RETURN(const Column* start, columns->Read(Intrinsic::kStartTime));
    WEFT_ASSIGN_OR_RETURN(const ValueReader value, OpenValue(columns, joiner));
    WEFT_ASSIGN_OR_RETURN(const ExemplarReader exemplar, OpenExemplars(columns));
    constexpr uint32_t kUnknown = UINT32_MAX;
    std::vector<uint32_t> line_of(labels.size(), kUnknown);
    Error error;
    rows.ForEach([&](uint32_t row) {
      plan::Scalar number;
      if (value.needed) {
        auto read = value.Get(row);
        if (!read.ok()) error = read.error();
        if (!read.ok()) return;
        const bool sums =
            metric_.kind == Metric::Kind::kSum || metric_.kind == Metric::Kind::kAverage;
        if (!read->is_number() && !(metric_.missing_erases && sums)) return;
        number = read->is_number() ? *read : plan::Scalar::Double(kNone);
      }
      const uint32_t combination = labels.of(row);
      uint32_t& line = line_of[combination];
      if (line == kUnknown) line = sums->LineOf(labels.Values(combination));
      const auto start_ns = static_cast<uint64_t>(start->ints[row]);
      const uint32_t step = query_.axis.StepOf(start_ns);
      if (value.needed) {
        sums->Add(line, step, number);
      } else {
        sums->Count(line, step);
      }
      if (exemplar.span_id != nullptr) sums->Offer(line, step, exemplar.Of(row, start_ns, number));
    });
    return error;
  }

  // The number that a metric is of.
  struct ValueReader {
    bool needed = false;
    const Column* plain = nullptr;  // complete, ints
    std::shared_ptr<FieldReader> any;

    Result<plan::Scalar> Get(uint32_t row) const {
      if (plain != nullptr) return plan::Scalar::Int(plain->ints[row]);
      return any->Get(row, 0);
    }
  };

  Result<ValueReader> OpenValue(GroupColumns* columns, TraceJoiner* joiner) const {
    ValueReader out;
    if (metric_.kind == Metric::Kind::kRate || metric_.kind == Metric::Kind::kCount) return out;
    out.needed = true;
    if (metric_.of.is(plan::Property::kDuration)) {
      WEFT_ASSIGN_OR_RETURN(out.plain, columns->Read(Intrinsic::kDuration));
    } else {
      WEFT_ASSIGN_OR_RETURN(out.any, FieldReader::Open(metric_.of, columns, joiner));
    }
    return out;
  }

  struct ExemplarReader {
    const block::RowGroup* group = nullptr;
    const Column* span_id = nullptr;  // null where none are wanted
    bool of_duration = false;
    bool counts = false;

    Exemplar Of(uint32_t row, uint64_t start_ns, const plan::Scalar& number) const {
      Exemplar out{group->trace_id(group->trace_of_row()[row]),
                   {static_cast<uint64_t>(span_id->ints[row])},
                   start_ns,
                   kNone};
      if (counts) return out;
      out.value =
          number.type == plan::Value::Type::kInt ? static_cast<double>(number.number) : number.real;
      if (of_duration) out.value /= 1e9;
      return out;
    }
  };

  Result<ExemplarReader> OpenExemplars(GroupColumns* columns) const {
    ExemplarReader out;
    if (query_.exemplars == 0) return out;
    WEFT_RETURN_IF_ERROR(columns->group().LoadTraces());
    out.group = &columns->group();
    WEFT_ASSIGN_OR_RETURN(out.span_id, columns->Read(Intrinsic::kSpanId));
    out.of_duration = metric_.meaning == plan::Meaning::kDuration;
    out.counts = metric_.kind == Metric::Kind::kRate || metric_.kind == Metric::Kind::kCount;
    return out;
  }

  const Budget& budget_;
  const Metric& metric_;
  const SeriesQuery& query_;
  const std::optional<CountedBlocks> counted_;
  PlanRows rows_;
  std::vector<MetricSums> sums_;  // one a thread
};

bool HasNoValue(const MetricLine& line) {
  return std::all_of(line.values.begin(), line.values.end(),
                     [](double value) { return std::isnan(value); });
}

class ExpressionRun {
 public:
  ExpressionRun(const block::RowSource& source, const Env& env, TaskRunner& runner,
                const SeriesQuery& query, const Budget& budget)
      : source_(source), runner_(runner), query_(query), budget_(budget), clock_(budget, env) {}

  Result<MetricAnswer> Run(const SeriesExpression& expression) {
    WEFT_ASSIGN_OR_RETURN(answer_.lines, Lines(expression));
    if (query_.lines_max != 0 && answer_.lines.size() > query_.lines_max) {
      answer_.lines.resize(query_.lines_max);
      answer_.complete = false;
      answer_.reason = "more than " + std::to_string(query_.lines_max) + " series";
    }
    answer_.stats.elapsed_us = clock_.elapsed_ns() / 1000;
    if (const ReadAccount* const reads = ReadAccount::Current()) {
      answer_.stats.store_requests = reads->requests;
      answer_.stats.store_bytes = reads->bytes;
      answer_.stats.store_hits = reads->hits;
    }
    return std::move(answer_);
  }

 private:
  Result<std::vector<MetricLine>> Lines(const SeriesExpression& e) {
    std::vector<MetricLine> lines;
    switch (e.op) {
      case SeriesExpression::Op::kNumber:
        lines.push_back({{}, std::vector<double>(query_.axis.count, e.number), {}});
        break;
      case SeriesExpression::Op::kMetric: {
        MetricRun run(source_, runner_, &clock_, budget_, e, query_);
        const bool is_top = !e.stages.empty() && e.stages[0].kind == plan::SeriesStage::Kind::kTop;
        const auto top = is_top ? std::optional<size_t>(e.stages[0].count) : std::nullopt;
        WEFT_ASSIGN_OR_RETURN(lines, run.Run(top, &answer_));
        const bool empty_go = e.metric.missing_erases || e.metric.coarse;
        if (empty_go) std::erase_if(lines, HasNoValue);
        break;
      }
      case SeriesExpression::Op::kComparison: {
        WEFT_ASSIGN_OR_RETURN(const ComparisonAnswer compared,
                              Compare(source_, runner_, &clock_, budget_, e, query_));
        lines = LinesOf(compared, query_.axis);
        answer_.stats = compared.stats;
        answer_.complete = compared.complete;
        answer_.reason = compared.reason;
        break;
      }
      case SeriesExpression::Op::kArithmetic: {
        WEFT_ASSIGN_OR_RETURN(const auto left, Lines(e.operands[0]));
        WEFT_ASSIGN_OR_RETURN(const auto right, Lines(e.operands[1]));
        lines = JoinLines(e.arithmetic, left, right, e.Name());
        break;
      }
    }
    SortLines(&lines);
    for (const plan::SeriesStage& stage : e.stages) ApplyStage(stage, &lines);
    return lines;
  }

  const block::RowSource& source_;
  TaskRunner& runner_;
  const SeriesQuery& query_;
  const Budget& budget_;
  BudgetClock clock_;
  MetricAnswer answer_;
};

}  // namespace

Result<MetricAnswer> MetricExecutor::Run(const SeriesExpression& expression,
                                         const SeriesQuery& query, const Budget& budget) const {
  if (budget.profile != nullptr) budget.profile->SetPlan(plan::Describe(expression));
  return block::WithRenewal<MetricAnswer>(source_, [&] {
    return ExpressionRun(source_, env_, runner_, query, budget).Run(expression);
  });
}

}  // namespace weft::query::exec
