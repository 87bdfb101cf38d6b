#include "api/tempo/packets.h"

#include <string>

#include <gtest/gtest.h>

namespace weft::api::tempo {
namespace {

template <typename Message>
Message Read(const std::string& bytes) {
  Message message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  return message;
}

TEST(Packets, NothingIsOneMessage) {
  tempopb::SearchResponse nothing;
  nothing.mutable_metrics()->set_totaljobs(3);
  const auto packets = CutPackets(nothing, 1000);
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(Read<tempopb::SearchResponse>(packets[0]).metrics().totaljobs(), 3u);
}

TEST(Packets, TracesAreDividedAndMetricsRepeated) {
  tempopb::SearchResponse response;
  response.mutable_metrics()->set_totaljobs(3);
  for (int i = 0; i < 100; ++i) {
    response.add_traces()->set_traceid(std::to_string(i));
    response.mutable_traces(i)->set_rootservicename(std::string(50, 'x'));
  }
  const auto packets = CutPackets(response, 1000);
  EXPECT_GT(packets.size(), 5u);
  int next = 0;
  for (const std::string& packet : packets) {
    EXPECT_LE(packet.size(), 1000u);
    const auto message = Read<tempopb::SearchResponse>(packet);
    EXPECT_EQ(message.metrics().totaljobs(), 3u);
    for (const auto& trace : message.traces()) EXPECT_EQ(trace.traceid(), std::to_string(next++));
  }
  EXPECT_EQ(next, 100);
}

TEST(Packets, ATraceThatIsTooLargeLeavesSpansOut) {
  tempopb::SearchResponse response;
  tempopb::TraceSearchMetadata& trace = *response.add_traces();
  for (int set = 0; set < 2; ++set) {
    tempopb::SpanSet& spans = *trace.add_spansets();
    spans.set_matched(20);
    for (int i = 0; i < 20; ++i) spans.add_spans()->set_name(std::string(100, 'x'));
  }
  *trace.mutable_spanset() = trace.spansets(0);
  response.add_traces()->set_traceid("next");
  const auto packets = CutPackets(response, 2000);
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_LE(packets[0].size(), 2000u);
  const auto message = Read<tempopb::SearchResponse>(packets[0]);
  EXPECT_EQ(message.traces_size(), 2);
  EXPECT_GT(message.traces(0).spansets(0).spans_size(), 0);
  EXPECT_EQ(message.traces(0).spansets(0).matched(), 20u);
  EXPECT_EQ(message.traces(0).spanset().spans_size(), message.traces(0).spansets(0).spans_size());
}

TEST(Packets, NamesKeepTheirScopes) {
  tempopb::SearchTagsV2Response response;
  for (const char* name : {"resource", "span"}) {
    tempopb::SearchTagsV2Scope& scope = *response.add_scopes();
    scope.set_name(name);
    for (int i = 0; i < 30; ++i) scope.add_tags(name + std::to_string(i));
  }
  int tags = 0;
  for (const std::string& packet : CutPackets(response, 300)) {
    EXPECT_LE(packet.size(), 300u);
    const auto message = Read<tempopb::SearchTagsV2Response>(packet);
    for (const auto& scope : message.scopes()) {
      for (const std::string& tag : scope.tags()) {
        EXPECT_TRUE(tag.starts_with(scope.name())) << tag;
        ++tags;
      }
    }
  }
  EXPECT_EQ(tags, 60);
}

TEST(Packets, ValuesAreDivided) {
  tempopb::SearchTagValuesV2Response v2;
  tempopb::SearchTagValuesResponse v1;
  tempopb::SearchTagsResponse names;
  for (int i = 0; i < 50; ++i) {
    v2.add_tagvalues()->set_value(std::to_string(i));
    v1.add_tagvalues(std::to_string(i));
    names.add_tagnames(std::to_string(i));
  }
  EXPECT_GT(CutPackets(v2, 200).size(), 3u);
  EXPECT_GT(CutPackets(v1, 200).size(), 3u);
  EXPECT_GT(CutPackets(names, 200).size(), 3u);
}

}  // namespace
}  // namespace weft::api::tempo
