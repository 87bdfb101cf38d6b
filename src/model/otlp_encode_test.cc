#include "model/otlp_encode.h"

#include <cmath>

#include <gtest/gtest.h>

#include "model/json_writer.h"
#include "model/proto_writer.h"

namespace weft::model {
namespace {

// Two spans of two resources, in the order a, b, a.
SpanBatch ThreeSpans() {
  SpanBatch b;
  const auto text = [&b](std::string_view s) { return b.strings.Intern(s); };
  for (const char* service : {"cart", "web"}) {
    b.resources.attributes.Add(text("service.name"), ValueType::kString, text(service));
    b.resources.schema_url.push_back(0);
    b.resources.dropped_attributes.push_back(0);
    b.resources.attribute_end.push_back(b.resources.attributes.size());
  }
  b.scopes.name = {text("lib")};
  b.scopes.version = {0};
  b.scopes.schema_url = {0};
  b.scopes.dropped_attributes = {0};
  b.scopes.attribute_end = {0};
  b.traces = {{1, 2}};
  for (uint64_t i = 0; i < 3; ++i) {
    b.trace.push_back(0);
    b.span_id.push_back({i + 1});
    b.parent_span_id.push_back({i});
    b.start_ns.push_back(1'700'000'000'000'000'000 + i);
    b.end_ns.push_back(1'700'000'000'000'000'010 + i);
    b.name.push_back(text(i == 0 ? "first" : "later"));
    b.kind.push_back(2);
    b.status.push_back(0);
    b.resource.push_back(static_cast<uint32_t>(i % 2));
    b.scope.push_back(0);
    for (auto* zero : {&b.status_message, &b.trace_state, &b.flags, &b.dropped_attributes,
                       &b.dropped_events, &b.dropped_links, &b.event_end, &b.link_end}) {
      zero->push_back(0);
    }
    b.attribute_end.push_back(0);
  }
  EXPECT_TRUE(IsWellFormed(b));
  return b;
}

// What a span adds to a message in which only lengths of up to two bytes stand.
TEST(OtlpEncodeTest, BytesOfOneSpanAreKnownWithoutEncodingIt) {
  SpanBatch b = ThreeSpans();
  const Code key = b.strings.Intern("k"), long_text = b.strings.Intern(std::string(300, 'x'));
  const NestedRange list{b.nested.size(), 2};
  b.nested.Add(0, ValueType::kString, long_text);
  b.nested.Add(0, ValueType::kInt, 1u << 20);
  b.attributes.Add(key, ValueType::kArray, list.Pack());
  b.attributes.Add(key, ValueType::kDouble, 7);
  b.attributes.Add(key, ValueType::kBool, 0);
  b.attributes.Add(key, ValueType::kString, long_text);
  b.attribute_end[2] = b.attributes.size();
  b.status[2] = 2;
  b.flags[2] = 0x101;
  ASSERT_TRUE(IsWellFormed(b));
  const auto encoded = [&b](std::vector<uint32_t> rows) {
    std::string out;
    EncodeOtlpProto(b, rows, &out);
    return out.size();
  };
  // The third span twice: its resource's message holds the field once more, and its own length and
  // that of the message around it are of two bytes both times.
  EXPECT_EQ(encoded({2, 2}) - encoded({2}), OtlpProtoBytes(b, 2));
  EXPECT_GT(OtlpProtoBytes(b, 2), 600u);
  EXPECT_EQ(encoded({0, 0, 0, 0}) - encoded({0, 0, 0}), OtlpProtoBytes(b, 0));
}

TEST(OtlpEncodeTest, JsonIsGroupedByResourceAndScope) {
  const std::string span_1 =
      R"({"traceId":"00000000000000010000000000000002","spanId":"0000000000000001","name":"first",)"
      R"("kind":2,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000000010"})";
  const std::string span_2 =
      R"({"traceId":"00000000000000010000000000000002","spanId":"0000000000000002",)"
      R"("parentSpanId":"0000000000000001","name":"later","kind":2,)"
      R"("startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000000000000011"})";
  const std::string span_3 =
      R"({"traceId":"00000000000000010000000000000002","spanId":"0000000000000003",)"
      R"("parentSpanId":"0000000000000002","name":"later","kind":2,)"
      R"("startTimeUnixNano":"1700000000000000002","endTimeUnixNano":"1700000000000000012"})";
  const auto resource = [](const std::string& service, const std::string& spans) {
    return R"({"resource":{"attributes":[{"key":"service.name","value":{"stringValue":")" +
           service + R"("}}]},"scopeSpans":[{"scope":{"name":"lib"},"spans":[)" + spans + "]}]}";
  };
  EXPECT_EQ(EncodeOtlpJson(ThreeSpans()), R"({"resourceSpans":[)" +
                                              resource("cart", span_1 + "," + span_3) + "," +
                                              resource("web", span_2) + "]}");
}

