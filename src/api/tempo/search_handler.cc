// Search over HTTP.

#include "api/tempo/answers.h"
#include "api/tempo/messages.h"
#include "api/tempo/search_request.h"
#include "api/tempo/search_run.h"
#include "api/tempo/tempo_api.h"
#include "tempo.pb.h"

namespace weft::api::tempo {

net::HttpResponse TempoApi::Search(const Call& call) const {
  auto question = WithDialect(
      ReadSearchQuestion(call.request, parts_.env->NowNs(), options_.range_max_ns), call);
  // The query that tags become is weft's own.
  if (question.ok() && question->by_tags) question->dialect = query::lang::traceql::Dialect::kWeft;
  if (!question.ok()) return AnswerError(question.error());
  const SearchParts parts{&source_, parts_.env, parts_.runner, options_.strip_trace_ids};
  tempopb::SearchResponse response;
  const Error error = RunSearch(parts, call.tenant, call.budget, *question, nullptr, &response);
  if (!error.ok()) return AnswerError(error);
  return AnswerMessage(FormOf(call.request), response, "traces");
}

}  // namespace weft::api::tempo
