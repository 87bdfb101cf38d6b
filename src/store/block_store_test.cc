#include "store/block_store.h"

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "block/block_fixture.h"
#include "block/trace_summary.h"
#include "store/local_object_store.h"
#include "store/shelf_testing.h"

namespace weft::store {
namespace {

constexpr uint32_t kSpans = 3000;

class BlockStoreTest : public testing::Test {
 protected:
  BlockStoreTest() : objects_(env_, "blocks") { Reopen(); }

  void Reopen() {
    store_.reset();
    auto store = BlockStore::Open(objects_, options_, metrics_);
    ASSERT_TRUE(store.ok()) << store.error().message();
    store_ = std::move(store).value();
  }

  // Writes the spans as a block of the tenant "shop".
  void Write(const model::SpanBatch& batch, uint64_t id) {
    block::BlockMeta meta;
    meta.tenant = "shop";
    meta.id = BlockIdOf(id);
    auto encoded = block::WriteBlock(block::MakeBlockInput({&batch}), meta, {});
    ASSERT_TRUE(encoded.ok()) << encoded.error().message();
    const Error error = store_->WriteBlock(std::move(encoded).value());
    ASSERT_TRUE(error.ok()) << error.message();
  }

  static model::SpanBatch Rows(const model::SpanBatch& from, const std::vector<uint32_t>& rows) {
    model::SpanBatch batch;
    model::BatchAppender(&batch).Append(from, rows);
    return batch;
  }

  static std::multiset<uint64_t> Hashes(const model::SpanBatch& batch) {
    std::multiset<uint64_t> hashes;
    for (uint32_t i = 0; i < batch.size(); ++i) hashes.insert(model::ContentHash(batch, i));
    return hashes;
  }

  static std::vector<uint32_t> RowsOf(const model::SpanBatch& batch, model::TraceId id) {
    std::vector<uint32_t> rows;
    for (uint32_t i = 0; i < batch.size(); ++i) {
      if (batch.trace_id(i) == id) rows.push_back(i);
    }
    return rows;
  }

  uint32_t RowsInSnapshot(TimeRange range) const {
    const auto groups = store_->Snapshot("shop", range, {});
    EXPECT_TRUE(groups.ok()) << groups.error().message();
    uint32_t rows = 0;
    for (const auto& group : *groups) rows += group->row_count();
    return rows;
  }

  FakeEnv env_{3};
  LocalObjectStore objects_;
  MetricRegistry metrics_;
  BlockStoreOptions options_;
  std::unique_ptr<BlockStore> store_;
  const model::SpanBatch first_ = block::MakeShopBatch(1, kSpans);
  const model::SpanBatch second_ = block::MakeShopBatch(2, kSpans);
};

TEST_F(BlockStoreTest, EveryTraceIsFoundWhole) {
  Write(first_, 1);
  Write(second_, 2);
  Reopen();
  for (size_t i = 0; i < first_.traces.size(); i += 17) {
    const model::TraceId id = first_.traces[i];
    const auto found = store_->FindTrace("shop", id);
    ASSERT_TRUE(found.ok()) << found.error().message();
    EXPECT_EQ(Hashes(*found), Hashes(Rows(first_, RowsOf(first_, id))));
    EXPECT_EQ(store_->SummarizeTrace("shop", id)->fragments, 1u);
  }
  EXPECT_TRUE(store_->FindTrace("shop", {1, 2})->empty());
  EXPECT_TRUE(store_->FindTrace("other", first_.traces[0])->empty());
  EXPECT_EQ(store_->SummarizeTrace("shop", {1, 2})->summary.span_count, 0u);
}

// A store on another machine, which notes what is read.
class RemoteObjects final : public ObjectStore {
 public:
  using ObjectStore::Put;

  explicit RemoteObjects(ObjectStore& inner) : inner_(inner) {}

