#include "receive/otlp/decode_proto.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "model/otlp_encode.h"
#include "model/proto_writer.h"
#include "receive/sample_batch.h"

namespace weft::receive::otlp {
namespace {

using model::IsWellFormed;
using model::ProtoWriter;
using model::SpanBatch;
using model::ValueType;

const std::string kTraceId = "0123456789abcdef";
const std::string kSpanId = "ABCDEFGH";

struct Decoded {
  Error error;
  SpanBatch batch;
  RejectedSpans rejected;
};

Decoded Decode(std::string_view bytes, const DecodeLimits& limits = {}) {
  Decoded out;
  out.error = DecodeTraces(bytes, limits, &out.batch, &out.rejected);
  EXPECT_TRUE(!out.error.ok() || IsWellFormed(out.batch));
  return out;
}

// A message whose field `field` is `content`, for building nested messages from the inside out.
std::string Wrap(uint32_t field, std::string_view content) {
  std::string out;
  ProtoWriter(&out).Bytes(field, content);
  return out;
}

std::string SpanBytes(std::string_view trace_id, std::string_view span_id,
                      std::string_view rest = {}) {
  std::string span;
  ProtoWriter to(&span);
  to.Bytes(1, trace_id);
  to.Bytes(2, span_id);
  span += rest;
  return span;
}

// A request of one resource and one scope.
std::string Request(const std::vector<std::string>& spans) {
  std::string scope_spans;
  for (const std::string& span : spans) scope_spans += Wrap(2, span);
  return Wrap(1, Wrap(2, scope_spans));
}

std::string Attribute(std::string_view key, std::string_view any_value) {
  return Wrap(1, key) + Wrap(2, any_value);
}

// AnyValue: arrays within arrays, `depth` of them.
std::string NestedArrays(uint32_t depth) {
  std::string value = Wrap(1, "core");
  for (uint32_t i = 0; i < depth; ++i) value = Wrap(5, Wrap(1, value));
  return value;
}

std::vector<uint64_t> SortedHashes(const SpanBatch& batch) {
  std::vector<uint64_t> hashes;
  for (uint32_t i = 0; i < batch.size(); ++i) hashes.push_back(ContentHash(batch, i));
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

TEST(DecodeProtoTest, KeepsEverythingThatASpanSays) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto original = MakeSampleBatch(seed, 40);
    const Decoded decoded = Decode(model::EncodeOtlpProto(*original));
    ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
    EXPECT_EQ(decoded.rejected.total(), 0u);
    EXPECT_EQ(SortedHashes(decoded.batch), SortedHashes(*original)) << "seed " << seed;
  }
}

TEST(DecodeProtoTest, EmptyRequestHasNoSpans) {
  EXPECT_EQ(Decode("").batch.size(), 0u);
  EXPECT_EQ(Decode(Wrap(1, "")).batch.size(), 0u);
  EXPECT_EQ(Decode(Wrap(1, Wrap(2, ""))).batch.size(), 0u);
}

TEST(DecodeProtoTest, IdFaultsRefuseASpanAloneAndAreCountedByReason) {
  const std::string parent_of_3 = Wrap(4, "abc");
  const Decoded decoded = Decode(Request({
      SpanBytes(kTraceId, kSpanId),
      SpanBytes(std::string(16, '\0'), kSpanId, Wrap(9, Attribute("k", Wrap(1, "v")))),
      SpanBytes("short", kSpanId),
      SpanBytes(kTraceId, std::string(8, '\0')),
      SpanBytes(kTraceId, kSpanId + "x"),
      SpanBytes(kTraceId, kSpanId, parent_of_3),
      "",
      SpanBytes(kTraceId, "87654321", Wrap(9, Attribute("last", Wrap(1, "one")))),
  }));
  ASSERT_TRUE(decoded.error.ok());
  ASSERT_EQ(decoded.batch.size(), 2u);
  EXPECT_EQ(decoded.batch.AttributesOf(1).size(), 1u);
  EXPECT_EQ(decoded.rejected.by_reason[size_t(RejectReason::kInvalidTraceId)], 3u);
  EXPECT_EQ(decoded.rejected.by_reason[size_t(RejectReason::kInvalidSpanId)], 2u);
  EXPECT_EQ(decoded.rejected.by_reason[size_t(RejectReason::kInvalidParentId)], 1u);
  EXPECT_EQ(
      decoded.rejected.Message(),
      "rejected spans: 3 with an invalid trace_id (16 bytes, not all zero), 2 with an invalid "
      "span_id (8 bytes, not all zero), 1 with an invalid parent_span_id (empty or 8 bytes)");
}

TEST(DecodeProtoTest, ParentIsEmptyZeroOrEightBytes) {
  const Decoded decoded =
      Decode(Request({SpanBytes(kTraceId, kSpanId, Wrap(4, "")),
                      SpanBytes(kTraceId, kSpanId, Wrap(4, std::string(8, '\0'))),
                      SpanBytes(kTraceId, kSpanId, Wrap(4, kSpanId))}));
  ASSERT_EQ(decoded.batch.size(), 3u);
  EXPECT_FALSE(decoded.batch.parent_span_id[0].valid());
  EXPECT_FALSE(decoded.batch.parent_span_id[1].valid());
  EXPECT_EQ(decoded.batch.parent_span_id[2], decoded.batch.span_id[2]);
}

TEST(DecodeProtoTest, UnknownFieldsOfEveryTypeAreSkipped) {
  std::string unknown;
  ProtoWriter to(&unknown);
  to.Varint(100, 1u << 30);
  to.Fixed64(101, 7);
  to.Bytes(102, "later version");
  to.Fixed32(103, 7);
  unknown += "\xc3\x06\xcb\x06\xd0\x06\x01\xcc\x06\xc4\x06";  // group 104 { group 105 { 106: 1 } }
  const std::string attribute = Attribute("k", Wrap(1, "v") + unknown) + unknown;
  const std::string event = Wrap(2, "e") + Wrap(3, attribute) + unknown;
  const std::string span =
      SpanBytes(kTraceId, kSpanId, unknown + Wrap(9, attribute) + Wrap(11, event));
  const std::string resource = Wrap(1, attribute) + Wrap(3, "entity ref") + unknown;
  const std::string bytes =
      unknown + Wrap(1, unknown + Wrap(1, resource) + Wrap(2, unknown + Wrap(2, span) + unknown));
  const Decoded decoded = Decode(bytes);
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  ASSERT_EQ(decoded.batch.size(), 1u);
  EXPECT_EQ(decoded.batch.AttributesOf(0).size(), 1u);
  EXPECT_EQ(decoded.batch.EventsOf(0).size(), 1u);
  EXPECT_EQ(decoded.batch.ResourceAttributesOf(0).size(), 1u);
}

TEST(DecodeProtoTest, KnownFieldOfAnotherWireTypeIsSkipped) {
  std::string odd;
  ProtoWriter to(&odd);
  to.Varint(5, 7);   // name as a number
  to.Bytes(6, "x");  // kind as text
  to.Varint(7, 1);   // start as varint
  const Decoded decoded = Decode(Request({SpanBytes(kTraceId, kSpanId, odd)}));
  ASSERT_EQ(decoded.batch.size(), 1u);
  EXPECT_EQ(decoded.batch.name[0], 0u);
  EXPECT_EQ(decoded.batch.kind[0], 0);
  EXPECT_EQ(decoded.batch.start_ns[0], 0u);
}

TEST(DecodeProtoTest, StringIndexOfProfilesIsNoValue) {
  std::string value;
  ProtoWriter(&value).Varint(8, 3);
  const Decoded decoded =
      Decode(Request({SpanBytes(kTraceId, kSpanId, Wrap(9, Attribute("k", value)))}));
  ASSERT_EQ(decoded.batch.size(), 1u);
  EXPECT_EQ(decoded.batch.attributes[0].type, ValueType::kEmpty);
}

TEST(DecodeProtoTest, ValuesMayBeNestedToTheLimitAndNoFurther) {
  const auto span = [](std::string_view id, uint32_t depth) {
    return SpanBytes(kTraceId, id, Wrap(9, Attribute("deep", NestedArrays(depth))));
  };
  const Decoded decoded = Decode(Request({span("11111111", 64), span("22222222", 65),
                                          span("33333333", 10'000), SpanBytes(kTraceId, kSpanId)}));
  ASSERT_TRUE(decoded.error.ok());
  EXPECT_EQ(decoded.batch.size(), 2u);
  EXPECT_EQ(decoded.rejected.by_reason[size_t(RejectReason::kNestedTooDeep)], 2u);
  EXPECT_EQ(decoded.batch.nested.size(), 64u) << "the refused spans left nothing behind";
}

TEST(DecodeProtoTest, ResourceOrScopeTooDeepRefusesItsSpansAndNoOthers) {
  const std::string deep = Attribute("deep", NestedArrays(100));
  const std::string spans =
      Wrap(2, SpanBytes(kTraceId, kSpanId)) + Wrap(2, SpanBytes(kTraceId, "87654321"));
  const std::string bytes = Wrap(1, Wrap(1, Wrap(1, deep)) + Wrap(2, spans)) +
                            Wrap(1, Wrap(2, Wrap(1, Wrap(3, deep)) + spans)) +
                            Wrap(1, Wrap(2, spans));
  const Decoded decoded = Decode(bytes);
  ASSERT_TRUE(decoded.error.ok());
  EXPECT_EQ(decoded.batch.size(), 2u);
  EXPECT_EQ(decoded.rejected.by_reason[size_t(RejectReason::kNestedTooDeep)], 4u);
}

TEST(DecodeProtoTest, ResourceAfterItsSpansAndInPiecesIsOneResource) {
  const std::string a = Wrap(1, Attribute("a", Wrap(1, "1")));
  const std::string b = Wrap(1, Attribute("b", Wrap(1, "2")));
  const std::string scope_spans = Wrap(2, Wrap(2, SpanBytes(kTraceId, kSpanId)));
  const Decoded decoded = Decode(Wrap(1, scope_spans + Wrap(1, a) + Wrap(3, "url") + Wrap(1, b)));
  ASSERT_EQ(decoded.batch.size(), 1u);
  EXPECT_EQ(decoded.batch.ResourceAttributesOf(decoded.batch.resource[0]).size(), 2u);
  EXPECT_EQ(decoded.batch.strings[decoded.batch.resources.schema_url[0]], "url");
}

TEST(DecodeProtoTest, RepeatedResourcesAndScopesAreStoredOnce) {
  const std::string resource = Wrap(1, Wrap(1, Attribute("service.name", Wrap(1, "cart"))));
  const std::string scope_spans =
      Wrap(2, Wrap(1, Wrap(1, "lib")) + Wrap(2, SpanBytes(kTraceId, kSpanId)));
  std::string bytes;
  for (int i = 0; i < 10; ++i) bytes += Wrap(1, resource + scope_spans);
  const Decoded decoded = Decode(bytes);
  EXPECT_EQ(decoded.batch.size(), 10u);
  EXPECT_EQ(decoded.batch.resources.size(), 1u);
  EXPECT_EQ(decoded.batch.scopes.size(), 1u);
}

TEST(DecodeProtoTest, LinkWithOddIdsIsKeptWithoutThem) {
  const Decoded decoded =
      Decode(Request({SpanBytes(kTraceId, kSpanId, Wrap(13, Wrap(1, "odd") + Wrap(2, "odd")))}));
  ASSERT_EQ(decoded.batch.size(), 1u);
  ASSERT_EQ(decoded.batch.links.size(), 1u);
  EXPECT_FALSE(decoded.batch.links.trace_id[0].valid());
}

TEST(DecodeProtoTest, EnumsBeyondAByteAreUnspecified) {
  std::string rest;
  ProtoWriter to(&rest);
  to.Varint(6, 300);
  rest += Wrap(15, std::string("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11));  // code: -1
  const Decoded decoded = Decode(Request({SpanBytes(kTraceId, kSpanId, rest)}));
  ASSERT_EQ(decoded.batch.size(), 1u);
  EXPECT_EQ(decoded.batch.kind[0], 0);
  EXPECT_EQ(decoded.batch.status[0], 0);
}

TEST(DecodeProtoTest, LyingLengthsAndHalfRequestsAreRefusedWhole) {
  const std::string good = model::EncodeOtlpProto(*MakeSampleBatch(1, 3));
  int refused = 0;
  for (size_t cut = 1; cut < good.size(); ++cut) refused += !Decode(good.substr(0, cut)).error.ok();
  // A cut at the border of a ResourceSpans leaves a whole request.
  EXPECT_GE(refused, static_cast<int>(good.size()) - 4);
  EXPECT_EQ(Decode("\x0a\xff\xff\xff\xff\x0f").error.code(), ErrorCode::kInvalidArgument);
  EXPECT_FALSE(Decode(std::string(11, '\xff')).error.ok()) << "a varint without an end";
  EXPECT_FALSE(Decode(std::string("\x00\x00", 2)).error.ok()) << "field number 0";
  EXPECT_FALSE(Decode("\x0b").error.ok()) << "a group that does not end";
}

TEST(DecodeProtoTest, ElementsAreBounded) {
  DecodeLimits limits;
  limits.elements_max = 100;
  std::string attributes;
  for (int i = 0; i < 60; ++i) attributes += Wrap(9, Attribute("k", Wrap(1, "v")));
  EXPECT_TRUE(Decode(Request({SpanBytes(kTraceId, kSpanId, attributes)}), limits).error.ok());
  const Decoded two = Decode(
      Request({SpanBytes(kTraceId, kSpanId, attributes), SpanBytes(kTraceId, kSpanId, attributes)}),
      limits);
  EXPECT_EQ(two.error.code(), ErrorCode::kTooLarge);
  std::string empties;
  for (int i = 0; i < 101; ++i) empties += Wrap(1, "");
  const std::string array = Wrap(9, Attribute("k", Wrap(5, empties)));
  EXPECT_EQ(Decode(Request({SpanBytes(kTraceId, kSpanId, array)}), limits).error.code(),
            ErrorCode::kTooLarge);
}

TEST(DecodeProtoTest, RandomDamageNeverBreaksABatch) {
  std::mt19937_64 random(7);
  const std::string good = model::EncodeOtlpProto(*MakeSampleBatch(3, 20));
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    for (uint64_t n = 1 + random() % 8; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    Decode(bytes);  // checks that what is accepted is well formed
  }
}

}  // namespace
}  // namespace weft::receive::otlp
