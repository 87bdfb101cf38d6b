#include "bench/samples.h"

#include <fstream>
#include <string_view>
#include <vector>

#include <protozero/pbf_reader.hpp>

namespace weft::bench {
namespace {

using protozero::pbf_reader;

constexpr size_t kSamples = 500;
constexpr std::string_view kRareKey = "guid:x-request-id";

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : bytes) text.append({kDigits[byte >> 4], kDigits[byte & 15]});
  return text;
}

struct Found {
  std::vector<std::string> trace_ids;
  std::vector<std::string> request_ids;
};

// The value of a string attribute with the rare key; empty for others.
std::string RareValue(pbf_reader attribute) {
  std::string key;
  std::string value;
  while (attribute.next()) {
    if (attribute.tag() == 1) {
      key = attribute.get_string();
    } else {
      pbf_reader any = attribute.get_message();
      while (any.next(1)) value = any.get_string();
    }
  }
  return key == kRareKey ? value : std::string();
}

// Only proxies' spans carry the key, and each of their server spans begins a trace.
void ReadSpan(pbf_reader span, Found* found) {
  std::string trace_id;
  std::string request_id;
  while (span.next()) {
    if (span.tag() == 1) {
      trace_id = span.get_string();
    } else if (span.tag() == 9) {
      std::string value = RareValue(span.get_message());
      if (!value.empty()) request_id = std::move(value);
    } else {
      span.skip();
    }
  }
  if (request_id.empty()) return;
  found->trace_ids.push_back(Hex(trace_id));
  found->request_ids.push_back(std::move(request_id));
}

void ReadRequest(const std::string& body, Found* found) {
  pbf_reader request(body);
  while (request.next(1)) {
    pbf_reader resource_spans = request.get_message();
    while (resource_spans.next(2)) {
      pbf_reader scope_spans = resource_spans.get_message();
      while (scope_spans.next(2)) ReadSpan(scope_spans.get_message(), found);
    }
  }
}

void WriteList(std::ofstream& file, std::string_view name, const std::vector<std::string>& values) {
  file << '"' << name << "\": [";
  const size_t step = std::max<size_t>(1, values.size() / kSamples);
  for (size_t i = 0, n = 0; i < values.size() && n < kSamples; i += step, ++n)
    file << (n ? ", " : "") << '"' << values[i] << '"';
  file << "]";
}

}  // namespace

Error WriteSamples(const Traffic& traffic, const std::string& path) {
  Found found;
  for (const demo::ExportRequest& request : traffic.requests) ReadRequest(request.body, &found);
  std::ofstream file(path);
  file << "{";
  WriteList(file, "traceIds", found.trace_ids);
  file << ", ";
  WriteList(file, "requestIds", found.request_ids);
  file << "}\n";
  file.close();
  if (!file) return Error(ErrorCode::kIo, "can't write " + path);
  return Error::Ok();
}

}  // namespace weft::bench
