#include "receive/jaeger/decode.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/proto_writer.h"
#include "receive/same_as_otlp.h"
#include "receive/thrift_writer.h"

namespace weft::receive::jaeger {
namespace {

using model::SpanBatch;
using testing::HasSubstr;

using Write = std::function<void(ThriftWriter&)>;

struct Decoded {
  Error error;
  SpanBatch batch;
  RejectedSpans rejected;
};

// --- Thrift

void Tag(ThriftWriter& list, const char* key, const char* text) {
  list.Struct([&](ThriftWriter& t) { t.Text(1, key).I32(2, 0).Text(3, text); });
}

void Process(ThriftWriter& batch) {
  batch.Struct(1, [](ThriftWriter& p) {
    p.Text(1, "front").List(2, 3);
    Tag(p, "hostname", "web-1");
    Tag(p, "jaeger.version", "Go-2.30");
    p.Struct([](ThriftWriter& t) { t.Text(1, "pid").I32(2, 3).I64(6, 42); });
  });
}

constexpr const char* kResource = R"("resource":{"attributes":[
    {"key":"service.name","value":{"stringValue":"front"}},
    {"key":"host.name","value":{"stringValue":"web-1"}},
    {"key":"opencensus.exporterversion","value":{"stringValue":"Jaeger-Go-2.30"}},
    {"key":"pid","value":{"intValue":42}}]},)";

void Ids(ThriftWriter& span, int64_t parent = 0) {
  span.I64(1, 0x48485a3953bb6124).I64(2, 0x463ac35c9f6413ad).I64(3, 0x2b);
  span.I64(4, parent).Text(5, "get");
}

constexpr const char* kOtlpIds =
    R"("traceId":"463ac35c9f6413ad48485a3953bb6124","spanId":"000000000000002b","name":"get",)"
    R"("startTimeUnixNano":"1000000000","endTimeUnixNano":"1001500000")";

void Times(ThriftWriter& span, int32_t flags = 1) {
  span.I32(7, flags).I64(8, 1'000'000).I64(9, 1500);
}

// A batch of one span whose further fields `more` writes.
std::string Batch(const Write& more, ThriftProtocol protocol = ThriftProtocol::kBinary) {
  ThriftWriter writer(protocol);
  writer.Struct([&](ThriftWriter& batch) {
    Process(batch);
    batch.List(2, 1).Struct(more);
  });
  return writer.bytes();
}

Decoded Decode(std::string_view bytes) {
  Decoded out;
  out.error = DecodeThrift(bytes, {}, &out.batch, &out.rejected);
  return out;
}

void ExpectSpan(const Write& span, const std::string& otlp_members,
                const std::string& scope = "\"scope\":{},") {
  const Decoded decoded = Decode(Batch(span));
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  ExpectSameAsOtlp(decoded.batch, std::string("{") + kResource + "\"scopeSpans\":[{" + scope +
                                      "\"spans\":[{" + kOtlpIds + otlp_members + "}]}]}");
}

// A span with these tags, all of them text.
void ExpectTags(const std::vector<std::pair<const char*, const char*>>& tags,
                const std::string& otlp_members, const std::string& scope = "\"scope\":{},") {
  ExpectSpan(
      [&](ThriftWriter& span) {
        Ids(span);
        Times(span);
        span.List(10, static_cast<uint32_t>(tags.size()));
        for (const auto& [key, text] : tags) Tag(span, key, text);
      },
      otlp_members, scope);
}

