#include "api/trace_columns.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/row_source.h"

namespace weft::api {
namespace {

namespace json = boost::json;
using model::SpanBatch;
using model::ValueType;

constexpr uint64_t kStart = 1'700'000'000'000'000'000;
const model::TraceId kTrace = {0x0123456789abcdef, 0xfedcba9876543210};

// Adds a span; attributes, events and links are added to the batch's arrays before.
void AddSpan(SpanBatch* batch, uint64_t id, uint64_t parent, uint64_t start, int64_t duration,
             std::string_view name) {
  if (batch->traces.empty()) batch->traces.push_back(kTrace);
  batch->trace.push_back(0);
  batch->span_id.push_back({id});
  batch->parent_span_id.push_back({parent});
  batch->start_ns.push_back(kStart + start);
  batch->end_ns.push_back(kStart + start + static_cast<uint64_t>(duration));
  batch->name.push_back(batch->strings.Intern(name));
  batch->kind.push_back(2);
  batch->status.push_back(0);
  batch->status_message.push_back(0);
  batch->trace_state.push_back(0);
  batch->flags.push_back(1);
  batch->resource.push_back(0);
  batch->scope.push_back(0);
  batch->dropped_attributes.push_back(0);
  batch->dropped_events.push_back(0);
  batch->dropped_links.push_back(0);
  batch->attribute_end.push_back(batch->attributes.size());
  batch->event_end.push_back(batch->events.size());
  batch->link_end.push_back(batch->links.size());
}

SpanBatch NewBatch() {
  SpanBatch batch;
  batch.resources.schema_url.push_back(0);
  batch.resources.dropped_attributes.push_back(0);
  batch.resources.attributes.Add(batch.strings.Intern("service.name"), ValueType::kString,
                                 batch.strings.Intern("shop"));
  batch.resources.attribute_end.push_back(1);
  batch.scopes.name.push_back(batch.strings.Intern("lib"));
  batch.scopes.version.push_back(0);
  batch.scopes.schema_url.push_back(0);
  batch.scopes.dropped_attributes.push_back(0);
  batch.scopes.attribute_end.push_back(0);
  return batch;
}

json::value Encode(const SpanBatch& batch, uint32_t flags = 0) {
  return json::parse(EncodeTraceColumns(OrderTrace(batch), kTrace, flags));
}

// The strings that a column of dictionary indexes stands for.
std::vector<std::string> Words(const json::value& trace, const json::value& column) {
  std::vector<std::string> words;
  for (const json::value& code : column.as_array()) {
    words.emplace_back(trace.at("dictionary").as_array().at(code.to_number<size_t>()).as_string());
  }
  return words;
}

std::string Text(const json::value& value) { return json::serialize(value); }

TEST(TraceColumns, RowsAreInPreorderWithParentsAndSizes) {
  SpanBatch batch = NewBatch();
  AddSpan(&batch, 3, 1, 20, 5, "second child");
  AddSpan(&batch, 4, 2, 15, 1, "grandchild");
  AddSpan(&batch, 1, 0, 0, 100, "root");
  AddSpan(&batch, 2, 1, 10, 8, "first child");
  const json::value trace = Encode(batch);
  const json::value& spans = trace.at("spans");
  EXPECT_THAT(Words(trace, spans.at("name")),
              testing::ElementsAre("root", "first child", "grandchild", "second child"));
  EXPECT_EQ(Text(spans.at("parent")), "[-1,0,1,0]");
  EXPECT_EQ(Text(spans.at("subtreeSize")), "[3,1,0,0]");
  EXPECT_EQ(Text(spans.at("start")), "[0,10,15,20]");
  EXPECT_EQ(Text(spans.at("duration")), "[100,8,1,5]");
  EXPECT_EQ(Text(spans.at("marks")), "[0,0,0,0]");
  EXPECT_EQ(spans.at("parentId").as_array()[0].as_string(), "");
  EXPECT_EQ(spans.at("parentId").as_array()[2].as_string(), "0000000000000002");
  EXPECT_EQ(trace.at("traceId").as_string(), "0123456789abcdeffedcba9876543210");
  EXPECT_EQ(trace.at("startNs").as_string(), std::to_string(kStart));
  EXPECT_EQ(trace.at("endNs").as_string(), std::to_string(kStart + 100));
  EXPECT_EQ(Text(trace.at("flags")), "[]");
  EXPECT_EQ(trace.at("resources").as_array().size(), 1u);
}

TEST(TraceColumns, ASpanSentTwiceIsShownOnceAndOnesThatDifferAreMarked) {
  SpanBatch batch = NewBatch();
  AddSpan(&batch, 1, 0, 0, 100, "root");
  AddSpan(&batch, 1, 0, 0, 100, "root");
  AddSpan(&batch, 2, 1, 5, 10, "one");
  AddSpan(&batch, 2, 1, 6, 10, "other");
  const json::value trace = Encode(batch, block::kTraceFragment);
  EXPECT_EQ(trace.at("spans").at("id").as_array().size(), 3u);
  EXPECT_EQ(Text(trace.at("spans").at("marks")), "[0,2,2]");
  EXPECT_EQ(Text(trace.at("flags")), R"(["duplicate_ids","fragment"])");
}

TEST(TraceColumns, OdditiesAreFlagged) {
  SpanBatch batch = NewBatch();
  AddSpan(&batch, 5, 9, 0, 10, "orphan");
  AddSpan(&batch, 6, 5, 2, 20, "ends after");
  const json::value trace = Encode(batch);
  EXPECT_EQ(Text(trace.at("spans").at("marks")), "[1,16]");
  EXPECT_EQ(Text(trace.at("flags")), R"(["root_missing","orphans","clock_skew"])");
}

TEST(TraceColumns, EveryTypeOfValueIsWritten) {
  SpanBatch batch = NewBatch();
  const auto key = batch.strings.Intern("k");
  batch.nested.Add(0, ValueType::kInt, 7);
  batch.nested.Add(0, ValueType::kString, batch.strings.Intern("x"));
  batch.nested.Add(key, ValueType::kBool, 1);
  model::AttributeArray& a = batch.attributes;
  a.Add(key, ValueType::kEmpty, 0);
  a.Add(key, ValueType::kInt, static_cast<uint64_t>(std::numeric_limits<int64_t>::min()));
  a.Add(key, ValueType::kInt, static_cast<uint64_t>(-3));
  a.Add(key, ValueType::kDouble, std::bit_cast<uint64_t>(2.5));
  a.Add(key, ValueType::kDouble, std::bit_cast<uint64_t>(std::nan("")));
  a.Add(key, ValueType::kBool, 0);
  a.Add(key, ValueType::kBytes, batch.strings.Intern(std::string_view("\x00\xff", 2)));
  a.Add(key, ValueType::kArray, model::NestedRange{0, 2}.Pack());
  a.Add(key, ValueType::kKvList, model::NestedRange{2, 1}.Pack());
  AddSpan(&batch, 1, 0, 0, 1, "s");
  const json::value trace = Encode(batch);
  const json::array& list = trace.at("spans").at("attributes").as_array()[0].as_array();
  ASSERT_EQ(list.size(), 27u);
  const std::string k = Text(list[0]);
  const auto at = [&](size_t i) { return Text(list[3 * i + 1]) + " " + Text(list[3 * i + 2]); };
  EXPECT_EQ(at(0), "0 null");
  EXPECT_EQ(at(1), "2 \"-9223372036854775808\"");
  EXPECT_EQ(at(2), "2 -3");
  EXPECT_EQ(json::value_to<double>(list[3 * 3 + 2]), 2.5);
  EXPECT_EQ(at(4), "3 \"NaN\"");
  EXPECT_EQ(at(5), "4 false");
  EXPECT_EQ(at(6), "5 \"AP8=\"");
  EXPECT_EQ(list[3 * 7 + 1].to_number<int>(), 6);
  EXPECT_EQ(Text(list[3 * 7 + 2].as_array()[1]), "7");
  EXPECT_EQ(Text(list[3 * 8 + 2]), "[" + k + ",4,true]");
}

TEST(TraceColumns, EventsAreInOrderOfRowAndTimeAndMayPrecedeTheTrace) {
  SpanBatch batch = NewBatch();
  const auto add_event = [&](int64_t time, std::string_view name) {
    batch.events.time_ns.push_back(kStart + static_cast<uint64_t>(time));
    batch.events.name.push_back(batch.strings.Intern(name));
    batch.events.dropped_attributes.push_back(0);
    batch.events.attribute_end.push_back(0);
  };
  add_event(7, "child late");
  add_event(6, "child early");
  AddSpan(&batch, 2, 1, 5, 5, "child");
  add_event(-4, "root");
  AddSpan(&batch, 1, 0, 0, 10, "root");
  const json::value trace = Encode(batch);
  EXPECT_EQ(Text(trace.at("events").at("span")), "[0,1,1]");
  EXPECT_EQ(Text(trace.at("events").at("time")), "[-4,6,7]");
  EXPECT_THAT(Words(trace, trace.at("events").at("name")),
              testing::ElementsAre("root", "child early", "child late"));
}

TEST(TraceColumns, ClocksFromAnywhereFit) {
  SpanBatch batch = NewBatch();
  AddSpan(&batch, 1, 0, 0, -5, "ends before it starts");
  AddSpan(&batch, 2, 1, 0, 1, "far future");
  batch.start_ns[1] = std::numeric_limits<uint64_t>::max() - 1;
  batch.end_ns[1] = std::numeric_limits<uint64_t>::max();
  const json::value trace = Encode(batch);
  EXPECT_EQ(Text(trace.at("spans").at("duration")), "[-5,1]");
  EXPECT_EQ(trace.at("spans").at("start").as_array()[1].as_string(),
            std::to_string(std::numeric_limits<uint64_t>::max() - 1 - kStart));
}

TEST(TraceColumns, TextThatIsNotUtf8BecomesValidJson) {
  SpanBatch batch = NewBatch();
  AddSpan(&batch, 1, 0, 0, 1, "bad \xff\xfe name\n\x01");
  EXPECT_THAT(Words(Encode(batch), Encode(batch).at("spans").at("name")),
              testing::ElementsAre("bad \xef\xbf\xbd\xef\xbf\xbd name\n\x01"));
}

TEST(TraceColumns, OnlyUsedStringsAreSent) {
  SpanBatch batch = NewBatch();
  batch.strings.Intern("a secret of another trace");
  AddSpan(&batch, 1, 0, 0, 1, "root");
  EXPECT_EQ(EncodeTraceColumns(OrderTrace(batch), kTrace, 0).find("secret"), std::string::npos);
}

TEST(TraceColumns, AHundredThousandSpansInOneChainAreNoTrouble) {
  constexpr uint64_t kSpans = 100'000;
  SpanBatch batch = NewBatch();
  for (uint64_t i = 0; i < kSpans; ++i)
    AddSpan(&batch, i + 1, i, i, 2 * (kSpans - i), "link of a chain");
  const json::value trace = Encode(batch);
  const json::value& spans = trace.at("spans");
  EXPECT_EQ(spans.at("subtreeSize").as_array()[0].to_number<uint64_t>(), kSpans - 1);
  EXPECT_EQ(spans.at("parent").as_array()[kSpans - 1].to_number<uint64_t>(), kSpans - 2);
}

}  // namespace
}  // namespace weft::api
