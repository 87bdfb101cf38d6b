// Metrics against what they mean, said plainly: random spans in random places, random queries. What
// is in a group is the reference interpreter's by(): of a number, a key like any other.
// WEFT_DIFFERENTIAL_SECONDS and WEFT_DIFFERENTIAL_SEED as for differential_test.cc.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "block/latency_bucket.h"
#include "query/exec/differential.h"
#include "query/exec/plan_rows.h"
#include "query/exec/profile.h"
#include "query/exec/reference_interpreter.h"
#include "query/exec/series.h"
#include "query/lang/traceql/compile.h"
#include "query/lang/traceql/literal_text.h"

namespace weft::query::exec {
namespace {

struct Question {
  std::string spans;     // what chooses them
  std::string function;  // rate, sum_over_time, ...
  std::string of;        // the number; empty for counts
  std::vector<std::string> by;
  TimeAxis axis;

  std::string Text() const {
    std::string text = spans + " | " + function + "(" + of;
    if (function == "quantile_over_time") text += ", 0.5";
    text += ")";
    for (size_t i = 0; i < by.size(); ++i) text += (i == 0 ? " by (" : ", ") + by[i];
    return text + (by.empty() ? "" : ")");
  }
};

Question RandomQuestion(const model::SpanBatch& spans, Chance* chance) {
  Question q;
  const std::vector<std::string> operations{
      "{}",
      "{ resource.service.name = \"svc1\" }",
      "{ resource.service.name != nil && kind != client }",
      "{ status = error }",
      "{ !(status = error) && name =~ \"x.*\" }",
      "{ kind = server || name = \"y\" }",
  };
  q.spans = chance->OneIn(2) ? chance->Pick(operations)
                             : (chance->OneIn(2) ? RandomFilter(chance) : RandomPipeline(chance));
  q.function = chance->Pick<std::string>({"rate", "rate", "count_over_time", "min_over_time",
                                          "max_over_time", "sum_over_time", "avg_over_time",
                                          "quantile_over_time"});
  if (q.function == "quantile_over_time") {
    q.of = "duration";
  } else if (q.function.ends_with("_over_time") && q.function != "count_over_time") {
    q.of = chance->Pick<std::string>({"duration", "span.a", "resource.a"});
  }
  std::vector<std::string> fields{"resource.service.name", "name", "kind", "span.a", "status"};
  for (uint32_t i = chance->Below(3); i > 0; --i) {
    const uint32_t at = chance->Below(static_cast<uint32_t>(fields.size()));
    q.by.push_back(fields[at]);
    fields.erase(fields.begin() + at);
  }
  const auto [first, last] = std::minmax_element(spans.start_ns.begin(), spans.start_ns.end());
  // One step around everything as often as several with spans on their borders.
  q.axis.count = chance->OneIn(2) ? 1 : 1 + chance->Below(6);
  q.axis.step_ns = std::max<uint64_t>(1, (*last - *first) / (1 + chance->Below(4)));
  if (q.axis.count == 1 && chance->OneIn(2)) q.axis.step_ns = *last - *first + 10;
  q.axis.first_ns = *first - 1 + q.axis.step_ns;
  return q;
}

// A value, and what it may be off by: sums of doubles depend on their order.
struct Cell {
  double value = 0;
  double within = 0;
};

// By labels and step.
using Lines = std::map<std::string, std::map<uint32_t, Cell>>;

// Of one line and step: the numbers of its spans; of counts zeros.
using Numbers = std::map<std::string, std::map<uint32_t, std::vector<double>>>;

std::optional<double> NumberOf(const PlainValue& value) {
  if (value.type == PlainValue::Type::kInt) return static_cast<double>(value.number);
  if (value.type == PlainValue::Type::kFloat) return value.real;
  return std::nullopt;
}

// The labels of a group, of which `values` are the last; those without a value are left out, unless
// none has one.
std::string LabelsOf(const Question& q, const std::vector<PlainValue>& values) {
  std::string all, some;
  for (size_t i = 0; i < q.by.size(); ++i) {
    const std::string label = q.by[i] + "=" + Text(values[i]) + " ";
    all += label;
    if (values[i].type != PlainValue::Type::kNil) some += label;
  }
  return some.empty() ? all : some;
}

Numbers Collect(const Question& q, const std::vector<PlainSpan>& spans) {
  std::string query = q.spans;
  for (const std::string& by : q.by) query += " | by(" + by + ")";
  if (!q.of.empty()) query += " | by(" + q.of + ")";
  const auto tree = lang::traceql::Parse(query);
  EXPECT_TRUE(tree.ok()) << query;
  Numbers out;
  for (const PlainTrace& trace : PlainSearch(**tree, spans, q.axis.range())) {
    for (const PlainSpanset& set : trace.spansets) {
      // Stages of the query itself may have left values before.
      const size_t keys = q.by.size() + (q.of.empty() ? 0 : 1);
      std::vector<PlainValue> values;
      for (size_t i = set.values.size() - keys; i < set.values.size(); ++i) {
        values.push_back(set.values[i].second);
      }
      const std::optional<double> number = q.of.empty() ? 0 : NumberOf(values.back());
      if (!number) continue;
      for (const PlainSpan* span : set.spans) {
        out[LabelsOf(q, values)][q.axis.StepOf(span->start_ns)].push_back(*number);
      }
    }
  }
  return out;
}

Cell CellOf(const Question& q, std::vector<double> numbers) {
  const auto count = static_cast<double>(numbers.size());
  std::sort(numbers.begin(), numbers.end());
  double sum = 0;
  double magnitude = 0;
  for (const double number : numbers) sum += number, magnitude += std::abs(number);
  const double unit = q.of == "duration" ? 1e-9 : 1;
  if (q.function == "rate") return {count / (static_cast<double>(q.axis.step_ns) / 1e9)};
  if (q.function == "count_over_time") return {count};
  if (q.function == "min_over_time") return {numbers.front() * unit};
  if (q.function == "max_over_time") return {numbers.back() * unit};
  const double within = 1e-12 * magnitude * unit;
  if (q.function == "sum_over_time") return {sum * unit, within};
  if (q.function == "avg_over_time") return {sum / count * unit, within};
  const double middle = numbers[static_cast<size_t>(std::ceil(count / 2)) - 1];
  const uint32_t bucket = block::LatencyBucketOf(static_cast<int64_t>(middle));
  return {static_cast<double>(block::LatencyBucketMiddle(bucket)) * unit};
}

Lines Expected(const Question& q, const std::vector<PlainSpan>& spans) {
  Lines out;
  const bool counts = q.of.empty();
  Numbers groups = Collect(q, spans);
  if (counts && q.by.empty()) groups.try_emplace("");  // nothing is a number of spans, too
  for (const auto& [labels, steps] : groups) {
    for (uint32_t step = 0; step < q.axis.count; ++step) {
      const auto numbers = steps.find(step);
      if (numbers != steps.end()) {
        out[labels][step] = CellOf(q, numbers->second);
      } else if (counts) {
        out[labels][step] = {};
      }
    }
  }
  return out;
}

Lines Answered(const Question& q, const plan::SeriesExpression& expression,
               const block::RowSource& source, TaskRunner* runner, uint64_t* counted) {
  Lines out;
  const SeriesQuery query{"t", q.axis};
  Profile profile(Env::Posix());
  const auto answer =
      MetricExecutor(source, Env::Posix(), *runner).Run(expression, query, {.profile = &profile});
  const auto skipped = profile.skipped();
  const auto by_counts = skipped.find(kAnsweredByCounts);
  if (by_counts != skipped.end()) *counted += by_counts->second;
  EXPECT_TRUE(answer.ok()) << q.Text();
  if (!answer.ok()) return out;
  EXPECT_TRUE(answer->complete);
  for (const MetricLine& line : answer->lines) {
    std::string labels;
    for (const FoundValue& label : line.labels) {
      if (label.name != "__name__" && label.name != "p")
        labels += label.name + "=" + Text(label) + " ";
    }
    for (uint32_t step = 0; step < line.values.size(); ++step) {
      if (!std::isnan(line.values[step])) out[labels][step] = {line.values[step]};
    }
  }
  return out;
}

bool IsSame(const std::map<uint32_t, Cell>& a, const std::map<uint32_t, Cell>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    const double wide = std::max(std::abs(x.second.value), std::abs(y.second.value));
    const double within = 1e-9 * wide + x.second.within;
    return x.first == y.first && std::abs(x.second.value - y.second.value) <= within;
  });
}