void ASpanWithEverything(ThriftWriter& span) {
  Ids(span, 0x2a);
  span.List(6, 3);
  const auto reference = [&](int32_t type, int64_t id, int64_t high) {
    span.Struct([&](ThriftWriter& r) {
      r.I32(1, type).I64(2, 0x48485a3953bb6124).I64(3, high).I64(4, id);
    });
  };
  reference(0, 0x2a, 0x463ac35c9f6413ad);
  reference(1, 0x29, 0x463ac35c9f6413ad);
  reference(0, 0x2a, 1);
  Times(span, 3);
  span.List(10, 7);
  Tag(span, "span.kind", "client");
  Tag(span, "http.url", "/api");
  span.Struct([](ThriftWriter& t) { t.Text(1, "ratio").I32(2, 1).Double(4, 0.5); });
  span.Struct([](ThriftWriter& t) { t.Text(1, "hit").I32(2, 2).Bool(5, true); });
  span.Struct([](ThriftWriter& t) { t.Text(1, "size").I32(2, 3).I64(6, -7); });
  span.Struct([](ThriftWriter& t) { t.Text(1, "raw").I32(2, 4).Text(7, "\xff"); });
  span.Struct([](ThriftWriter& t) { t.Text(1, "error").I32(2, 2).Bool(5, true); });
  span.List(11, 2);
  span.Struct([](ThriftWriter& l) {
    l.I64(1, 1'000'100).List(2, 2);
    Tag(l, "event", "retry");
    Tag(l, "cause", "timeout");
  });
  span.Struct([](ThriftWriter& l) {
    l.I64(1, 1'000'200).List(2, 1);
    Tag(l, "message", "done");
  });
}

constexpr const char* kEverythingInOtlp = R"(,"parentSpanId":"000000000000002a","kind":3,
    "status":{"code":2},
    "attributes":[{"key":"http.url","value":{"stringValue":"/api"}},
                  {"key":"ratio","value":{"doubleValue":0.5}},
                  {"key":"hit","value":{"boolValue":true}},
                  {"key":"size","value":{"intValue":-7}},
                  {"key":"raw","value":{"bytesValue":"/w=="}},
                  {"key":"jaeger.flags","value":{"intValue":3}}],
    "events":[{"timeUnixNano":"1000100000","name":"retry",
               "attributes":[{"key":"cause","value":{"stringValue":"timeout"}}]},
              {"timeUnixNano":"1000200000",
               "attributes":[{"key":"message","value":{"stringValue":"done"}}]}],
    "links":[{"traceId":"463ac35c9f6413ad48485a3953bb6124","spanId":"0000000000000029",
              "attributes":[{"key":"opentracing.ref_type","value":{"stringValue":"follows_from"}}]},
             {"traceId":"000000000000000148485a3953bb6124","spanId":"000000000000002a",
              "attributes":[{"key":"opentracing.ref_type","value":{"stringValue":"child_of"}}]}])";

TEST(JaegerThrift, ASpanWithEverything) { ExpectSpan(ASpanWithEverything, kEverythingInOtlp); }

TEST(JaegerThrift, BothProtocolsOfTheAgentSayTheSame) {
  const Decoded posted = Decode(Batch(ASpanWithEverything));
  ASSERT_EQ(posted.batch.size(), 1u);
  for (const ThriftProtocol protocol : {ThriftProtocol::kBinary, ThriftProtocol::kCompact}) {
    ThriftWriter writer(protocol);
    writer.Oneway("emitBatch").Struct([&](ThriftWriter& arguments) {
      arguments.Struct(1, [&](ThriftWriter& batch) {
        Process(batch);
        batch.List(2, 1).Struct(ASpanWithEverything);
      });
    });
    Decoded decoded;
    decoded.error =
        DecodeThriftCall(writer.bytes(), protocol, {}, &decoded.batch, &decoded.rejected);
    ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
    EXPECT_EQ(SortedContentHashes(decoded.batch), SortedContentHashes(posted.batch));
    for (size_t size = 0; size < writer.bytes().size(); ++size) {
      SpanBatch none;
      const std::string_view part = std::string_view(writer.bytes()).substr(0, size);
      EXPECT_FALSE(DecodeThriftCall(part, protocol, {}, &none, &decoded.rejected).ok()) << size;
    }
  }
  SpanBatch none;
  RejectedSpans rejected;
  ThriftWriter other(ThriftProtocol::kCompact);
  other.Oneway("emitZipkinBatch").Struct([](ThriftWriter&) {});
  EXPECT_THAT(
      DecodeThriftCall(other.bytes(), ThriftProtocol::kCompact, {}, &none, &rejected).message(),
      HasSubstr("emitBatch"));
}

