#include "api/tempo/tag_messages.h"

#include <array>
#include <set>
#include <utility>
#include <vector>

#include "api/tempo/messages.h"
#include "base/utf8.h"
#include "net/url.h"
#include "query/exec/value_count.h"
#include "query/lang/traceql/compile.h"

namespace weft::api::tempo {
namespace {

using query::plan::Field;
using query::plan::Property;

// Of the texts of all values of an answer; the rest is left out.
constexpr uint64_t kValueBytesMax = 1'000'000;

constexpr std::array<std::pair<std::string_view, block::Scope>, 5> kScopes = {
    {{"span", block::Scope::kSpan},
     {"resource", block::Scope::kResource},
     {"event", block::Scope::kEvent},
     {"link", block::Scope::kLink},
     {"instrumentation", block::Scope::kInstrumentation}}};

constexpr std::array<std::string_view, 25> kIntrinsics = {"duration",
                                                          "event:name",
                                                          "event:timeSinceStart",
                                                          "instrumentation:name",
                                                          "instrumentation:version",
                                                          "kind",
                                                          "link:spanID",
                                                          "link:traceID",
                                                          "name",
                                                          "rootName",
                                                          "rootServiceName",
                                                          "span:duration",
                                                          "span:id",
                                                          "span:kind",
                                                          "span:name",
                                                          "span:parentID",
                                                          "span:status",
                                                          "span:statusMessage",
                                                          "status",
                                                          "statusMessage",
                                                          "trace:duration",
                                                          "trace:id",
                                                          "trace:rootName",
                                                          "trace:rootService",
                                                          "traceDuration"};

constexpr std::array<std::string_view, 3> kStatuses = {"ok", "error", "unset"};
constexpr std::array<std::string_view, 6> kKinds = {"client",   "server",   "producer",
                                                    "consumer", "internal", "unspecified"};

template <typename Response>
void SetEffort(const TagEffort& effort, Response* response) {
  tempopb::MetadataMetrics& metrics = *response->mutable_metrics();
  metrics.set_inspectedbytes(effort.bytes);
  metrics.set_totaljobs(effort.groups);
  metrics.set_completedjobs(effort.groups_done);
}

// The names that are asked for; none of attributes when only intrinsics are.
Result<TagNames> FindNames(const TagCatalog& catalog, const AskedScope& scope) {
  if (!scope.all && !scope.attributes) return TagNames();
  return catalog.Names(scope.attributes ? &*scope.attributes : nullptr);
}

std::string_view TypeName(model::ValueType type) {
  switch (type) {
    case model::ValueType::kInt: return "int";
    case model::ValueType::kDouble: return "float";
    case model::ValueType::kBool: return "bool";
    default: return "string";
  }
}

using TypedValues = std::vector<std::pair<std::string_view, std::string>>;

template <size_t N>
TypedValues Keywords(const std::array<std::string_view, N>& words) {
  TypedValues out;
  for (const std::string_view word : words) out.emplace_back("keyword", word);
  return out;
}

struct FoundValues {
  TypedValues values;
  TagEffort effort;
};

// Statuses and kinds are words of the language, whether they occur or not. Properties whose values
// are not worth a list (durations, ids, ...) have none.
Result<FoundValues> FindValues(const TagCatalog& catalog, const Field& field) {
  FoundValues out;
  if (field.is(Property::kStatus)) {
    out.values = Keywords(kStatuses);
    return out;
  }
  if (field.is(Property::kKind)) {
    out.values = Keywords(kKinds);
    return out;
  }
  if (!query::exec::CheckCountable(field).ok()) return out;
  WEFT_ASSIGN_OR_RETURN(TagValues found, catalog.Values(field, kValueBytesMax));
  for (query::exec::ValueEntry& value : found.values)
    out.values.emplace_back(TypeName(value.type), std::move(value.text));
  out.effort = found.effort;
  return out;
}

// What a name of version 1 means: an intrinsic, an attribute with its scope, or one of the span or
// its resource.
Field FieldOfLegacyName(const std::string& name) {
  if (auto field = query::lang::traceql::CompileField(name); field.ok()) return *field;
  return Field::Unscoped(name);
}

}  // namespace

Result<AskedScope> ReadScope(std::string_view text) {
  AskedScope scope;
  if (text.empty() || text == "none") {
    scope.all = scope.intrinsics = true;
  } else if (text == "intrinsic") {
    scope.intrinsics = true;
  } else if (text != "trace") {  // which has no attributes
    for (const auto& [name, value] : kScopes) {
      if (text == name) scope.attributes = value;
    }
    if (!scope.attributes) {
      return Error(ErrorCode::kInvalidArgument,
                   "invalid scope: " + std::string(text.substr(0, 100)));
    }
  }
  return scope;
}

Result<Field> ReadTagName(const std::string& name) {
  auto field = query::lang::traceql::CompileField(name);
  if (field.ok()) return *field;
  return Error(ErrorCode::kInvalidArgument,
               "please provide a valid tagName: failed to parse identifier " + name + ": " +
                   field.error().error.message());
}

std::string DecodeTagName(std::string_view name) {
  const bool encoded = name.find('%') != std::string_view::npos;
  const auto decoded = encoded ? net::PercentDecode(name) : std::nullopt;
  return decoded ? *decoded : std::string(name);
}

Result<tempopb::SearchTagsResponse> TagMessages::NamesV1(AskedScope scope) const {
  if (scope.all) scope.intrinsics = false;
  WEFT_ASSIGN_OR_RETURN(const TagNames names, FindNames(catalog_, scope));
  std::set<std::string_view> sorted;
  for (const auto& [of, keys] : names.by_scope) sorted.insert(keys.begin(), keys.end());
  if (scope.intrinsics) sorted.insert(kIntrinsics.begin(), kIntrinsics.end());
  tempopb::SearchTagsResponse response;
  for (const std::string_view name : sorted) {
    const auto listed = static_cast<uint32_t>(response.tagnames_size());
    if (request_.limit > 0 && listed >= request_.limit) break;
    response.add_tagnames(Utf8(name));
  }
  SetEffort(names.effort, &response);
  return response;
}

Result<tempopb::SearchTagsV2Response> TagMessages::NamesV2(const AskedScope& scope) const {
  WEFT_ASSIGN_OR_RETURN(const TagNames names, FindNames(catalog_, scope));
  tempopb::SearchTagsV2Response response;
  for (const auto& [of, keys] : names.by_scope) {
    tempopb::SearchTagsV2Scope& entry = *response.add_scopes();
    entry.set_name(query::exec::ScopeName(of));
    for (const std::string& key : keys) entry.add_tags(Utf8(key));
  }
  if (scope.intrinsics) {
    tempopb::SearchTagsV2Scope& entry = *response.add_scopes();
    entry.set_name("intrinsic");
    for (const std::string_view name : kIntrinsics) entry.add_tags(std::string(name));
  }
  SetEffort(names.effort, &response);
  return response;
}

Result<tempopb::SearchTagValuesResponse> TagMessages::ValuesV1(const std::string& name) const {
  tempopb::SearchTagValuesResponse response;
  // Names that attributes do not have: of the span's status, and of its being an error.
  if (name == "status.code") {
    for (const char* value : {"unset", "ok", "error"}) response.add_tagvalues(value);
  } else if (name == "error") {
    response.add_tagvalues("true");
  } else {
    WEFT_ASSIGN_OR_RETURN(const FoundValues found, FindValues(catalog_, FieldOfLegacyName(name)));
    for (const auto& [type, value] : found.values) response.add_tagvalues(Utf8(value));
    SetEffort(found.effort, &response);
  }
  response.mutable_metrics();
  return response;
}

Result<tempopb::SearchTagValuesV2Response> TagMessages::ValuesV2(const Field& field) const {
  WEFT_ASSIGN_OR_RETURN(const FoundValues found, FindValues(catalog_, field));
  tempopb::SearchTagValuesV2Response response;
  for (const auto& [type, value] : found.values) {
    tempopb::TagValue& entry = *response.add_tagvalues();
    entry.set_type(std::string(type));
    entry.set_value(Utf8(value));
  }
  SetEffort(found.effort, &response);
  return response;
}

}  // namespace weft::api::tempo
