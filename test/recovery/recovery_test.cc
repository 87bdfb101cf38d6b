// Histories of a server's data path on a disk that loses what was not synced.
//
// An oracle notes every span whose push was acknowledged. Whatever happened before a restart: each
// of them is there, once, and nothing is there that was never pushed. A failing history names its
// seed and repeats (threads may interleave differently; the faults do not).
#include <future>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "base/folder.h"
#include "live/live_traces.h"
#include "live/testing_batches.h"
#include "store/block_store.h"
#include "store/local_object_store.h"

namespace weft {
namespace {

using live::LiveTraces;
using live::MakeBatch;
using live::TestSpan;

constexpr char kTenant[] = "default";

// One run of the server on a disk that outlives it.
class World {
 public:
  explicit World(FakeEnv* env) : env_(*env), objects_(*env, "data/blocks") {}

  Error Start() {
    WEFT_RETURN_IF_ERROR(MakeDurableFolder(env_, "data"));
    WEFT_ASSIGN_OR_RETURN(store_, store::BlockStore::Open(objects_, {}, metrics_));
    live::LiveOptions options;
    options.wal.folder = "data/wal";
    options.wal.segment_bytes = 4096;
    options.wal.disk_reserve_bytes = 0;
    options.build_retry_ns = 1'000'000;
    WEFT_ASSIGN_OR_RETURN(live_,
                          LiveTraces::Open(env_, options, metrics_, *store_, *store_, nullptr));
    return Error::Ok();
  }

  Error Push(const std::vector<TestSpan>& spans) {
    std::promise<Error> done;
    live_->Push(kTenant, MakeBatch(spans), [&](Error error) { done.set_value(std::move(error)); });
    return done.get_future().get();
  }

  // Spans of a trace as (span id, number) pairs, each as often as it is found.
  std::multiset<std::pair<uint64_t, uint64_t>> Find(uint64_t trace) {
    const auto spans = live_->FindTrace(kTenant, {0, trace});
    EXPECT_TRUE(spans.ok()) << spans.error().message();
    std::multiset<std::pair<uint64_t, uint64_t>> found;
    const model::Code number = spans->strings.Find("number");
    for (uint32_t i = 0; i < spans->size(); ++i) {
      const model::IndexRange attributes = spans->AttributesOf(i);
      for (uint32_t a = attributes.begin; a < attributes.end; ++a) {
        if (spans->attributes.key(a) == number)
          found.insert({spans->span_id[i].value, spans->attributes.value(a)});
      }
    }
    return found;
  }

  // Rows that a query over everything sees.
  uint64_t VisibleRows(bool tree = false) {
    const auto groups = live_->Snapshot(kTenant, {}, {.tree = tree});
    EXPECT_TRUE(groups.ok()) << groups.error().message();
    uint64_t rows = 0;
    for (const auto& group : *groups) {
      rows += group->row_count();
      for (uint64_t word : group->excluded_rows())
        rows -= static_cast<uint64_t>(__builtin_popcountll(word));
    }
    return rows;
  }

  uint64_t Count(const char* name) const { return metrics_.SumCounter(name); }
  LiveTraces& live() { return *live_; }

