#include "receive/otlp/decode_json.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/otlp_encode.h"
#include "receive/otlp/decode_proto.h"
#include "receive/sample_batch.h"

namespace weft::receive::otlp {
namespace {

using model::SpanBatch;
using model::ValueType;
using testing::HasSubstr;

constexpr const char* kIds =
    R"("traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174")";

struct Decoded {
  Error error;
  SpanBatch batch;
  RejectedSpans rejected;
};

Decoded Decode(std::string body) {
  Decoded out;
  const std::string before = body;
  out.error = DecodeTracesJson(&body, {}, &out.batch, &out.rejected);
  EXPECT_EQ(body, before) << "the body must not change";
  EXPECT_TRUE(!out.error.ok() || IsWellFormed(out.batch));
  return out;
}

// One span with the given members besides its ids.
std::string WithSpan(const std::string& members) {
  return std::string(R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)") + kIds +
         (members.empty() ? "" : "," + members) + "}]}]}]}";
}

// The one attribute of a span with this AnyValue.
model::Attribute ValueOf(const std::string& any_value, SpanBatch* batch) {
  Decoded decoded = Decode(WithSpan(R"("attributes":[{"key":"k","value":)" + any_value + "}]"));
  EXPECT_TRUE(decoded.error.ok()) << any_value << ": " << decoded.error.message();
  if (decoded.batch.attributes.size() != 1) return {};
  *batch = std::move(decoded.batch);
  return batch->attributes[0];
}

std::vector<uint64_t> SortedHashes(const SpanBatch& batch) {
  std::vector<uint64_t> hashes;
  for (uint32_t i = 0; i < batch.size(); ++i) hashes.push_back(ContentHash(batch, i));
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

TEST(DecodeJsonTest, KeepsEverythingThatASpanSays) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto original = MakeSampleBatch(seed, 40);
    const Decoded decoded = Decode(model::EncodeOtlpJson(*original));
    ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
    EXPECT_EQ(SortedHashes(decoded.batch), SortedHashes(*original)) << "seed " << seed;
  }
}

TEST(DecodeJsonTest, SaysTheSameAsProtobuf) {
  const auto original = MakeSampleBatch(99, 200);
  SpanBatch from_proto;
  RejectedSpans rejected;
  ASSERT_TRUE(DecodeTraces(model::EncodeOtlpProto(*original), {}, &from_proto, &rejected).ok());
  const Decoded from_json = Decode(model::EncodeOtlpJson(*original));
  for (uint32_t i = 0; i < from_proto.size(); ++i) {
    EXPECT_EQ(ContentHash(from_proto, i), ContentHash(from_json.batch, i));
  }
}

TEST(DecodeJsonTest, NumbersMayBeTextOrNumbers) {
  for (const char* start : {R"("startTimeUnixNano":"1544712660000000123")",
                            R"("startTimeUnixNano":1544712660000000123)",
                            R"("start_time_unix_nano":"1544712660000000123")"}) {
    const Decoded decoded = Decode(WithSpan(start));
    ASSERT_EQ(decoded.batch.size(), 1u) << start;
    EXPECT_EQ(decoded.batch.start_ns[0], 1544712660000000123u);
  }
  const Decoded all = Decode(WithSpan(R"("endTimeUnixNano":18446744073709551615)"));
  EXPECT_EQ(all.batch.end_ns[0], UINT64_MAX);
  SpanBatch batch;
  EXPECT_EQ(ValueOf(R"({"intValue":"-9223372036854775808"})", &batch).as_int(), INT64_MIN);
  EXPECT_EQ(ValueOf(R"({"intValue":-7})", &batch).as_int(), -7);
  EXPECT_EQ(ValueOf(R"({"intValue":7.0})", &batch).as_int(), 7);
  EXPECT_EQ(ValueOf(R"({"intValue":"1e3"})", &batch).as_int(), 1000);
}

TEST(DecodeJsonTest, NumbersThatAreNoneAreRefused) {
  for (const char* member :
       {R"("startTimeUnixNano":"soon")", R"("startTimeUnixNano":-1)", R"("startTimeUnixNano":1.5)",
        R"("startTimeUnixNano":18446744073709551616)", R"("startTimeUnixNano":true)",
        R"("startTimeUnixNano":"")", R"("flags":4294967296)", R"("kind":{})",
        R"("attributes":[{"key":"k","value":{"intValue":"9223372036854775808"}}])",
        R"("attributes":[{"key":"k","value":{"boolValue":"true"}}])",
        R"("attributes":[{"key":"k","value":{"doubleValue":"much"}}])",
        R"("attributes":[{"key":"k","value":{"bytesValue":"a"}}])",
        R"("attributes":[{"key":"k","value":"bare"}])", R"("attributes":{})", R"("name":7)"}) {
    const Decoded decoded = Decode(WithSpan(member));
    EXPECT_EQ(decoded.error.code(), ErrorCode::kInvalidArgument) << member;
    EXPECT_FALSE(decoded.error.message().empty());
  }
}

TEST(DecodeJsonTest, EnumsMayBeNumbersOrNames) {
  for (const char* kind : {"3", "\"SPAN_KIND_CLIENT\"", "\"3\""}) {
    const Decoded decoded = Decode(WithSpan(std::string("\"kind\":") + kind));
    ASSERT_EQ(decoded.batch.size(), 1u);
    EXPECT_EQ(decoded.batch.kind[0], 3) << kind;
  }
  EXPECT_EQ(Decode(WithSpan(R"("kind":"SPAN_KIND_OF_MAGIC")")).batch.kind[0], 0);
  const Decoded status =
      Decode(WithSpan(R"("status":{"code":"STATUS_CODE_ERROR","message":"no"})"));
  EXPECT_EQ(status.batch.status[0], 2);
  EXPECT_EQ(status.batch.strings[status.batch.status_message[0]], "no");
}

TEST(DecodeJsonTest, DoublesMayBeNoNumbers) {
  SpanBatch batch;
  EXPECT_TRUE(std::isnan(ValueOf(R"({"doubleValue":"NaN"})", &batch).as_double()));
  EXPECT_EQ(ValueOf(R"({"doubleValue":"-Infinity"})", &batch).as_double(), -INFINITY);
  EXPECT_EQ(ValueOf(R"({"doubleValue":3})", &batch).as_double(), 3.0);
  EXPECT_EQ(ValueOf(R"({"double_value":"2.5"})", &batch).as_double(), 2.5);
}

TEST(DecodeJsonTest, BytesAreBase64InBothAlphabets) {
  SpanBatch batch;
  for (const char* text : {"-_8=", "+/8=", "+/8"}) {
    const auto a = ValueOf(std::string(R"({"bytesValue":")") + text + "\"}", &batch);
    EXPECT_EQ(a.type, ValueType::kBytes);
    EXPECT_EQ(batch.strings[a.as_code()], "\xfb\xff") << text;
  }
}

TEST(DecodeJsonTest, NullIsNotSet) {
  const Decoded decoded = Decode(WithSpan(
      R"("name":null,"parentSpanId":null,"attributes":null,"events":[null,{"name":"e"}],"kind":null,)"
      R"("status":null,"startTimeUnixNano":null,"links":null)"));
  ASSERT_EQ(decoded.batch.size(), 1u) << decoded.error.message();
  EXPECT_EQ(decoded.batch.EventsOf(0).size(), 1u);
  SpanBatch batch;
  EXPECT_EQ(ValueOf("null", &batch).type, ValueType::kEmpty);
  EXPECT_EQ(ValueOf(R"({"stringValue":null})", &batch).type, ValueType::kEmpty);
  EXPECT_EQ(Decode(R"({"resourceSpans":null})").batch.size(), 0u);
}

TEST(DecodeJsonTest, UnknownMembersAreIgnored) {
  const Decoded decoded = Decode(
      R"({"new":[{"deep":[1,2,{"x":"]}"}]}],"resourceSpans":[{"x":1,"resource":{"entityRefs":[{}],)"
      R"("attributes":[{"key":"service.name","value":{"stringValue":"cart"},"keyStrindex":1}]},)"
      R"("scopeSpans":[{"y":null,"spans":[{"z":[],)" +
      std::string(kIds) + R"(,"name":"n"}]}]}]})");
  ASSERT_EQ(decoded.batch.size(), 1u) << decoded.error.message();
  EXPECT_EQ(decoded.batch.strings[decoded.batch.ServiceName(0)], "cart");
}