TEST(JaegerThrift, TheFirstParentOfTheSameTraceCountsWhenNoOtherIsNamed) {
  ExpectSpan(
      [](ThriftWriter& span) {
        Ids(span);
        span.List(6, 3);
        for (const auto& [type, id] : {std::pair(1, 5), std::pair(0, 6), std::pair(0, 7)}) {
          span.Struct([type = type, id = id](ThriftWriter& r) {
            r.I32(1, type).I64(2, 0x48485a3953bb6124).I64(3, 0x463ac35c9f6413ad).I64(4, id);
          });
        }
        Times(span);
      },
      R"(,"parentSpanId":"0000000000000006","links":[
        {"traceId":"463ac35c9f6413ad48485a3953bb6124","spanId":"0000000000000005",
         "attributes":[{"key":"opentracing.ref_type","value":{"stringValue":"follows_from"}}]},
        {"traceId":"463ac35c9f6413ad48485a3953bb6124","spanId":"0000000000000007",
         "attributes":[{"key":"opentracing.ref_type","value":{"stringValue":"child_of"}}]}])");
}

TEST(JaegerThrift, StatusComesOfTags) {
  ExpectTags({{"error", "true"}, {"http.status_message", "gone"}},
             R"(,"status":{"code":2,"message":"gone"},
                "attributes":[{"key":"http.status_message","value":{"stringValue":"gone"}}])");
  ExpectTags({{"error", "no route"}},
             R"(,"attributes":[{"key":"error","value":{"stringValue":"no route"}}])");
  ExpectTags({{"otel.status_code", "OK"}}, R"(,"status":{"code":1})");
  ExpectTags({{"otel.status_code", "error"}, {"otel.status_description", "bad"}},
             R"(,"status":{"code":2,"message":"bad"})");
  ExpectTags({{"otel.status_code", "odd"}, {"otel.status_description", "bad"}},
             R"(,"attributes":[{"key":"otel.status_code","value":{"stringValue":"odd"}},
                               {"key":"otel.status_description","value":{"stringValue":"bad"}}])");
}

TEST(JaegerThrift, TheStatusOfHttpCountsWhereNothingElseSaysIt) {
  const auto with = [](const char* code) {
    return std::string(R"("attributes":[{"key":"http.status_code","value":{"stringValue":")") +
           code + "\"}}]";
  };
  ExpectTags({{"http.status_code", "204"}}, "," + with("204"));
  ExpectTags({{"http.status_code", "503"}, {"span.kind", "SERVER"}},
             R"(,"kind":2,"status":{"code":2},)" + with("503"));
  ExpectTags({{"http.status_code", "404"}, {"span.kind", "server"}}, R"(,"kind":2,)" + with("404"));
  ExpectTags({{"http.status_code", "404"}, {"span.kind", "client"}},
             R"(,"kind":3,"status":{"code":2},)" + with("404"));
  ExpectTags({{"http.status_code", "what"}}, "," + with("what"));
  ExpectTags({{"http.status_code", "503"}, {"otel.status_code", "OK"}},
             R"(,"status":{"code":1},)" + with("503"));
}

TEST(JaegerThrift, ScopeStateAndUnknownKinds) {
  ExpectTags(
      {{"otel.scope.name", "lib"},
       {"otel.scope.version", "2"},
       {"w3c.tracestate", "a=b"},
       {"span.kind", "odd"}},
      R"(,"traceState":"a=b","attributes":[{"key":"span.kind","value":{"stringValue":"odd"}}])",
      R"("scope":{"name":"lib","version":"2"},)");
}

TEST(JaegerThrift, AProcessBehindTheSpansIsFound) {
  for (const ThriftProtocol protocol : {ThriftProtocol::kBinary, ThriftProtocol::kCompact}) {
    ThriftWriter writer(protocol);
    writer.Oneway("emitBatch").Struct([&](ThriftWriter& arguments) {
      arguments.Struct(1, [&](ThriftWriter& batch) {
        batch.List(2, 1).Struct([](ThriftWriter& span) {
          Ids(span);
          Times(span);
        });
        Process(batch);
      });
    });
    Decoded decoded;
    decoded.error =
        DecodeThriftCall(writer.bytes(), protocol, {}, &decoded.batch, &decoded.rejected);
    ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
    ExpectSameAsOtlp(decoded.batch, std::string("{") + kResource + R"("scopeSpans":[{"spans":[{)" +
                                        kOtlpIds + "}]}]}");
  }
}

