#include "receive/json_reader.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace weft::receive {
namespace {

using simdjson::ondemand::json_type;

constexpr uint32_t kReplacement = 0xfffd;

void AppendUtf8(uint32_t c, std::string* out) {
  const auto add = [out](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (c < 0x80) return add(c);
  if (c < 0x800) {
    add(0xc0 | c >> 6);
  } else if (c < 0x10000) {
    add(0xe0 | c >> 12);
    add(0x80 | (c >> 6 & 0x3f));
  } else {
    add(0xf0 | c >> 18);
    add(0x80 | (c >> 12 & 0x3f));
    add(0x80 | (c >> 6 & 0x3f));
  }
  add(0x80 | (c & 0x3f));
}

// The four digits of \uXXXX; nothing else moves `at`.
bool ReadHex4(const char** at, uint32_t* out) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = (*at)[i];
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c | 32) >= 'a' && (c | 32) <= 'f';
    if (!digit && !letter) return false;
    value = value << 4 | static_cast<uint32_t>(digit ? c - '0' : (c | 32) - 'a' + 10);
  }
  *at += 4;
  *out = value;
  return true;
}

// After "\u". Half a surrogate pair, which JavaScript leaves where it cuts a string, becomes
// U+FFFD.
bool AppendUnicodeEscape(const char** at, std::string* out) {
  uint32_t unit;
  if (!ReadHex4(at, &unit)) return false;
  if (unit >= 0xd800 && unit < 0xdc00 && (*at)[0] == '\\' && (*at)[1] == 'u') {
    const char* next = *at + 2;
    uint32_t low;
    if (!ReadHex4(&next, &low)) return false;
    if (low >= 0xdc00 && low < 0xe000) {
      *at = next;
      AppendUtf8(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), out);
      return true;
    }
  }
  AppendUtf8(unit >= 0xd800 && unit < 0xe000 ? kReplacement : unit, out);
  return true;
}

// After a backslash.
bool AppendEscape(const char** at, std::string* out) {
  const char c = *(*at)++;
  switch (c) {
    case '"':
    case '\\':
    case '/': out->push_back(c); return true;
    case 'b': out->push_back('\b'); return true;
    case 'f': out->push_back('\f'); return true;
    case 'n': out->push_back('\n'); return true;
    case 'r': out->push_back('\r'); return true;
    case 't': out->push_back('\t'); return true;
    case 'u': return AppendUnicodeEscape(at, out);
    default: return false;
  }
}

// Integers may be written with a fraction or an exponent as long as they are whole (ProtoJSON).
template <typename T>
bool WholeNumber(std::string_view text, T* out) {
  double value;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value != std::floor(value)) {
    return false;
  }
  // 2^63 and 2^64 are doubles, their predecessors are not: the upper bound is exclusive.
  const double above = std::ldexp(1.0, std::numeric_limits<T>::digits);
  if (!(value < above) || value < static_cast<double>(std::numeric_limits<T>::min())) return false;
  *out = static_cast<T>(value);
  return true;
}

}  // namespace

simdjson::ondemand::parser& JsonReader::SharedParser() {
  thread_local simdjson::ondemand::parser parser;
  return parser;
}

// simdjson reads past the end; what it finds there must not depend on what the memory held.
void JsonReader::Pad(std::string* body) {
  const size_t size = body->size();
  body->append(simdjson::SIMDJSON_PADDING, '\0');
  body->resize(size);
}

Error JsonReader::Not(const char* root, simdjson::error_code error) {
  return Error(ErrorCode::kInvalidArgument, std::string("the body is not a JSON ") + root + ": " +
                                                simdjson::error_message(error));
}

Error JsonReader::Finish(simdjson::ondemand::document& document, const char* root) {
  if (failed()) {
    return Error(ErrorCode::kInvalidArgument, "the body is not " + format_ + " in JSON: " + fault_);
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return Error(ErrorCode::kInvalidArgument,
                 std::string("something follows the JSON ") + root + " of the request");
  }
  return Error::Ok();
}

bool JsonReader::Fail(std::string message) {
  if (fault_.empty()) fault_ = std::move(message);
  return false;
}

