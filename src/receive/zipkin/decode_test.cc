#include "receive/zipkin/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/proto_writer.h"
#include "receive/same_as_otlp.h"
#include "receive/thrift_writer.h"

namespace weft::receive::zipkin {
namespace {

using model::SpanBatch;
using testing::HasSubstr;

struct Decoded {
  Error error;
  SpanBatch batch;
  RejectedSpans rejected;
};

Decoded FromJson(std::string body) {
  Decoded out;
  const std::string before = body;
  out.error = DecodeJson(&body, {}, &out.batch, &out.rejected);
  EXPECT_EQ(body, before) << "the body must not change";
  return out;
}

Decoded FromJsonV1(std::string body) {
  Decoded out;
  out.error = DecodeJsonV1(&body, {}, &out.batch, &out.rejected);
  return out;
}

void ExpectJson(const std::string& zipkin, const std::string& resource_spans) {
  const Decoded decoded = FromJson(zipkin);
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  ExpectSameAsOtlp(decoded.batch, resource_spans);
}

void ExpectJsonV1(const std::string& zipkin, const std::string& resource_spans) {
  const Decoded decoded = FromJsonV1(zipkin);
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  ExpectSameAsOtlp(decoded.batch, resource_spans);
}

// A span of the service `front` in OTLP, with these members.
std::string OfFront(const std::string& members) {
  return R"({"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"front"}}]},)"
         R"("scopeSpans":[{"spans":[{)" +
         members + "}]}]}";
}

constexpr const char* kIds =
    R"("traceId":"463ac35c9f6413ad48485a3953bb6124","id":"a2fb4a1d1a96d312",)"
    R"("timestamp":1000000,"duration":1500,)"
    R"("localEndpoint":{"serviceName":"front"})";
constexpr const char* kOtlpIds =
    R"("traceId":"463ac35c9f6413ad48485a3953bb6124","spanId":"a2fb4a1d1a96d312",)"
    R"("startTimeUnixNano":"1000000000","endTimeUnixNano":"1001500000")";

void ExpectMembers(const std::string& zipkin, const std::string& otlp) {
  ExpectJson("[{" + std::string(kIds) + "," + zipkin + "}]",
             OfFront(std::string(kOtlpIds) + "," + otlp));
}

// --- Version 2

TEST(ZipkinJson, ASpanWithEverything) {
  ExpectJson(R"([{"annotations":[{"timestamp":1000100,"value":"retry"},
                                 {"value":"cache|{\"hit\":false,\"ms\":1.5,\"n\":3,\"key\":\"a|b\"}|2","timestamp":1000200}],
      "tags":{"http.path":"/api","http.status_code":"200","host.name":"web-1",
              "otel.scope.name":"lib","otel.scope.version":"1.2","w3c.tracestate":"a=b"},
      "remoteEndpoint":{"serviceName":"back","ipv4":"10.0.0.7","port":8080},
      "localEndpoint":{"serviceName":"front","ipv4":"10.0.0.1","ipv6":"2001:db8::1","port":41000},
      "kind":"CLIENT","name":"get /api","id":"a2fb4a1d1a96d312","parentId":"0020000000000001",
      "traceId":"463ac35c9f6413ad48485a3953bb6124","timestamp":1000000,"duration":1500}])",
             R"({"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"front"}},
                             {"key":"host.name","value":{"stringValue":"web-1"}}]},
      "scopeSpans":[{"scope":{"name":"lib","version":"1.2"},"spans":[{
        "traceId":"463ac35c9f6413ad48485a3953bb6124","spanId":"a2fb4a1d1a96d312",
        "parentSpanId":"0020000000000001","traceState":"a=b","name":"get /api","kind":3,
        "startTimeUnixNano":"1000000000","endTimeUnixNano":"1001500000",
        "attributes":[{"key":"http.path","value":{"stringValue":"/api"}},
                      {"key":"http.status_code","value":{"stringValue":"200"}},
                      {"key":"peer.service","value":{"stringValue":"back"}},
                      {"key":"network.peer.address","value":{"stringValue":"10.0.0.7"}},
                      {"key":"network.peer.port","value":{"intValue":8080}},
                      {"key":"network.local.address","value":{"stringValue":"2001:db8::1"}},
                      {"key":"network.local.port","value":{"intValue":41000}}],
        "events":[{"timeUnixNano":"1000100000","name":"retry"},
                  {"timeUnixNano":"1000200000","name":"cache","droppedAttributesCount":2,
                   "attributes":[{"key":"hit","value":{"boolValue":false}},
                                 {"key":"ms","value":{"doubleValue":1.5}},
                                 {"key":"n","value":{"intValue":3}},
                                 {"key":"key","value":{"stringValue":"a|b"}}]}]}]}]})");
}

