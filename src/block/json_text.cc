#include "block/json_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

namespace weft::block {
namespace {

using model::Attribute;
using model::Code;
using model::NestedRange;
using model::SpanBatch;
using model::ValueType;

constexpr std::string_view kBytesKey = "$bytes";
constexpr std::string_view kDoubleKey = "$double";
constexpr std::string_view kKvListKey = "$kvlist";
constexpr uint64_t kUsualNan = 0x7ff8000000000000ULL;

constexpr char kBase64Digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void AppendBase64(std::string_view bytes, std::string* out) {
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    uint32_t group = static_cast<uint8_t>(bytes[i]) << 16;
    if (left > 1) group |= static_cast<uint8_t>(bytes[i + 1]) << 8;
    if (left > 2) group |= static_cast<uint8_t>(bytes[i + 2]);
    out->push_back(kBase64Digits[group >> 18]);
    out->push_back(kBase64Digits[group >> 12 & 63]);
    out->push_back(left > 1 ? kBase64Digits[group >> 6 & 63] : '=');
    out->push_back(left > 2 ? kBase64Digits[group & 63] : '=');
  }
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < text.size(); i += 4) {
    size_t digits = 4;
    while (digits > 2 && i + 4 == text.size() && text[i + digits - 1] == '=') --digits;
    uint32_t group = 0;
    for (size_t d = 0; d < 4; ++d) {
      const char* at =
          d < digits ? std::find(kBase64Digits, kBase64Digits + 64, text[i + d]) : kBase64Digits;
      if (at == kBase64Digits + 64) return std::nullopt;
      group = group << 6 | static_cast<uint32_t>(at - kBase64Digits);
    }
    out.push_back(static_cast<char>(group >> 16));
    if (digits > 2) out.push_back(static_cast<char>(group >> 8));
    if (digits > 3) out.push_back(static_cast<char>(group));
  }
  return out;
}

void AppendDouble(double value, uint64_t bits, std::string* out) {
  if (std::isfinite(value)) {
    char text[40];
    const auto [end, error] = std::to_chars(text, text + sizeof text, value);
    const std::string_view digits(text, end - text);
    out->append(digits);
    if (digits.find_first_of(".e") == std::string_view::npos) out->append(".0");
    return;
  }
  out->append("{\"$double\":\"");
  if (std::isinf(value)) {
    out->append(value > 0 ? "Infinity" : "-Infinity");
  } else if (bits == kUsualNan) {
    out->append("NaN");
  } else {
    static constexpr char kHex[] = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4) out->push_back(kHex[bits >> shift & 15]);
  }
  out->append("\"}");
}

class JsonTextWriter {
 public:
  JsonTextWriter(const SpanBatch& batch, std::string* out) : batch_(batch), out_(*out) {}

  void Write(const Attribute& value, uint32_t depth) {
    switch (value.type) {
      case ValueType::kEmpty: out_.append("null"); return;
      case ValueType::kString: AppendJsonString(batch_.strings[value.as_code()], &out_); return;
      case ValueType::kInt: out_.append(std::to_string(value.as_int())); return;
      case ValueType::kDouble: AppendDouble(value.as_double(), value.value, &out_); return;
      case ValueType::kBool: out_.append(value.as_bool() ? "true" : "false"); return;
      case ValueType::kBytes:
        out_.append("{\"$bytes\":\"");
        AppendBase64(batch_.strings[value.as_code()], &out_);
        out_.append("\"}");
        return;
      case ValueType::kArray:
      case ValueType::kKvList:
        if (depth > model::kNestingMax) {
          out_.append("null");
        } else {
          WriteContainer(value, depth);
        }
        return;
    }
  }

 private:
  void WriteContainer(const Attribute& value, uint32_t depth) {
    const NestedRange range = value.as_nested();
    if (value.type == ValueType::kArray) {
      WriteArray(range, depth);
    } else if (HasKeyTwice(range)) {
      WritePairs(range, depth);
    } else {
      WriteObject(range, depth);
    }
  }

  // Equal keys have equal codes.
  bool HasKeyTwice(NestedRange range) const {
    std::vector<Code> keys(range.count);
    for (uint32_t i = 0; i < range.count; ++i) keys[i] = batch_.nested.key(range.begin + i);
    std::sort(keys.begin(), keys.end());
    return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
  }

