#include "api/tempo/search_request.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "api/tempo/go_duration.h"
#include "api/tempo/legacy_tags.h"
#include "api/tempo/request.h"

namespace weft::api::tempo {
namespace {

constexpr uint32_t kLimitDefault = 20;
constexpr uint32_t kLimitMax = 262'144;
constexpr uint32_t kSpansDefault = 3;
constexpr uint32_t kSpansMax = 100;
constexpr size_t kQueryBytesMax = 128 << 10;

Error Refuse(std::string why) { return {ErrorCode::kInvalidArgument, std::move(why)}; }

// Very old clients give tags as parameters of their own.
Result<Tags> TagsOfParameters(const net::HttpRequest& request) {
  constexpr std::array<std::string_view, 6> kOwn = {
      "limit", "spss", "minDuration", "maxDuration", "since", "skip_ast_transformations"};
  std::string text;
  Tags tags;
  for (const auto& [name, value] : request.query) {
    const bool own = std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end();
    const bool again =
        std::any_of(tags.begin(), tags.end(), [&](const auto& tag) { return tag.first == name; });
    if (!own && !again && !name.empty()) tags.emplace_back(name, value);
  }
  if (tags.size() > kTagsMax) return Refuse("invalid tags; more than " + std::to_string(kTagsMax));
  return tags;
}

Result<Tags> ReadTagsOf(const net::HttpRequest& request) {
  if (const auto text = FindValue(request, "tags")) return ReadTags(*text);
  if (FindValue(request, "start") || FindValue(request, "end")) return Tags();
  return TagsOfParameters(request);
}

Result<std::string> ReadTagQuery(const net::HttpRequest& request) {
  WEFT_ASSIGN_OR_RETURN(const Tags tags, ReadTagsOf(request));
  WEFT_ASSIGN_OR_RETURN(const auto shortest, ReadDuration(request, "minDuration"));
  WEFT_ASSIGN_OR_RETURN(const auto longest, ReadDuration(request, "maxDuration"));
  if (shortest && longest && *shortest > *longest) {
    return Refuse("invalid maxDuration: must be greater than minDuration");
  }
  return QueryOfTagSearch(tags, shortest.value_or(-1), longest.value_or(-1));
}

}  // namespace

std::string QueryOfTagSearch(const Tags& tags, int64_t duration_min_ns, int64_t duration_max_ns) {
  std::string query = QueryOfTags(tags);
  if (duration_min_ns >= 0)
    query += " && { traceDuration >= " + std::to_string(duration_min_ns) + "ns }";
  if (duration_max_ns >= 0)
    query += " && { traceDuration <= " + std::to_string(duration_max_ns) + "ns }";
  return query;
}

Result<uint32_t> CheckSearchLimit(uint32_t limit) {
  if (limit == 0) return kLimitDefault;
  if (limit <= kLimitMax) return limit;
  return Refuse("limit " + std::to_string(limit) + " exceeds max limit " +
                std::to_string(kLimitMax));
}

Result<uint32_t> CheckSpansPerSpanset(uint32_t spans) {
  if (spans == 0) return kSpansDefault;
  if (spans <= kSpansMax) return spans;
  return Refuse("spans per span set exceeds " + std::to_string(kSpansMax) + ". received " +
                std::to_string(spans));
}

Error CheckSearchRange(TimeRange range, int64_t range_max_ns) {
  constexpr uint64_t kSecondNs = 1'000'000'000;
  const uint64_t length_ns = range.end_ns - range.start_ns;
  if (range_max_ns == 0 || length_ns <= static_cast<uint64_t>(range_max_ns) + 1) return Error::Ok();
  return Refuse("range specified by start and end exceeds " + PrintGoDuration(range_max_ns) +
                ". received start=" + std::to_string(range.start_ns / kSecondNs) +
                " end=" + std::to_string(range.end_ns / kSecondNs));
}

Error CheckQuerySize(std::string_view query) {
  if (query.size() <= kQueryBytesMax) return Error::Ok();
  return Refuse("invalid TraceQL query: larger than " + std::to_string(kQueryBytesMax) + " bytes");
}

Result<SearchQuestion> ReadSearchQuestion(const net::HttpRequest& request, int64_t now_ns,
                                          int64_t range_max_ns) {
  SearchQuestion question;
  const auto query = FindValue(request, "q");
  if (query && FindValue(request, "tags")) {
    return Refuse("invalid request: can't specify tags and q in the same query");
  }
  WEFT_ASSIGN_OR_RETURN(question.range, ReadRange(request, now_ns, kRecentSearchNs));
  WEFT_RETURN_IF_ERROR(CheckSearchRange(question.range, range_max_ns));
  WEFT_ASSIGN_OR_RETURN(question.limit, ReadCount(request, "limit", kLimitDefault));
  if (question.limit == 0) return Refuse("invalid limit: must be a positive number");
  WEFT_ASSIGN_OR_RETURN(question.limit, CheckSearchLimit(question.limit));
  WEFT_ASSIGN_OR_RETURN(const uint32_t spans, ReadCount(request, "spss", 0));
  WEFT_ASSIGN_OR_RETURN(question.spans_per_spanset, CheckSpansPerSpanset(spans));
  question.by_tags = !query;
  if (query) {
    question.query = *query;
  } else {
    WEFT_ASSIGN_OR_RETURN(question.query, ReadTagQuery(request));
  }
  WEFT_RETURN_IF_ERROR(CheckQuerySize(question.query));
  return question;
}

}  // namespace weft::api::tempo