  Error Put(std::span<const NamedBytes> objects) override {
    WEFT_RETURN_IF_ERROR(inner_.Put(objects));
    if (records_fail_ && IsRecord(objects[0].name)) return {ErrorCode::kIo, "the answer was lost"};
    return Error::Ok();
  }
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& name) const override {
    WEFT_ASSIGN_OR_RETURN(auto file, inner_.Open(name));
    return std::unique_ptr<ReadableFile>(
        std::make_unique<File>(std::move(file), name.substr(name.rfind('/') + 1), &read_));
  }
  Result<std::string> Get(const std::string& name) const override { return inner_.Get(name); }
  bool IsRemote() const override { return true; }
  Result<Listing> List(const std::string& folder) const override { return inner_.List(folder); }
  Error Delete(const std::string& name) override {
    if (records_fail_ && IsRecord(name)) return {ErrorCode::kUnavailable, "not now"};
    return inner_.Delete(name);
  }
  Error DeleteFolder(const std::string& folder) override { return inner_.DeleteFolder(folder); }

  // Records of deletions are written, which nobody is told of, and can't be removed.
  void FailRecords(bool fail) { records_fail_ = fail; }
  // The names of files of which something was read since the last time.
  std::set<std::string> TakeRead() { return std::exchange(read_, {}); }

 private:
  class File final : public ReadableFile {
   public:
    File(std::unique_ptr<ReadableFile> file, std::string name, std::set<std::string>* read)
        : file_(std::move(file)), name_(std::move(name)), read_(read) {}
    Error ReadAt(uint64_t offset, size_t length, char* out) const override {
      read_->insert(name_);
      return file_->ReadAt(offset, length, out);
    }
    uint64_t size_bytes() const override { return file_->size_bytes(); }

   private:
    const std::unique_ptr<ReadableFile> file_;
    const std::string name_;
    std::set<std::string>* const read_;
  };

  static bool IsRecord(std::string_view name) { return name.ends_with("/record.json"); }

  ObjectStore& inner_;
  bool records_fail_ = false;
  mutable std::set<std::string> read_;
};

class RemoteBlockStoreTest : public BlockStoreTest {
 protected:
  RemoteBlockStoreTest() {
    Start();
    Write(first_, 1);
  }

  void Start() {
    store_.reset();
    store_ = BlockStore::Open(remote_, options_, metrics_).value();
  }
  // Of a store that has just been opened; all of its answer must be right.
  std::set<std::string> FilesReadForATrace() {
    Start();
    remote_.TakeRead();
    const model::TraceId id = first_.traces[5];
    const auto found = store_->FindTrace("shop", id);
    EXPECT_TRUE(found.ok()) << found.error().message();
    if (found.ok()) {
      EXPECT_EQ(Hashes(*found), Hashes(Rows(first_, RowsOf(first_, id))));
    }
    return remote_.TakeRead();
  }

