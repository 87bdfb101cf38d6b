#include "api/tempo/legacy_tags.h"

#include <algorithm>
#include <array>

#include <re2/re2.h>

#include "query/lang/traceql/literal_text.h"

namespace weft::api::tempo {
namespace {

Error Refuse(const std::string& why) {
  return {ErrorCode::kInvalidArgument, "invalid tags; " + why};
}

// Takes the value off the front of `text`: up to a blank, or a quoted string.
Result<std::string> TakeValue(std::string_view* text) {
  if (!text->starts_with('"')) {
    const size_t end = std::min(text->find(' '), text->size());
    std::string value(text->substr(0, end));
    text->remove_prefix(end);
    return value;
  }
  std::string value;
  for (size_t i = 1; i < text->size(); ++i) {
    const char c = (*text)[i];
    if (c == '"') {
      text->remove_prefix(i + 1);
      return value;
    }
    if (c == '\\' && i + 1 < text->size()) ++i;
    value.push_back((*text)[i]);
  }
  return Refuse("a quoted value is not closed");
}

struct Known {
  std::string_view key;
  std::string_view intrinsic;
};
constexpr std::array<Known, 3> kTexts = {
    {{"name", "name"}, {"root.name", "rootName"}, {"root.service.name", "rootServiceName"}}};

std::string Contains(std::string_view field, const std::string& value) {
  return std::string(field) + " =~ " +
         query::lang::traceql::PrintString("(?is).*" + RE2::QuoteMeta(value) + ".*");
}

// The value as a number or boolean of TraceQL; empty when it is none.
std::string LiteralOf(const std::string& value) {
  if (value == "true" || value == "false") return value;
  static const RE2 kNumber("-?[0-9]{1,18}(\\.[0-9]{1,18})?");
  return RE2::FullMatch(value, kNumber) ? value : "";
}

std::string Condition(const std::string& key, const std::string& value) {
  const auto known =
      std::find_if(kTexts.begin(), kTexts.end(), [&](const Known& k) { return k.key == key; });
  if (known != kTexts.end()) return Contains(known->intrinsic, value);
  const bool is_status = value == "ok" || value == "error" || value == "unset";
  if (key == "status.code" && is_status) return "status = " + value;
  if (key == "error" && value == "true") return "status = error || .error = true";
  const std::string field = "." + query::lang::traceql::PrintKey(key);
  const std::string literal = LiteralOf(value);
  const std::string text = Contains(field, value);
  return literal.empty() ? text : text + " || " + field + " = " + literal;
}

}  // namespace

Result<Tags> ReadTags(std::string_view text) {
  Tags tags;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return tags;
    const size_t end = text.find_first_of("= ");
    if (end == 0 || end == std::string_view::npos || text[end] != '=') {
      return Refuse("write them as key=value, with blanks between: at \"" +
                    std::string(text.substr(0, 50)) + "\"");
    }
    std::string key(text.substr(0, end));
    text.remove_prefix(end + 1);
    WEFT_ASSIGN_OR_RETURN(std::string value, TakeValue(&text));
    const bool twice =
        std::any_of(tags.begin(), tags.end(), [&](const auto& tag) { return tag.first == key; });
    if (twice) return Refuse("tag " + key + " has been set twice");
    tags.emplace_back(std::move(key), std::move(value));
    if (tags.size() > kTagsMax) return Refuse("more than " + std::to_string(kTagsMax));
  }
}

std::string QueryOfTags(const Tags& tags) {
  if (tags.empty()) return "{ }";
  std::string query;
  for (const auto& [key, value] : tags) {
    query += query.empty() ? "{ " : " && { ";
    query += Condition(key, value) + " }";
  }
  return query;
}

}  // namespace weft::api::tempo