  void WriteArray(NestedRange range, uint32_t depth) {
    out_.push_back('[');
    for (uint32_t i = 0; i < range.count; ++i) {
      if (i > 0) out_.push_back(',');
      Write(batch_.nested[range.begin + i], depth + 1);
    }
    out_.push_back(']');
  }

  void WriteObject(NestedRange range, uint32_t depth) {
    out_.push_back('{');
    for (uint32_t i = 0; i < range.count; ++i) {
      if (i > 0) out_.push_back(',');
      const Attribute element = batch_.nested[range.begin + i];
      const std::string_view key = batch_.strings[element.key];
      if (key.starts_with('$')) {
        AppendJsonString("$" + std::string(key), &out_);
      } else {
        AppendJsonString(key, &out_);
      }
      out_.push_back(':');
      Write(element, depth + 1);
    }
    out_.push_back('}');
  }

  void WritePairs(NestedRange range, uint32_t depth) {
    out_.append("{\"$kvlist\":[");
    for (uint32_t i = 0; i < range.count; ++i) {
      if (i > 0) out_.push_back(',');
      const Attribute element = batch_.nested[range.begin + i];
      out_.push_back('[');
      AppendJsonString(batch_.strings[element.key], &out_);
      out_.push_back(',');
      Write(element, depth + 1);
      out_.push_back(']');
    }
    out_.append("]}");
  }

  const SpanBatch& batch_;
  std::string& out_;
};

// Reads what JsonTextWriter writes, and white space between tokens.
class JsonTextParser {
 public:
  JsonTextParser(std::string_view text, SpanBatch* batch) : text_(text), batch_(*batch) {}

  Result<Attribute> ParseAll() {
    Attribute value;
    if (!ParseValue(0, &value)) return Fail();
    SkipSpace();
    if (at_ != text_.size()) return Fail();
    return value;
  }