TEST(OtlpEncodeTest, JsonpbHasIdsInBase64AndEnumeratorsByName) {
  SpanBatch batch = ThreeSpans();
  batch.start_ns[1] = 0;
  batch.status[1] = 2;
  batch.kind[1] = 0;
  batch.kind[2] = 9;  // has no name
  const std::vector<uint32_t> rows = {1, 2};
  std::string json;
  EncodeOtlpJsonpb(batch, rows, &json);
  const std::string head =
      R"([{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"lib"},"spans":[)";
  EXPECT_EQ(json.substr(0, head.size()), head);
  EXPECT_NE(
      json.find(
          R"({"traceId":"AAAAAAAAAAEAAAAAAAAAAg==","spanId":"AAAAAAAAAAI=","parentSpanId":"AAAAAAAAAAE=",)"
          R"("name":"later","endTimeUnixNano":"1700000000000000011","status":{"code":"STATUS_CODE_ERROR"}})"),
      std::string::npos)
      << json;
  EXPECT_NE(json.find(R"("kind":9,)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("status":{}})"), std::string::npos) << json;
}

TEST(OtlpEncodeTest, OnlyTheRowsAskedForAreWritten) {
  const SpanBatch batch = ThreeSpans();
  const std::vector<uint32_t> rows = {1};
  std::string json;
  EncodeOtlpJson(batch, rows, &json);
  EXPECT_NE(json.find("0000000000000002"), std::string::npos);
  EXPECT_EQ(json.find("cart"), std::string::npos);
  EXPECT_EQ(EncodeOtlpJson(SpanBatch()), R"({"resourceSpans":[]})");
  EXPECT_EQ(EncodeOtlpProto(SpanBatch()), "");
}

TEST(OtlpEncodeTest, ProtobufByteForByte) {
  const SpanBatch batch = ThreeSpans();
  const std::vector<uint32_t> rows = {0};
  std::string bytes;
  EncodeOtlpProto(batch, rows, &bytes);
  const std::string trace_id("\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02", 16);
  const std::string span_id("\0\0\0\0\0\0\0\x01", 8);
  const std::string start("\x39\0\0\x2a\x36\xfe\x9c\x97\x17", 9);  // 1.7e18, little-endian
  const std::string end("\x41\x0a\0\x2a\x36\xfe\x9c\x97\x17", 9);
  const std::string span = "\x0a\x10" + trace_id + "\x12\x08" + span_id + "\x2a\x05" + "first" +
                           std::string("\x30\x02", 2) + start + end;
  const std::string scope_spans =
      std::string("\x0a\x05\x0a\x03lib", 7) + "\x12" + static_cast<char>(span.size()) + span;
  const std::string attribute =
      "\x0a\x0cservice.name\x12\x06\x0a\x04"
      "cart";
  const std::string resource =
      "\x0a" + std::string(1, static_cast<char>(attribute.size())) + attribute;
  const std::string resource_spans = "\x0a" + std::string(1, static_cast<char>(resource.size())) +
                                     resource + "\x12" + static_cast<char>(scope_spans.size()) +
                                     scope_spans;
  ASSERT_LT(resource_spans.size(), 128u);
  EXPECT_EQ(bytes,
            "\x0a" + std::string(1, static_cast<char>(resource_spans.size())) + resource_spans);
}

