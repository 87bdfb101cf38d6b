// Lines over time of operations and services.

#include <array>
#include <optional>
#include <utility>

#include "api/answers.h"
#include "api/api_server.h"
#include "api/json_writer.h"
#include "api/parameters.h"
#include "block/latency_bucket.h"
#include "query/exec/operation_series.h"

namespace weft::api {
namespace {

using query::exec::Series;
using query::exec::SeriesPoint;
using query::exec::SeriesRequest;

struct SeriesParameters {
  SeriesRequest request;
  TimeRange range;
  bool buckets = false;
};

Result<SeriesParameters> ReadSeries(const net::HttpRequest& http, int64_t now_ns) {
  constexpr std::array<std::string_view, 2> kBy = {"operation", "service"};
  constexpr std::array<std::string_view, 2> kBuckets = {"true", "false"};
  constexpr uint32_t kStepMax = 7 * 24 * 60;
  WEFT_ASSIGN_OR_RETURN(const Parameters parameters,
                        Parameters::Read(http.query, {"service", "name", "by", "stepMinutes",
                                                      "buckets", "limit", "start", "end"}));
  SeriesParameters series;
  WEFT_ASSIGN_OR_RETURN(const auto service, parameters.Text("service"));
  WEFT_ASSIGN_OR_RETURN(const auto name, parameters.Text("name"));
  WEFT_ASSIGN_OR_RETURN(const auto by, parameters.OneOf("by", kBy));
  WEFT_ASSIGN_OR_RETURN(const auto buckets, parameters.OneOf("buckets", kBuckets));
  WEFT_ASSIGN_OR_RETURN(series.request.step_minutes,
                        parameters.Whole("stepMinutes", 1, 1, kStepMax));
  WEFT_ASSIGN_OR_RETURN(series.request.limit, parameters.Whole("limit", 1000, 1, 10'000));
  WEFT_ASSIGN_OR_RETURN(series.range, parameters.Range(now_ns));
  if (service) series.request.service = std::string(*service);
  if (name) series.request.name = std::string(*name);
  series.request.by_operation = by.value_or("operation") == "operation";
  series.buckets = buckets.value_or("false") == "true";
  return series;
}

void WritePoint(const SeriesPoint& point, bool buckets, JsonWriter* json) {
  json->BeginObject();
  json->Int64Field("startNs", point.start_ns);
  json->UintField("spanCount", point.span_count);
  json->UintField("errorCount", point.error_count);
  json->Int64Field("p50Ns", point.DurationNs(0.5));
  json->Int64Field("p90Ns", point.DurationNs(0.9));
  json->Int64Field("p95Ns", point.DurationNs(0.95));
  json->Int64Field("p99Ns", point.DurationNs(0.99));
  if (buckets) {
    json->Key("buckets");
    json->BeginArray();
    for (const auto& [bucket, count] : point.buckets) {
      json->BeginObject();
      json->Int64Field("fromNs", block::LatencyBucketFloor(bucket));
      json->UintField("spanCount", count);
      json->EndObject();
    }
    json->EndArray();
  }
  json->EndObject();
}

void WriteSeries(const Series& series, const SeriesParameters& asked, JsonWriter* json) {
  json->BeginObject();
  json->Field("service", series.service);
  if (asked.request.by_operation) {
    json->Field("name", series.name);
    json->Field("kind", KindName(series.kind));
  }
  json->UintField("spanCount", series.span_count);
  json->UintField("errorCount", series.error_count);
  json->Key("points");
  json->BeginArray();
  for (const SeriesPoint& point : series.points) WritePoint(point, asked.buckets, json);
  json->EndArray();
  json->EndObject();
}

}  // namespace

net::HttpResponse ApiServer::OperationSeries(const Call& call) {
  const auto asked = ReadSeries(call.request, parts_.env->NowNs());
  if (!asked.ok()) return AnswerError(asked.error());
  const auto answer = query::exec::CountSeries(*parts_.source, *parts_.env, call.tenant,
                                               asked->range, asked->request, call.budget);
  if (answer.error().code() == ErrorCode::kResourceExhausted) {
    // A smaller question may do.
    return AnswerError(Error(ErrorCode::kUnavailable, answer.error().message()));
  }
  if (!answer.ok()) return AnswerError(answer.error());
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.UintField("stepMinutes", asked->request.step_minutes);
  json.Key("series");
  json.BeginArray();
  for (const Series& series : answer->series) WriteSeries(series, *asked, &json);
  json.EndArray();
  json.BoolField("complete", answer->complete);
  json.EndObject();
  return AnswerJson(std::move(text));
}

}  // namespace weft::api
