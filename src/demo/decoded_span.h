// For tests: what a request holds, read back with protozero rather than with this room's own idea
// of the wire format.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weft::demo {

struct DecodedSpan {
  std::string trace_id;
  std::string span_id;
  std::string parent_id;
  std::string name;
  std::string service;
  std::string version;
  std::string node;
  std::string scope;
  int kind = 0;
  int status = 0;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  std::map<std::string, std::string>
      attributes;                   // numbers and booleans in decimal, arrays as "[...]"
  std::vector<std::string> events;  // their names
  std::map<std::string, std::string> event_attributes;
  std::vector<std::string> linked_trace_ids;
};

// Throws protozero's exceptions when the bytes are no valid message.
std::vector<DecodedSpan> DecodeRequest(std::string_view body);

}  // namespace weft::demo