 private:
  FakeEnv& env_;
  MetricRegistry metrics_;
  store::LocalObjectStore objects_;
  std::unique_ptr<store::BlockStore> store_;
  std::unique_ptr<LiveTraces> live_;
};

TEST(Recovery, AnAcknowledgedSpanIsVisibleAtOnce) {
  FakeEnv env(1);
  World world(&env);
  ASSERT_TRUE(world.Start().ok());
  ASSERT_TRUE(world.Push({{.trace = 1, .id = 1}, {.trace = 1, .id = 2, .parent = 1}}).ok());
  EXPECT_EQ(world.Find(1).size(), 2u);
  EXPECT_EQ(world.VisibleRows(), 2u);
  EXPECT_EQ(world.VisibleRows(true), 2u);
}

TEST(Recovery, AFlushMovesEverySpanToBlocksAndReleasesTheLog) {
  FakeEnv env(1);
  World world(&env);
  ASSERT_TRUE(world.Start().ok());
  for (uint64_t t = 1; t <= 50; ++t) ASSERT_TRUE(world.Push({{.trace = t, .id = t}}).ok());
  const auto report = world.live().Flush();
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(report->spans, 50u);
  EXPECT_EQ(world.live().counts().spans, 0u);
  EXPECT_EQ(world.VisibleRows(), 50u);
  EXPECT_EQ(world.Find(7).size(), 1u);
}

TEST(Recovery, ARetryIsStoredOnceWhereverTheFirstOneIs) {
  FakeEnv env(1);
  World world(&env);
  ASSERT_TRUE(world.Start().ok());
  const std::vector<TestSpan> request = {{.trace = 1, .id = 1}, {.trace = 1, .id = 2, .parent = 1}};
  ASSERT_TRUE(world.Push(request).ok());
  ASSERT_TRUE(world.Push(request).ok());
  EXPECT_EQ(world.VisibleRows(), 2u);
  ASSERT_TRUE(world.live().Flush().ok());
  ASSERT_TRUE(world.Push(request).ok());
  EXPECT_EQ(world.Find(1).size(), 2u);
  ASSERT_TRUE(world.live().Flush().ok());
  EXPECT_EQ(world.VisibleRows(), 2u);
  EXPECT_EQ(world.Count("weft_refused_spans_total"), 4u);
  EXPECT_EQ(world.Count("weft_stored_spans_total"), 2u);
}

TEST(Recovery, AFullDiskKeepsSpansLiveAndRecovers) {
  FakeEnv env(1);
  World world(&env);
  ASSERT_TRUE(world.Start().ok());
  ASSERT_TRUE(world.Push({{.trace = 1, .id = 1}}).ok());
  env.SetDiskBytes(1);
  EXPECT_FALSE(world.live().Flush().ok());
  EXPECT_FALSE(world.Push({{.trace = 2, .id = 2}}).ok());
  EXPECT_EQ(world.VisibleRows(), 1u);
  env.SetDiskBytes(UINT64_MAX);
  EXPECT_TRUE(world.live().Flush().ok());
  EXPECT_EQ(world.VisibleRows(), 1u);
  EXPECT_EQ(world.live().counts().spans, 0u);
}

// What was acknowledged, and what was pushed at all.
struct Oracle {
  std::map<uint64_t, std::set<std::pair<uint64_t, uint64_t>>> acknowledged, pushed;

  void Check(World* world, uint64_t seed) const {
    uint64_t rows = 0;
    for (const auto& [trace, spans] : pushed) {
      const auto found = world->Find(trace);
      rows += found.size();
      for (const auto& span : found) {
        ASSERT_EQ(found.count(span), 1u)
            << "seed " << seed << ": span " << span.first << " is there twice";
        ASSERT_TRUE(spans.contains(span))
            << "seed " << seed << ": span " << span.first << " was never sent";
      }
      const auto promised = acknowledged.find(trace);
      if (promised == acknowledged.end()) continue;
      for (const auto& span : promised->second) {
        ASSERT_TRUE(found.contains(span))
            << "seed " << seed << ": acknowledged span " << span.first << " is lost";
      }
    }
    ASSERT_EQ(world->VisibleRows(), rows) << "seed " << seed;
  }
};

void RunHistory(uint64_t seed) {
  std::mt19937_64 random(seed);
  FakeEnv env(seed);
  Oracle oracle;
  uint64_t next_id = 1;
  for (int life = 0; life < 4; ++life) {
    World world(&env);
    const Error started = world.Start();
    ASSERT_TRUE(started.ok()) << "seed " << seed << ": " << started.message();
    oracle.Check(&world, seed);
    if (::testing::Test::HasFatalFailure()) return;
    env.CutPowerAfter(random() % 120);
    for (int step = 0; step < 30; ++step) {
      if (random() % 8 == 0) {
        (void)world.live().Flush().ok();
        continue;
      }
      if (random() % 12 == 0) env.FailSyncs(1);
      std::vector<TestSpan> spans;
      for (uint64_t n = 1 + random() % 5; n > 0; --n) {
        spans.push_back({.trace = 1 + random() % 20,
                         .id = next_id,
                         .parent = random() % 3 ? next_id - 1 : 0,
                         .number = static_cast<int64_t>(next_id)});
        ++next_id;
      }
      for (const TestSpan& s : spans)
        oracle.pushed[s.trace].insert({s.id, static_cast<uint64_t>(s.number)});
      if (!world.Push(spans).ok()) continue;
      for (const TestSpan& s : spans)
        oracle.acknowledged[s.trace].insert({s.id, static_cast<uint64_t>(s.number)});
    }
    world.live().Stop(random() % 2 ? 0 : 1'000'000'000);
    env.PowerCycle();
  }
  World world(&env);
  ASSERT_TRUE(world.Start().ok()) << "seed " << seed;
  oracle.Check(&world, seed);
}

TEST(Recovery, NothingAcknowledgedIsLostOrDoubledWhateverThePowerDoes) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    RunHistory(seed);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace weft