TEST(DecodeJsonTest, MembersComeInAnyOrder) {
  const Decoded decoded = Decode(
      R"({"resourceSpans":[{"schemaUrl":"u","scopeSpans":[{"spans":[{"attributes":[{"value":)"
      R"({"stringValue":"v"},"key":"k"}],)" +
      std::string(kIds) +
      R"(}],"scope":{"version":"1","name":"lib"}}],"resource":{"attributes":[{"key":"r","value":)"
      R"({"boolValue":true}}]}}]})");
  ASSERT_EQ(decoded.batch.size(), 1u) << decoded.error.message();
  const SpanBatch& b = decoded.batch;
  EXPECT_EQ(b.strings[b.scopes.name[b.scope[0]]], "lib");
  EXPECT_EQ(b.ResourceAttributesOf(b.resource[0]).size(), 1u);
  EXPECT_EQ(b.strings[b.attributes[0].key], "k");
}

TEST(DecodeJsonTest, EscapesAndBrokenSurrogates) {
  SpanBatch batch;
  const auto text = [&batch](const std::string& json) {
    return std::string(
        batch.strings[ValueOf(R"({"stringValue":")" + json + "\"}", &batch).as_code()]);
  };
  EXPECT_EQ(text(R"(a\"b\\c\/d\n\t\u0041\u00e9\u20ac\ud83e\uddf5)"), "a\"b\\c/d\n\tAé€🧵");
  EXPECT_EQ(text(R"(cut\ud83e)"), "cut\xef\xbf\xbd") << "half a pair, as JavaScript leaves it";
  EXPECT_EQ(text(R"(\uddf5\ud83ex)"), "\xef\xbf\xbd\xef\xbf\xbdx");
  EXPECT_FALSE(Decode(WithSpan(R"("name":"\x41")")).error.ok());
  EXPECT_FALSE(Decode(WithSpan(R"("name":"\u12g4")")).error.ok());
}

