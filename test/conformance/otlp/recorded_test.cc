// Bodies that unmodified OpenTelemetry SDKs have sent, replayed byte for byte with their headers.
// They come with the project's shared data (given-wire, described in its README.md), not with the
// source: without them the test is skipped.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "net/http_client.h"
#include "receive/fake_span_sink.h"
#include "receive/otlp/http_receiver.h"

namespace weft::receive::otlp {
namespace {

namespace fs = std::filesystem;

struct Recording {
  std::string file;
  std::string url;
  std::string content_type;
  net::HttpHeaders headers;
  std::string body;
};

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

fs::path RecordingsFolder() {
  const char* source = std::getenv("WEFT_SOURCE_DIR");
  return fs::path(source != nullptr ? source : ".") / "../shared/data/given-wire";
}

std::string TextOf(simdjson::dom::element line, const char* name) {
  std::string_view text;
  if (line[name].get(text)) return {};
  return std::string(text);
}

std::vector<Recording> ReadRecordings() {
  std::vector<Recording> recordings;
  simdjson::dom::parser parser;
  simdjson::dom::document_stream lines;
  const std::string index = ReadFile(RecordingsFolder() / "index.jsonl");
  if (parser.parse_many(index).get(lines)) return {};
  for (auto line : lines) {
    simdjson::dom::element entry;
    simdjson::dom::object headers;
    if (line.get(entry) || TextOf(entry, "protocol") != "otlp-http") continue;
    Recording recording{TextOf(entry, "file"), TextOf(entry, "url"), {}, {}, {}};
    if (entry["headers"].get(headers)) continue;
    for (const auto [name, value] : headers) {
      const std::string text(value.get_string().value());
      if (name == "content-type") {
        recording.content_type = text;
      } else if (name != "transfer-encoding") {
        recording.headers.Add(name, text);
      }
    }
    recording.body = ReadFile(RecordingsFolder() / recording.file);
    recordings.push_back(std::move(recording));
  }
  return recordings;
}

// What the spans of some batches say apart from their ids and times, which differ between runs.
struct Summary {
  size_t spans = 0;
  std::set<std::pair<uint64_t, uint64_t>> traces;
  std::map<std::string, int> kinds;  // service, name, kind, attributes, events, status: how often

  void Add(const model::SpanBatch& batch) {
    spans += batch.size();
    for (uint32_t i = 0; i < batch.size(); ++i) {
      traces.emplace(batch.trace_id(i).high, batch.trace_id(i).low);
      std::string what(batch.strings[batch.ServiceName(batch.resource[i])]);
      what += " " + std::string(batch.strings[batch.name[i]]) + " " +
              std::to_string(batch.kind[i]) + " " + std::to_string(batch.AttributesOf(i).size()) +
              " " + std::to_string(batch.EventsOf(i).size()) + " " +
              std::to_string(batch.status[i]);
      ++kinds[what];
    }
  }
};

TEST(RecordedOtlpTest, EverySpanOfTheJavaScriptSdkArrives) {
  if (!fs::exists(RecordingsFolder() / "index.jsonl")) {
    GTEST_SKIP() << "no recordings at " << RecordingsFolder();
  }
  FakeSpanSink sink;
  MetricRegistry metrics;
  const auto receiver = HttpReceiver::Start("127.0.0.1:0", {}, &sink, &metrics);
  ASSERT_TRUE(receiver.ok());
  net::HttpClient client((*receiver)->bound_address());
  std::map<std::string, Summary> by_type;
  for (const Recording& r : ReadRecordings()) {
    const auto response = client.Send("POST", r.url, r.body, r.content_type, r.headers);
    ASSERT_TRUE(response.ok()) << r.file;
    EXPECT_EQ(response->status, 200) << r.file << ": " << response->body;
    EXPECT_EQ(response->body, r.content_type == "application/json" ? "{}" : "") << r.file;
    for (const auto& pushed : sink.TakePushed()) by_type[r.content_type].Add(*pushed.batch);
  }
  ASSERT_EQ(by_type.size(), 2u) << "protobuf and JSON";
  const Summary& proto = by_type["application/x-protobuf"];
  const Summary& json = by_type["application/json"];
  EXPECT_EQ(proto.spans, 60u);
  EXPECT_EQ(json.spans, 60u);
  EXPECT_EQ(proto.traces.size(), 5u);
  EXPECT_EQ(json.traces.size(), 5u);
  EXPECT_EQ(proto.kinds, json.kinds) << "the same program, twice";
  EXPECT_EQ(metrics.SumCounter("weft_refused_spans_total"), 0u);
}

}  // namespace
}  // namespace weft::receive::otlp
