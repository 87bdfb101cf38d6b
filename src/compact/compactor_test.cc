// Merging on a disk that loses power: every span is there once, whatever happens when.
#include "compact/compactor.h"

#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "base/log.h"
#include "block/block_fixture.h"
#include "block/trace_summary.h"
#include "store/local_object_store.h"
#include "store/shelf_testing.h"

namespace weft::compact {
namespace {

using store::BlockIdOf;
using store::BlockStore;

constexpr char kTenant[] = "shop";

class World {
 public:
  explicit World(uint64_t seed) : env(seed) {
    SetUpLog(LogLevel::kOff, LogFormat::kText);
    options.choose.fan_in = 3;
    options.choose.age_min_ns = 0;
    options.choose.window_ns = int64_t{1} << 62;  // one window: odd spans are of any time
    options.choose.window_grace_ns = int64_t{1} << 62;
    options.retire_grace_ns = 1000;
    Start();
  }

  void Start() {
    compactor.reset();
    store.reset();
    auto opened = BlockStore::Open(objects, {}, metrics);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    store = std::move(opened).value();
    compactor = std::make_unique<Compactor>(env, options, *store, metrics, nullptr);
  }

  Error Write(const model::SpanBatch& spans, uint64_t number, std::string auxiliary = "") {
    block::BlockMeta meta;
    meta.tenant = kTenant;
    meta.id = BlockIdOf(number);
    WEFT_ASSIGN_OR_RETURN(auto encoded,
                          block::WriteBlock(block::MakeBlockInput({&spans}), std::move(meta), {}));
    if (!auxiliary.empty()) encoded.auxiliary.push_back({"wal_rows.bin", std::move(auxiliary)});
    return store->WriteBlock(std::move(encoded));
  }

  size_t block_count() const { return store->Blocks(kTenant)->size(); }

  // Hashes of all spans of all row groups, as a search would see them.
  std::multiset<uint64_t> SeenSpans() const {
    std::multiset<uint64_t> seen;
    const auto list = store->Blocks(kTenant);
    for (const store::BlockPtr& block : *list) {
      const auto opened = store->OpenForReading(*block, 1 << 20);
      EXPECT_TRUE(opened.ok()) << opened.error().message();
      if (!opened.ok()) continue;
      for (uint32_t g = 0; g < (*opened)->row_group_count(); ++g) {
        const auto rows = static_cast<uint32_t>((*opened)->meta().row_groups[g].span_count);
        const model::SpanBatch spans = (*opened)->SpansOf(g, 0, rows).value();
        for (uint32_t i = 0; i < spans.size(); ++i) seen.insert(model::ContentHash(spans, i));
      }
    }
    return seen;
  }

