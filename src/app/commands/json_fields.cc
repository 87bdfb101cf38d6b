#include "app/commands/json_fields.h"

#include <charconv>

#include <boost/json.hpp>

#include "api/json_writer.h"

namespace weft::app::commands {

namespace json = boost::json;

std::optional<json::value> ParseJson(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) return std::nullopt;
  return value;
}

const json::value* MemberOf(const json::value* value, std::string_view name) {
  if (value == nullptr || !value->is_object()) return nullptr;
  return value->get_object().if_contains(json::string_view(name.data(), name.size()));
}

std::string TextOf(const json::value* value, std::string_view name) {
  const json::value* member = MemberOf(value, name);
  return member != nullptr && member->is_string() ? std::string(member->get_string())
                                                  : std::string();
}

uint64_t AsNumber(const json::value& value) {
  if (value.is_int64()) return static_cast<uint64_t>(value.get_int64());
  if (value.is_uint64()) return value.get_uint64();
  if (!value.is_string()) return 0;
  const json::string& text = value.get_string();
  int64_t negative = 0;
  uint64_t number = 0;
  if (text.starts_with('-')) {
    std::from_chars(text.data(), text.data() + text.size(), negative);
    return static_cast<uint64_t>(negative);
  }
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

const json::array& ArrayOf(const json::value* value, std::string_view name) {
  static const json::array kNone;
  const json::value* const found = MemberOf(value, name);
  return found != nullptr && found->is_array() ? found->get_array() : kNone;
}

uint64_t NumberOf(const json::value* value, std::string_view name) {
  const json::value* member = MemberOf(value, name);
  return member == nullptr ? 0 : AsNumber(*member);
}

double RealOf(const json::value* value, std::string_view name) {
  const json::value* member = MemberOf(value, name);
  if (member == nullptr || !member->is_number()) return 0;
  return member->is_double() ? member->get_double() : member->to_number<double>();
}

namespace {

// Nested no deeper than the parser lets through.
void Write(const json::value& value, api::JsonWriter* to) {
  switch (value.kind()) {
    case json::kind::null: return to->Null();
    case json::kind::bool_: return to->Bool(value.get_bool());
    case json::kind::int64: return to->Int(value.get_int64());
    case json::kind::uint64: return to->Uint(value.get_uint64());
    case json::kind::double_: return to->Double(value.get_double());
    case json::kind::string: return to->String(value.get_string());
    case json::kind::array:
      to->BeginArray();
      for (const json::value& element : value.get_array()) Write(element, to);
      return to->EndArray();
    case json::kind::object:
      to->BeginObject();
      for (const auto& [name, member] : value.get_object()) {
        to->Key(name);
        Write(member, to);
      }
      return to->EndObject();
  }
}

}  // namespace

std::string JsonText(const json::value& value) {
  std::string out;
  api::JsonWriter writer(&out);
  Write(value, &writer);
  return out;
}

}  // namespace weft::app::commands
