// Services, operations, attribute keys and attribute values.

#include <array>
#include <optional>
#include <utility>

#include "api/answers.h"
#include "api/api_server.h"
#include "api/json_writer.h"
#include "api/parameters.h"
#include "query/exec/catalog.h"
#include "query/lang/traceql/compile.h"

namespace weft::api {
namespace {

using query::exec::Catalog;

constexpr std::array<std::pair<std::string_view, block::Scope>, 5> kScopes = {
    {{"span", block::Scope::kSpan},
     {"resource", block::Scope::kResource},
     {"event", block::Scope::kEvent},
     {"link", block::Scope::kLink},
     {"instrumentation", block::Scope::kInstrumentation}}};

// A question that runs out of its budget is not one question too many: a smaller one may do.
net::HttpResponse AnswerCatalogError(const Error& error) {
  if (error.code() != ErrorCode::kResourceExhausted) return AnswerError(error);
  return AnswerError(
      Error(ErrorCode::kUnavailable, error.message() + "; ask for a shorter range of time"));
}

template <typename Entry>
void WriteCounts(const Entry& entry, JsonWriter* json) {
  json->UintField("spanCount", entry.span_count);
  json->UintField("errorCount", entry.error_count);
}

// {"NAME":[...]}: `write` is called with each entry, inside its braces. `complete` goes behind it
// where there is one.
template <typename Entry, typename F>
net::HttpResponse AnswerList(std::string_view name, const std::vector<Entry>& entries, F write,
                             std::optional<bool> complete = std::nullopt) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key(name);
  json.BeginArray();
  for (const Entry& entry : entries) {
    json.BeginObject();
    write(entry, &json);
    json.EndObject();
  }
  json.EndArray();
  if (complete) json.BoolField("complete", *complete);
  json.EndObject();
  return AnswerJson(std::move(text));
}

void WriteTypes(uint8_t types, JsonWriter* json) {
  json->Key("types");
  json->BeginArray();
  // An attribute without a value has no type that could be asked for.
  for (int type = 1; type <= static_cast<int>(model::ValueType::kKvList); ++type) {
    if ((types >> type & 1) != 0)
      json->String(model::ValueTypeName(static_cast<model::ValueType>(type)));
  }
  json->EndArray();
}

struct ValuesParameters {
  std::string_view key;
  query::exec::ValuesRequest request;
  TimeRange range;
};

Result<ValuesParameters> ReadValues(const net::HttpRequest& http, int64_t now_ns) {
  WEFT_ASSIGN_OR_RETURN(const Parameters parameters,
                        Parameters::Read(http.query, {"key", "prefix", "limit", "start", "end"}));
  ValuesParameters values;
  WEFT_ASSIGN_OR_RETURN(const auto key, parameters.Text("key"));
  if (!key || key->empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 "parameter `key`: missing; for example key=span.http.route");
  }
  WEFT_ASSIGN_OR_RETURN(const auto prefix, parameters.Text("prefix"));
  WEFT_ASSIGN_OR_RETURN(values.request.limit, parameters.Whole("limit", 100, 1, 10'000));
  WEFT_ASSIGN_OR_RETURN(values.range, parameters.Range(now_ns));
  values.key = *key;
  values.request.prefix = prefix.value_or("");
  return values;
}

struct KeysParameters {
  std::optional<block::Scope> scope;
  std::string prefix;
  uint32_t limit = 0;
  TimeRange range;
};

Result<KeysParameters> ReadKeys(const net::HttpRequest& http, int64_t now_ns) {
  constexpr std::array<std::string_view, 5> kNames = {"span", "resource", "event", "link",
                                                      "instrumentation"};
  WEFT_ASSIGN_OR_RETURN(const Parameters parameters,
                        Parameters::Read(http.query, {"scope", "prefix", "limit", "start", "end"}));
  KeysParameters keys;
  WEFT_ASSIGN_OR_RETURN(const auto scope, parameters.OneOf("scope", kNames));
  WEFT_ASSIGN_OR_RETURN(const auto prefix, parameters.Text("prefix"));
  WEFT_ASSIGN_OR_RETURN(keys.limit, parameters.Whole("limit", 10'000, 1, 100'000));
  WEFT_ASSIGN_OR_RETURN(keys.range, parameters.Range(now_ns));
  for (const auto& [name, value] : kScopes) {
    if (scope && *scope == name) keys.scope = value;
  }
  keys.prefix = prefix.value_or("");
  return keys;
}

struct OperationsParameters {
  std::optional<std::string> service;
  TimeRange range;
};

Result<OperationsParameters> ReadOperations(const net::HttpRequest& http, int64_t now_ns) {
  WEFT_ASSIGN_OR_RETURN(const Parameters parameters,
                        Parameters::Read(http.query, {"service", "start", "end"}));
  OperationsParameters operations;
  WEFT_ASSIGN_OR_RETURN(const auto service, parameters.Text("service"));
  WEFT_ASSIGN_OR_RETURN(operations.range, parameters.Range(now_ns));
  if (service) operations.service = std::string(*service);
  return operations;
}

Result<TimeRange> ReadRange(const net::HttpRequest& http, int64_t now_ns) {
  WEFT_ASSIGN_OR_RETURN(const Parameters parameters,
                        Parameters::Read(http.query, {"start", "end"}));
  return parameters.Range(now_ns);
}

}  // namespace

net::HttpResponse ApiServer::Services(const Call& call) {
  const auto range = ReadRange(call.request, parts_.env->NowNs());
  if (!range.ok()) return AnswerError(range.error());
  const auto services =
      Catalog(*parts_.source, *parts_.env, call.tenant, *range, call.budget).Services();
  if (!services.ok()) return AnswerCatalogError(services.error());
  return AnswerList("services", *services, [](const auto& service, JsonWriter* json) {
    json->Field("name", service.name);
    WriteCounts(service, json);
  });
}

net::HttpResponse ApiServer::Operations(const Call& call) {
  const auto asked = ReadOperations(call.request, parts_.env->NowNs());
  if (!asked.ok()) return AnswerError(asked.error());
  const Catalog catalog(*parts_.source, *parts_.env, call.tenant, asked->range, call.budget);
  const std::optional<std::string>& service = asked->service;
  const auto operations = catalog.Operations(service ? &*service : nullptr);
  if (!operations.ok()) return AnswerCatalogError(operations.error());
  return AnswerList("operations", *operations, [](const auto& operation, JsonWriter* json) {
    json->Field("name", operation.name);
    json->Field("kind", KindName(operation.kind));
    WriteCounts(operation, json);
  });
}

net::HttpResponse ApiServer::Attributes(const Call& call) {
  const auto asked = ReadKeys(call.request, parts_.env->NowNs());
  if (!asked.ok()) return AnswerError(asked.error());
  const Catalog catalog(*parts_.source, *parts_.env, call.tenant, asked->range, call.budget);
  const std::optional<block::Scope>& scope = asked->scope;
  const auto keys = catalog.AttributeKeys(scope ? &*scope : nullptr, asked->prefix, asked->limit);
  if (!keys.ok()) return AnswerCatalogError(keys.error());
  const auto write = [](const auto& key, JsonWriter* json) {
    json->Field("scope", query::exec::ScopeName(key.scope));
    json->Field("key", key.key);
    WriteTypes(key.types, json);
  };
  return AnswerList("attributes", keys->keys, write, keys->complete);
}

net::HttpResponse ApiServer::AttributeValues(const Call& call) {
  auto asked = ReadValues(call.request, parts_.env->NowNs());
  if (!asked.ok()) return AnswerError(asked.error());
  auto field = query::lang::traceql::CompileField(asked->key);
  if (!field.ok()) return AnswerQueryError(field.error());
  asked->request.field = std::move(*field);
  const Catalog catalog(*parts_.source, *parts_.env, call.tenant, asked->range, call.budget);
  const auto answer = catalog.AttributeValues(asked->request);
  if (!answer.ok()) return AnswerCatalogError(answer.error());
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("values");
  json.BeginArray();
  for (const query::exec::ValueEntry& value : answer->values) {
    json.BeginObject();
    json.Field("type", model::ValueTypeName(value.type));
    json.Field("value", value.text);
    json.UintField("count", value.count);
    json.EndObject();
  }
  json.EndArray();
  json.BoolField("complete", answer->complete);
  json.EndObject();
  return AnswerJson(std::move(text));
}

}  // namespace weft::api
