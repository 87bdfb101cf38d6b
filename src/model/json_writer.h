// JsonWriter: JSON text without white space, written value by value into a string. Commas come by
// themselves; the caller sees to it that names and values alternate and that every Begin has its
// End. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::model {

class JsonWriter {
 public:
  // Appends to `out`, which outlives this.
  explicit JsonWriter(std::string* out) : out_(*out) {}

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  void Name(std::string_view name) {
    String(name);
    out_.push_back(':');
    comma_ = false;
  }

  // Bytes that are not UTF-8 become U+FFFD, as JSON has no place for them.
  void String(std::string_view text);
  void Bool(bool value) { Raw(value ? "true" : "false"); }
  void Number(uint64_t value) { Raw(std::to_string(value)); }
  // Shortest text that reads back as the same number; NaN and the infinities as ProtoJSON has them,
  // in quotes.
  void Double(double value);
  // 64-bit integers as ProtoJSON has them, in quotes: JavaScript's numbers end at 2^53.
  void Int64Text(int64_t value) { Raw('"' + std::to_string(value) + '"'); }
  void Uint64Text(uint64_t value) { Raw('"' + std::to_string(value) + '"'); }
  // Base64 with padding (RFC 4648 §4), in quotes.
  void Base64(std::string_view bytes);

 private:
  void Separate() {
    if (comma_) out_.push_back(',');
    comma_ = true;
  }
  void Raw(std::string_view text) {
    Separate();
    out_ += text;
  }
  void Open(char bracket) {
    Separate();
    out_.push_back(bracket);
    comma_ = false;
  }
  void Close(char bracket) {
    out_.push_back(bracket);
    comma_ = true;
  }

  std::string& out_;
  bool comma_ = false;  // before the next value
};

}  // namespace weft::model
