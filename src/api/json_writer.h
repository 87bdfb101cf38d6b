// Writes JSON text piece by piece to the end of a string: no tree in memory, no allocation but the
// string's own growth.
//
// Commas are the writer's business, the nesting is the caller's: every Begin needs its End, and
// inside an object each value needs a Key before it. Strings are taken as UTF-8; each byte sequence
// that is not UTF-8 becomes U+FFFD, so the text is valid whatever comes. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::api {

class JsonWriter {
 public:
  // `out` must outlive the writer and not be changed by others between calls, except through Raw().
  explicit JsonWriter(std::string* out) : out_(out) {}

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }

  // The name of the next value. Escaped like any string.
  void Key(std::string_view name) {
    String(name);
    out_->push_back(':');
    comma_ = false;
  }

  void String(std::string_view text);
  void Int(int64_t value);
  void Uint(uint64_t value);
  // A 64-bit number as a decimal string: the API's type Int64.
  void Int64Text(int64_t value);
  void Uint64Text(uint64_t value);
  // A JSON number where JavaScript can hold it exactly (up to 2^53 in magnitude), else a decimal
  // string.
  void SafeInt(int64_t value);
  void SafeUint(uint64_t value);
  // Shortest text that reads back as the same double; "NaN", "Infinity" and "-Infinity" as strings.
  void Double(double value);
  void Bool(bool value) { Word(value ? "true" : "false"); }
  void Null() { Word("null"); }
  // Bytes as a base64 string (RFC 4648 §4, padded).
  void Base64(std::string_view bytes);
  // A value that is JSON text already.
  void Raw(std::string_view json) { Word(json); }

  // Key and value in one.
  void Field(std::string_view name, std::string_view text) { Key(name), String(text); }
  void UintField(std::string_view name, uint64_t value) { Key(name), Uint(value); }
  void Int64Field(std::string_view name, uint64_t value) { Key(name), Uint64Text(value); }
  void BoolField(std::string_view name, bool value) { Key(name), Bool(value); }

 private:
  void Comma() {
    if (comma_) out_->push_back(',');
    comma_ = true;
  }
  void Open(char bracket) {
    Comma();
    out_->push_back(bracket);
    comma_ = false;
  }
  void Close(char bracket) {
    out_->push_back(bracket);
    comma_ = true;
  }
  void Word(std::string_view text) {
    Comma();
    out_->append(text);
  }

  std::string* out_;
  bool comma_ = false;  // whether a value stands before the next one
};

// Appends `text` with JSON's escapes and without quotes.
void AppendJsonEscaped(std::string_view text, std::string* out);

}  // namespace weft::api
