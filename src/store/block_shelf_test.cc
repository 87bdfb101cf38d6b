#include "store/block_shelf.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "base/log.h"
#include "store/local_object_store.h"
#include "store/shelf_testing.h"

namespace weft::store {
namespace {

class BlockShelfTest : public testing::Test {
 protected:
  BlockShelfTest() : objects_(env_, "blocks") { Reopen(); }

  void Reopen() {
    shelf_ = std::make_unique<BlockShelf>(objects_, metrics_);
    const Error error = shelf_->Load(true);
    EXPECT_TRUE(error.ok()) << error.message();
  }
  void Write(const BlockName& name, std::string auxiliary = "") {
    const Error error = shelf_->Write(MakeOpaqueBlock(name, 100, 200, std::move(auxiliary)));
    EXPECT_TRUE(error.ok()) << error.message();
  }
  bool HasMetric(const std::string& line) const {
    return metrics_.RenderPrometheus().find("\n" + line + "\n") != std::string::npos;
  }

  FakeEnv env_{7};
  LocalObjectStore objects_;
  MetricRegistry metrics_;
  std::unique_ptr<BlockShelf> shelf_;
  const BlockName one_{"shop", BlockIdOf(1)};
  const BlockName two_{"shop", BlockIdOf(2)};
  const BlockName other_{"other", BlockIdOf(1)};
};

TEST_F(BlockShelfTest, ABlockThatWasWrittenIsThereAfterAPowerCut) {
  Write(one_, "rows");
  Write(other_);
  env_.PowerCycle();
  Reopen();
  EXPECT_EQ(shelf_->list().tenants(), (std::vector<std::string>{"other", "shop"}));
  const BlockPtr block = shelf_->list().Find(one_);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(block->meta.span_count, 10u);
  EXPECT_EQ(block->auxiliary, std::vector<std::string>{"wal_rows.bin"});
  EXPECT_EQ(*objects_.Get(ObjectOf(one_, "spans.parquet")), "the spans of " + one_.id);
}

TEST_F(BlockShelfTest, CountsWhatIsStoredPerTenant) {
  Write(one_);
  Write(two_);
  EXPECT_TRUE(HasMetric("weft_store_blocks{tenant=\"shop\"} 2"));
  EXPECT_TRUE(HasMetric("weft_store_spans{tenant=\"shop\"} 20"));
  EXPECT_EQ(metrics_.SumCounter("weft_stored_spans_total"), 20u);
  uint64_t bytes = 0;
  for (const std::string& path : env_.Files()) bytes += env_.ReadWholeFile(path)->size();
  EXPECT_TRUE(HasMetric("weft_store_bytes{tenant=\"shop\"} " + std::to_string(bytes)));
  EXPECT_TRUE(shelf_->Delete(one_).ok());
  EXPECT_TRUE(HasMetric("weft_store_spans{tenant=\"shop\"} 10"));
}

TEST_F(BlockShelfTest, AMergedBlockIsNotCountedAsStoredAgain) {
  block::EncodedBlock merged = MakeOpaqueBlock(one_, 1, 2);
  merged.meta.level = 1;
  ASSERT_TRUE(shelf_->Write(merged).ok());
  EXPECT_EQ(metrics_.SumCounter("weft_stored_spans_total"), 0u);
}

TEST_F(BlockShelfTest, ABlockIsWholeOrNotThereWhereverThePowerIsCut) {
  SetUpLog(LogLevel::kOff, LogFormat::kText);
  for (uint64_t cut = 0; cut < 40; ++cut) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      FakeEnv env(seed * 100 + cut);
      LocalObjectStore objects(env, "data/blocks");
      MetricRegistry metrics;
      env.CutPowerAfter(cut);
      Error error;
      {
        BlockShelf shelf(objects, metrics);
        EXPECT_TRUE(shelf.Load(true).ok());
        error = shelf.Write(MakeOpaqueBlock(one_, 1, 2, "rows"));
        EXPECT_EQ(shelf.list().Find(one_) != nullptr, error.ok());
      }
      env.PowerCycle();
      BlockShelf shelf(objects, metrics);
      ASSERT_TRUE(shelf.Load(true).ok());
      EXPECT_TRUE(shelf.damaged().empty()) << shelf.damaged()[0].error.message();
      if (shelf.list().Find(one_) == nullptr) {
        EXPECT_FALSE(error.ok());
        EXPECT_TRUE(objects.List("shop")->folders.empty()) << "what was unfinished is removed";
      } else {
        EXPECT_EQ(*objects.Get(ObjectOf(one_, "traces.parquet")), "the traces of " + one_.id);
        EXPECT_EQ(shelf.ReadAuxiliary("wal_rows.bin")->size(), 1u);
      }
    }
  }
  SetUpLog(LogLevel::kInfo, LogFormat::kText);
}