TEST(JaegerThrift, SpansWithoutIdsAreCountedAndTheirNeighboursKept) {
  ThriftWriter writer(ThriftProtocol::kBinary);
  writer.Struct([](ThriftWriter& batch) {
    batch.List(2, 3);
    batch.Struct([](ThriftWriter& s) { s.I64(1, 1).I64(3, 2).I64(8, -1).I64(9, INT64_MAX); });
    batch.Struct([](ThriftWriter& s) { s.I64(1, 1); });
    batch.Struct([](ThriftWriter& s) { s.I64(3, 1); });
  });
  const Decoded decoded = Decode(writer.bytes());
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  ASSERT_EQ(decoded.batch.size(), 1u);
  EXPECT_EQ(decoded.batch.start_ns[0], 0u);
  EXPECT_EQ(decoded.batch.end_ns[0], UINT64_MAX);
  EXPECT_EQ(decoded.rejected.total(), 2u);
}

TEST(JaegerThrift, WhatIsNoBatchIsRefused) {
  EXPECT_TRUE(Decode(std::string(1, '\0')).error.ok()) << "a batch of nothing";
  const std::string good = Batch(ASpanWithEverything);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(Decode(good.substr(0, size)).error.code(), ErrorCode::kInvalidArgument) << size;
  }
  EXPECT_THAT(Decode(good + "x").error.message(), HasSubstr("not a jaeger.thrift Batch"));
}

TEST(JaegerThrift, TooManyElementsRefuseTheRequest) {
  DecodeLimits limits;
  SpanBatch batch;
  RejectedSpans rejected;
  const std::string bytes = Batch(ASpanWithEverything);
  limits.elements_max = 18;  // 3 tags of the process; 3 references, 7 tags, 2 logs, 3 fields
  EXPECT_TRUE(DecodeThrift(bytes, limits, &batch, &rejected).ok());
  for (limits.elements_max = 0; limits.elements_max < 18; ++limits.elements_max) {
    SpanBatch none;
    EXPECT_EQ(DecodeThrift(bytes, limits, &none, &rejected).code(), ErrorCode::kTooLarge);
  }
}

// --- Protobuf

