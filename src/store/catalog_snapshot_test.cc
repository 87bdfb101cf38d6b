#include "store/catalog_snapshot.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "base/log.h"
#include "base/mutex.h"
#include "store/block_shelf.h"
#include "store/local_object_store.h"
#include "store/packed_meta.h"
#include "store/shelf_testing.h"

namespace weft::store {
namespace {

TEST(PackedMetaTest, GivesTheDescriptionBackAndIsMuchSmaller) {
  block::BlockMeta meta;
  meta.id = BlockIdOf(77);
  meta.tenant = "shop";
  meta.span_count = 1234;
  meta.row_groups.push_back({1234, 99, 1'700'000'000'000'000'001, 1'700'000'000'000'000'002, 3});
  for (const char* name : {"spans.parquet", "events.parquet", "links.parquet", "resources.parquet",
                           "scopes.parquet", "traces.parquet", "attributes.parquet"}) {
    meta.files.push_back({name, 8123, 3'123'456'789, 991, 2'987'654'321});
  }
  meta.replaces = {BlockIdOf(1), BlockIdOf(2)};
  const std::string packed = PackMeta(meta);
  EXPECT_LT(packed.size() * 3, meta.ToJson().size());
  const auto unpacked = UnpackMeta(packed);
  ASSERT_TRUE(unpacked.ok()) << unpacked.error().message();
  EXPECT_EQ(unpacked->ToJson(), meta.ToJson());
}

TEST(PackedMetaTest, WhatIsDamagedIsRefused) {
  const std::string packed = PackMeta(MakeOpaqueBlock({"shop", BlockIdOf(1)}, 1, 2).meta);
  for (size_t i = 0; i < packed.size(); ++i) {
    std::string damaged = packed;
    damaged[i] = static_cast<char>(damaged[i] ^ 16);
    const auto meta = UnpackMeta(damaged);
    // A bit of the frame's head may not matter; a wrong description never gets through.
    if (!meta.ok()) continue;
    EXPECT_EQ(PackMeta(*meta), packed) << i;
  }
  EXPECT_FALSE(UnpackMeta("").ok());
}

// Counts the objects that are read, by the last part of their names.
class CountingStore : public LocalObjectStore {
 public:
  using LocalObjectStore::LocalObjectStore;
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& name) const override {
    {
      const MutexLock lock(mutex_);
      ++opened_[name.substr(name.rfind('/') + 1)];
    }
    return LocalObjectStore::Open(name);
  }
  int CountOf(const std::string& name) const {
    const MutexLock lock(mutex_);
    const auto it = opened_.find(name);
    return it == opened_.end() ? 0 : it->second;
  }
  void StartCounting() {
    const MutexLock lock(mutex_);
    opened_.clear();
  }

 private:
  mutable Mutex mutex_;  // blocks are read by several threads
  mutable std::map<std::string, int> opened_ WEFT_GUARDED_BY(mutex_);
};

// A server's shelf over several lives.
class CatalogSnapshotTest : public testing::Test {
 protected:
  CatalogSnapshotTest() : objects_(env_, "blocks") {
    SetUpLog(LogLevel::kOff, LogFormat::kText);
    Reopen();
  }
  ~CatalogSnapshotTest() override { SetUpLog(LogLevel::kInfo, LogFormat::kText); }

  void Reopen() {
    shelf_ = std::make_unique<BlockShelf>(objects_, metrics_, kOptions);
    objects_.StartCounting();
    const Error error = shelf_->Load(true);
    ASSERT_TRUE(error.ok()) << error.message();
  }
  static BlockName Name(uint64_t n) { return {"shop", BlockIdOf(n)}; }
  void Write(uint64_t n, std::string auxiliary = "") {
    const auto block = MakeOpaqueBlock(Name(n), 100 * n, 100 * n + 50, std::move(auxiliary));
    const Error error = shelf_->Write(block);
    ASSERT_TRUE(error.ok()) << error.message();
  }
  void Save() { ASSERT_TRUE(shelf_->SaveCatalog(true).ok()); }
  std::set<std::string> Seen() const {
    std::set<std::string> ids;
    for (const BlockPtr& block : *shelf_->list().Get("shop")) ids.insert(block->name.id);
    return ids;
  }
  static std::set<std::string> Ids(const std::vector<uint64_t>& numbers) {
    std::set<std::string> ids;
    for (const uint64_t n : numbers) ids.insert(BlockIdOf(n));
    return ids;
  }
  std::vector<std::string> ObjectsOf(std::string_view kind) const {
    std::vector<std::string> names;
    const auto listing = objects_.List("shop/catalog");
    for (const ObjectInfo& object : listing->objects) {
      if (object.name.ends_with(kind)) names.push_back("blocks/shop/catalog/" + object.name);
    }
    return names;
  }
  int MetasRead() const { return objects_.CountOf("meta.json"); }