TEST(ZipkinJson, KindsAndTheTagForInnerWork) {
  ExpectMembers(R"("kind":"SERVER")", R"("kind":2)");
  ExpectMembers(R"("kind":"CLIENT")", R"("kind":3)");
  ExpectMembers(R"("kind":"PRODUCER")", R"("kind":4)");
  ExpectMembers(R"("kind":"CONSUMER")", R"("kind":5)");
  ExpectMembers(R"("tags":{"span.kind":"internal"})", R"("kind":1)");
  ExpectMembers(R"("tags":{"span.kind":"odd"})",
                R"("attributes":[{"key":"span.kind","value":{"stringValue":"odd"}}])");
}

TEST(ZipkinJson, StatusComesOfTags) {
  ExpectMembers(R"("tags":{"error":"true"})", R"("status":{"code":2})");
  ExpectMembers(R"("tags":{"error":"no route"})",
                R"("status":{"code":2},
                   "attributes":[{"key":"error","value":{"stringValue":"no route"}}])");
  ExpectMembers(R"("tags":{"error":""})",
                R"("status":{"code":2},"attributes":[{"key":"error","value":{"stringValue":""}}])");
  ExpectMembers(R"("tags":{"otel.status_code":"OK"})", R"("status":{"code":1})");
  ExpectMembers(R"("tags":{"otel.status_code":"STATUS_CODE_ERROR","otel.status_description":"bad",
                           "error":"true"})",
                R"("status":{"code":2,"message":"bad"})");
}

TEST(ZipkinJson, LinksAreUnpackedAndWhatIsNoneStaysATag) {
  ExpectMembers(
      R"("tags":{"otlp.link.1":"5b8efff798038103d269b633813fc60c|eee19b7ec3c1b174||{}|0",
                 "otlp.link.0":"463ac35c9f6413ad48485a3953bb6124|eee19b7ec3c1b173|s=1|{\"a\":\"|\"}|4",
                 "otlp.link.2":"nothing"})",
      R"("links":[{"traceId":"463ac35c9f6413ad48485a3953bb6124","spanId":"eee19b7ec3c1b173",
                   "traceState":"s=1","droppedAttributesCount":4,
                   "attributes":[{"key":"a","value":{"stringValue":"|"}}]},
                  {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}],
         "attributes":[{"key":"otlp.link.2","value":{"stringValue":"nothing"}}])");
}

TEST(ZipkinJson, AnnotationsThatOnlyLookPackedAreKeptAsTheyAre) {
  for (const char* text : {"a|b", "a|b|c", "a|{}|x", "a|{\\\"b\\\":|1", "a|[1]|2", "|", "||"}) {
    ExpectMembers(R"("annotations":[{"timestamp":7,"value":")" + std::string(text) + "\"}]",
                  R"("events":[{"timeUnixNano":"7000","name":")" + std::string(text) + "\"}]");
  }
}

TEST(ZipkinJson, EndpointsBeatTagsOfTheSameName) {
  ExpectMembers(R"("tags":{"peer.service":"tag"},"remoteEndpoint":{"serviceName":"endpoint"})",
                R"("attributes":[{"key":"peer.service","value":{"stringValue":"endpoint"}}])");
  ExpectMembers(R"("tags":{"peer.service":"tag"},"remoteEndpoint":{"port":80})",
                R"("attributes":[{"key":"peer.service","value":{"stringValue":"tag"}},
                                 {"key":"network.peer.port","value":{"intValue":80}}])");
}

TEST(ZipkinJson, SharedSpansAreBothKept) {
  const std::string ids = R"("traceId":"48485a3953bb6124","id":"a2fb4a1d1a96d312",
      "timestamp":1000000,"duration":1500,)";
  const std::string otlp = R"("traceId":"000000000000000048485a3953bb6124",
      "spanId":"a2fb4a1d1a96d312","startTimeUnixNano":"1000000000",
      "endTimeUnixNano":"1001500000",)";
  ExpectJson(
      "[{" + ids + R"("kind":"CLIENT","localEndpoint":{"serviceName":"front"}},{)" + ids +
          R"("kind":"SERVER","shared":true,"debug":true,"localEndpoint":{"serviceName":"back"}}])",
      OfFront(otlp + R"("kind":3)") +
          R"(,{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"back"}}]},
             "scopeSpans":[{"spans":[{)" +
          otlp + R"("kind":2,"attributes":[{"key":"zipkin.shared","value":{"boolValue":true}},
                                    {"key":"zipkin.debug","value":{"boolValue":true}}]}]}]})");
}