TEST_F(BlockShelfTest, AFullDiskLeavesNothingBehindAndTheSameBlockCanBeWrittenLater) {
  Write(two_);
  const auto before = env_.Files();
  env_.SetDiskBytes(1000);
  block::EncodedBlock large = MakeOpaqueBlock(one_, 1, 2);
  large.AddFile("large.parquet", std::string(5000, 'x'));
  EXPECT_EQ(shelf_->Write(large).code(), ErrorCode::kUnavailable);
  EXPECT_EQ(env_.Files(), before);
  env_.SetDiskBytes(UINT64_MAX);
  EXPECT_TRUE(shelf_->Write(large).ok());
}

TEST_F(BlockShelfTest, TheSameIdTwiceIsRefused) {
  Write(one_);
  EXPECT_EQ(shelf_->Write(MakeOpaqueBlock(one_, 1, 2)).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(*objects_.Get(ObjectOf(one_, "spans.parquet")), "the spans of " + one_.id);
}

TEST_F(BlockShelfTest, NoTenantAndNoFileLeavesItsFolder) {
  for (const char* tenant : {"", "..", ".", "a/b", "../shop", "a b", " shop"}) {
    const BlockName name{tenant, BlockIdOf(1)};
    EXPECT_EQ(shelf_->Write(MakeOpaqueBlock(name, 1, 2)).code(), ErrorCode::kInvalidArgument)
        << tenant;
    EXPECT_EQ(shelf_->Delete(name).code(), ErrorCode::kInvalidArgument) << tenant;
  }
  for (const char* id : {"", "..", "123", "00000000000000000000000g"}) {
    EXPECT_FALSE(shelf_->Write(MakeOpaqueBlock({"shop", id}, 1, 2)).ok()) << id;
  }
  for (const char* file : {"../x", "a/b", "meta.json", "", ".."}) {
    block::EncodedBlock block = MakeOpaqueBlock(one_, 1, 2);
    block.AddFile(file, "x");
    EXPECT_EQ(shelf_->Write(block).code(), ErrorCode::kInvalidArgument) << file;
  }
  EXPECT_TRUE(env_.Files().empty());
}

TEST_F(BlockShelfTest, DamageIsToldAndLeftWhereItIs) {
  Write(one_);
  Write(two_);
  Write(other_);
  const std::string meta = "blocks/" + ObjectOf(one_, kMetaFile);
  env_.Plant(meta, env_.ReadWholeFile(meta)->replace(20, 1, "#"));
  ASSERT_TRUE(env_.TruncateFile("blocks/" + ObjectOf(other_, "spans.parquet"), 3).ok());
  Reopen();
  EXPECT_EQ(shelf_->list().Find(one_), nullptr);
  EXPECT_NE(shelf_->list().Find(two_), nullptr);
  ASSERT_EQ(shelf_->damaged().size(), 2u);
  EXPECT_EQ(shelf_->damaged()[0].name, other_);
  EXPECT_EQ(shelf_->damaged()[0].error.message(), "spans.parquet has 3 bytes, not 37");
  EXPECT_TRUE(HasMetric("weft_store_damaged_blocks 2"));
  EXPECT_TRUE(env_.Exists(meta));
}

TEST_F(BlockShelfTest, ABlockUnderAnotherNameIsDamaged) {
  Write(one_);
  for (const std::string& path : env_.Files()) {
    env_.Plant("blocks/stolen/" + one_.id + path.substr(path.rfind('/')),
               *env_.ReadWholeFile(path));
  }
  Reopen();
  ASSERT_EQ(shelf_->damaged().size(), 1u);
  EXPECT_EQ(shelf_->damaged()[0].name.tenant, "stolen");
  EXPECT_TRUE(shelf_->list().Get("stolen")->empty());
}

TEST_F(BlockShelfTest, WhatIsNotOursIsLeftAlone) {
  env_.Plant("blocks/lost+found/x", "x");
  env_.Plant("blocks/shop/notes/readme", "x");
  env_.Plant("blocks/shop/" + BlockIdOf(9) + "/spans.parquet", "unfinished");
  Reopen();
  EXPECT_EQ(env_.Files(),
            (std::vector<std::string>{"blocks/lost+found/x", "blocks/shop/notes/readme"}));
}

TEST_F(BlockShelfTest, AReaderBesideTheWriterRemovesNothing) {
  env_.Plant("blocks/shop/" + BlockIdOf(9) + "/spans.parquet", "being written");
  BlockShelf beside(objects_, metrics_);
  ASSERT_TRUE(beside.Load(false).ok());
  EXPECT_EQ(env_.Files().size(), 1u);
}

TEST_F(BlockShelfTest, AuxiliaryFilesAreReadAndRemoved) {
  Write(one_, "first");
  Write(two_);
  Write(other_, "second");
  Reopen();
  EXPECT_EQ(shelf_->ReadAuxiliary("wal_rows.bin")->size(), 2u);
  EXPECT_TRUE(shelf_->ReadAuxiliary("spans.parquet")->empty()) << "a file of the block is not one";
  EXPECT_TRUE(shelf_->RemoveAuxiliary(one_, "wal_rows.bin").ok());
  EXPECT_TRUE(shelf_->RemoveAuxiliary(one_, "wal_rows.bin").ok());
  EXPECT_TRUE(shelf_->RemoveAuxiliary(one_, "spans.parquet").ok());
  EXPECT_TRUE(env_.Exists("blocks/" + ObjectOf(one_, "spans.parquet")));
  env_.PowerCycle();
  Reopen();
  const auto files = shelf_->ReadAuxiliary("wal_rows.bin");
  ASSERT_EQ(files->size(), 1u);
  EXPECT_EQ((*files)[0].tenant, "other");
  EXPECT_EQ((*files)[0].bytes, "second");
  EXPECT_TRUE(shelf_->damaged().empty());
}

TEST_F(BlockShelfTest, ADeletedBlockStaysDeleted) {
  Write(one_, "rows");
  Write(two_);
  EXPECT_TRUE(shelf_->Delete(one_).ok());
  EXPECT_EQ(shelf_->list().Find(one_), nullptr);
  EXPECT_TRUE(shelf_->ReadAuxiliary("wal_rows.bin")->empty());
  env_.PowerCycle();
  Reopen();
  EXPECT_EQ(shelf_->list().Find(one_), nullptr);
  EXPECT_NE(shelf_->list().Find(two_), nullptr);
  EXPECT_TRUE(shelf_->Delete(one_).ok());
}

// A store in which something happens right after a folder has been listed.
class LivelyStore : public LocalObjectStore {
 public:
  using LocalObjectStore::LocalObjectStore;
  Result<Listing> List(const std::string& folder) const override {
    auto listing = LocalObjectStore::List(folder);
    if (folder == watched && happens) std::exchange(happens, nullptr)();
    return listing;
  }
  std::string watched;
  mutable std::function<void()> happens;
};

class CatalogBesideADeletionTest : public testing::Test {
 protected:
  CatalogBesideADeletionTest() { EXPECT_TRUE(Put(MakeOpaqueBlock(one_, 1, 2)).ok()); }

  Error Put(const block::EncodedBlock& block) {
    std::vector<NamedBytes> objects;
    for (const auto& file : block.files) {
      objects.push_back({ObjectOf({block.meta.tenant, block.meta.id}, file.name), file.bytes});
    }
    WEFT_RETURN_IF_ERROR(objects_.Put(objects));
    return objects_.Put(ObjectOf({block.meta.tenant, block.meta.id}, kMetaFile),
                        block.meta.ToJson());
  }
  // Spans of the first block go, and those that stay of their traces are in the second.
  void Delete() {
    block::EncodedBlock rest = MakeOpaqueBlock({"shop", BlockIdOf(2)}, 1, 2);
    rest.meta.deletion = BlockIdOf(9);
    ASSERT_TRUE(Put(rest).ok());
    block::Deletion deletion;
    deletion.id = rest.meta.deletion;
    deletion.tenant = "shop";
    deletion.parts.push_back({.block_id = one_.id, .rows = *block::RowSet::FromRuns({{0, 5}})});
    ASSERT_TRUE(objects_.Put(DeletionObject("shop", deletion.id), deletion.ToJson()).ok());
  }

  FakeEnv env_{7};
  LivelyStore objects_{env_, "blocks"};
  const BlockName one_{"shop", BlockIdOf(1)};
};

// The rows that it hides without the block that it has written would be spans that are nowhere.
TEST_F(CatalogBesideADeletionTest, TheDeletionIsSeenWholeOrNotAtAll) {
  for (const char* folder : {"shop", "shop/deletions"}) {
    SCOPED_TRACE(folder);
    objects_.watched = folder;
    objects_.happens = [this] { Delete(); };
    const auto catalog = ReadCatalog(objects_);
    ASSERT_TRUE(catalog.ok()) << catalog.error().message();
    ASSERT_EQ(catalog->blocks.size(), 1u);
    EXPECT_EQ(catalog->blocks[0].deleted, nullptr);
    const auto after = ReadCatalog(objects_);
    ASSERT_EQ(after->blocks.size(), 2u);
    EXPECT_EQ(after->blocks[0].deleted_spans(), 5u);
    ASSERT_TRUE(objects_.DeleteFolder(DeletionFolder("shop", BlockIdOf(9))).ok());
    ASSERT_TRUE(objects_.DeleteFolder(FolderOf({"shop", BlockIdOf(2)})).ok());
  }
}

// It is not read into memory to find that out.
TEST_F(CatalogBesideADeletionTest, ARecordTooLargeToBeOneIsDamage) {
  env_.Plant("blocks/" + DeletionObject("shop", BlockIdOf(9)),
             std::string(kDeletionBytesMax + 1, ' '));
  const auto catalog = ReadCatalog(objects_);
  ASSERT_TRUE(catalog.ok()) << catalog.error().message();
  ASSERT_EQ(catalog->damaged_deletions.size(), 1u);
  EXPECT_NE(catalog->damaged_deletions[0].error.message().find("too large"), std::string::npos);
}

// A store on which some calls fail: deletes, and reads of one kind of object.
class StubbornStore : public LocalObjectStore {
 public:
  using LocalObjectStore::LocalObjectStore;
  using LocalObjectStore::Put;

  // meta.json is put, and the answer is lost.
  Error Put(std::span<const NamedBytes> objects) override {
    WEFT_RETURN_IF_ERROR(LocalObjectStore::Put(objects));
    if (!lies || !objects[0].name.ends_with(kMetaFile)) return Error::Ok();
    return Error(ErrorCode::kIo, "the connection was lost");
  }
  Result<std::string> Get(const std::string& name) const override {
    if (busy) return Error(ErrorCode::kUnavailable, "503");
    return LocalObjectStore::Get(name);
  }
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& name) const override {
    if (busy) return Error(ErrorCode::kUnavailable, "503");
    return LocalObjectStore::Open(name);
  }
  Error Delete(const std::string& name) override {
    if (keeps) return Error(ErrorCode::kUnavailable, "503");
    return LocalObjectStore::Delete(name);
  }

  bool lies = false, busy = false, keeps = false;
};

