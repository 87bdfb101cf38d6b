// Counts by step and bound, names, budgets; what the graph shows is tested by the corpus.
#include "query/insight/call_graph.h"

#include <atomic>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "query/exec/memory_source.h"
#include "query/insight/call_key.h"
#include "query/insight/peer.h"
#include "query/insight/service_graph.h"

namespace weft::query::insight {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

CallSample Sample(uint64_t at_ns, int64_t client_ns, int64_t server_ns, bool failed) {
  CallSample out;
  out.at_ns = at_ns;
  out.client_ns = client_ns;
  out.server_ns = server_ns;
  out.server_error = failed;
  out.trace_id = {0, at_ns};
  return out;
}

// Two steps of ten seconds; the first sample is of (0 s, 10 s].
const GraphSteps kSteps{{10 * kSecond, 10 * kSecond, 2}, {100, 200}};

TEST(CallCounts, StepsCountDurationsUpToBounds) {
  CallCounts counts;
  counts.Add(Sample(10 * kSecond, 100, 101, false), &kSteps);
  counts.Add(Sample(10 * kSecond + 1, 200, -1, false), &kSteps);
  counts.Add(Sample(20 * kSecond, 201, 0, true), &kSteps);
  counts.Add(Sample(20 * kSecond + 1, 1, 1, true), &kSteps);  // after the last
  EXPECT_EQ(counts.requests, 4u);
  EXPECT_EQ(counts.client.count(), 4u);
  EXPECT_EQ(counts.server.count(), 3u);
  ASSERT_EQ(counts.steps.size(), 2u);
  EXPECT_EQ(counts.steps[0].requests, 1u);
  EXPECT_EQ(counts.steps[0].client, (std::vector<uint64_t>{1, 0, 0}));
  EXPECT_EQ(counts.steps[0].server, (std::vector<uint64_t>{0, 1, 0}));
  EXPECT_EQ(counts.steps[1].requests, 2u);
  EXPECT_EQ(counts.steps[1].failed, 1u);
  EXPECT_EQ(counts.steps[1].client, (std::vector<uint64_t>{0, 1, 1}));
  EXPECT_EQ(counts.steps[1].client_sum_ns, 401);
  EXPECT_EQ(counts.steps[1].server, (std::vector<uint64_t>{1, 0, 0}));
}

TEST(CallGraph, MergedGraphsCountAsOne) {
  const std::vector<CallSample> samples = {
      Sample(1 * kSecond, 5, 4, false), Sample(12 * kSecond, 50, 40, true),
      Sample(3 * kSecond, 500, -1, false), Sample(19 * kSecond, 7, 6, true)};
  CallGraph whole(&kSteps), a(&kSteps), b(&kSteps);
  for (CallGraph* graph : {&b, &a}) {  // other numbers in each
    if (graph == &b) graph->NodeOf({NodeKind::kUser, "user", {}});
  }
  const auto add = [](CallGraph* graph, const CallSample& sample) {
    const uint32_t client = graph->NodeOf({NodeKind::kService, "a", {}});
    const uint32_t server = graph->NodeOf({NodeKind::kQueue, "q", "kafka"});
    const uint32_t edge =
        graph->EdgeOf({client, server, Connection::kMessaging, graph->TextOf("via")});
    graph->counts(edge).Add(sample, graph->steps());
    graph->entries(client).Add(sample, graph->steps());
  };
  for (size_t i = 0; i < samples.size(); ++i) {
    add(&whole, samples[i]);
    add(i % 2 == 0 ? &a : &b, samples[i]);
  }
  a.Merge(b);
  ASSERT_EQ(a.edge_count(), 1u);
  const CallCounts &merged = a.counts(0), &expected = whole.counts(0);
  EXPECT_EQ(merged.requests, expected.requests);
  EXPECT_EQ(merged.failed, expected.failed);
  EXPECT_EQ(merged.example, expected.example);
  EXPECT_EQ(merged.example, (model::TraceId{0, 19 * kSecond}));  // the latest that failed
  EXPECT_EQ(merged.client.Quantile(0.5), expected.client.Quantile(0.5));
  for (size_t step = 0; step < 2; ++step) {
    EXPECT_EQ(merged.steps[step].requests, expected.steps[step].requests);
    EXPECT_EQ(merged.steps[step].client, expected.steps[step].client);
    EXPECT_EQ(merged.steps[step].server_sum_ns, expected.steps[step].server_sum_ns);
  }
  EXPECT_EQ(a.entries(0).requests, 4u);
}

TEST(LatencyHistogram, QuantilesAreWithinThreePercent) {
  exec::LatencyHistogram durations;
  for (int64_t ns = 1000; ns <= 100'000; ns += 1000) durations.Add(ns);
  exec::LatencyHistogram shorter;
  shorter.Add(3);
  durations.Merge(shorter);
  EXPECT_EQ(durations.count(), 101u);
  EXPECT_NEAR(static_cast<double>(durations.Quantile(0.5)), 50'000, 1600);
  EXPECT_NEAR(static_cast<double>(durations.Quantile(0.99)), 99'000, 3200);
  EXPECT_EQ(durations.Quantile(0), 3u);
  EXPECT_EQ(exec::LatencyHistogram().Quantile(0.5), 0u);
}

TEST(PathOf, LeavesOutWhatTheTwoSidesWriteDifferently) {
  EXPECT_EQ(PathOf("https://a.example:80/x/y?z=1#f"), "/x/y");
  EXPECT_EQ(PathOf("/x/y?z=1"), "/x/y");
  EXPECT_EQ(PathOf("http://a.example"), "");
  EXPECT_EQ(PathOf(""), "");
}

TEST(HostLabel, IsTheFirstOfANameAndTheWholeOfAnAddress) {
  EXPECT_EQ(HostLabel("email.shop.svc"), "email");
  EXPECT_EQ(HostLabel("email:6060"), "email");
  EXPECT_EQ(HostLabel("10.0.0.7"), "10.0.0.7");
}

TEST(CallSurveyor, EndsWhenItIsCancelled) {
  FakeEnv env{1};
  exec::TaskRunner runner(0);
  const auto source = exec::MemorySource::Of({});
  const std::atomic<bool> cancelled = true;
  const CallQuery query{.tenant = "default"};
  const CallSurveyor surveyor(source, env, runner);
  EXPECT_EQ(MakeServiceGraph(surveyor, query, {.cancelled = &cancelled}).error().code(),
            ErrorCode::kCancelled);
  EXPECT_TRUE(MakeServiceGraph(surveyor, query, {})->edges.empty());
}

}  // namespace
}  // namespace weft::query::insight
