#include "api/tempo/metrics_run.h"

#include <cmath>
#include <string>

#include "api/tempo/answers.h"
#include "api/tempo/messages.h"
#include "api/tempo/search_answer.h"
#include "query/lang/traceql/compile.h"

namespace weft::api::tempo {
namespace {

using query::exec::MetricAnswer;
using query::exec::MetricLine;

// Series that would make the answer larger are left out.
constexpr size_t kAnswerBytesMax = 64 << 20;

Result<MetricAnswer> RunQuestion(const block::RowSource& source, const Env& env,
                                 query::exec::TaskRunner& runner, const model::TenantId& tenant,
                                 const query::exec::Budget& budget,
                                 const MetricsQuestion& question) {
  const auto expression = query::lang::traceql::CompileMetrics(question.query, question.dialect);
  if (!expression.ok()) return AsTempoSays("compiling query: parse error", expression.error());
  const query::exec::SeriesQuery query{tenant, question.axis, question.exemplars,
                                       question.lines_max};
  return query::exec::MetricExecutor(source, env, runner).Run(*expression, query, budget);
}

template <typename Message>
void AddLabels(const MetricLine& line, Message* out) {
  for (const auto& label : line.labels) AddKeyValue(label, out->add_labels());
}

template <typename Response>
void AddState(const MetricAnswer& answer, const MetricsQuestion& question, Response* response) {
  tempopb::SearchMetrics& metrics = *response->mutable_metrics();
  metrics.set_inspectedspans(answer.stats.rows);
  metrics.set_totaljobs(
      static_cast<uint32_t>(answer.stats.row_groups + answer.stats.row_groups_skipped));
  metrics.set_completedjobs(metrics.totaljobs());
  if (answer.complete) return;
  response->set_status(tempopb::PARTIAL);
  const bool many = question.lines_max != 0 && answer.lines.size() == question.lines_max;
  response->set_message(many ? "Response exceeds maximum series limit of " +
                                   std::to_string(question.lines_max) +
                                   ", a partial response is returned. Warning: the accuracy of "
                                   "each individual value is not affected"
                             : answer.reason + ", a partial response is returned");
}

}  // namespace

Error RunRange(const block::RowSource& source, const Env& env, query::exec::TaskRunner& runner,
               const model::TenantId& tenant, const query::exec::Budget& budget,
               const MetricsQuestion& question, tempopb::QueryRangeResponse* response) {
  WEFT_ASSIGN_OR_RETURN(const MetricAnswer answer,
                        RunQuestion(source, env, runner, tenant, budget, question));
  size_t bytes = 0;
  bool too_large = false;
  for (const MetricLine& line : answer.lines) {
    too_large = bytes > kAnswerBytesMax;
    if (too_large) break;
    tempopb::TimeSeries& series = *response->add_series();
    AddLabels(line, &series);
    for (uint32_t step = 0; step < line.values.size(); ++step) {
      if (std::isnan(line.values[step])) continue;
      tempopb::Sample& sample = *series.add_samples();
      sample.set_value(line.values[step]);
      sample.set_timestamp_ms(static_cast<int64_t>(question.axis.TimeOf(step) / 1'000'000));
    }
    for (const query::exec::Exemplar& found : line.exemplars) {
      tempopb::Exemplar& exemplar = *series.add_exemplars();
      tempopb::KeyValue& label = *exemplar.add_labels();
      label.set_key("trace:id");
      label.mutable_value()->set_stringvalue(found.trace_id.ToHex());
      exemplar.set_value(found.value);
      exemplar.set_timestamp_ms(static_cast<int64_t>(found.start_ns / 1'000'000));
    }
    bytes += series.ByteSizeLong();
  }
  AddState(answer, question, response);
  if (too_large) {
    response->set_status(tempopb::PARTIAL);
    response->set_message("the answer is larger than " + std::to_string(kAnswerBytesMax) +
                          " bytes, a partial response is returned; group by fewer values or ask "
                          "for longer steps");
  }
  return Error::Ok();
}

Error RunInstant(const block::RowSource& source, const Env& env, query::exec::TaskRunner& runner,
                 const model::TenantId& tenant, const query::exec::Budget& budget,
                 const MetricsQuestion& question, tempopb::QueryInstantResponse* response) {
  WEFT_ASSIGN_OR_RETURN(const MetricAnswer answer,
                        RunQuestion(source, env, runner, tenant, budget, question));
  for (const MetricLine& line : answer.lines) {
    tempopb::InstantSeries& series = *response->add_series();
    AddLabels(line, &series);
    series.set_value(line.values[0]);
  }
  AddState(answer, question, response);
  return Error::Ok();
}

}  // namespace weft::api::tempo