TEST(ZipkinJson, WithoutATimeTheFirstAnnotationCounts) {
  constexpr const char* kMarker =
      R"("attributes":[{"key":"otel.zipkin.absentField.startTime","value":{"boolValue":true}}])";
  ExpectJson(R"([{"traceId":"1","id":"2","duration":5,"localEndpoint":{"serviceName":"front"},
                  "annotations":[{"timestamp":20,"value":"b"},{"timestamp":10,"value":"a"}]}])",
             OfFront(R"("traceId":"00000000000000000000000000000001","spanId":"0000000000000002",
                 "startTimeUnixNano":"10000","endTimeUnixNano":"15000",
                 "events":[{"timeUnixNano":"20000","name":"b"},{"timeUnixNano":"10000","name":"a"}],)" +
                     std::string(kMarker)));
  ExpectJson(
      R"([{"traceId":"1","id":"2","localEndpoint":{"serviceName":"front"}}])",
      OfFront(R"("traceId":"00000000000000000000000000000001","spanId":"0000000000000002",)" +
              std::string(kMarker)));
}

TEST(ZipkinJson, TheServiceMayStandUnderAnotherKeyOrNowhere) {
  ExpectJson("[{" + std::string(kIds) + R"(,"tags":{"otlp.service.name.source":"faas.name"}}])",
             R"({"resource":{"attributes":[{"key":"faas.name","value":{"stringValue":"front"}}]},
                 "scopeSpans":[{"spans":[{)" +
                 std::string(kOtlpIds) + "}]}]}");
  for (const char* endpoint : {"", R"(,"localEndpoint":{})",
                               R"(,"localEndpoint":{"serviceName":"OTLPResourceNoServiceName"})"}) {
    ExpectJson(
        R"([{"traceId":"1","id":"2","parentId":"2","timestamp":3)" + std::string(endpoint) + "}]",
        R"({"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000001",
                   "spanId":"0000000000000002","startTimeUnixNano":"3000",
                   "endTimeUnixNano":"3000"}]}]})");
  }
}

TEST(ZipkinJson, EverySpanKeepsTheResourceThatItNames) {
  const Decoded decoded = FromJson(
      R"([{"traceId":"1","id":"1","timestamp":1,"localEndpoint":{"serviceName":"a"},"tags":{"host.name":"x"}},
          {"traceId":"1","id":"2","timestamp":1,"localEndpoint":{"serviceName":"a"},"tags":{"host.name":"y"}},
          {"traceId":"1","id":"3","timestamp":1,"localEndpoint":{"serviceName":"b"},"tags":{"host.name":"x"}},
          {"traceId":"1","id":"4","timestamp":1,"localEndpoint":{"serviceName":"a"},"tags":{"host.name":"x"}}])");
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  EXPECT_THAT(decoded.batch.resource, testing::ElementsAre(0, 1, 2, 0));
}

TEST(ZipkinJson, SpansWithInvalidIdsAreCountedAndTheirNeighboursKept) {
  const Decoded decoded = FromJson(
      R"([{"traceId":"0","id":"1"},{"traceId":"1","id":"0000000000000000"},
          {"traceId":"not hex","id":"1"},{"id":"1"},{"traceId":"1"},
          {"traceId":"1","id":"1","parentId":"x"},{"traceId":"1","id":"11111111111111111"},
          {"traceId":"463AC35C9F6413AD48485A3953BB6124","id":"1","parentId":"0000000000000000"}])");
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  EXPECT_EQ(decoded.batch.size(), 1u);
  const auto count = [&](RejectReason r) {
    return decoded.rejected.by_reason[static_cast<size_t>(r)];
  };
  EXPECT_EQ(count(RejectReason::kInvalidTraceId), 3u);
  EXPECT_EQ(count(RejectReason::kInvalidSpanId), 3u);
  EXPECT_EQ(count(RejectReason::kInvalidParentId), 1u);
}