 private:
  Error Fail() const {
    return {ErrorCode::kCorrupt,
            "the JSON text of an attribute is broken at byte " + std::to_string(at_)};
  }

  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
  }
  bool Take(char c) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool TakeWord(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool ParseValue(uint32_t depth, Attribute* value) {
    SkipSpace();
    if (at_ >= text_.size()) return false;
    switch (text_[at_]) {
      case '"': return ParseStringValue(value);
      case '[': return depth <= model::kNestingMax && ParseArray(depth, value);
      case '{': return depth <= model::kNestingMax && ParseObject(depth, value);
      case 't': *value = {0, ValueType::kBool, 1}; return TakeWord("true");
      case 'f': *value = {0, ValueType::kBool, 0}; return TakeWord("false");
      case 'n': *value = {0, ValueType::kEmpty, 0}; return TakeWord("null");
      default: return ParseNumber(value);
    }
  }

  bool ParseStringValue(Attribute* value) {
    std::string text;
    if (!ParseString(&text)) return false;
    *value = {0, ValueType::kString, batch_.strings.Intern(text)};
    return true;
  }

  bool ParseNumber(Attribute* value) {
    const size_t end = std::min(text_.find_first_not_of("+-0123456789.eE", at_), text_.size());
    const std::string_view digits = text_.substr(at_, end - at_);
    const char* last = digits.data() + digits.size();
    if (digits.find_first_of(".eE") == std::string_view::npos) {
      int64_t number = 0;
      const auto [stop, error] = std::from_chars(digits.data(), last, number);
      if (error != std::errc() || stop != last) return false;
      *value = {0, ValueType::kInt, static_cast<uint64_t>(number)};
    } else {
      double number = 0;
      const auto [stop, error] = std::from_chars(digits.data(), last, number);
      if (error != std::errc() || stop != last) return false;
      *value = {0, ValueType::kDouble, std::bit_cast<uint64_t>(number)};
    }
    at_ = end;
    return true;
  }

  bool ParseString(std::string* out) {
    if (!Take('"')) return false;
    while (at_ < text_.size()) {
      const size_t stop = std::min(text_.find_first_of("\"\\", at_), text_.size());
      out->append(text_.substr(at_, stop - at_));
      at_ = stop;
      if (at_ == text_.size()) return false;
      if (text_[at_++] == '"') return true;
      if (!ParseEscape(out)) return false;
    }
    return false;
  }

  bool ParseEscape(std::string* out) {
    if (at_ >= text_.size()) return false;
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = text_[at_++];
    if (const size_t i = kLetters.find(letter); i != kLetters.npos) {
      out->push_back(kMeanings[i]);
      return true;
    }
    // The writer uses \u for control characters only.
    unsigned number = 0;
    if (letter != 'u' || at_ + 4 > text_.size()) return false;
    const char* digits = text_.data() + at_;
    const auto [stop, error] = std::from_chars(digits, digits + 4, number, 16);
    if (error != std::errc() || stop != digits + 4 || number >= 0x80) return false;
    out->push_back(static_cast<char>(number));
    at_ += 4;
    return true;
  }

  bool ParseArray(uint32_t depth, Attribute* value) {
    std::vector<Attribute> elements;
    if (!Take('[')) return false;
    if (!Take(']')) {
      do {
        if (!ParseValue(depth + 1, &elements.emplace_back())) return false;
      } while (Take(','));
      if (!Take(']')) return false;
    }
    *value = Store(ValueType::kArray, elements);
    return true;
  }

  bool ParseObject(uint32_t depth, Attribute* value) {
    std::vector<Attribute> elements;
    if (!Take('{')) return false;
    if (!Take('}')) {
      do {
        std::string key;
        if (!ParseString(&key) || !Take(':')) return false;
        if (elements.empty() && key.starts_with('$') && !key.starts_with("$$")) {
          return ParseSpecial(key, depth, value) && Take('}');
        }
        if (key.starts_with("$$")) key.erase(0, 1);
        Attribute& element = elements.emplace_back();
        if (!ParseValue(depth + 1, &element)) return false;
        element.key = batch_.strings.Intern(key);
      } while (Take(','));
      if (!Take('}')) return false;
    }
    *value = Store(ValueType::kKvList, elements);
    return true;
  }

  bool ParseSpecial(std::string_view key, uint32_t depth, Attribute* value) {
    if (key == kKvListKey) return ParsePairs(depth, value);
    std::string text;
    if (!ParseString(&text)) return false;
    if (key == kDoubleKey) return ParseSpecialDouble(text, value);
    if (key != kBytesKey) return false;
    const std::optional<std::string> bytes = DecodeBase64(text);
    if (!bytes) return false;
    *value = {0, ValueType::kBytes, batch_.strings.Intern(*bytes)};
    return true;
  }

  static bool ParseSpecialDouble(std::string_view text, Attribute* value) {
    uint64_t bits = kUsualNan;
    if (text == "Infinity" || text == "-Infinity") {
      const double infinity = std::numeric_limits<double>::infinity();
      bits = std::bit_cast<uint64_t>(text[0] == '-' ? -infinity : infinity);
    } else if (text != "NaN") {
      const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
      if (text.size() != 16 || error != std::errc() || stop != text.data() + 16) return false;
    }
    *value = {0, ValueType::kDouble, bits};
    return true;
  }

  bool ParsePairs(uint32_t depth, Attribute* value) {
    std::vector<Attribute> elements;
    if (!Take('[')) return false;
    if (!Take(']')) {
      do {
        std::string key;
        if (!Take('[') || !ParseString(&key) || !Take(',')) return false;
        Attribute& element = elements.emplace_back();
        if (!ParseValue(depth + 1, &element) || !Take(']')) return false;
        element.key = batch_.strings.Intern(key);
      } while (Take(','));
      if (!Take(']')) return false;
    }
    *value = Store(ValueType::kKvList, elements);
    return true;
  }

  // Elements stand side by side, after those of the containers among them.
  Attribute Store(ValueType type, const std::vector<Attribute>& elements) {
    const NestedRange range{batch_.nested.size(), static_cast<uint32_t>(elements.size())};
    for (const Attribute& element : elements) batch_.nested.Add(element);
    return {0, type, range.Pack()};
  }

  std::string_view text_;
  SpanBatch& batch_;
  size_t at_ = 0;
};

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (static_cast<uint8_t>(c) < 0x20) {
      static constexpr char kHex[] = "0123456789abcdef";
      out->append("\\u00");
      out->push_back(kHex[c >> 4]);
      out->push_back(kHex[c & 15]);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

void AppendJsonText(const SpanBatch& batch, const Attribute& value, std::string* out) {
  JsonTextWriter(batch, out).Write(value, 0);
}

Result<Attribute> ParseJsonText(std::string_view text, SpanBatch* batch) {
  return JsonTextParser(text, batch).ParseAll();
}

}  // namespace weft::block