class Proto {
 public:
  using Fill = std::function<void(Proto&)>;
  Proto& Message(uint32_t field, const Fill& fill) {
    const size_t begun = to_.Begin(field);
    fill(*this);
    to_.End(begun);
    return *this;
  }
  Proto& Text(uint32_t field, std::string_view text) { return to_.Bytes(field, text), *this; }
  Proto& Number(uint32_t field, uint64_t value) { return to_.Varint(field, value), *this; }
  Proto& Real(uint32_t field, double value) { return to_.Double(field, value), *this; }
  Proto& Pair(uint32_t field, std::string_view key, std::string_view text) {
    return Message(field, [&](Proto& p) { p.Text(1, key).Text(3, text); });
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  model::ProtoWriter to_{&bytes_};
};

constexpr std::string_view kTraceId(
    "\x46\x3a\xc3\x5c\x9f\x64\x13\xad\x48\x48\x5a\x39\x53\xbb\x61\x24", 16);
std::string SpanIdOf(char last) { return std::string(7, '\0') + last; }

void ProtoProcess(Proto& process) {
  process.Text(1, "front").Pair(2, "hostname", "web-1").Pair(2, "jaeger.version", "Go-2.30");
  process.Message(2, [](Proto& p) { p.Text(1, "pid").Number(2, 2).Number(5, 42); });
}

void ProtoSpan(Proto& span) {
  span.Text(1, kTraceId).Text(2, SpanIdOf(0x2b)).Text(3, "get");
  const auto reference = [&](uint64_t type, char id, std::string_view trace) {
    span.Message(4, [&](Proto& r) { r.Text(1, trace).Text(2, SpanIdOf(id)).Number(3, type); });
  };
  reference(0, 0x2a, kTraceId);
  reference(1, 0x29, kTraceId);
  reference(0, 0x2a, std::string_view("\0\0\0\0\0\0\0\1\x48\x48\x5a\x39\x53\xbb\x61\x24", 16));
  span.Number(5, 3);
  span.Message(6, [](Proto& t) { t.Number(1, 1); });
  span.Message(7, [](Proto& t) { t.Number(2, 1'500'000); });
  span.Pair(8, "span.kind", "client").Pair(8, "http.url", "/api");
  span.Message(8, [](Proto& p) { p.Text(1, "ratio").Number(2, 3).Real(6, 0.5); });
  span.Message(8, [](Proto& p) { p.Text(1, "hit").Number(2, 1).Number(4, 1); });
  span.Message(8, [](Proto& p) {
    p.Text(1, "size").Number(2, 2).Number(5, static_cast<uint64_t>(int64_t{-7}));
  });
  span.Message(8, [](Proto& p) { p.Text(1, "raw").Number(2, 4).Text(7, "\xff"); });
  span.Message(8, [](Proto& p) { p.Text(1, "error").Number(2, 1).Number(4, 1); });
  span.Message(9, [](Proto& l) {
    l.Message(1, [](Proto& t) { t.Number(1, 1).Number(2, 100'000); });
    l.Pair(2, "event", "retry").Pair(2, "cause", "timeout");
  });
  span.Message(9, [](Proto& l) {
    l.Message(1, [](Proto& t) { t.Number(1, 1).Number(2, 200'000); });
    l.Pair(2, "message", "done");
  });
}

Decoded FromProto(std::string_view bytes) {
  Decoded out;
  out.error = DecodeProto(bytes, {}, &out.batch, &out.rejected);
  return out;
}

TEST(JaegerProto, SaysTheSameAsThrift) {
  Proto request;
  request.Message(1, [](Proto& batch) { batch.Message(1, ProtoSpan).Message(2, ProtoProcess); });
  const Decoded decoded = FromProto(request.bytes());
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  ExpectSameAsOtlp(decoded.batch, std::string("{") + kResource + "\"scopeSpans\":[{\"spans\":[{" +
                                      kOtlpIds + kEverythingInOtlp + "}]}]}");
  EXPECT_THAT(FromProto(request.bytes().substr(0, 30)).error.message(),
              HasSubstr("jaeger.api_v2.PostSpansRequest"));
  EXPECT_TRUE(FromProto("").error.ok());
}

TEST(JaegerProto, ASpanMayBringItsOwnProcessAndWarnings) {
  Proto request;
  request.Message(1, [](Proto& batch) {
    for (const char id : {1, 2, 3}) {
      batch.Message(1, [&](Proto& span) {
        span.Text(1, SpanIdOf(9)).Text(2, SpanIdOf(id));
        if (id < 3) span.Message(10, [](Proto& p) { p.Text(1, "own"); });
        if (id == 1) span.Text(12, "late").Text(12, "odd");
      });
    }
    batch.Message(2, [](Proto& p) { p.Text(1, "front"); });
  });
  const Decoded decoded = FromProto(request.bytes());
  ASSERT_TRUE(decoded.error.ok()) << decoded.error.message();
  const auto of = [](const std::string& service, const std::string& spans) {
    return R"({"resource":{"attributes":[{"key":"service.name","value":{"stringValue":")" +
           service + R"("}}]},"scopeSpans":[{"spans":[)" + spans + "]}]}";
  };
  const auto span = [](int id) {
    return R"("traceId":"00000000000000000000000000000009","spanId":"000000000000000)" +
           std::to_string(id) + "\"";
  };
  ExpectSameAsOtlp(
      decoded.batch,
      of("own", "{" + span(1) + R"(,"attributes":[{"key":"@jaeger@warnings","value":{"arrayValue":
           {"values":[{"stringValue":"late"},{"stringValue":"odd"}]}}}]},{)" +
                    span(2) + "}") +
          "," + of("front", "{" + span(3) + "}"));
}

TEST(JaegerProto, TooManyElementsRefuseTheRequest) {
  Proto request;
  request.Message(1, [](Proto& batch) { batch.Message(1, ProtoSpan).Message(2, ProtoProcess); });
  DecodeLimits limits;
  RejectedSpans rejected;
  for (limits.elements_max = 0; limits.elements_max < 18; ++limits.elements_max) {
    SpanBatch none;
    EXPECT_EQ(DecodeProto(request.bytes(), limits, &none, &rejected).code(), ErrorCode::kTooLarge);
  }
  SpanBatch batch;
  EXPECT_TRUE(DecodeProto(request.bytes(), limits, &batch, &rejected).ok());
}

}  // namespace
}  // namespace weft::receive::jaeger