TEST(ZipkinJson, WhatIsNotAListOfSpansSaysWhy) {
  EXPECT_TRUE(FromJson("").error.ok());
  EXPECT_TRUE(FromJson("[]").error.ok());
  EXPECT_THAT(FromJson("{}").error.message(), HasSubstr("not a JSON array"));
  EXPECT_THAT(FromJson("[{\"traceId\":1}]").error.message(), HasSubstr("traceId must be a string"));
  EXPECT_THAT(FromJson("[{\"timestamp\":1.5}]").error.message(), HasSubstr("timestamp must be"));
  EXPECT_THAT(FromJson("[{\"tags\":{\"a\":{}}}]").error.message(), HasSubstr("a tag's value must"));
  EXPECT_THAT(FromJson("[1]").error.message(), HasSubstr("span must be an object"));
  EXPECT_THAT(FromJson("[{}").error.message(), HasSubstr("JSON"));
  EXPECT_THAT(FromJson("[] []").error.message(), HasSubstr("follows"));
  EXPECT_THAT(FromJson(R"([{"traceId":"1","id":"2","binaryAnnotations":[]}])").error.message(),
              HasSubstr("send them to /api/v1/spans"));
  EXPECT_THAT(FromJsonV1(R"([{"traceId":"1","id":"2","tags":{}}])").error.message(),
              HasSubstr("send them to /api/v2/spans"));
}

TEST(ZipkinJson, TooManyElementsRefuseTheRequest) {
  DecodeLimits limits;
  limits.elements_max = 3;
  for (const char* members :
       {R"("tags":{"a":"1","b":"2","c":"3","d":"4"})",
        R"("annotations":[{"timestamp":1,"value":"n|{\"a\":1,\"b\":2,\"c\":3}|0"}])"}) {
    std::string body = "[{" + std::string(kIds) + "," + members + "}]";
    SpanBatch batch;
    RejectedSpans rejected;
    EXPECT_EQ(DecodeJson(&body, limits, &batch, &rejected).code(), ErrorCode::kTooLarge) << members;
  }
}

TEST(ZipkinProto, SaysTheSameAsJson) {
  std::string bytes;
  model::ProtoWriter to(&bytes);
  const size_t span = to.Begin(1);
  to.Bytes(1, "\x48\x48\x5a\x39\x53\xbb\x61\x24");
  to.Bytes(2, std::string_view("\0\x20\0\0\0\0\0\1", 8));
  to.Bytes(3, "\xa2\xfb\x4a\x1d\x1a\x96\xd3\x12");
  to.Varint(4, 2);
  to.Bytes(5, "get");
  to.Fixed64(6, 1'000'000);
  to.Varint(7, 1500);
  const size_t local = to.Begin(8);
  to.Bytes(1, "front");
  to.Bytes(2, std::string_view("\x0a\0\0\1", 4));
  to.End(local);
  const size_t remote = to.Begin(9);
  to.Bytes(3, std::string_view("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16));
  to.Varint(4, 443);
  to.End(remote);
  const size_t annotation = to.Begin(10);
  to.Fixed64(1, 1'000'100);
  to.Bytes(2, "retry");
  to.End(annotation);
  const size_t tag = to.Begin(11);
  to.Bytes(1, "http.path");
  to.Bytes(2, "/api");
  to.End(tag);
  to.Varint(12, 1);
  to.Varint(13, 1);
  to.End(span);
  Decoded decoded;
  decoded.error = DecodeProto(bytes, {}, &decoded.batch, &decoded.rejected);
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  const Decoded json = FromJson(
      R"([{"traceId":"48485a3953bb6124","parentId":"20000000000001","id":"a2fb4a1d1a96d312",
           "kind":"SERVER","name":"get","timestamp":1000000,"duration":1500,
           "localEndpoint":{"serviceName":"front","ipv4":"10.0.0.1"},
           "remoteEndpoint":{"ipv6":"2001:db8::1","port":443},
           "annotations":[{"timestamp":1000100,"value":"retry"}],"tags":{"http.path":"/api"},
           "debug":true,"shared":true}])");
  EXPECT_EQ(SortedContentHashes(decoded.batch), SortedContentHashes(json.batch))
      << EncodeOtlpJson(decoded.batch) << "\n"
      << EncodeOtlpJson(json.batch);
  SpanBatch none;
  EXPECT_EQ(DecodeProto(bytes.substr(0, 40), {}, &none, &decoded.rejected).code(),
            ErrorCode::kInvalidArgument);
}

// --- Version 1

constexpr const char* kFront = R"("endpoint":{"serviceName":"front","ipv4":"10.0.0.1","port":80})";
constexpr const char* kBack = R"("endpoint":{"serviceName":"back"})";

