// Metrics over HTTP.

#include "api/tempo/answers.h"
#include "api/tempo/messages.h"
#include "api/tempo/metrics_run.h"
#include "api/tempo/tempo_api.h"

namespace weft::api::tempo {

// Always JSON, whatever is accepted, as Tempo does.
net::HttpResponse TempoApi::MetricsRange(const Call& call) const {
  const auto question = WithDialect(
      ReadRangeQuestion(call.request, parts_.env->NowNs(), options_.range_max_ns), call);
  if (!question.ok()) return AnswerError(question.error());
  tempopb::QueryRangeResponse response;
  const Error error = RunRange(source_, *parts_.env, *parts_.runner, call.tenant, call.budget,
                               *question, &response);
  if (!error.ok()) return AnswerError(error);
  return AnswerMessage(AnswerForm::kJson, response, "series");
}

net::HttpResponse TempoApi::MetricsInstant(const Call& call) const {
  const auto question = WithDialect(
      ReadInstantQuestion(call.request, parts_.env->NowNs(), options_.range_max_ns), call);
  if (!question.ok()) return AnswerError(question.error());
  tempopb::QueryInstantResponse response;
  const Error error = RunInstant(source_, *parts_.env, *parts_.runner, call.tenant, call.budget,
                                 *question, &response);
  if (!error.ok()) return AnswerError(error);
  return AnswerMessage(AnswerForm::kJson, response, "series");
}

}  // namespace weft::api::tempo
