// Search, one trace, two traces side by side, status and flush.

#include <array>
#include <string>
#include <utility>

#include "api/answers.h"
#include "api/api_server.h"
#include "api/dialect.h"
#include "api/json_writer.h"
#include "api/parameters.h"
#include "api/trace_columns.h"
#include "api/trace_diff_text.h"
#include "api/trace_format.h"
#include "model/otlp_encode.h"
#include "query/exec/search.h"
#include "query/lang/traceql/compile.h"

namespace weft::api {
namespace {

constexpr size_t kQueryBytesMax = 128 << 10;

struct SearchParameters {
  std::string_view query;
  query::exec::SearchRequest request;
};

Result<SearchParameters> ReadSearch(const net::HttpRequest& http, int64_t now_ns) {
  WEFT_ASSIGN_OR_RETURN(const Parameters parameters,
                        Parameters::Read(http.query, {"q", "start", "end", "limit", "spansPerTrace",
                                                      "cursor", "compat"}));
  SearchParameters search;
  WEFT_ASSIGN_OR_RETURN(const auto query, parameters.Text("q", kQueryBytesMax));
  WEFT_ASSIGN_OR_RETURN(const auto cursor, parameters.Text("cursor"));
  WEFT_ASSIGN_OR_RETURN(search.request.range, parameters.Range(now_ns));
  WEFT_ASSIGN_OR_RETURN(search.request.limit, parameters.Whole("limit", 20, 1, 1000));
  WEFT_ASSIGN_OR_RETURN(search.request.spans_per_trace,
                        parameters.Whole("spansPerTrace", 3, 0, 100));
  search.query = query.value_or("{}");
  search.request.cursor = cursor.value_or("");
  return search;
}

Result<TraceFormat> ReadFormat(const net::HttpRequest& http) {
  constexpr std::array<std::string_view, 2> kFormats = {"columns", "otlp"};
  WEFT_ASSIGN_OR_RETURN(const Parameters parameters, Parameters::Read(http.query, {"format"}));
  WEFT_ASSIGN_OR_RETURN(const auto format, parameters.OneOf("format", kFormats));
  if (!format) return ChooseTraceFormat(http.headers.Get("Accept"));
  return *format == "columns" ? TraceFormat::kColumns : TraceFormat::kOtlpJson;
}

Result<model::TraceId> ReadTraceId(std::string_view text) {
  const auto id = model::TraceId::FromHex(text);
  if (!id) return Error(ErrorCode::kInvalidArgument, "a trace id is 1 to 32 hex digits");
  return *id;
}

Result<DiffIds> ReadDiffIds(const Parameters& parameters) {
  DiffIds ids;
  for (const auto& [name, id] : {std::pair<std::string_view, model::TraceId*>{"base", &ids.base},
                                 {"compare", &ids.compare}}) {
    WEFT_ASSIGN_OR_RETURN(const auto text, parameters.Text(name));
    const auto read = ReadTraceId(text.value_or(""));
    if (!read.ok())
      return Error(ErrorCode::kInvalidArgument, std::string(name) + ": " + read.error().message());
    *id = *read;
  }
  return ids;
}

// `flags`: block::TraceFlag that the spans themselves don't show.
std::string EncodeTrace(const OrderedTrace& trace, model::TraceId id, uint32_t flags,
                        TraceFormat format) {
  if (format == TraceFormat::kColumns) return EncodeTraceColumns(trace, id, flags);
  std::string out;
  if (format == TraceFormat::kOtlpJson) model::EncodeOtlpJson(*trace.batch, trace.tree.input, &out);
  if (format == TraceFormat::kOtlpProtobuf)
    model::EncodeOtlpProto(*trace.batch, trace.tree.input, &out);
  return out;
}

}  // namespace

net::HttpResponse ApiServer::Search(const Call& call) {
  auto search = ReadSearch(call.request, parts_.env->NowNs());
  if (!search.ok()) return AnswerError(search.error());
  const auto dialect = ReadDialect(call.request, call.tenant, options_.tempo.compat_tenants);
  if (!dialect.ok()) return AnswerError(dialect.error());
  const auto plan = query::lang::traceql::Compile(search->query, *dialect);
  if (!plan.ok()) return AnswerQueryError(plan.error());
  search->request.tenant = call.tenant;
  const query::exec::SearchExecutor executor(*parts_.source, *parts_.env, *parts_.runner);
  const auto answer = executor.Run(*plan, search->request, call.budget);
  if (!answer.ok()) return AnswerError(answer.error());
  return AnswerJson(EncodeSearchAnswer(*answer));
}

net::HttpResponse ApiServer::Trace(const Call& call) {
  const auto format = ReadFormat(call.request);
  if (!format.ok()) return AnswerError(format.error());
  const auto id = ReadTraceId(call.request.PathParameter("traceId"));
  if (!id.ok()) return AnswerError(id.error());
  const auto batch = parts_.source->FindTrace(call.tenant, *id);
  if (!batch.ok()) return AnswerError(batch.error());
  if (batch->empty()) {
    return AnswerError(
        Error(ErrorCode::kNotFound, "tenant " + call.tenant + " has no trace " + id->ToHex()));
  }
  if (call.request.client_gone())
    return AnswerError(Error(ErrorCode::kCancelled, "the client went away"));
  uint32_t flags = 0;
  if (*format == TraceFormat::kColumns) {
    const auto joined = parts_.source->SummarizeTrace(call.tenant, *id);
    if (!joined.ok()) return AnswerError(joined.error());
    flags = joined->summary.flags & block::kTraceFragment;
    if (joined->fragments > 1) flags |= block::kTraceFragment;
  }
  net::HttpResponse response = AnswerJson(EncodeTrace(OrderTrace(*batch), *id, flags, *format));
  response.content_type = ContentTypeOf(*format);
  response.headers.Set("Vary", "Accept, Accept-Encoding");
  return response;
}

net::HttpResponse ApiServer::TraceDiff(const Call& call) {
  const auto parameters = Parameters::Read(call.request.query, {"base", "compare"});
  if (!parameters.ok()) return AnswerError(parameters.error());
  const auto ids = ReadDiffIds(*parameters);
  if (!ids.ok()) return AnswerError(ids.error());
  const auto diff = DiffTraces(*parts_.source, call, *ids, options_.tempo.trace_bytes_max);
  if (!diff.ok()) return AnswerError(diff.error());
  return AnswerJson(EncodeDiff(*diff, *ids, DiffFormat::kComposed));
}

net::HttpResponse ApiServer::Status(const Call& call) {
  const auto parameters = Parameters::Read(call.request.query, {});
  if (!parameters.ok()) return AnswerError(parameters.error());
  const StatusReport report = parts_.status(call.tenant);
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Field("version", report.version);
  json.Int64Field("startNs", report.start_ns);
  json.UintField("liveSpans", report.live_spans);
  json.UintField("storedSpans", report.stored_spans);
  json.UintField("blocks", report.blocks);
  json.UintField("bytes", report.bytes);
  if (report.oldest_ns) json.Int64Field("oldestNs", *report.oldest_ns);
  if (report.newest_ns) json.Int64Field("newestNs", *report.newest_ns);
  json.EndObject();
  return AnswerJson(std::move(text));
}

net::HttpResponse ApiServer::Flush(const Call& call) {
  const auto parameters = Parameters::Read(call.request.query, {});
  if (!parameters.ok()) return AnswerError(parameters.error());
  const auto report = [&] {
    const FairShare::Pause others_work;  // it is threads of the store that do
    return parts_.flush();
  }();
  if (!report.ok()) return AnswerError(report.error());
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.UintField("spans", report->spans);
  json.UintField("blocks", report->blocks);
  json.EndObject();
  return AnswerJson(std::move(text));
}

}  // namespace weft::api