std::string Of(const std::string& service, const std::string& members) {
  return R"({"resource":{"attributes":[{"key":"service.name","value":{"stringValue":")" + service +
         R"("}}]},"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000001",)" +
         R"("spanId":"0000000000000002",)" + members + "}]}]}";
}

// Attributes of a span that `kFront` sent.
std::string FrontAttributes(const std::string& more = "") {
  return R"("attributes":[{"key":"network.local.address","value":{"stringValue":"10.0.0.1"}},
                          {"key":"network.local.port","value":{"intValue":80}})" +
         more + "]";
}

TEST(ZipkinV1, AClientWithItsServersAddress) {
  ExpectJsonV1(std::string(R"([{"traceId":"1","id":"2","name":"get","timestamp":100,"duration":50,
        "annotations":[{"timestamp":100,"value":"cs",)") +
                   kFront + R"(},{"timestamp":120,"value":"ws",)" + kFront +
                   R"(},{"timestamp":150,"value":"cr",)" + kFront + R"(}],"binaryAnnotations":[
          {"key":"http.path","value":"/api",)" +
                   kFront + R"(},
          {"key":"sa","value":true,"endpoint":{"serviceName":"back","port":81}}]}])",
               Of("front",
                  R"("name":"get","kind":3,"startTimeUnixNano":"100000","endTimeUnixNano":"150000",
            "events":[{"timeUnixNano":"120000","name":"ws"}],)" +
                      FrontAttributes(R"(,{"key":"http.path","value":{"stringValue":"/api"}},
                                 {"key":"peer.service","value":{"stringValue":"back"}},
                                 {"key":"network.peer.port","value":{"intValue":81}})")));
}

TEST(ZipkinV1, BothSidesOfACallBecomeTwoSpans) {
  ExpectJsonV1(
      std::string(R"([{"traceId":"1","id":"2","timestamp":100,"duration":50,"annotations":[
        {"timestamp":100,"value":"cs",)") +
          kFront + R"(},{"timestamp":110,"value":"sr",)" + kBack +
          R"(},{"timestamp":140,"value":"ss",)" + kBack + R"(},{"timestamp":150,"value":"cr",)" +
          kFront + R"(},{"timestamp":130,"value":"work",)" + kBack +
          R"(}],"binaryAnnotations":[{"key":"k","value":"v",)" + kBack + "}]}]",
      Of("front", R"("kind":3,"startTimeUnixNano":"100000","endTimeUnixNano":"150000",)" +
                      FrontAttributes()) +
          "," + Of("back", R"("kind":2,"startTimeUnixNano":"110000","endTimeUnixNano":"140000",
             "events":[{"timeUnixNano":"130000","name":"work"}],
             "attributes":[{"key":"k","value":{"stringValue":"v"}},
                           {"key":"zipkin.shared","value":{"boolValue":true}}])"));
}

TEST(ZipkinV1, AServerThatDidNotBeginTheSpanSharesIt) {
  ExpectJsonV1(
      std::string(R"([{"traceId":"1","id":"2","annotations":[{"timestamp":110,"value":"sr",)") +
          kBack + R"(},{"timestamp":140,"value":"ss",)" + kBack +
          R"(}],"binaryAnnotations":[{"key":"ca","value":true,
             "endpoint":{"serviceName":"back","ipv4":"10.0.0.9"}}]}])",
      Of("back", R"("kind":2,"startTimeUnixNano":"110000","endTimeUnixNano":"140000",
         "attributes":[{"key":"network.peer.address","value":{"stringValue":"10.0.0.9"}},
                       {"key":"zipkin.shared","value":{"boolValue":true}}])"));
}