  FakeEnv env;
  MetricRegistry metrics;
  store::LocalObjectStore objects{env, "blocks"};
  CompactorOptions options;
  std::unique_ptr<BlockStore> store;
  std::unique_ptr<Compactor> compactor;
};

std::vector<model::SpanBatch> Pieces(const model::SpanBatch& spans, uint32_t count) {
  std::vector<model::SpanBatch> pieces(count);
  for (uint32_t piece = 0; piece < count; ++piece) {
    std::vector<uint32_t> rows;
    for (uint32_t i = piece; i < spans.size(); i += count) rows.push_back(i);
    model::BatchAppender(&pieces[piece]).Append(spans, rows);
  }
  return pieces;
}

std::multiset<uint64_t> Hashes(const model::SpanBatch& spans) {
  std::multiset<uint64_t> hashes;
  for (uint32_t i = 0; i < spans.size(); ++i) hashes.insert(model::ContentHash(spans, i));
  return hashes;
}

TEST(CompactorTest, ManyBlocksBecomeOneWithTheSameSpans) {
  World world(1);
  const model::SpanBatch spans = block::MakeShopBatch(1, 2000);
  const auto pieces = Pieces(spans, 6);
  for (size_t i = 0; i < pieces.size(); ++i) ASSERT_TRUE(world.Write(pieces[i], i + 1).ok());
  ASSERT_TRUE(world.compactor->RunOnce().value());
  EXPECT_EQ(world.block_count(), 4u);
  EXPECT_EQ(world.SeenSpans(), Hashes(spans));
  ASSERT_TRUE(world.compactor->RunOnce().value());
  EXPECT_EQ(world.block_count(), 2u);
  EXPECT_FALSE(world.compactor->RunOnce().value());
  EXPECT_EQ(world.SeenSpans(), Hashes(spans));
  EXPECT_EQ(world.metrics.SumCounter("weft_compaction_merges_total"), 2u);
  EXPECT_EQ(world.metrics.SumCounter("weft_compaction_merged_blocks_total"), 6u);
  // The trace that was spread over all of them is in two places now.
  const auto summary = world.store->SummarizeTrace(kTenant, spans.trace_id(0)).value();
  EXPECT_LE(summary.fragments, 2u);
}

TEST(CompactorTest, WhatWasReplacedGoesLaterAndAtTheNextStart) {
  World world(2);
  const auto pieces = Pieces(block::MakeShopBatch(1, 500), 3);
  for (size_t i = 0; i < pieces.size(); ++i) ASSERT_TRUE(world.Write(pieces[i], i + 1).ok());
  const auto files_of = [&](uint64_t number) {
    size_t count = 0;
    for (const std::string& path : world.env.Files()) {
      count += path.find(BlockIdOf(number)) != std::string::npos;
    }
    return count;
  };
  ASSERT_TRUE(world.compactor->RunOnce().value());
  EXPECT_GT(files_of(1), 0u) << "a query may still read it";
  world.env.AdvanceNs(2000);
  EXPECT_FALSE(world.compactor->RunOnce().value());
  EXPECT_EQ(files_of(1) + files_of(2) + files_of(3), 0u);

  for (size_t i = 0; i < pieces.size(); ++i) ASSERT_TRUE(world.Write(pieces[i], i + 11).ok());
  ASSERT_TRUE(world.compactor->RunOnce().value());
  EXPECT_GT(files_of(11), 0u);
  world.Start();
  EXPECT_EQ(files_of(11) + files_of(12) + files_of(13), 0u);
}

TEST(CompactorTest, EverySpanIsThereOnceWhereverThePowerIsCut) {
  const model::SpanBatch spans = block::MakeShopBatch(5, 100);
  const auto pieces = Pieces(spans, 3);
  const auto expected = Hashes(spans);
  uint64_t cut = 0;
  for (bool finished = false; !finished; ++cut) {
    SCOPED_TRACE("cut after " + std::to_string(cut) + " changes");
    World world(cut + 1);
    for (size_t i = 0; i < pieces.size(); ++i) ASSERT_TRUE(world.Write(pieces[i], i + 1).ok());
    world.env.CutPowerAfter(cut);
    const auto merged = world.compactor->RunOnce();
    world.env.AdvanceNs(2000);
    const auto cleaned = world.compactor->RunOnce();  // deletes what was replaced
    finished = merged.ok() && cleaned.ok() && world.env.change_count() > 0 && cut > 60;
    world.env.PowerCycle();
    world.Start();
    ASSERT_EQ(world.SeenSpans(), expected);
    if (world.compactor->RunOnce().value()) {
      ASSERT_EQ(world.SeenSpans(), expected);
    }
    ASSERT_EQ(world.block_count(), 1u);
  }
}

TEST(CompactorTest, BlocksThatTheLogNeedsAreLeftAlone) {
  World world(3);
  const auto pieces = Pieces(block::MakeShopBatch(1, 500), 3);
  for (size_t i = 0; i < pieces.size(); ++i) ASSERT_TRUE(world.Write(pieces[i], i + 1, "x").ok());
  EXPECT_FALSE(world.compactor->RunOnce().value());
  for (size_t i = 0; i < pieces.size(); ++i) {
    ASSERT_TRUE(world.store->RemoveAuxiliary(kTenant, BlockIdOf(i + 1), "wal_rows.bin").ok());
  }
  EXPECT_TRUE(world.compactor->RunOnce().value());
}

TEST(CompactorTest, ADamagedBlockDoesNotStopTheOthers) {
  World world(4);
  const auto pieces = Pieces(block::MakeShopBatch(1, 800), 4);
  for (size_t i = 0; i < 3; ++i) ASSERT_TRUE(world.Write(pieces[i], i + 1).ok());
  world.env.FlipBit("blocks/shop/" + BlockIdOf(2) + "/spans.parquet", uint64_t{8} * 6000);
  EXPECT_FALSE(world.compactor->RunOnce().ok());
  EXPECT_EQ(world.block_count(), 3u) << "all stay as they are";
  EXPECT_FALSE(world.compactor->RunOnce().value()) << "it is not tried for ever";
  ASSERT_TRUE(world.Write(pieces[3], 4).ok());
  EXPECT_TRUE(world.compactor->RunOnce().value()) << "the other three are enough";
  EXPECT_EQ(world.block_count(), 2u);
}

TEST(CompactorTest, AFullDiskChangesNothing) {
  World world(5);
  const model::SpanBatch spans = block::MakeShopBatch(1, 500);
  const auto pieces = Pieces(spans, 3);
  for (size_t i = 0; i < pieces.size(); ++i) ASSERT_TRUE(world.Write(pieces[i], i + 1).ok());
  world.env.SetDiskBytes(1000);
  EXPECT_FALSE(world.compactor->RunOnce().ok());
  EXPECT_EQ(world.SeenSpans(), Hashes(spans));
  world.env.SetDiskBytes(UINT64_MAX);
  EXPECT_TRUE(world.compactor->RunOnce().value());
  EXPECT_EQ(world.SeenSpans(), Hashes(spans));
}

TEST(CompactorTest, OldBlocksExpire) {
  World world(7);
  const model::SpanBatch spans = block::MakeShopBatch(1, 500);
  const auto pieces = Pieces(spans, 2);
  for (size_t i = 0; i < pieces.size(); ++i) ASSERT_TRUE(world.Write(pieces[i], i + 1).ok());
  const auto newest = world.store->Blocks(kTenant)->front()->meta.last_start_ns;
  world.options.retention.age_ns = 1000;
  world.Start();
  world.env.SetNowNs(static_cast<int64_t>(newest) + 900);
  EXPECT_FALSE(world.compactor->RunOnce().value());
  EXPECT_GE(world.block_count(), 1u);
  world.env.SetNowNs(static_cast<int64_t>(newest) + 2000);
  EXPECT_FALSE(world.compactor->RunOnce().value());
  EXPECT_EQ(world.block_count(), 0u);
  EXPECT_EQ(world.metrics.SumCounter("weft_expired_spans_total"), spans.size());
  world.env.SetNowNs(static_cast<int64_t>(newest) + 9000);
  EXPECT_FALSE(world.compactor->RunOnce().value());
  EXPECT_TRUE(world.env.Files().empty());
}

TEST(CompactorTest, AFullDiskCostsNoMoreBlocksThanItMustWhileTheirFilesWait) {
  World world(8);
  const auto pieces = Pieces(block::MakeShopBatch(1, 2000), 8);
  for (size_t i = 0; i < pieces.size(); ++i) ASSERT_TRUE(world.Write(pieces[i], i + 1).ok());
  const uint64_t bytes = world.store->TotalsOf(kTenant).bytes;
  world.options.retention.disk_free_bytes = bytes / 8;
  world.options.disk_path = "blocks";
  world.options.cpu_percent = 0;
  world.Start();
  world.env.SetDiskBytes(bytes);  // nothing is free
  ASSERT_TRUE(world.compactor->RunOnce().ok());
  const size_t left = world.block_count();
  EXPECT_GE(left, 6u);
  EXPECT_LT(left, 8u);
  // The files are still there, for queries that read them.
  for (int again = 0; again < 5; ++again) ASSERT_TRUE(world.compactor->RunOnce().ok());
  EXPECT_EQ(world.block_count(), left);
  world.env.AdvanceNs(2000);
  ASSERT_TRUE(world.compactor->RunOnce().ok());
  ASSERT_TRUE(world.compactor->RunOnce().ok());
  EXPECT_EQ(world.block_count(), left);
}

TEST(CompactorTest, TheThreadWorksAndStops) {
  World world(6);
  const auto pieces = Pieces(block::MakeShopBatch(1, 500), 3);
  for (size_t i = 0; i < pieces.size(); ++i) ASSERT_TRUE(world.Write(pieces[i], i + 1).ok());
  Compactor compactor(Env::Posix(), world.options, *world.store, world.metrics,
                      [] { return false; });
  compactor.Start();
  while (world.block_count() > 1) std::this_thread::yield();
  compactor.Stop();
}

}  // namespace
}  // namespace weft::compact