  static constexpr BlockShelfOptions kOptions{.parallel_reads = 3,
                                              .catalog = {.blocks_min = 3, .changes_min = 1}};
  FakeEnv env_{7};
  CountingStore objects_;
  MetricRegistry metrics_;
  std::unique_ptr<BlockShelf> shelf_;
};

TEST_F(CatalogSnapshotTest, AStartReadsOnlyWhatCameAfterTheSnapshot) {
  for (uint64_t n = 1; n <= 5; ++n) Write(n);
  Save();
  Write(6);
  Write(7);
  const TenantTotals before = shelf_->list().TotalsOf("shop");
  Reopen();
  EXPECT_EQ(MetasRead(), 2);
  EXPECT_EQ(Seen(), Ids({1, 2, 3, 4, 5, 6, 7}));
  const TenantTotals after = shelf_->list().TotalsOf("shop");
  EXPECT_EQ(after.bytes, before.bytes);
  EXPECT_EQ(after.spans, before.spans);
  EXPECT_EQ(after.oldest_ns, 100u);
  EXPECT_EQ(after.newest_ns, 750u);
  EXPECT_EQ(shelf_->list().Find(Name(3))->ReadMeta()->ToJson(),
            MakeOpaqueBlock(Name(3), 300, 350).meta.ToJson());
}

TEST_F(CatalogSnapshotTest, OneSnapshotIsKeptAndFewBlocksHaveNone) {
  Write(1);
  Write(2);
  Save();
  EXPECT_TRUE(objects_.List("shop/catalog")->objects.empty());
  for (uint64_t n = 3; n <= 9; ++n) {
    Write(n);
    Save();
  }
  EXPECT_EQ(ObjectsOf("snapshot").size(), 1u);
  Save();
  EXPECT_EQ(objects_.List("shop/catalog")->objects.size(), 1u) << "nothing has changed";
}

TEST_F(CatalogSnapshotTest, ABlockThatIsHalfDeletedIsNotVouchedFor) {
  for (uint64_t n = 1; n <= 5; ++n) Write(n);
  Save();
  ASSERT_TRUE(shelf_->Retire(Name(2), 1));
  EXPECT_EQ(shelf_->RemoveRetired(2).size(), 1u);
  // As if the end had come between the deletion of meta.json and that of the rest.
  ASSERT_TRUE(objects_.Put(ObjectOf(Name(2), "spans.parquet"), "left over").ok());
  Reopen();
  EXPECT_EQ(Seen(), Ids({1, 3, 4, 5}));
  EXPECT_EQ(objects_.List("shop")->folders.size(), 5u) << "four blocks and the catalog";
}

TEST_F(CatalogSnapshotTest, WhatWasReplacedOrHasExpiredStaysAway) {
  for (uint64_t n = 1; n <= 5; ++n) Write(n);
  Save();
  ASSERT_TRUE(shelf_->Replace(MakeOpaqueBlock(Name(9), 100, 250), {Name(1), Name(2)}, 1).ok());
  Reopen();
  EXPECT_EQ(Seen(), Ids({3, 4, 5, 9})) << "the new block says so";
  ASSERT_TRUE(shelf_->Replace(MakeOpaqueBlock(Name(8), 300, 450), {Name(3), Name(4)}, 1).ok());
  ASSERT_TRUE(shelf_->Retire(Name(5), 1));
  Save();
  Reopen();
  EXPECT_EQ(Seen(), Ids({8, 9})) << "the snapshot says so, for the new block is not read";
  EXPECT_EQ(MetasRead(), 0);
  EXPECT_EQ(objects_.List("shop")->folders.size(), 3u);
}

TEST_F(CatalogSnapshotTest, BlocksThatReplayNeedsAreLookedAt) {
  for (uint64_t n = 1; n <= 4; ++n) Write(n, "rows");
  Save();
  ASSERT_TRUE(shelf_->RemoveAuxiliary(Name(1), "wal_rows.bin").ok());
  Reopen();
  EXPECT_FALSE(shelf_->HasAuxiliary(Name(1)));
  EXPECT_TRUE(shelf_->HasAuxiliary(Name(2)));
  EXPECT_EQ(shelf_->ReadAuxiliary("wal_rows.bin")->size(), 3u);
}

TEST_F(CatalogSnapshotTest, AnyDamageCostsTimeAlone) {
  for (uint64_t n = 1; n <= 5; ++n) Write(n);
  Save();
  ASSERT_TRUE(shelf_->Retire(Name(2), 1));
  EXPECT_EQ(shelf_->RemoveRetired(2).size(), 1u);
  for (const std::string_view kind : {kSnapshotKind, kChangesKind}) {
    const std::string path = ObjectsOf(kind).at(0);
    const uint64_t bits = env_.ReadWholeFile(path)->size() * 8;
    for (uint64_t bit = 3; bit < bits; bit += 41) {
      env_.FlipBit(path, bit);
      BlockShelf shelf(objects_, metrics_, kOptions);
      ASSERT_TRUE(shelf.Load(false).ok());
      EXPECT_EQ(shelf.list().Get("shop")->size(), 4u) << path << " bit " << bit;
      env_.FlipBit(path, bit);
    }
  }
  for (const std::string& path : ObjectsOf(kSnapshotKind)) ASSERT_TRUE(env_.RemoveFile(path).ok());
  Reopen();
  EXPECT_EQ(Seen(), Ids({1, 3, 4, 5}));
  EXPECT_EQ(MetasRead(), 4);
}

const BlockShelf::Watcher kNobody{
    [](const model::TenantId&, const TenantChanges&) { return Error::Ok(); },
    [](const model::TenantId&, const std::vector<std::string>&) {}};

// A tenant may have ten thousand of them, and a reader looks every few seconds.
TEST_F(CatalogSnapshotTest, AReaderReadsTheRecordOfADeletionUntilItIsDone) {
  Write(1);
  Write(2);
  block::Deletion deletion;
  deletion.id = BlockIdOf(9);
  deletion.tenant = "shop";
  deletion.parts.push_back({.block_id = BlockIdOf(1), .rows = *block::RowSet::FromRuns({{0, 5}})});
  ASSERT_TRUE(shelf_->Commit(deletion, {}).ok());
  MetricRegistry metrics;
  BlockShelf reader(objects_, metrics, kOptions);
  ASSERT_TRUE(reader.Load(false).ok());
  const auto records_read = [&] {
    objects_.StartCounting();
    EXPECT_TRUE(reader.Refresh(kNobody).ok());
    return objects_.CountOf("record.json");
  };
  EXPECT_EQ(records_read(), 1) << "it may be done by now";
  EXPECT_EQ(reader.list().TotalsOf("shop").spans, 15u);
  ASSERT_TRUE(shelf_->Delete(Name(1)).ok());
  shelf_->SettleDeletions(5);
  EXPECT_EQ(records_read(), 1);
  EXPECT_TRUE(reader.deletions().Find("shop", deletion.id)->done());
  EXPECT_EQ(records_read(), 0) << "it changes no more";
  ASSERT_TRUE(objects_.DeleteFolder(DeletionFolder("shop", deletion.id)).ok());
  EXPECT_EQ(records_read(), 0);
  EXPECT_EQ(reader.deletions().Find("shop", deletion.id), nullptr) << "the writer has forgotten it";

  deletion.parts = {{.block_id = BlockIdOf(2), .rows = *block::RowSet::FromRuns({{0, 500}})}};
  const std::string record = DeletionObject("shop", deletion.id);
  ASSERT_TRUE(objects_.Put(record, deletion.ToJson()).ok());
  EXPECT_EQ(reader.Refresh(kNobody).code(), ErrorCode::kCorrupt) << "the block has ten rows";
  EXPECT_EQ(reader.list().TotalsOf("shop").spans, 10u);
}

// The writer could not write all of it, and a reader was quick.
TEST_F(CatalogSnapshotTest, AReaderShowsAgainWhatADeletionHidThatWasTakenBack) {
  Write(1);
  Write(2);
  const auto deletion_of = [](uint64_t id, std::vector<block::RowSet::Run> of_first,
                              std::vector<block::RowSet::Run> of_second) {
    block::Deletion deletion;
    deletion.id = BlockIdOf(id);
    deletion.tenant = "shop";
    for (auto& [block, runs] : {std::pair{1, of_first}, {2, of_second}}) {
      if (runs.empty()) continue;
      deletion.parts.push_back(
          {.block_id = BlockIdOf(block), .rows = *block::RowSet::FromRuns(runs)});
    }
    return deletion;
  };
  const block::Deletion stays = deletion_of(8, {{0, 5}}, {});
  const block::Deletion goes = deletion_of(9, {{3, 4}}, {{0, 10}});
  ASSERT_TRUE(shelf_->Commit(stays, {}).ok());
  MetricRegistry metrics;
  BlockShelf reader(objects_, metrics, kOptions);
  ASSERT_TRUE(reader.Load(false).ok());
  EXPECT_EQ(reader.list().TotalsOf("shop").spans, 15u);

  const std::string record = DeletionObject("shop", goes.id);
  ASSERT_TRUE(objects_.Put(record, goes.ToJson()).ok());
  ASSERT_TRUE(reader.Refresh(kNobody).ok());
  EXPECT_EQ(reader.list().TotalsOf("shop").spans, 3u);
  EXPECT_EQ(reader.list().Find(Name(1))->deleted->row_count(), 7u);

  ASSERT_TRUE(objects_.Delete(record).ok());
  ASSERT_TRUE(reader.Refresh(kNobody).ok());
  EXPECT_EQ(reader.list().TotalsOf("shop").spans, 15u);
  EXPECT_EQ(reader.list().Find(Name(1))->deleted->row_count(), 5u) << "the other one stays";
  EXPECT_EQ(reader.list().Find(Name(2))->deleted_spans(), 0u);
  ASSERT_TRUE(reader.Refresh(kNobody).ok());
  EXPECT_EQ(reader.list().TotalsOf("shop").spans, 15u);
}

TEST_F(CatalogSnapshotTest, TheListIsRightWhereverThePowerIsCut) {
  for (uint64_t cut = 1; cut < 160; ++cut) {
    FakeEnv env(cut);
    LocalObjectStore objects(env, "blocks");
    MetricRegistry metrics;
    std::set<std::string> surely;
    std::set<std::string> perhaps;
    {
      BlockShelf shelf(objects, metrics, kOptions);
      ASSERT_TRUE(shelf.Load(true).ok());
      env.CutPowerAfter(cut);
      for (uint64_t n = 1; n <= 8; ++n) {
        perhaps.insert(BlockIdOf(n));
        if (shelf.Write(MakeOpaqueBlock(Name(n), n, n + 1)).ok()) surely.insert(BlockIdOf(n));
        if (n % 2 == 0 && !shelf.SaveCatalog(true).ok()) continue;
        if (n % 3 != 0 || !shelf.Retire(Name(n - 1), 1)) continue;
        surely.erase(BlockIdOf(n - 1));
        shelf.RemoveRetired(2);
      }
    }
    env.PowerCycle();
    BlockShelf shelf(objects, metrics, kOptions);
    ASSERT_TRUE(shelf.Load(true).ok());
    EXPECT_TRUE(shelf.damaged().empty());
    std::set<std::string> seen;
    for (const BlockPtr& block : *shelf.list().Get("shop")) {
      seen.insert(block->name.id);
      EXPECT_TRUE(objects.Get(ObjectOf(block->name, "traces.parquet")).ok()) << cut;
      EXPECT_TRUE(objects.Get(ObjectOf(block->name, kMetaFile)).ok()) << cut;
    }
    EXPECT_TRUE(std::includes(seen.begin(), seen.end(), surely.begin(), surely.end())) << cut;
    EXPECT_TRUE(std::includes(perhaps.begin(), perhaps.end(), seen.begin(), seen.end())) << cut;
    for (const std::string& path : env.Files()) EXPECT_EQ(path.find('~'), path.npos) << path;
  }
}

}  // namespace
}  // namespace weft::store