bool JsonReader::IsNull(JsonValue& value) {
  bool is_null = false;
  return !value.is_null().get(is_null) && is_null;
}

// `raw` points behind the opening quote; stage one has made sure that there is a closing one.
bool JsonReader::Unescape(const char* raw, std::string* buffer, std::string_view* out) {
  const char* at = raw;
  while (*at != '"' && *at != '\\') ++at;
  if (*at == '"') {
    *out = {raw, static_cast<size_t>(at - raw)};
    return true;
  }
  buffer->assign(raw, at);
  while (*at != '"') {
    const char* plain = at;
    while (*at != '"' && *at != '\\') ++at;
    buffer->append(plain, at);
    if (*at == '"') break;
    ++at;
    if (!AppendEscape(&at, buffer)) return false;
  }
  *out = *buffer;
  return true;
}

bool JsonReader::Text(JsonValue value, const char* what, std::string_view* out) {
  if (IsNull(value)) return true;
  simdjson::ondemand::raw_json_string raw;
  if (value.get_raw_json_string().get(raw)) return Fail(std::string(what) + " must be a string");
  if (!Unescape(raw.raw(), &text_, out))
    return Fail(std::string(what) + " holds a malformed escape");
  return true;
}

bool JsonReader::NumberText(JsonValue& value, const char* what, std::string_view* out) {
  json_type type;
  if (value.type().get(type)) return Fail(std::string(what) + " is malformed");
  if (type == json_type::string) return Text(value, what, out);
  if (type != json_type::number) {
    return Fail(std::string(what) + " must be a number or a text");
  }
  // Read as a double first: that is what checks that the token is a number and takes it.
  std::string_view token = value.raw_json_token();
  double ignored;
  if (value.get_double().get(ignored)) return Fail(std::string(what) + " is a malformed number");
  while (!token.empty() &&
         std::string_view(" \t\r\n").find(token.back()) != std::string_view::npos) {
    token.remove_suffix(1);
  }
  *out = token;
  return true;
}

bool JsonReader::Scalar(JsonValue value, const char* what, std::string_view* out) {
  if (IsNull(value)) return true;
  json_type type;
  bool truth = false;
  if (value.type().get(type)) return Fail(std::string(what) + " is malformed");
  if (type != json_type::boolean) return NumberText(value, what, out);
  if (!Bool(value, what, &truth)) return false;
  *out = truth ? "true" : "false";
  return true;
}

template <typename T>
bool JsonReader::Integer(JsonValue value, const char* what, T* out) {
  if (IsNull(value)) return true;
  std::string_view text;
  if (!NumberText(value, what, &text)) return false;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (failure == std::errc() && end == text.data() + text.size()) return true;
  return WholeNumber(text, out) || Fail(std::string(what) + " must be a whole number of " +
                                        std::to_string(8 * sizeof(T)) + " bits");
}

bool JsonReader::Uint64(JsonValue value, const char* what, uint64_t* out) {
  return Integer(value, what, out);
}
bool JsonReader::Int64(JsonValue value, const char* what, int64_t* out) {
  return Integer(value, what, out);
}
bool JsonReader::Uint32(JsonValue value, const char* what, uint32_t* out) {
  return Integer(value, what, out);
}

bool JsonReader::Double(JsonValue value, const char* what, double* out) {
  if (IsNull(value)) return true;
  json_type type;
  if (value.type().get(type)) return Fail(std::string(what) + " is malformed");
  if (type == json_type::number) {
    return !value.get_double().get(*out) || Fail(std::string(what) + " is out of range");
  }
  std::string_view text;
  if (!Text(value, what, &text)) return false;
  if (text == "NaN") {
    *out = std::numeric_limits<double>::quiet_NaN();
  } else if (text == "Infinity" || text == "-Infinity") {
    *out = text[0] == '-' ? -std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::infinity();
  } else {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), *out);
    if (failure != std::errc() || end != text.data() + text.size()) {
      return Fail(std::string(what) + " must be a number");
    }
  }
  return true;
}

bool JsonReader::Bool(JsonValue value, const char* what, bool* out) {
  if (IsNull(value)) return true;
  return !value.get_bool().get(*out) || Fail(std::string(what) + " must be true or false");
}

}  // namespace weft::receive
