// Names and values of attributes ("tags") over HTTP.

#include <map>
#include <string>
#include <vector>

#include "api/json_writer.h"
#include "api/tempo/answers.h"
#include "api/tempo/lenient_filter.h"
#include "api/tempo/messages.h"
#include "api/tempo/request.h"
#include "api/tempo/tag_messages.h"
#include "api/tempo/tempo_api.h"
#include "tempo.pb.h"

namespace weft::api::tempo {
namespace {

constexpr size_t kTagBytesMax = 4096;

Result<AskedScope> ReadAskedScope(const net::HttpRequest& request) {
  return ReadScope(FindValue(request, "scope").value_or(""));
}

Result<TagRequest> ReadTagRequest(const Call& call, int64_t now_ns) {
  TagRequest request;
  request.tenant = call.tenant;
  WEFT_ASSIGN_OR_RETURN(request.range, ReadRange(call.request, now_ns, kRecentTagsNs));
  WEFT_ASSIGN_OR_RETURN(request.limit, ReadCount(call.request, "limit", 0));
  WEFT_RETURN_IF_ERROR(ReadCount(call.request, "maxStaleValues", 0).error());
  if (const auto query = FindValue(call.request, "q")) request.filter = ReadLenientFilter(*query);
  return request;
}

Result<std::string> ReadTag(const Call& call) {
  const std::string_view tag = call.request.PathParameter("tag");
  if (tag.size() <= kTagBytesMax) return DecodeTagName(tag);
  return Error(ErrorCode::kInvalidArgument, "please provide a valid tagName: longer than " +
                                                std::to_string(kTagBytesMax) + " bytes");
}

std::string EncodeLlmValues(const tempopb::SearchTagValuesV2Response& response) {
  std::map<std::string_view, std::vector<std::string_view>> by_type;
  for (const tempopb::TagValue& value : response.tagvalues())
    by_type[value.type()].push_back(value.value());
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("tagValues");
  json.BeginObject();
  for (const auto& [type, values] : by_type) {
    json.Key(type);
    json.BeginArray();
    for (const std::string_view value : values) json.String(value);
    json.EndArray();
  }
  json.EndObject();
  json.Key("metrics");
  json.BeginObject();
  json.EndObject();
  json.EndObject();
  return text;
}

template <typename Message>
net::HttpResponse AnswerTags(const Call& call, const Result<Message>& message,
                             std::string_view list) {
  if (!message.ok()) return AnswerError(message.error());
  return AnswerMessage(FormOf(call.request), *message, list);
}

}  // namespace

net::HttpResponse TempoApi::TagsV1(const Call& call) const {
  const auto scope = ReadAskedScope(call.request);
  if (!scope.ok()) return AnswerError(scope.error());
  const auto request = ReadTagRequest(call, parts_.env->NowNs());
  if (!request.ok()) return AnswerError(request.error());
  const TagMessages messages(source_, *parts_.env, *request, call.budget);
  return AnswerTags(call, messages.NamesV1(*scope), "tagNames");
}

net::HttpResponse TempoApi::TagsV2(const Call& call) const {
  const auto scope = ReadAskedScope(call.request);
  if (!scope.ok()) return AnswerError(scope.error());
  const auto request = ReadTagRequest(call, parts_.env->NowNs());
  if (!request.ok()) return AnswerError(request.error());
  const TagMessages messages(source_, *parts_.env, *request, call.budget);
  return AnswerTags(call, messages.NamesV2(*scope), "scopes");
}

net::HttpResponse TempoApi::TagValuesV1(const Call& call) const {
  const auto tag = ReadTag(call);
  if (!tag.ok()) return AnswerError(tag.error());
  const auto request = ReadTagRequest(call, parts_.env->NowNs());
  if (!request.ok()) return AnswerError(request.error());
  const TagMessages messages(source_, *parts_.env, *request, call.budget);
  return AnswerTags(call, messages.ValuesV1(*tag), "tagValues");
}

net::HttpResponse TempoApi::TagValuesV2(const Call& call) const {
  const auto tag = ReadTag(call);
  if (!tag.ok()) return AnswerError(tag.error());
  const auto field = ReadTagName(*tag);
  if (!field.ok()) return AnswerError(field.error());
  const auto request = ReadTagRequest(call, parts_.env->NowNs());
  if (!request.ok()) return AnswerError(request.error());
  const TagMessages messages(source_, *parts_.env, *request, call.budget);
  const auto values = messages.ValuesV2(*field);
  if (values.ok() && FormOf(call.request) == AnswerForm::kLlm)
    return Answer(AnswerForm::kLlm, EncodeLlmValues(*values));
  return AnswerTags(call, values, "tagValues");
}

}  // namespace weft::api::tempo