TEST(ZipkinV1, AnEndWithoutABeginStaysAnAnnotation) {
  ExpectJsonV1(
      std::string(R"([{"traceId":"1","id":"2","annotations":[{"timestamp":150,"value":"cr",)") +
          kBack + "}]}]",
      Of("back", R"("kind":3,"startTimeUnixNano":"150000","endTimeUnixNano":"150000",
         "events":[{"timeUnixNano":"150000","name":"cr"}],
         "attributes":[{"key":"otel.zipkin.absentField.startTime","value":{"boolValue":true}}])"));
}

TEST(ZipkinV1, MessagesAndTheirBroker) {
  ExpectJsonV1(
      std::string(R"([{"traceId":"1","id":"2","annotations":[
        {"timestamp":100,"value":"ms",)") +
          kFront + R"(},{"timestamp":110,"value":"ws",)" + kFront +
          R"(},{"timestamp":180,"value":"wr",)" + kBack + R"(},{"timestamp":190,"value":"mr",)" +
          kBack + R"(}],"binaryAnnotations":[{"key":"ma","value":true,
            "endpoint":{"serviceName":"kafka"}}]}])",
      Of("front",
         R"("kind":4,"startTimeUnixNano":"100000","endTimeUnixNano":"110000",)" +
             FrontAttributes(R"(,{"key":"peer.service","value":{"stringValue":"kafka"}})")) +
          "," + Of("back", R"("kind":5,"startTimeUnixNano":"180000","endTimeUnixNano":"190000",
             "attributes":[{"key":"peer.service","value":{"stringValue":"kafka"}},
                           {"key":"zipkin.shared","value":{"boolValue":true}}])"));
}

TEST(ZipkinV1, LocalWorkNamesItsServiceByAnEmptyTag) {
  ExpectJsonV1(std::string(R"([{"traceId":"1","id":"2","timestamp":100,"duration":5,
        "binaryAnnotations":[{"key":"lc","value":"",)") +
                   kBack + R"(},{"key":"n","value":7,)" + kBack + "}]}]",
               Of("back", R"("startTimeUnixNano":"100000","endTimeUnixNano":"105000",
         "attributes":[{"key":"n","value":{"stringValue":"7"}}])"));
}

TEST(ZipkinV1, ThriftSaysTheSameAsJson) {
  const auto host = [](ThriftWriter& t) {
    t.I32(1, 0x0a000001).I16(2, static_cast<int16_t>(50000)).Text(3, "front");
  };
  ThriftWriter writer(ThriftProtocol::kBinary);
  writer.List(1).Struct([&](ThriftWriter& t) {
    t.I64(1, 1).Text(3, "get").I64(4, 2).I64(5, 3).List(6, 2);
    t.Struct([&](ThriftWriter& a) { a.I64(1, 100).Text(2, "cs").Struct(3, host); });
    t.Struct([&](ThriftWriter& a) { a.I64(1, 150).Text(2, "cr").Struct(3, host); });
    t.List(8, 3);
    t.Struct([&](ThriftWriter& b) { b.Text(1, "k").Text(2, "v").I32(3, 6).Struct(4, host); });
    t.Struct([&](ThriftWriter& b) {
      b.Text(1, "size").Text(2, std::string_view("\xff\xff\xff\xfe", 4)).I32(3, 3).Struct(4, host);
    });
    t.Struct([&](ThriftWriter& b) {
      b.Text(1, "sa").Text(2, "\1").I32(3, 0).Struct(4, [](ThriftWriter& e) {
        e.I32(1, 0).I16(2, 81).Text(3, "back").Text(
            4, std::string_view("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16));
      });
    });
    t.Bool(9, true).I64(10, 100).I64(11, 50).I64(12, 9);
  });
  Decoded decoded;
  decoded.error = DecodeThriftV1(writer.bytes(), {}, &decoded.batch, &decoded.rejected);
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  const std::string front = R"("endpoint":{"serviceName":"front","ipv4":"10.0.0.1","port":50000})";
  const Decoded json = FromJsonV1(
      R"([{"traceId":"90000000000000001","id":"2","parentId":"3","name":"get","debug":true,
           "timestamp":100,"duration":50,"annotations":[{"timestamp":100,"value":"cs",)" +
      front + R"(},{"timestamp":150,"value":"cr",)" + front +
      R"(}],"binaryAnnotations":[{"key":"k","value":"v",)" + front +
      R"(},{"key":"size","value":-2,)" + front + R"(},{"key":"sa","value":true,
           "endpoint":{"serviceName":"back","ipv6":"2001:db8::1","port":81}}]}])");
  ASSERT_EQ(json.batch.size(), 1u);
  EXPECT_EQ(SortedContentHashes(decoded.batch), SortedContentHashes(json.batch))
      << EncodeOtlpJson(decoded.batch) << "\n"
      << EncodeOtlpJson(json.batch);
  SpanBatch none;
  for (size_t size = 1; size < writer.bytes().size(); ++size) {
    EXPECT_EQ(DecodeThriftV1(writer.bytes().substr(0, size), {}, &none, &decoded.rejected).code(),
              ErrorCode::kInvalidArgument)
        << size;
  }
}

}  // namespace
}  // namespace weft::receive::zipkin