class StubbornStoreTest : public testing::Test {
 protected:
  // A process starts.
  Error Start() {
    shelf_ = std::make_unique<BlockShelf>(objects_, metrics_);
    return shelf_->Load(true);
  }
  Error Merge(uint64_t number, const std::vector<BlockName>& others) {
    block::EncodedBlock block = MakeOpaqueBlock({"shop", BlockIdOf(number)}, 1, 2);
    block.meta.level = 1;
    return shelf_->Replace(std::move(block), others, 0);
  }
  std::vector<std::string> Seen() const {
    std::vector<std::string> ids;
    const auto blocks = shelf_->list().Get("shop");
    for (const BlockPtr& block : *blocks) ids.push_back(block->name.id);
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  FakeEnv env_{7};
  StubbornStore objects_{env_, "blocks"};
  MetricRegistry metrics_;
  std::unique_ptr<BlockShelf> shelf_;
  const BlockName a_{"shop", BlockIdOf(1)}, b_{"shop", BlockIdOf(2)}, c_{"shop", BlockIdOf(3)};
};

// It was taken for a damaged one: its spans were missing until the next start, and those that the
// log still had were stored a second time.
TEST_F(StubbornStoreTest, ABlockThatCantBeReadNowIsNotADamagedOne) {
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(shelf_->Write(MakeOpaqueBlock(a_, 1, 2, "rows")).ok());
  objects_.busy = true;
  EXPECT_EQ(Start().code(), ErrorCode::kUnavailable);
  objects_.busy = false;
  EXPECT_TRUE(Start().ok());
  EXPECT_TRUE(shelf_->damaged().empty());
  EXPECT_EQ(Seen(), std::vector{a_.id});
}

// After the next start the one that "failed" would stand beside the one that was written instead,
// with the same spans; and what only the failed one replaced would be in neither.
TEST_F(StubbornStoreTest, NoMergeBeforeAFailedOneIsKnownToBeGone) {
  ASSERT_TRUE(Start().ok());
  for (const BlockName& name : {a_, b_, c_}) {
    ASSERT_TRUE(shelf_->Write(MakeOpaqueBlock(name, 1, 2)).ok());
  }
  objects_.lies = objects_.keeps = true;
  EXPECT_FALSE(Merge(4, {a_, b_}).ok());
  objects_.lies = false;
  EXPECT_EQ(Merge(5, {a_, c_}).code(), ErrorCode::kUnavailable);
  EXPECT_EQ(Seen(), (std::vector{a_.id, b_.id, c_.id}));
  objects_.keeps = false;
  EXPECT_TRUE(Merge(6, {a_, c_}).ok());
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(Seen(), (std::vector{b_.id, BlockIdOf(6)}));
}

// It came back when the block that names it was merged in turn.
TEST_F(StubbornStoreTest, WhatAStartCouldNotRemoveStaysReplaced) {
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(shelf_->Write(MakeOpaqueBlock(a_, 1, 2)).ok());
  ASSERT_TRUE(shelf_->Write(MakeOpaqueBlock(b_, 1, 2)).ok());
  ASSERT_TRUE(Merge(4, {a_, b_}).ok());
  objects_.keeps = true;
  ASSERT_TRUE(Start().ok());
  ASSERT_TRUE(shelf_->Write(MakeOpaqueBlock(c_, 1, 2)).ok());
  ASSERT_TRUE(Merge(5, {{"shop", BlockIdOf(4)}, c_}).ok());
  objects_.keeps = false;
  EXPECT_TRUE(objects_.Delete(ObjectOf({"shop", BlockIdOf(4)}, kMetaFile)).ok());
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(Seen(), std::vector{BlockIdOf(5)});
}

TEST_F(StubbornStoreTest, ABlockIsWrittenAgainToAnEmptyPlace) {
  ASSERT_TRUE(Start().ok());
  objects_.lies = objects_.keeps = true;
  EXPECT_FALSE(shelf_->Write(MakeOpaqueBlock(a_, 1, 2, "rows")).ok());
  objects_.lies = objects_.keeps = false;
  EXPECT_TRUE(shelf_->Write(MakeOpaqueBlock(a_, 1, 2)).ok());
  EXPECT_EQ(objects_.List(FolderOf(a_))->objects.size(), 3u) << "no rows of the first time";
}

TEST(BlockListTest, IsNewestFirstAndAQueryKeepsTheListItBeganWith) {
  BlockList list;
  const auto add = [&](uint64_t n, uint64_t last) {
    list.Add(MakeCatalogBlock(MakeOpaqueBlock({"t", BlockIdOf(n)}, 1, last).meta));
  };
  add(1, 50);
  const auto before = list.Get("t");
  add(2, 70);
  add(3, 60);
  EXPECT_EQ(before->size(), 1u);
  std::vector<uint64_t> order;
  for (const BlockPtr& block : *list.Get("t")) order.push_back(block->meta.last_start_ns);
  EXPECT_EQ(order, (std::vector<uint64_t>{70, 60, 50}));
  EXPECT_TRUE(list.Get("unknown")->empty());
  EXPECT_EQ(list.Remove({"t", BlockIdOf(2)})->meta.last_start_ns, 70u);
  EXPECT_EQ(list.Remove({"t", BlockIdOf(2)}), nullptr);
  EXPECT_EQ(list.TotalsOf("t").spans, 20u);
  EXPECT_EQ(list.TotalsOf("t").newest_ns, 60u);
}

}  // namespace
}  // namespace weft::store