  RemoteObjects remote_{objects_};
  const std::string bundle_ = "shop/" + BlockIdOf(1) + "/small.bundle";
};

using RemoteFiles = std::set<std::string>;

TEST_F(RemoteBlockStoreTest, ATraceTakesThreeFilesOfABlock) {
  EXPECT_EQ(FilesReadForATrace(), (RemoteFiles{"small.bundle", "spans.parquet", "traces.parquet"}));
}

TEST_F(RemoteBlockStoreTest, ADamagedBundleIsNotNeeded) {
  std::string bytes = objects_.Get(bundle_).value();
  bytes[bytes.size() / 3] ^= 1;
  ASSERT_TRUE(objects_.Put(bundle_, bytes).ok());
  const RemoteFiles read = FilesReadForATrace();
  EXPECT_TRUE(read.contains("resources.parquet"));
  EXPECT_TRUE(read.contains("events.parquet"));
}

// A restart may find its record: who sends a span again that it names must not be told for good
// that it is there.
TEST_F(RemoteBlockStoreTest, SpansOfADeletionInDoubtMayComeAgain) {
  const model::TraceId id = first_.traces[0];
  const auto ids = [&] { return store_->SpanIdsOf("shop", id)->size(); };
  const size_t before = ids();
  ASSERT_GT(before, 0u);
  const auto part_of = [&](uint64_t first, uint64_t count) {
    return block::Deletion::Part{.block_id = BlockIdOf(1),
                                 .rows = *block::RowSet::FromRuns({{first, count}})};
  };
  block::Deletion deletion;
  deletion.id = BlockIdOf(7);
  deletion.tenant = "shop";
  deletion.parts = {part_of(0, kSpans)};
  remote_.FailRecords(true);
  EXPECT_FALSE(store_->CommitDeletion(deletion, {}).ok());
  EXPECT_EQ(ids(), 0u);
  EXPECT_EQ(store_->FindTrace("shop", id)->size(), before) << "it failed: they are there";
  remote_.FailRecords(false);
  block::Deletion next = deletion;
  next.id = BlockIdOf(8);
  next.parts = {part_of(kSpans - 1, 1)};
  ASSERT_TRUE(store_->CommitDeletion(next, {}).ok()) << "the first is out of the way by then";
  EXPECT_EQ(ids(), before);
  Start();
  EXPECT_EQ(store_->FindTrace("shop", id)->size(), before);
}

TEST_F(BlockStoreTest, OnThisMachineThereIsNoBundle) {
  Write(first_, 1);
  EXPECT_FALSE(objects_.Get("shop/" + BlockIdOf(1) + "/small.bundle").ok());
}

TEST_F(BlockStoreTest, FragmentsOfATraceAreJoined) {
  const model::TraceId id = first_.traces[3];
  const std::vector<uint32_t> rows = RowsOf(first_, id);
  ASSERT_GE(rows.size(), 4u);
  // The second row is in both blocks, as after a sender's retry.
  const model::SpanBatch early = Rows(first_, {rows.begin(), rows.begin() + 2});
  const model::SpanBatch late = Rows(first_, {rows.begin() + 1, rows.end()});
  Write(early, 1);
  Write(late, 2);
  EXPECT_EQ(Hashes(*store_->FindTrace("shop", id)), Hashes(Rows(first_, rows)));
  std::set<uint64_t> ids;
  const auto found = store_->SpanIdsOf("shop", id);
  ASSERT_TRUE(found.ok()) << found.error().message();
  for (const model::SpanId span : *found) ids.insert(span.value);
  std::set<uint64_t> expected;
  for (const uint32_t row : rows) expected.insert(first_.span_id[row].value);
  EXPECT_EQ(ids, expected);
  const auto joined = store_->SummarizeTrace("shop", id);
  ASSERT_TRUE(joined.ok());
  EXPECT_EQ(joined->fragments, 2u);
  const block::TraceSummary whole = block::SummarizeSpans(Rows(first_, rows));
  EXPECT_EQ(joined->summary.span_count, whole.span_count);
  EXPECT_EQ(joined->summary.root_name, whole.root_name);
  EXPECT_EQ(joined->summary.flags, whole.flags | block::kTraceFragment);
}

TEST_F(BlockStoreTest, SnapshotGivesTheRowGroupsThatTheRangeTouches) {
  Write(first_, 1);
  const BlockFacts meta = store_->Blocks("shop")->at(0)->meta;
  EXPECT_EQ(RowsInSnapshot({}), first_.size());
  EXPECT_EQ(RowsInSnapshot({meta.last_start_ns + 1, UINT64_MAX}), 0u);
  EXPECT_EQ(RowsInSnapshot({0, meta.first_start_ns}), 0u);
  EXPECT_EQ(RowsInSnapshot({meta.last_start_ns, UINT64_MAX}), first_.size());
}

TEST_F(BlockStoreTest, ABlockOutsideTheRangeIsNotEvenOpened) {
  Write(first_, 1);
  const uint64_t last_ns = store_->Blocks("shop")->at(0)->meta.last_start_ns;
  EXPECT_EQ(RowsInSnapshot({last_ns + 1, UINT64_MAX}), 0u);
  EXPECT_EQ(metrics_.SumCounter("weft_store_blocks_opened_total"), 0u);
  EXPECT_EQ(RowsInSnapshot({}), first_.size());
  EXPECT_EQ(RowsInSnapshot({}), first_.size());
  EXPECT_EQ(metrics_.SumCounter("weft_store_blocks_opened_total"), 1u);
}

TEST_F(BlockStoreTest, WorksWithOneOpenBlockAndOneOpenFile) {
  options_.open_blocks_max = 1;
  options_.open_files_max = 1;
  options_.cache_bytes_max = 1;
  Reopen();
  uint32_t written = 0;
  for (uint64_t i = 0; i < 5; ++i) {
    const model::SpanBatch batch = block::MakeShopBatch(10 + i, 100);
    written += batch.size();
    Write(batch, i);
  }
  const auto groups = store_->Snapshot("shop", {}, {});
  ASSERT_TRUE(groups.ok());
  // All are held at once, though one may be open.
  uint32_t rows = 0;
  for (const auto& group : *groups) {
    const auto column = group->Read(block::Intrinsic::kName);
    ASSERT_TRUE(column.ok()) << column.error().message();
    rows += (*column)->row_count;
  }
  EXPECT_EQ(rows, written);
}

TEST_F(BlockStoreTest, ADamagedBlockIsSetAsideAndTheOthersAnswer) {
  Write(first_, 1);
  Write(second_, 2);
  Reopen();
  const std::string path = "blocks/shop/" + BlockIdOf(1) + "/spans.parquet";
  const uint64_t size = env_.ReadWholeFile(path)->size();
  env_.FlipBit(path, (size - 20) * 8);  // in the footer
  EXPECT_EQ(RowsInSnapshot({}), second_.size());
  ASSERT_EQ(store_->damaged().size(), 1u);
  EXPECT_EQ(store_->damaged()[0].name.id, BlockIdOf(1));
  EXPECT_NE(metrics_.RenderPrometheus().find("\nweft_store_damaged_blocks 1\n"), std::string::npos);
  EXPECT_EQ(store_->TotalsOf("shop").blocks, 1u);
  EXPECT_FALSE(store_->FindTrace("shop", second_.traces[0])->empty());
  EXPECT_TRUE(env_.Exists(path));
}

TEST_F(BlockStoreTest, AFlippedBitInAPageIsAnErrorThatNamesTheBlock) {
  Write(first_, 1);
  const std::string path = "blocks/shop/" + BlockIdOf(1) + "/spans.parquet";
  for (uint64_t at = 100; at < 3000; at += 50) env_.FlipBit(path, at * 8);
  bool failed = false;
  for (const model::TraceId id : first_.traces) {
    const auto found = store_->FindTrace("shop", id);
    if (found.ok()) continue;
    failed = true;
    EXPECT_EQ(found.error().code(), ErrorCode::kCorrupt);
    EXPECT_NE(found.error().message().find(BlockIdOf(1)), std::string::npos);
    break;
  }
  EXPECT_TRUE(failed);
}

TEST_F(BlockStoreTest, ADeletedBlockIsGoneFromAnswers) {
  Write(first_, 1);
  Write(second_, 2);
  EXPECT_EQ(RowsInSnapshot({}), first_.size() + second_.size());
  EXPECT_TRUE(store_->DeleteBlock({"shop", BlockIdOf(1)}).ok());
  EXPECT_EQ(RowsInSnapshot({}), second_.size());
  EXPECT_TRUE(store_->FindTrace("shop", first_.traces[0])->empty());
  EXPECT_TRUE(store_->damaged().empty());
}

TEST_F(BlockStoreTest, AnswersWhileBlocksComeAndGo) {
  Write(first_, 1000);
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  readers.reserve(3);
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) {
        EXPECT_GE(RowsInSnapshot({}), first_.size());
        EXPECT_FALSE(store_->FindTrace("shop", first_.traces[1])->empty());
        EXPECT_EQ(store_->SummarizeTrace("shop", first_.traces[2])->fragments, 1u);
        EXPECT_GE(store_->TotalsOf("shop").blocks, 1u);
      }
    });
  }
  const model::SpanBatch small = block::MakeShopBatch(9, 20);
  for (uint64_t i = 0; i < 60; ++i) {
    Write(small, i);
    // As the server does it: out of sight at once, off the disk when no query reads it any more.
    if (i >= 20) {
      EXPECT_TRUE(store_->RetireBlock({"shop", BlockIdOf(i - 20)}, 1));
    }
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  store_->RemoveRetired(2);
  EXPECT_EQ(store_->TotalsOf("shop").blocks, 21u);
}

