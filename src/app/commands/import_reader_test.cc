#include "app/commands/import_reader.h"

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "app/commands/import_sender.h"
#include "app/commands/otlp_pieces.h"
#include "net/compression.h"

namespace weft::app::commands {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Outcome {
  std::vector<ImportRecord> records;
  std::vector<std::pair<uint64_t, std::string>> complaints;
  std::string error;

  uint64_t spans() const {
    uint64_t count = 0;
    for (const ImportRecord& record : records) count += record.span_count;
    return count;
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const ImportRecord& record : records) out.push_back(record.bytes);
    return out;
  }
};

// Writes `content` to a file and reads it as an import does.
Outcome Import(const std::string& content) {
  const std::string path = testing::TempDir() + "/import_reader_test.input";
  std::FILE* file = std::fopen(path.c_str(), "wb");
  std::fwrite(content.data(), 1, content.size(), file);
  std::fclose(file);
  Outcome outcome;
  auto source = ByteSource::Open(path);
  auto reader = ImportReader::Open(std::move(*source), [&](uint64_t place, const Error& why) {
    outcome.complaints.emplace_back(place, why.message());
  });
  if (!reader.ok()) {
    outcome.error = reader.error().message();
    return outcome;
  }
  while (true) {
    const auto more = (*reader)->Next(&outcome.records);
    if (!more.ok()) outcome.error = more.error().message();
    if (!more.ok() || !*more) return outcome;
  }
}

std::string Element(const std::string& name, int spans) {
  std::string text = R"({"resource":{},"scopeSpans":[{"spans":[)";
  for (int i = 0; i < spans; ++i)
    text += std::string(i > 0 ? "," : "") + R"({"name":")" + name + R"("})";
  return text + "]}]}";
}

std::string Line(const std::string& element) { return R"({"resourceSpans":[)" + element + "]}\n"; }

// A TracesData with one ResourceSpans of `spans` spans.
std::string Message(const std::string& name, int spans) {
  std::string out;
  protozero::pbf_writer traces(out);
  protozero::pbf_writer resource_spans(traces, 1);
  protozero::pbf_writer(resource_spans, 1).add_uint32(2, 7);  // Resource.dropped_attributes_count
  protozero::pbf_writer scope_spans(resource_spans, 2);
  for (int i = 0; i < spans; ++i) protozero::pbf_writer(scope_spans, 2).add_string(5, name);
  return (scope_spans.commit(), resource_spans.commit(), out);
}

std::string Framed(const std::string& message) {
  const auto n = static_cast<uint32_t>(message.size());
  return std::string{static_cast<char>(n >> 24), static_cast<char>(n >> 16),
                     static_cast<char>(n >> 8), static_cast<char>(n)} +
         message;
}

TEST(ImportReader, ReadsOneDocumentPerLine) {
  const Outcome outcome =
      Import(Line(Element("a", 2)) + "\n" + Line(Element("b", 1) + "," + Element("c", 3)));
  EXPECT_EQ(outcome.error, "");
  EXPECT_THAT(outcome.texts(), ElementsAre(Element("a", 2), Element("b", 1), Element("c", 3)));
  EXPECT_EQ(outcome.spans(), 6u);
  EXPECT_EQ(outcome.records[0].place, 1u);
  EXPECT_EQ(outcome.records[1].place, 3u);
  EXPECT_EQ(outcome.records[1].end_offset, 0u);  // the line isn't done with yet
  EXPECT_GT(outcome.records[2].end_offset, outcome.records[0].end_offset);
}

TEST(ImportReader, ABrokenLineIsNamedAndSkipped) {
  const std::string cut = R"({"resourceSpans":[{"scopeSpans")";
  const Outcome outcome =
      Import(Line(Element("a", 1)) + cut + "\n" + "nonsense\n" + Line(Element("b", 1)));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.spans(), 2u);
  ASSERT_EQ(outcome.complaints.size(), 2u);
  EXPECT_EQ(outcome.complaints[0].first, 2u);
  EXPECT_EQ(outcome.complaints[1].first, 3u);
}

TEST(ImportReader, AFirstLineThatIsBrokenDoesNotHideTheRest) {
  const Outcome outcome = Import("{\"resourceSpans\":[{\n" + Line(Element("b", 1)));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.spans(), 1u);
  EXPECT_EQ(outcome.complaints.size(), 1u);
}

TEST(ImportReader, ALineOfLogsIsNoTrace) {
  const Outcome outcome = Import("{\"resourceLogs\":[]}\n" + Line(Element("a", 1)));
  EXPECT_EQ(outcome.spans(), 1u);
  ASSERT_EQ(outcome.complaints.size(), 1u);
  EXPECT_THAT(outcome.complaints[0].second, HasSubstr("not traces"));
}

TEST(ImportReader, ReadsADocumentSpreadOverLines) {
  const Outcome outcome = Import("{\n  \"schema\": \"[{\\\"\",\n  \"resourceSpans\": [\n    " +
                                 Element("a{[", 2) + ",\n    " + Element("b", 1) + "\n  ]\n}\n");
  EXPECT_EQ(outcome.error, "");
  EXPECT_THAT(outcome.texts(), ElementsAre(Element("a{[", 2), Element("b", 1)));
  EXPECT_EQ(outcome.records[0].place, 4u);
  EXPECT_EQ(outcome.records[1].place, 5u);
}