TEST(ProtoWriterTest, LengthsTakeAsManyBytesAsTheyNeed) {
  for (const size_t size : {size_t{0}, size_t{127}, size_t{128}, size_t{16'383}, size_t{16'384}}) {
    std::string out;
    ProtoWriter to(&out);
    const size_t message = to.Begin(1);
    out.append(size, 'x');
    to.End(message);
    const size_t length_bytes = size < 128 ? 1 : size < 16'384 ? 2 : 3;
    ASSERT_EQ(out.size(), 1 + length_bytes + size);
    EXPECT_EQ(out.substr(1 + length_bytes), std::string(size, 'x'));
    EXPECT_EQ(static_cast<uint8_t>(out[1]), size < 128 ? size : (size & 0x7f) | 0x80);
  }
}

TEST(ProtoWriterTest, NegativeVarintsHaveTenBytes) {
  std::string out;
  ProtoWriter(&out).Varint(3, static_cast<uint64_t>(-1));
  EXPECT_EQ(out, "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

template <typename Write>
std::string Json(Write write) {
  std::string out;
  JsonWriter to(&out);
  write(&to);
  return out;
}

TEST(JsonWriterTest, CommasStandBetweenValues) {
  EXPECT_EQ(Json([](JsonWriter* to) {
              to->BeginObject();
              to->Name("a");
              to->BeginArray();
              to->Number(1);
              to->Bool(false);
              to->BeginObject();
              to->EndObject();
              to->EndArray();
              to->Name("b");
              to->Int64Text(-5);
              to->EndObject();
            }),
            R"({"a":[1,false,{}],"b":"-5"})");
}

TEST(JsonWriterTest, StringsAreEscapedAndAlwaysUtf8) {
  const auto text = [](std::string_view s) { return Json([s](JsonWriter* to) { to->String(s); }); };
  EXPECT_EQ(text("a\"b\\\n\t\x01\x7f"), "\"a\\\"b\\\\\\n\\t\\u0001\\u007f\"");
  EXPECT_EQ(text("絣 🧵 é"), "\"絣 🧵 é\"");
  EXPECT_EQ(text("\xff"), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(text("x\xc3"), "\"x\xef\xbf\xbd\"") << "cut short";
  EXPECT_EQ(text("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"") << "overlong";
  EXPECT_EQ(text("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"") << "a surrogate";
  EXPECT_EQ(text("\xf4\x90\x80\x80").size(), 2 + 4 * 3u) << "above U+10FFFF";
}

TEST(JsonWriterTest, DoublesReadBackAsThemselves) {
  const auto text = [](double d) { return Json([d](JsonWriter* to) { to->Double(d); }); };
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(1e300), "1e+300");
  EXPECT_EQ(text(-0.0), "-0");
  EXPECT_EQ(text(NAN), "\"NaN\"");
  EXPECT_EQ(text(-INFINITY), "\"-Infinity\"");
}

TEST(JsonWriterTest, Base64IsPadded) {
  const auto text = [](std::string_view s) { return Json([s](JsonWriter* to) { to->Base64(s); }); };
  EXPECT_EQ(text(""), "\"\"");
  EXPECT_EQ(text("f"), "\"Zg==\"");
  EXPECT_EQ(text("fo"), "\"Zm8=\"");
  EXPECT_EQ(text("foo"), "\"Zm9v\"");
  EXPECT_EQ(text("\xfb\xff"), "\"+/8=\"");
}

}  // namespace
}  // namespace weft::model
