#include "model/span_batch.h"

#include <string>

#include <gtest/gtest.h>

namespace weft::model {
namespace {

uint32_t AddResource(SpanBatch* b, std::string_view service) {
  b->resources.attributes.Add(b->strings.Intern("service.name"), ValueType::kString,
                              b->strings.Intern(service));
  b->resources.attribute_end.push_back(b->resources.attributes.size());
  b->resources.schema_url.push_back(b->strings.Intern("https://opentelemetry.io/schemas/1.30.0"));
  b->resources.dropped_attributes.push_back(1);
  return b->resources.size() - 1;
}

uint32_t AddScope(SpanBatch* b, std::string_view name) {
  b->scopes.name.push_back(b->strings.Intern(name));
  b->scopes.version.push_back(b->strings.Intern("1.2"));
  b->scopes.schema_url.push_back(0);
  b->scopes.dropped_attributes.push_back(0);
  b->scopes.attribute_end.push_back(b->scopes.attributes.size());
  return b->scopes.size() - 1;
}

// A span with every kind of content: nested values, an event, a link.
void AddSpan(SpanBatch* b, uint64_t trace, uint64_t id, uint32_t resource, uint32_t scope,
             std::string_view note) {
  b->traces.push_back(TraceId{trace, trace});
  b->trace.push_back(static_cast<uint32_t>(b->traces.size() - 1));
  b->span_id.push_back(SpanId{id});
  b->parent_span_id.push_back(SpanId{0});
  b->start_ns.push_back(10);
  b->end_ns.push_back(20);
  b->name.push_back(b->strings.Intern("op"));
  b->kind.push_back(2);
  b->status.push_back(2);
  b->status_message.push_back(b->strings.Intern("boom"));
  b->trace_state.push_back(b->strings.Intern("k=v"));
  b->flags.push_back(0x101);
  b->resource.push_back(resource);
  b->scope.push_back(scope);
  b->dropped_attributes.push_back(1);
  b->dropped_events.push_back(2);
  b->dropped_links.push_back(3);
  const uint32_t inner = b->nested.size();
  b->nested.Add(0, ValueType::kInt, 5);
  const NestedRange inner_range{inner, 1};
  const uint32_t outer = b->nested.size();
  b->nested.Add(b->strings.Intern("list"), ValueType::kArray, inner_range.Pack());
  b->attributes.Add(b->strings.Intern("tree"), ValueType::kKvList, NestedRange{outer, 1}.Pack());
  b->attributes.Add(b->strings.Intern("note"), ValueType::kString, b->strings.Intern(note));
  b->attribute_end.push_back(b->attributes.size());
  b->events.time_ns.push_back(12);
  b->events.name.push_back(b->strings.Intern("exception"));
  b->events.dropped_attributes.push_back(0);
  b->events.attributes.Add(b->strings.Intern("retry"), ValueType::kBool, 1);
  b->events.attribute_end.push_back(b->events.attributes.size());
  b->event_end.push_back(b->events.size());
  b->links.trace_id.push_back(TraceId{1, 2});
  b->links.span_id.push_back(SpanId{3});
  b->links.trace_state.push_back(0);
  b->links.flags.push_back(1);
  b->links.dropped_attributes.push_back(4);
  b->links.attribute_end.push_back(b->links.attributes.size());
  b->link_end.push_back(b->links.size());
}

SpanBatch Sample(int spans) {
  SpanBatch b;
  const uint32_t resource = AddResource(&b, "cart");
  const uint32_t scope = AddScope(&b, "lib");
  for (int i = 0; i < spans; ++i)
    AddSpan(&b, 1 + i / 2, 100 + i, resource, scope, "note " + std::to_string(i));
  return b;
}

TEST(SpanBatch, KnowsItsServices) {
  const SpanBatch b = Sample(1);
  EXPECT_EQ(b.strings[b.ServiceName(0)], "cart");
}

TEST(SpanBatch, AWellFormedBatchIsRecognised) { EXPECT_TRUE(IsWellFormed(Sample(5))); }

TEST(SpanBatch, IndexesThatPointOutsideAreRecognised) {
  const auto broken = [](auto change) {
    SpanBatch b = Sample(3);
    change(&b);
    return !IsWellFormed(b);
  };
  EXPECT_TRUE(broken([](SpanBatch* b) { b->name[1] = 99999; }));
  EXPECT_TRUE(broken([](SpanBatch* b) { b->trace[0] = 77; }));
  EXPECT_TRUE(broken([](SpanBatch* b) { b->resource[2] = 5; }));
  EXPECT_TRUE(broken([](SpanBatch* b) { b->attribute_end[0] = 999; }));
  EXPECT_TRUE(broken([](SpanBatch* b) { b->event_end.pop_back(); }));
  EXPECT_TRUE(broken([](SpanBatch* b) { b->attributes.values()[1] = 1u << 30; }));
  EXPECT_TRUE(broken([](SpanBatch* b) { b->nested.values()[1] = (NestedRange{1, 1}).Pack(); }));
}

TEST(ContentHash, IsEqualForEqualSpansInDifferentBatches) {
  SpanBatch a = Sample(4);
  SpanBatch b;
  b.strings.Intern("shifts all codes");
  BatchAppender(&b).AppendAll(a);
  for (uint32_t i = 0; i < a.size(); ++i) EXPECT_EQ(ContentHash(a, i), ContentHash(b, i));
  EXPECT_NE(ContentHash(a, 0), ContentHash(a, 1));
}

TEST(ContentHash, SeesEveryField) {
  const uint64_t original = ContentHash(Sample(1), 0);
  const auto changed = [original](auto change) {
    SpanBatch b = Sample(1);
    change(&b);
    return ContentHash(b, 0) != original;
  };
  EXPECT_TRUE(changed([](SpanBatch* b) { b->flags[0] = 0; }));
  EXPECT_TRUE(changed([](SpanBatch* b) { b->dropped_links[0] = 0; }));
  EXPECT_TRUE(changed([](SpanBatch* b) { b->nested.values()[0] = 6; }));
  EXPECT_TRUE(changed([](SpanBatch* b) { b->events.attributes.values()[0] = 0; }));
  EXPECT_TRUE(changed([](SpanBatch* b) { b->links.span_id[0].value = 9; }));
  EXPECT_TRUE(changed([](SpanBatch* b) { b->resources.dropped_attributes[0] = 0; }));
  EXPECT_TRUE(changed([](SpanBatch* b) { b->scopes.version[0] = 0; }));
}

TEST(BatchAppender, JoinsEqualResourcesScopesAndTraces) {
  const SpanBatch a = Sample(2), b = Sample(2);
  SpanBatch out;
  BatchAppender appender(&out);
  appender.AppendAll(a);
  const uint32_t rows[] = {1, 0};
  appender.Append(b, rows);
  EXPECT_EQ(out.size(), 4u);
  EXPECT_EQ(out.resources.size(), 1u);
  EXPECT_EQ(out.scopes.size(), 1u);
  EXPECT_EQ(out.traces.size(), 1u);
  EXPECT_EQ(out.span_id[2].value, 101u);
  EXPECT_TRUE(IsWellFormed(out));
  EXPECT_EQ(ContentHash(out, 2), ContentHash(b, 1));
}

TEST(SpanBatch, IsEmptyAfterClear) {
  SpanBatch b = Sample(3);
  b.Clear();
  EXPECT_TRUE(b.empty());
  EXPECT_TRUE(IsWellFormed(b));
  BatchAppender(&b).AppendAll(Sample(2));
  EXPECT_TRUE(IsWellFormed(b));
}

}  // namespace
}  // namespace weft::model