TEST(ImportReader, ADocumentCutShortGivesWhatItHas) {
  const Outcome outcome = Import("{\n\"resourceSpans\": [\n" + Element("a", 1) + ",\n{\"scope");
  EXPECT_EQ(outcome.spans(), 1u);
  EXPECT_THAT(outcome.error, HasSubstr("cut short"));
}

TEST(ImportReader, ReadsAProtobufMessage) {
  const Outcome outcome = Import(Message("a", 2) + Message("b", 3));
  EXPECT_EQ(outcome.error, "");
  EXPECT_THAT(outcome.texts(), ElementsAre(Message("a", 2), Message("b", 3)));
  EXPECT_EQ(outcome.spans(), 5u);
}

TEST(ImportReader, AMessageThatBeginsLikeTextIsStillProtobuf) {
  // Length 123 is '{': the file begins with a newline and a brace.
  for (int size = 90; size < 123; ++size) {
    const std::string message = Message(std::string(static_cast<size_t>(size), 'x'), 1);
    if (message[1] != '{') continue;
    EXPECT_EQ(Import(message).spans(), 1u);
    return;
  }
  FAIL() << "no message of that size was made";
}

TEST(ImportReader, ReadsFramedMessagesOfEitherEncoding) {
  const std::string zstd = net::Compress(net::ContentCoding::kZstd, Message("z", 4));
  const Outcome outcome =
      Import(Framed(Message("a", 2)) + Framed(Line(Element("j", 1))) + Framed(zstd));
  EXPECT_EQ(outcome.error, "");
  ASSERT_EQ(outcome.records.size(), 3u);
  EXPECT_EQ(outcome.records[1].encoding, ImportEncoding::kJson);
  EXPECT_EQ(outcome.records[2].encoding, ImportEncoding::kProtobuf);
  EXPECT_EQ(outcome.spans(), 7u);
}

TEST(ImportReader, ABrokenMessageIsNamedAndSkipped) {
  const Outcome outcome =
      Import(Framed(Message("a", 1)) + Framed("\x0a\xff\xff") + Framed(Message("b", 1)));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.spans(), 2u);
  ASSERT_EQ(outcome.complaints.size(), 1u);
  EXPECT_EQ(outcome.complaints[0].first, 2u);
}

TEST(ImportReader, UndoesGzipAndZstdWhateverTheName) {
  const std::string text = Line(Element("a", 2)) + Line(Element("b", 1));
  for (const auto coding : {net::ContentCoding::kGzip, net::ContentCoding::kZstd}) {
    const std::string bytes = net::Compress(coding, text);
    EXPECT_EQ(Import(bytes).spans(), 3u);
    EXPECT_EQ(Import(bytes + bytes).spans(), 6u);  // frames side by side
    EXPECT_NE(Import(bytes.substr(0, bytes.size() - 3)).error, "");
  }
}

TEST(ImportReader, RefusesWhatIsNeither) {
  EXPECT_THAT(Import("hello, world").error, HasSubstr("neither OTLP/JSON nor OTLP protobuf"));
  EXPECT_THAT(Import("[1,2]").error, HasSubstr("neither"));
  EXPECT_EQ(Import("").error, "");
  EXPECT_EQ(Import("\n\n").error, "");
}

// Arrow's libraries bring a simdjson of another version. Bound to that, a parser that grows for its
// second document calls a wrong function.
TEST(CutJson, DocumentsMayGrow) {
  for (int spans = 1; spans < 200'000; spans *= 10) {
    const auto pieces = CutJson(Element("caf\\u00e9", spans), 64 << 20);
    ASSERT_TRUE(pieces.ok()) << spans;
    EXPECT_EQ((*pieces)[0].span_count, static_cast<uint64_t>(spans));
  }
}

TEST(CutProtobuf, KeepsResourceAndScopeWithEveryPiece) {
  const std::string message = Message(std::string(100, 'n'), 50);
  const auto pieces = CutProtobuf(message, 1000);
  ASSERT_TRUE(pieces.ok());
  EXPECT_GT(pieces->size(), 4u);
  uint64_t spans = 0;
  std::string joined;
  for (const OtlpPiece& piece : *pieces) {
    EXPECT_LT(piece.bytes.size(), 1200u);
    EXPECT_EQ((*CutProtobuf(piece.bytes, 1 << 20))[0].span_count, piece.span_count);
    EXPECT_THAT(piece.bytes, HasSubstr(std::string("\x0a\x02\x10\x07", 4)));  // the Resource
    spans += piece.span_count;
  }
  EXPECT_EQ(spans, 50u);
}

TEST(CutJson, KeepsResourceAndScopeWithEveryPiece) {
  const std::string element =
      R"({"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a\"b"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"s"},"spans":[{"name":"1"},{"name":"2"},{"name":"3"}]}]})";
  const auto pieces = CutJson(element, 20);
  ASSERT_TRUE(pieces.ok());
  ASSERT_EQ(pieces->size(), 3u);
  EXPECT_EQ((*pieces)[1].bytes,
            R"({"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a\"b"}}]},)"
            R"("scopeSpans":[{"scope":{"name":"s"},"spans":[{"name":"2"}]}]})");
}

TEST(JoinRecords, MakesOneRequestOfMany) {
  ImportRecord a;
  a.encoding = ImportEncoding::kJson;
  a.bytes = "{}";
  EXPECT_EQ(JoinRecords({a, a}), R"({"resourceSpans":[{},{}]})");
  a.encoding = ImportEncoding::kProtobuf;
  EXPECT_EQ(JoinRecords({a, a}), "{}{}");
}

}  // namespace
}  // namespace weft::app::commands