TEST_F(BlockStoreTest, OddSpansComeBackAsTheyWere) {
  const model::SpanBatch odd = block::MakeOddBatch(5, 60);
  Write(odd, 1);
  for (const model::TraceId id : odd.traces) {
    const auto found = store_->FindTrace("shop", id);
    ASSERT_TRUE(found.ok()) << found.error().message();
    EXPECT_EQ(Hashes(*found), Hashes(block::WithoutDuplicates(Rows(odd, RowsOf(odd, id)))));
  }
}

TEST(FilePoolTest, KeepsFewFilesOpenAndForgetsDeletedOnes) {
  FakeEnv env(1);
  LocalObjectStore objects(env, "blocks");
  for (const char* name : {"t/a/f", "t/a/g", "t/b/f"}) ASSERT_TRUE(objects.Put(name, name).ok());
  FilePool pool(objects, 2);
  char byte = 0;
  for (const char* name : {"t/a/f", "t/a/g", "t/b/f", "t/a/f"}) {
    const auto file = pool.Get(name, 5);
    EXPECT_TRUE(file->ReadAt(2, 1, &byte).ok());
    EXPECT_EQ(byte, name[2]);
  }
  EXPECT_EQ(pool.open_count(), 2u);
  pool.Forget("t/a/");
  EXPECT_EQ(pool.open_count(), 1u);
  EXPECT_EQ(pool.Get("t/c/f", 5)->ReadAt(0, 1, &byte).code(), ErrorCode::kNotFound);
  EXPECT_EQ(pool.Get("t/b/f", 50)->ReadAt(40, 1, &byte).code(), ErrorCode::kCorrupt);
}

