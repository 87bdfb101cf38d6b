// The objects of weft's own small JSON files (meta.json, records of deletions), member by member.
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "block/json_text.h"

namespace weft::block {

// Members `"name":value` of one object, in the order of the calls.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string* out) : out_(*out) { out_.push_back('{'); }
  void Number(std::string_view name, uint64_t value) {
    Name(name);
    out_.append(std::to_string(value));
  }
  void String(std::string_view name, std::string_view value) {
    Name(name);
    AppendJsonString(value, &out_);
  }
  void Name(std::string_view name) {
    if (!first_) out_.push_back(',');
    first_ = false;
    AppendJsonString(name, &out_);
    out_.push_back(':');
  }
  void Close() { out_.push_back('}'); }

 private:
  std::string& out_;
  bool first_ = true;
};

template <typename T, typename F>
void AppendJsonList(const std::vector<T>& items, F append, std::string* out) {
  out->push_back('[');
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out->push_back(',');
    append(items[i], out);
  }
  out->push_back(']');
}

// Reads members of one JSON object; stops at the first that is missing or of another type.
class ObjectReader {
 public:
  explicit ObjectReader(simdjson::dom::element element) {
    if (element.get_object().get(object_) != simdjson::SUCCESS) bad_ = "an object";
  }

  template <typename T>
  void Number(const char* name, T* out) {
    uint64_t value = 0;
    if (!bad_.empty()) return;
    if (object_[name].get(value) != simdjson::SUCCESS || static_cast<T>(value) != value) {
      Miss(name);
    } else {
      *out = static_cast<T>(value);
    }
  }
  void String(const char* name, std::string* out) {
    std::string_view value;
    if (!bad_.empty()) return;
    if (object_[name].get(value) != simdjson::SUCCESS) {
      Miss(name);
    } else {
      *out = value;
    }
  }
  // Unchanged where there is no such member.
  void OptionalString(const char* name, std::string* out) {
    if (!bad_.empty() || object_[name].error() == simdjson::NO_SUCH_FIELD) return;
    String(name, out);
  }
  // Nothing where there is no such member.
  void OptionalStrings(const char* name, std::vector<std::string>* out) {
    simdjson::dom::array array;
    if (!bad_.empty() || object_[name].error() == simdjson::NO_SUCH_FIELD) return;
    if (object_[name].get(array) != simdjson::SUCCESS) return Miss(name);
    for (const simdjson::dom::element element : array) {
      std::string_view value;
      if (element.get(value) != simdjson::SUCCESS) return Miss(name);
      out->emplace_back(value);
    }
  }
  void Numbers(const char* name, std::vector<uint64_t>* out) {
    simdjson::dom::array array;
    if (!bad_.empty()) return;
    if (object_[name].get(array) != simdjson::SUCCESS) return Miss(name);
    for (const simdjson::dom::element element : array) {
      uint64_t value = 0;
      if (element.get(value) != simdjson::SUCCESS) return Miss(name);
      out->push_back(value);
    }
  }
  // Calls read(ObjectReader&) for each element of an array; it returns the member that was bad.
  template <typename F>
  void List(const char* name, F read) {
    simdjson::dom::array array;
    if (!bad_.empty()) return;
    if (object_[name].get(array) != simdjson::SUCCESS) return Miss(name);
    for (const simdjson::dom::element element : array) {
      ObjectReader reader(element);
      read(&reader);
      if (!reader.bad_.empty()) return Miss(name);
    }
  }
  // The same; nothing where there is no such member.
  template <typename F>
  void OptionalList(const char* name, F read) {
    if (!bad_.empty() || object_[name].error() == simdjson::NO_SUCH_FIELD) return;
    List(name, read);
  }
  const std::string& bad() const { return bad_; }

 private:
  void Miss(const char* name) { bad_ = name; }

  simdjson::dom::object object_;
  std::string bad_;
};

}  // namespace weft::block
