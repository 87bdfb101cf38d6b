// Reading JSON with simdjson's On-Demand parser: objects and arrays as callbacks, numbers that may
// be strings (as in ProtoJSON), strings that may be broken.
//
// A reader works on one document. The first fault is remembered and everything stops. Null counts
// as not set everywhere. One thread, and one document at a time on a thread: for JSON inside of
// JSON there is Embedded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <simdjson.h>

#include "base/error.h"

namespace weft::receive {

using JsonValue = simdjson::ondemand::value;

class JsonReader {
 public:
  // `format` names in faults what the body should have been: "OTLP".
  explicit JsonReader(std::string format) : format_(std::move(format)) {}

  // Parses `body` (its memory is padded for the parser) and calls each(name, value) for the members
  // of its root object. kInvalidArgument when it is not one JSON object and nothing more, or a
  // value is not what was asked for.
  template <typename Each>
  Error Document(std::string* body, Each each);
  // The same for a root array: each(value) for its elements, nulls included.
  template <typename Each>
  Error ArrayDocument(std::string* body, Each each);
  // The same for a text that was found in a document that is still being read: a root object, for
  // which `parser` is used.
  template <typename Each>
  Error Embedded(std::string* text, simdjson::ondemand::parser* parser, Each each);

  // Calls each(name, value) for the members of an object, in their order; `each` returns false to
  // stop. Members that it does not read are skipped. False after a fault or a stop.
  template <typename Each>
  bool Object(JsonValue value, const char* what, Each each);
  // The same for the elements of an array, except nulls: each(value).
  template <typename Each>
  bool Array(JsonValue value, const char* what, Each each);

  // Each reads into `out`, and leaves it as it is for null. `what` names the field in the fault.
  // The text is valid until the next Text().
  bool Text(JsonValue value, const char* what, std::string_view* out);
  // The text, or a number, true or false as they are written.
  bool Scalar(JsonValue value, const char* what, std::string_view* out);
  bool Uint64(JsonValue value, const char* what, uint64_t* out);
  bool Int64(JsonValue value, const char* what, int64_t* out);
  bool Uint32(JsonValue value, const char* what, uint32_t* out);
  bool Double(JsonValue value, const char* what, double* out);
  bool Bool(JsonValue value, const char* what, bool* out);

  // Remembers the first fault and returns false.
  bool Fail(std::string message);
  bool failed() const { return !fault_.empty(); }

 private:
  // A parser keeps memory in proportion to the largest document it has seen: larger ones than this
  // get their own.
  static constexpr size_t kSharedBytesMax = 1 << 20;
  static simdjson::ondemand::parser& SharedParser();
  static void Pad(std::string* body);
  static Error Not(const char* root, simdjson::error_code error);
  Error Finish(simdjson::ondemand::document& document, const char* root);
  template <typename Each>
  Error ObjectOf(std::string* body, simdjson::ondemand::parser& parser, Each each);

  template <typename Each>
  bool Members(simdjson::ondemand::object& object, const char* what, Each each);
  // Consumes a null.
  static bool IsNull(JsonValue& value);
  // The text of a number, or what stands in the quotes of a string.
  bool NumberText(JsonValue& value, const char* what, std::string_view* out);
  template <typename T>
  bool Integer(JsonValue value, const char* what, T* out);
  static bool Unescape(const char* raw, std::string* buffer, std::string_view* out);

  const std::string format_;
  std::string fault_;
  std::string text_;  // the last text with escapes
  std::string name_;  // the last member name with escapes
};

template <typename Each>
Error JsonReader::Document(std::string* body, Each each) {
  simdjson::ondemand::parser own;
  return ObjectOf(body, body->size() <= kSharedBytesMax ? SharedParser() : own, each);
}

template <typename Each>
Error JsonReader::Embedded(std::string* text, simdjson::ondemand::parser* parser, Each each) {
  return ObjectOf(text, *parser, each);
}

template <typename Each>
Error JsonReader::ObjectOf(std::string* body, simdjson::ondemand::parser& parser, Each each) {
  Pad(body);
  simdjson::ondemand::document document;
  simdjson::ondemand::object root;
  simdjson::error_code error =
      parser.iterate(body->data(), body->size(), body->capacity()).get(document);
  if (!error) error = document.get_object().get(root);
  if (error) return Not("object", error);
  if (!Members(root, "the request", each) && !failed()) Fail("the request is malformed");
  return Finish(document, "object");
}

template <typename Each>
Error JsonReader::ArrayDocument(std::string* body, Each each) {
  simdjson::ondemand::parser own;
  simdjson::ondemand::parser& parser = body->size() <= kSharedBytesMax ? SharedParser() : own;
  Pad(body);
  simdjson::ondemand::document document;
  simdjson::ondemand::array root;
  simdjson::error_code error =
      parser.iterate(body->data(), body->size(), body->capacity()).get(document);
  if (!error) error = document.get_array().get(root);
  if (error) return Not("array", error);
  for (auto element : root) {
    JsonValue content;
    if (element.get(content)) Fail("the request is malformed");
    if (failed()) break;
    if (!each(content) && !failed()) Fail("the request is malformed");
    if (failed()) break;
  }
  return Finish(document, "array");
}

template <typename Each>
bool JsonReader::Object(JsonValue value, const char* what, Each each) {
  if (IsNull(value)) return true;
  simdjson::ondemand::object object;
  if (value.get_object().get(object)) return Fail(std::string(what) + " must be an object");
  return Members(object, what, each);
}

template <typename Each>
bool JsonReader::Members(simdjson::ondemand::object& object, const char* what, Each each) {
  for (auto member : object) {
    simdjson::ondemand::raw_json_string key;
    JsonValue content;
    std::string_view name;
    if (member.key().get(key) || !Unescape(key.raw(), &name_, &name) ||
        member.value().get(content)) {
      return Fail(std::string(what) + " is malformed");
    }
    if (!each(name, content)) return false;
  }
  return !failed();
}

template <typename Each>
bool JsonReader::Array(JsonValue value, const char* what, Each each) {
  if (IsNull(value)) return true;
  simdjson::ondemand::array array;
  if (value.get_array().get(array)) return Fail(std::string(what) + " must be an array");
  for (auto element : array) {
    JsonValue content;
    if (element.get(content)) return Fail(std::string(what) + " is malformed");
    if (!IsNull(content) && !each(content)) return false;
  }
  return !failed();
}

}  // namespace weft::receive
