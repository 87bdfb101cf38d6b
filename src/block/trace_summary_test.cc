#include "block/trace_summary.h"

#include <gtest/gtest.h>

namespace weft::block {
namespace {

struct BatchBuilder {
  BatchBuilder() {
    for (const char* service : {"web", "db"}) {
      b.resources.attributes.Add(b.strings.Intern("service.name"), model::ValueType::kString,
                                 b.strings.Intern(service));
      b.resources.attribute_end.push_back(b.resources.attributes.size());
      b.resources.schema_url.push_back(0);
      b.resources.dropped_attributes.push_back(0);
    }
    b.scopes.name.push_back(0);
    b.scopes.version.push_back(0);
    b.scopes.schema_url.push_back(0);
    b.scopes.dropped_attributes.push_back(0);
    b.scopes.attribute_end.push_back(0);
    b.traces.push_back({1, 1});
  }
  BatchBuilder& Add(uint64_t id, uint64_t parent, uint64_t start, uint64_t end, uint32_t resource,
                    uint8_t status = 0) {
    b.trace.push_back(0);
    b.span_id.push_back({id});
    b.parent_span_id.push_back({parent});
    b.start_ns.push_back(start);
    b.end_ns.push_back(end);
    b.name.push_back(b.strings.Intern("op" + std::to_string(id)));
    b.kind.push_back(1);
    b.status.push_back(status);
    b.status_message.push_back(0);
    b.trace_state.push_back(0);
    b.flags.push_back(0);
    b.resource.push_back(resource);
    b.scope.push_back(0);
    b.dropped_attributes.push_back(0);
    b.dropped_events.push_back(0);
    b.dropped_links.push_back(0);
    b.attribute_end.push_back(0);
    b.event_end.push_back(0);
    b.link_end.push_back(0);
    return *this;
  }
  model::SpanBatch b;
};

TEST(SummarizeSpans, TellsRootTimesAndServices) {
  BatchBuilder batch;
  batch.Add(2, 1, 120, 180, 1, 2).Add(1, 0, 100, 200, 0).Add(3, 1, 130, 250, 1);
  const TraceSummary s = SummarizeSpans(batch.b);
  EXPECT_EQ(s.root_service, "web");
  EXPECT_EQ(s.root_name, "op1");
  EXPECT_EQ(s.start_ns, 100u);
  EXPECT_EQ(s.end_ns, 250u);
  EXPECT_EQ(s.span_count, 3u);
  EXPECT_EQ(s.error_count, 1u);
  ASSERT_EQ(s.services.size(), 2u);
  EXPECT_EQ(s.services[0].name, "db");
  EXPECT_EQ(s.services[0].error_count, 1u);
  EXPECT_EQ(s.flags, 0u);
}

TEST(SummarizeSpans, SaysThatTheRootIsMissing) {
  BatchBuilder batch;
  batch.Add(2, 1, 120, 180, 1);
  const TraceSummary s = SummarizeSpans(batch.b);
  EXPECT_EQ(s.root_name, "");
  EXPECT_EQ(s.flags, static_cast<uint32_t>(kTraceRootMissing | kTraceOrphans));
}

TEST(SummarizeSpans, CountsASpanSentTwiceOnce) {
  BatchBuilder batch;
  batch.Add(1, 0, 100, 200, 0).Add(1, 0, 100, 200, 0);
  EXPECT_EQ(SummarizeSpans(batch.b).span_count, 1u);
}

TEST(WithoutDuplicates, KeepsDifferentSpansThatShareAnId) {
  BatchBuilder batch;
  batch.Add(1, 0, 100, 200, 0).Add(1, 0, 100, 200, 0).Add(1, 0, 100, 300, 0).Add(2, 1, 100, 200, 0);
  const model::SpanBatch out = WithoutDuplicates(batch.b);
  EXPECT_EQ(out.size(), 3u);
  EXPECT_EQ(out.end_ns[1], 300u);
}

}  // namespace
}  // namespace weft::block