TEST_F(BlockStoreTest, FindingATraceOpensTheBlocksThatHoldItAlone) {
  options_.traces.blocks_min = 8;
  options_.shelf.catalog = {.blocks_min = 8, .changes_min = 1};
  Reopen();
  // A trace is in two of twenty blocks.
  std::set<model::TraceId> seen;
  std::vector<model::TraceId> ids;
  for (uint32_t i = 0; i < first_.size(); ++i) {
    if (seen.insert(first_.trace_id(i)).second) ids.push_back(first_.trace_id(i));
  }
  ASSERT_GE(ids.size(), 20u);
  for (uint32_t b = 0; b < 20; ++b) {
    std::vector<uint32_t> rows = RowsOf(first_, ids[b]);
    const std::vector<uint32_t> shared = RowsOf(first_, ids[(b + 1) % 20]);
    rows.push_back(shared.front());
    Write(Rows(first_, rows), 100 + b);
  }
  const auto opened = [&] { return metrics_.SumCounter("weft_store_blocks_opened_total"); };
  const auto find_one = [&](const char* when) {
    const uint64_t before = opened();
    for (const uint32_t n : {3u, 17u}) {
      const auto found = store_->FindTrace("shop", ids[n]);
      ASSERT_TRUE(found.ok()) << found.error().message();
      EXPECT_EQ(Hashes(*found), Hashes(Rows(first_, RowsOf(first_, ids[n])))) << when;
      EXPECT_EQ(store_->SummarizeTrace("shop", ids[n])->fragments, 2u) << when;
    }
    EXPECT_LE(opened() - before, 4u) << when;
    EXPECT_TRUE(store_->FindTrace("shop", {1, 2})->empty());
    EXPECT_LE(opened() - before, 4u) << when << ": none is opened for a trace that is nowhere";
  };
  find_one("of this life");
  ASSERT_TRUE(store_->SaveCatalog(true).ok());
  Reopen();
  find_one("after a restart");
  ASSERT_TRUE(objects_.DeleteFolder("shop/catalog").ok());
  Reopen();
  EXPECT_EQ(Hashes(*store_->FindTrace("shop", ids[3])),
            Hashes(Rows(first_, RowsOf(first_, ids[3]))))
      << "without what a former life has saved";
  ASSERT_TRUE(store_->SaveCatalog(false).ok());
  Reopen();
  find_one("made anew");
}

