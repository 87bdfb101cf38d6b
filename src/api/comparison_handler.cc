// What is different about some spans, and about the calls of their traces.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "api/answers.h"
#include "api/api_server.h"
#include "api/json_writer.h"
#include "api/parameters.h"
#include "query/exec/comparison.h"
#include "query/exec/span_describer.h"
#include "query/insight/call_comparison.h"
#include "query/insight/difference.h"
#include "query/lang/traceql/compile.h"

namespace weft::api {
namespace {

constexpr size_t kQueryBytesMax = 128 << 10;

struct ComparisonParameters {
  std::string_view query;
  TimeRange range;
  uint32_t limit = 0;
};

Result<ComparisonParameters> ReadComparison(const Call& call, int64_t now_ns) {
  WEFT_ASSIGN_OR_RETURN(const Parameters parameters,
                        Parameters::Read(call.request.query, {"q", "start", "end", "limit"}));
  ComparisonParameters out;
  WEFT_ASSIGN_OR_RETURN(const auto text, parameters.Text("q", kQueryBytesMax));
  WEFT_ASSIGN_OR_RETURN(out.range, parameters.Range(now_ns));
  WEFT_ASSIGN_OR_RETURN(out.limit, parameters.Whole("limit", 50, 1, 1000));
  out.query = text.value_or("{} | compare({ status = error })");
  return out;
}

// One step of time: the whole range.
query::exec::TimeAxis AxisOf(TimeRange range) {
  return {range.end_ns - 1, range.end_ns - range.start_ns, 1};
}

void WriteSides(const query::exec::SideCounts& spans, JsonWriter* json) {
  json->UintField("baseline", spans[0]);
  json->UintField("selection", spans[1]);
}

void WriteReal(std::string_view name, double value, JsonWriter* json) {
  json->Key(name), json->Double(value);
}

void WriteEffect(double effect, double chance, JsonWriter* json) {
  WriteReal("effect", effect, json);
  WriteReal("chance", chance, json);
}

void WriteRank(const query::insight::RankDifference& rank, JsonWriter* json) {
  WriteEffect(rank.effect, rank.chance, json);
  WriteReal("shift", rank.shift, json);
}

constexpr std::array<std::string_view, 2> kSideNames = {"baseline", "selection"};

void WriteDistribution(const query::exec::NumberHistogram& numbers, JsonWriter* json) {
  json->BeginObject();
  json->UintField("count", numbers.count());
  if (numbers.count() != 0) {
    WriteReal("min", numbers.min(), json);
    for (const auto& [name, quantile] :
         {std::pair{"p25", 0.25}, {"p50", 0.5}, {"p75", 0.75}, {"p95", 0.95}, {"p99", 0.99}})
      WriteReal(name, numbers.Quantile(quantile), json);
    WriteReal("max", numbers.max(), json);
  }
  json->EndObject();
}

void WriteDifference(const query::insight::NumberDifference& difference, JsonWriter* json) {
  json->BeginObject();
  json->Field("field", query::plan::ToString(difference.number->field));
  WriteRank(difference.rank, json);
  for (const size_t side : {0, 1}) {
    json->Key(kSideNames[side]);
    WriteDistribution(difference.number->sides[side], json);
  }
  json->EndObject();
}

std::string_view ChangeOf(const query::insight::CallDifference& difference) {
  const auto& [baseline, selection] = difference.call->sides;
  if (baseline.traces == 0) return "appears";
  if (selection.traces == 0) return "vanishes";
  if (difference.rank.shift == 0) return "same";
  return difference.rank.shift > 0 ? "more" : "fewer";
}

void WriteOperation(std::string_view service, std::string_view name, JsonWriter* json) {
  json->Field("service", service);
  json->Field("name", name);
}

void WriteDifference(const query::insight::CallDifference& difference, JsonWriter* json) {
  const query::insight::CallName& call = difference.call->call;
  json->BeginObject();
  if (!call.of_root) {
    json->Key("parent");
    json->BeginObject();
    WriteOperation(call.parent_service, call.parent_name, json);
    json->EndObject();
  }
  WriteOperation(call.service, call.name, json);
  json->Field("change", ChangeOf(difference));
  WriteRank(difference.rank, json);
  for (const size_t side : {0, 1}) {
    const query::insight::CallTally& tally = difference.call->sides[side];
    json->Key(kSideNames[side]);
    json->BeginObject();
    json->UintField("traces", tally.traces);
    json->UintField("calls", tally.calls);
    if (tally.traces != 0) json->Field("exampleTraceId", tally.example.ToHex());
    json->EndObject();
  }
  json->EndObject();
}

void WriteDifference(const query::insight::FieldDifference& difference, JsonWriter* json) {
  const query::exec::ComparedField& field = *difference.field;
  json->BeginObject();
  json->Field("field", query::plan::ToString(field.field));
  WriteEffect(difference.effect, difference.chance, json);
  WriteSides(field.having.spans, json);
  if (field.counts_complete) json->UintField("distinct", field.counts.size());
  json->Key("values");
  json->BeginArray();
  for (const query::exec::ComparedValue& value : field.values) {
    json->BeginObject();
    json->Key("value");
    WriteValue(query::exec::ToFoundValue(query::plan::ToString(field.field),
                                         query::plan::Scalar::Of(value.value),
                                         query::plan::Meaning::kPlain),
               json);
    WriteSides(value.spans, json);
    json->EndObject();
  }
  json->EndArray();
  json->EndObject();
}

// The first `limit` of a list.
template <typename Difference>
void WriteDifferences(std::string_view name, const std::vector<Difference>& differences,
                      size_t limit, JsonWriter* json) {
  json->Key(name);
  json->BeginArray();
  for (size_t i = 0; i < differences.size() && i < limit; ++i)
    WriteDifference(differences[i], json);
  json->EndArray();
}

double EffectOf(const query::insight::FieldDifference& one) { return one.effect; }
template <typename Difference>
double EffectOf(const Difference& one) {
  return one.rank.effect;
}

// The first `limit` of all lists together, as places in them.
void WriteRanking(const query::insight::Differences& differences, size_t limit, JsonWriter* json) {
  struct Place {
    std::string_view list;
    size_t at = 0;
    double effect = 0;
  };
  std::vector<Place> places;
  const auto add = [&](std::string_view list, const auto& of_list) {
    for (size_t i = 0; i < of_list.size() && i < limit; ++i)
      places.push_back({list, i, EffectOf(of_list[i])});
  };
  add("fields", differences.fields);
  add("numbers", differences.numbers);
  add("calls", differences.calls);
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return std::tie(b.effect, a.list, a.at) < std::tie(a.effect, b.list, b.at);
  });
  json->Key("ranking");
  json->BeginArray();
  for (size_t i = 0; i < places.size() && i < limit; ++i) {
    json->BeginObject();
    json->Field("list", places[i].list);
    json->UintField("at", places[i].at);
    json->EndObject();
  }
  json->EndArray();
}

}  // namespace