// What is different, in words; empty when nothing is.
std::string Difference(const Lines& expected, const Lines& answered) {
  const auto text = [](const Lines& lines) {
    std::string out;
    for (const auto& [labels, steps] : lines) {
      out += "\n  {" + labels + "}";
      for (const auto& [step, cell] : steps) {
        out += " " + std::to_string(step) + ":" + std::to_string(cell.value);
      }
    }
    return out;
  };
  const bool same = std::ranges::equal(expected, answered, [](const auto& a, const auto& b) {
    return a.first == b.first && IsSame(a.second, b.second);
  });
  if (same) return {};
  return "expected:" + text(expected) + "\nanswered:" + text(answered);
}

bool RunRound(uint64_t seed, TaskRunner* runner, uint64_t* asked, uint64_t* counted) {
  Chance chance(seed);
  const model::SpanBatch spans = RandomSpans(&chance, 1 + chance.Below(12));
  const std::vector<PlainSpan> plain = ToPlainSpans(spans);
  const MemorySource source = Scatter(spans, chance.OneIn(2), &chance);
  const auto stored = Store(spans, &chance);
  if (stored == nullptr) return false;
  for (int i = 0; i < 20; ++i) {
    const Question q = RandomQuestion(spans, &chance);
    const auto expression = lang::traceql::CompileMetrics(q.Text());
    if (!expression.ok()) continue;
    ++*asked;
    const Lines expected = Expected(q, plain);
    EXPECT_EQ(Difference(expected, Answered(q, *expression, source, runner, counted)), "")
        << "in memory: " << q.Text();
    EXPECT_EQ(Difference(expected, Answered(q, *expression, *stored, runner, counted)), "")
        << "in blocks: " << q.Text();
    if (testing::Test::HasFailure()) return false;
  }
  return true;
}

TEST(MetricDifferential, EngineAndPlainSumsAgree) {
  TaskRunner runner(1);
  uint64_t asked = 0;
  uint64_t counted = 0;
  RunRounds([&](uint64_t seed) { return RunRound(seed, &runner, &asked, &counted); });
  EXPECT_GT(asked, 100u);
  EXPECT_GT(counted, 0u) << "no row group was answered by the counts of its block";
}

}  // namespace
}  // namespace weft::query::exec