// Also when they have more traces than may be noted at a time.
TEST_F(BlockStoreTest, EveryBlockOfAnEarlierLifeComesToATable) {
  for (uint32_t b = 0; b < 6; ++b) Write(block::MakeShopBatch(b + 1, 600), 100 + b);
  options_.traces.noted_traces_max = store_->Blocks("shop")->front()->meta.trace_count * 5 / 2;
  options_.traces.blocks_min = 1;
  Reopen();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(store_->SaveCatalog(false).ok());
  TraceDirectory tables(objects_, {});
  ASSERT_TRUE(tables.Load("shop", objects_.List("shop/catalog")->objects).ok());
  for (uint32_t b = 0; b < 6; ++b) tables.Add({"shop", BlockIdOf(100 + b)}, std::nullopt);
  EXPECT_EQ(tables.totals().covered, 6u);
}

TEST_F(BlockStoreTest, AReaderFollowsTheWriterAndFindsWhatMovedUnderIt) {
  Write(first_, 1);
  Write(second_, 2);
  MetricRegistry metrics;
  BlockStoreOptions options;
  options.read_only = true;
  auto reader = BlockStore::Open(objects_, options, metrics);
  ASSERT_TRUE(reader.ok());
  const std::vector<std::string> before = env_.Files();
  EXPECT_EQ((*reader)->DeleteBlock({"shop", BlockIdOf(1)}).code(), ErrorCode::kUnsupported);
  EXPECT_FALSE((*reader)->RetireBlock({"shop", BlockIdOf(1)}, 1));
  EXPECT_EQ((*reader)->SaveCatalog(true).code(), ErrorCode::kUnsupported);
  EXPECT_EQ(env_.Files(), before);

  // Both become one, and are deleted at once: the reader knows nothing of it yet.
  model::SpanBatch both;
  model::BatchAppender appender(&both);
  appender.AppendAll(first_);
  appender.AppendAll(second_);
  block::BlockMeta meta;
  meta.tenant = "shop";
  meta.id = BlockIdOf(3);
  auto merged = block::WriteBlock(block::MakeBlockInput({&both}), meta, {});
  ASSERT_TRUE(merged.ok());
  const std::vector<BlockName> others{{"shop", BlockIdOf(1)}, {"shop", BlockIdOf(2)}};
  ASSERT_TRUE(store_->ReplaceBlocks(std::move(merged).value(), others, 1).ok());
  store_->RemoveRetired(2);
  const auto stale = (*reader)->Snapshot("shop", {}, {.lazy = true});
  ASSERT_EQ(stale->size(), 2u);
  EXPECT_EQ(stale->at(0)->Load().code(), ErrorCode::kNotFound) << "no empty answer in its place";
  const model::TraceId id = first_.trace_id(0);
  const auto found = (*reader)->FindTrace("shop", id);
  ASSERT_TRUE(found.ok()) << found.error().message();
  EXPECT_EQ(Hashes(*found), Hashes(Rows(both, RowsOf(both, id))));
  EXPECT_EQ((*reader)->Blocks("shop")->size(), 1u) << "it has looked again";

  // What is new comes with a refresh, and reads nothing else; what is deleted goes.
  Write(first_, 4);
  ASSERT_TRUE((*reader)->Renew().ok());
  EXPECT_EQ((*reader)->Blocks("shop")->size(), 2u);
  ASSERT_TRUE(store_->DeleteBlock({"shop", BlockIdOf(3)}).ok());
  ASSERT_TRUE(store_->DeleteBlock({"shop", BlockIdOf(4)}).ok());
  ASSERT_TRUE((*reader)->Renew().ok());
  EXPECT_TRUE((*reader)->FindTrace("shop", id)->empty());
  EXPECT_EQ((*reader)->TotalsOf("shop").blocks, 0u);
  EXPECT_TRUE((*reader)->damaged().empty());
}