TEST(DecodeJsonTest, IdFaultsRefuseASpanAlone) {
  const auto span = [](const std::string& trace, const std::string& id, const std::string& parent) {
    return R"({"traceId":")" + trace + R"(","spanId":")" + id + R"(","parentSpanId":")" + parent +
           "\"}";
  };
  const std::string trace = "5b8efff798038103d269b633813fc60c";
  const std::string id = "eee19b7ec3c1b174";
  const Decoded decoded =
      Decode(R"({"resourceSpans":[{"scopeSpans":[{"spans":[)" + span(trace, id, "") + "," +
             span("W47/95gDgQPSabYzgT/GDA==", id, "") + "," + span(trace, "0000000000000000", "") +
             "," + span(trace.substr(1), id, "") + "," + span(trace, id, "xyz") + ",{}," +
             span(trace, id, id) + "]}]}]}");
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  EXPECT_EQ(decoded.batch.size(), 2u);
  EXPECT_EQ(decoded.rejected.by_reason[size_t(RejectReason::kInvalidTraceId)], 3u);
  EXPECT_EQ(decoded.rejected.by_reason[size_t(RejectReason::kInvalidSpanId)], 1u);
  EXPECT_EQ(decoded.rejected.by_reason[size_t(RejectReason::kInvalidParentId)], 1u);
}

std::string NestedArrays(int depth) {
  std::string open;
  std::string close;
  for (int i = 0; i < depth; ++i) {
    open += R"({"arrayValue":{"values":[)";
    close += "]}}";
  }
  return open + R"({"stringValue":"core"})" + close;
}

TEST(DecodeJsonTest, ValuesMayBeNestedToTheLimitAndNoFurther) {
  const auto with = [](int depth) {
    return WithSpan(R"("attributes":[{"key":"k","value":)" + NestedArrays(depth) + "}]");
  };
  EXPECT_EQ(Decode(with(64)).batch.size(), 1u);
  const Decoded deeper = Decode(with(65));
  ASSERT_TRUE(deeper.error.ok()) << deeper.error.message();
  EXPECT_EQ(deeper.rejected.by_reason[size_t(RejectReason::kNestedTooDeep)], 1u);
  EXPECT_EQ(deeper.batch.nested.size(), 0u);
  Decode(with(10'000));  // either answer will do, a crash will not
  Decode(std::string(200'000, '['));
  Decode("{\"a\":" + std::string(200'000, '['));
}

TEST(DecodeJsonTest, ResourceOrScopeTooDeepRefusesItsSpansAndNoOthers) {
  const std::string deep = R"("attributes":[{"key":"k","value":)" + NestedArrays(70) + "}]";
  const std::string spans = std::string(R"("spans":[{)") + kIds + R"(,"attributes":[]}])";
  const Decoded decoded = Decode(
      R"({"resourceSpans":[{"scopeSpans":[{)" + spans + R"(,"scope":{"attributes":[{"key":"s",)" +
      R"("value":{"arrayValue":{"values":[{}]}}}]}}],"resource":{)" + deep +
      R"(}},{"scopeSpans":[{)" + spans + R"(,"scope":{)" + deep + R"(}},{)" + spans + "}]}]}");
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  EXPECT_EQ(decoded.batch.size(), 1u);
  EXPECT_EQ(decoded.rejected.by_reason[size_t(RejectReason::kNestedTooDeep)], 2u);
}

TEST(DecodeJsonTest, WhatIsNotOneObjectIsRefused) {
  for (const char* body : {"[]", "7", "null", "\"x\"", "{", "{}{}", "{} x", "{\"a\"}", "{\"a\":}",
                           "{\"resourceSpans\":[{]}", "{\"resourceSpans\":[}", "\xff\xfe{}", " "}) {
    EXPECT_EQ(Decode(body).error.code(), ErrorCode::kInvalidArgument) << body;
  }
  EXPECT_TRUE(Decode(" {} \n").error.ok());
  EXPECT_TRUE(Decode("").error.ok());
}

TEST(DecodeJsonTest, CutAndDamagedTextNeverBreaksABatch) {
  const std::string good = model::EncodeOtlpJson(*MakeSampleBatch(3, 6));
  for (size_t cut = 1; cut + 1 < good.size(); cut += 7) {
    EXPECT_FALSE(Decode(good.substr(0, cut)).error.ok()) << cut;
  }
  std::mt19937_64 random(11);
  const std::string_view spice = "{}[]\",:\\n0u-e ";
  for (int round = 0; round < 2000; ++round) {
    std::string body = good;
    for (uint64_t n = 1 + random() % 4; n > 0; --n) {
      body[random() % body.size()] = spice[random() % spice.size()];
    }
    Decode(body);  // checks that what is accepted is well formed
  }
}

}  // namespace
}  // namespace weft::receive::otlp