net::HttpResponse ApiServer::Comparison(const Call& call) {
  const auto asked = ReadComparison(call, parts_.env->NowNs());
  if (!asked.ok()) return AnswerError(asked.error());
  const auto expression = query::lang::traceql::CompileMetrics(asked->query);
  if (!expression.ok()) return AnswerQueryError(expression.error());
  if (expression->op != query::plan::SeriesExpression::Op::kComparison) {
    return AnswerError(Error(ErrorCode::kInvalidArgument,
                             "q: expected compare({ ... }) at the end, as in {} | compare({ status "
                             "= error })"));
  }
  query::exec::BudgetClock clock(call.budget, *parts_.env);
  const auto answer =
      query::exec::Compare(*parts_.source, *parts_.runner, &clock, call.budget, *expression,
                           {call.tenant, AxisOf(asked->range), 0, 0}, /*numbers=*/true);
  if (!answer.ok()) return AnswerInsightError(answer.error());
  const auto calls = query::insight::CompareCalls(
      *parts_.source, *parts_.runner, &clock, call.budget, *expression, call.tenant, asked->range);
  if (!calls.ok()) return AnswerInsightError(calls.error());
  const auto ranked = query::insight::RankDifferences(*answer, *calls);
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  WriteSides(answer->spans, &json);
  json.Key("traces");
  json.BeginObject();
  WriteSides(calls->traces, &json);
  json.EndObject();
  WriteDifferences("fields", ranked.fields, asked->limit, &json);
  json.UintField("fieldCount", ranked.fields.size());
  WriteDifferences("numbers", ranked.numbers, asked->limit, &json);
  json.UintField("numberCount", ranked.numbers.size());
  WriteDifferences("calls", ranked.calls, asked->limit, &json);
  json.UintField("callCount", ranked.calls.size());
  json.BoolField("callsComplete", calls->calls_complete);
  WriteRanking(ranked, asked->limit, &json);
  json.BoolField("complete", answer->complete && calls->complete);
  const std::string& reason = answer->reason.empty() ? calls->reason : answer->reason;
  if (!reason.empty()) json.Field("reason", reason);
  query::exec::SearchStats stats = answer->stats;
  stats.elapsed_us = clock.elapsed_ns() / 1000;
  WriteStats(stats, &json);
  json.EndObject();
  return AnswerJson(std::move(text));
}

}  // namespace weft::api