// A store that fails all who list it, once `callers` have asked for a refresh.
class FailingStore : public LocalObjectStore {
 public:
  using LocalObjectStore::LocalObjectStore;
  Result<Listing> List(const std::string& folder) const override {
    if (callers == 0) return LocalObjectStore::List(folder);
    while (calling < callers) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // they wait for each other by now
    return Error(ErrorCode::kUnavailable, "503");
  }
  int callers = 0;
  std::atomic<int> calling{0};
};

TEST(BlockStoreRefreshTest, ARefreshThatFailsIsNobodysSuccess) {
  FakeEnv env(3);
  FailingStore objects(env, "blocks");
  MetricRegistry metrics;
  BlockStoreOptions options;
  options.read_only = true;
  const auto store = BlockStore::Open(objects, options, metrics);
  ASSERT_TRUE(store.ok()) << store.error().message();
  objects.callers = 6;
  std::atomic<int> failed{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < objects.callers; ++i) {
    callers.emplace_back([&] {
      ++objects.calling;
      failed += (*store)->Refresh().ok() ? 0 : 1;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(failed, objects.callers);
}

TEST_F(BlockStoreTest, ALazySnapshotOpensNoBlockBeforeItsGroupsAreLoaded) {
  Write(first_, 1);
  Write(second_, 2);
  Reopen();
  const auto opened = [&] { return metrics_.SumCounter("weft_store_blocks_opened_total"); };
  const uint64_t before = opened();
  const auto groups = store_->Snapshot("shop", {}, {.lazy = true});
  ASSERT_TRUE(groups.ok());
  ASSERT_EQ(groups->size(), 2u);
  uint32_t rows = 0;
  for (const auto& group : *groups) rows += group->row_count();
  EXPECT_EQ(rows, first_.size() + second_.size());
  EXPECT_EQ(opened(), before);
  ASSERT_TRUE(groups->at(0)->Load().ok());
  EXPECT_EQ(opened(), before + 1);
  ASSERT_TRUE(groups->at(0)->LoadTraces().ok());
  EXPECT_EQ(groups->at(0)->trace_of_row().size(), groups->at(0)->row_count());
  const auto whole = store_->Snapshot("shop", {}, {});
  ASSERT_TRUE(whole->at(0)->LoadTraces().ok());
  EXPECT_EQ(whole->at(0)->trace_count(), groups->at(0)->trace_count());
}

// A query that sees two blocks while they are merged reads none of their traces for that.
TEST_F(BlockStoreTest, AQueryKnowsItsTracesWhileBlocksAreReplaced) {
  Write(first_, 1);
  Write(second_, 2);
  std::optional<model::TraceId> only;
  for (uint32_t row = 0; row < first_.size(); ++row) {
    if (RowsOf(second_, first_.trace_id(row)).empty()) only = first_.trace_id(row);
  }
  ASSERT_TRUE(only);
  const model::TraceId id = *only;
  const auto elsewhere = [&] { return store_->MayBeElsewhere("shop", {&id, 1}, BlockIdOf(1)); };
  EXPECT_EQ(*elsewhere(), std::vector<bool>{false});
  model::SpanBatch both;
  model::BatchAppender all(&both);
  all.AppendAll(first_);
  all.AppendAll(second_);
  block::BlockMeta meta;
  meta.tenant = "shop";
  meta.id = BlockIdOf(3);
  auto merged = block::WriteBlock(block::MakeBlockInput({&both}), meta, {});
  const std::vector<BlockName> others{{"shop", BlockIdOf(1)}, {"shop", BlockIdOf(2)}};
  ASSERT_TRUE(store_->ReplaceBlocks(std::move(merged).value(), others, 1).ok());
  EXPECT_EQ(*elsewhere(), std::vector<bool>{false});
  // When its files are gone nothing is certain.
  store_->RemoveRetired(2);
  EXPECT_EQ(*elsewhere(), std::vector<bool>{true});
}

}  // namespace
}  // namespace weft::store
