#include "bench/samples.h"

#include <fstream>
#include <string_view>
#include <utility>

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

}  // namespace

// Only proxies' spans carry the key, and each of their server spans begins a trace.
void SampleCollector::Add(const demo::ExportRequest& request) {
  pbf_reader body(request.body);
  while (body.next(1)) {
    pbf_reader resource_spans = body.get_message();
    while (resource_spans.next(2)) {
      pbf_reader scope_spans = resource_spans.get_message();
      while (scope_spans.next(2)) AddSpan(scope_spans.get_message());
    }
  }
}

void SampleCollector::AddSpan(pbf_reader span) {
  protozero::data_view trace_id;
  std::string request_id;
  while (span.next()) {
    if (span.tag() == 1) {
      trace_id = span.get_view();
    } else if (span.tag() == 9) {
      std::string value = RareValue(span.get_message());
      if (!value.empty()) request_id = std::move(value);
    } else {
      span.skip();
    }
  }
  if (!request_id.empty()) Add({Hex({trace_id.data(), trace_id.size()}), std::move(request_id)});
}

// Twice as many as are wanted become half as many, and only every second one is taken from there.
void SampleCollector::Add(Sample sample) {
  if (seen_++ % every_ != 0) return;
  samples_.push_back(std::move(sample));
  if (samples_.size() < 2 * kSamples) return;
  for (size_t i = 0; i < kSamples; ++i) samples_[i] = std::move(samples_[2 * i]);
  samples_.resize(kSamples);
  every_ *= 2;
}

Error SampleCollector::Write(const std::string& path) const {
  std::ofstream file(path);
  const auto write_list = [&](std::string_view name, std::string Sample::* field) {
    file << '"' << name << "\": [";
    for (const Sample& sample : samples_)
      file << (&sample == samples_.data() ? "" : ", ") << '"' << sample.*field << '"';
    file << "]";
  };
  file << "{";
  write_list("traceIds", &Sample::trace_id);
  file << ", ";
  write_list("requestIds", &Sample::request_id);
  file << "}\n";
  file.close();
  if (!file) return Error(ErrorCode::kIo, "can't write " + path);
  return Error::Ok();
}

}  // namespace weft::bench
