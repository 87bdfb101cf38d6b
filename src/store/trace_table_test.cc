#include "store/trace_table.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "base/log.h"
#include "store/local_object_store.h"
#include "store/shared_traces.h"
#include "store/shelf_testing.h"
#include "store/trace_directory.h"

namespace weft::store {
namespace {

class StringFile : public ReadableFile {
 public:
  StringFile(std::string bytes, int* reads) : bytes_(std::move(bytes)), reads_(reads) {}
  Error ReadAt(uint64_t offset, size_t length, char* out) const override {
    ++*reads_;
    if (offset > bytes_.size() || length > bytes_.size() - offset) {
      return Error(ErrorCode::kCorrupt, "too short");
    }
    bytes_.copy(out, length, offset);
    return Error::Ok();
  }
  uint64_t size_bytes() const override { return bytes_.size(); }

 private:
  const std::string bytes_;
  int* const reads_;
};

model::TraceId TraceOf(uint64_t n) { return {n * 0x9e3779b97f4a7c15ULL, n}; }

// `blocks` blocks of `traces` traces each.
std::string MakeTable(uint32_t blocks, uint32_t traces) {
  std::vector<RawBlockId> ids;
  std::vector<std::pair<uint64_t, uint32_t>> entries;
  for (uint32_t b = 0; b < blocks; ++b) {
    ids.push_back(RawIdOf(BlockIdOf(b)));
    for (uint32_t t = 0; t < traces; ++t)
      entries.emplace_back(TraceHash(TraceOf(b * traces + t)), b);
  }
  return EncodeTraceTable(ids, std::move(entries));
}

// Far more traces than are looked at in one go, in lists, in tables, and in both: some blocks stand
// in two places, some blocks of a table don't count.
TEST(SharedTraces, OfManyListsAreThoseThatTwoBlocksHave) {
  std::mt19937_64 random(7);
  constexpr uint32_t kBlocks = 12;
  constexpr uint32_t kTracesEach = 40'000;
  std::map<uint64_t, std::set<uint32_t>> owners;
  std::vector<std::vector<uint64_t>> traces(kBlocks);
  for (uint32_t b = 0; b < kBlocks; ++b) {
    std::set<uint64_t> hashes;
    // From few enough numbers that many are drawn twice, over all of the hashes.
    while (hashes.size() < kTracesEach) hashes.insert(TraceHash(TraceOf(random() % 2'000'000)));
    traces[b].assign(hashes.begin(), hashes.end());
  }
  const auto open_table = [&](const std::vector<uint32_t>& blocks) {
    std::vector<RawBlockId> ids;
    std::vector<std::pair<uint64_t, uint32_t>> entries;
    for (uint32_t i = 0; i < blocks.size(); ++i) {
      ids.push_back(RawIdOf(BlockIdOf(blocks[i])));
      for (const uint64_t hash : traces[blocks[i]]) entries.emplace_back(hash, i);
    }
    static int reads;
    std::string bytes = EncodeTraceTable(ids, std::move(entries));
    auto table = TraceTable::Open(std::make_unique<StringFile>(std::move(bytes), &reads));
    EXPECT_TRUE(table.ok());
    return *table;
  };
  TraceLists lists;
  const auto count = [&](uint32_t block) {
    for (const uint64_t hash : traces[block]) owners[hash].insert(block);
  };
  for (const uint32_t b : {3u, 0u, 2u, 1u}) {
    count(b);
    lists.blocks.push_back({b, std::make_shared<const std::vector<uint64_t>>(traces[b])});
  }
  for (const uint32_t b : {4u, 5u, 6u, 7u, 9u}) count(b);
  lists.tables.push_back({open_table({3, 4, 5, 6}), {3, 4, 5, 6}});
  lists.tables.push_back({open_table({4, 7, 8, 9}), {4, 7, std::nullopt, 9}});
  ASSERT_GT(lists.entry_count(), 2u << 17) << "otherwise all would be looked at in one go";

  const auto found = FindSharedTraces(lists);
  ASSERT_TRUE(found.ok()) << found.error().message();
  std::set<uint64_t> expected;
  for (const auto& [hash, blocks] : owners) {
    if (blocks.size() > 1) expected.insert(hash);
  }
  EXPECT_GT(expected.size(), 10'000u);
  EXPECT_EQ(std::set<uint64_t>(found->begin(), found->end()), expected);
}

TEST(TraceTableTest, FindsABlockOfManyWithOneRead) {
  int reads = 0;
  const auto table = TraceTable::Open(std::make_unique<StringFile>(MakeTable(1000, 100), &reads));
  ASSERT_TRUE(table.ok()) << table.error().message();
  EXPECT_LT((*table)->memory_bytes(), 20'000u) << "12 bytes a block, 16 a bucket";
  for (const uint32_t n : {0u, 1u, 4711u, 99'999u}) {
    reads = 0;
    std::vector<RawBlockId> found;
    ASSERT_TRUE((*table)->Find(TraceHash(TraceOf(n)), &found).ok());
    EXPECT_LE(reads, 1);
    ASSERT_EQ(found.size(), 1u) << n;
    EXPECT_EQ(BlockIdOf(found[0]), BlockIdOf(n / 100));
  }
  std::vector<RawBlockId> found;
  for (uint32_t n = 100'000; n < 101'000; ++n) {
    ASSERT_TRUE((*table)->Find(TraceHash(TraceOf(n)), &found).ok());
  }
  EXPECT_LE(found.size(), 1u) << "of a thousand that are not there";
}

TEST(TraceTableTest, BlocksOutOfOrderAreDamage) {
  for (const std::vector<RawBlockId>& ids :
       {std::vector<RawBlockId>{RawIdOf(BlockIdOf(2)), RawIdOf(BlockIdOf(1))},
        std::vector<RawBlockId>{RawIdOf(BlockIdOf(1)), RawIdOf(BlockIdOf(1))}}) {
    int reads = 0;
    const std::string bytes = EncodeTraceTable(ids, {{TraceHash(TraceOf(1)), 0}});
    const auto table = TraceTable::Open(std::make_unique<StringFile>(bytes, &reads));
    EXPECT_EQ(table.error().code(), ErrorCode::kCorrupt);
  }
}

TEST(TraceTableTest, NoFlippedBitGivesAnotherAnswer) {
  const std::string bytes = MakeTable(3, 5);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    int reads = 0;
    const auto table = TraceTable::Open(std::make_unique<StringFile>(damaged, &reads));
    if (!table.ok()) continue;
    std::vector<RawBlockId> found;
    EXPECT_FALSE((*table)->Find(TraceHash(TraceOf(7)), &found).ok()) << bit;
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    int reads = 0;
    EXPECT_FALSE(
        TraceTable::Open(std::make_unique<StringFile>(bytes.substr(0, size), &reads)).ok());
  }
}

class CountingStore : public LocalObjectStore {
 public:
  using LocalObjectStore::LocalObjectStore;
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& name) const override {
    ++opened_;
    return LocalObjectStore::Open(name);
  }
  int opened() const { return opened_; }

 private:
  mutable int opened_ = 0;
};

class TraceDirectoryTest : public testing::Test {
 protected:
  TraceDirectoryTest() : objects_(env_, "blocks") {
    SetUpLog(LogLevel::kOff, LogFormat::kText);
    Reopen();
  }
  ~TraceDirectoryTest() override { SetUpLog(LogLevel::kInfo, LogFormat::kText); }

  void Reopen() {
    directory_ = std::make_unique<TraceDirectory>(objects_, kOptions);
    ASSERT_TRUE(directory_->Load("shop", objects_.List("shop/catalog")->objects).ok());
    for (const uint64_t n : there_) directory_->Add(Name(n), std::nullopt);
  }
  static BlockName Name(uint64_t n) { return {"shop", BlockIdOf(n)}; }
  // Block n holds the traces n * 10 ... n * 10 + 9.
  static TraceDirectory::Hashes HashesOfBlock(uint64_t n) {
    std::vector<model::TraceId> ids;
    for (uint64_t t = 0; t < 10; ++t) ids.push_back(TraceOf(n * 10 + t));
    return HashesOf(ids);
  }
  void Add(uint64_t n) {
    there_.insert(n);
    directory_->Add(Name(n), HashesOfBlock(n));
  }
  void Remove(uint64_t n) {
    there_.erase(n);
    directory_->Remove(Name(n));
  }
  void Save(bool all = false) {
    const Error error = directory_->Save("shop", all, [this] { return ++number_; });
    ASSERT_TRUE(error.ok()) << error.message();
  }
  std::set<std::string> Find(uint64_t trace) const {
    const auto ids = directory_->Find("shop", TraceOf(trace));
    EXPECT_TRUE(ids.ok()) << ids.error().message();
    return {ids->begin(), ids->end()};
  }
  // Every trace of every block is found, and no other block with it.
  void CheckAll() const {
    for (const uint64_t n : there_) {
      for (uint64_t t = 0; t < 10; ++t) {
        std::set<std::string> found;
        for (const std::string& id : Find(n * 10 + t)) {
          if (there_.contains(std::stoull(id))) found.insert(id);
        }
        EXPECT_EQ(found, std::set<std::string>{BlockIdOf(n)}) << n;
      }
    }
  }
  // Which of the traces may be in another block than `n`.
  std::vector<bool> InOthers(const std::vector<uint64_t>& traces, uint64_t n) const {
    std::vector<uint64_t> hashes;
    for (const uint64_t trace : traces) hashes.push_back(TraceHash(TraceOf(trace)));
    const auto others = directory_->MayBeInOthers("shop", hashes, RawIdOf(BlockIdOf(n)));
    EXPECT_TRUE(others.ok()) << others.error().message();
    return *others;
  }
  size_t TableCount() const { return objects_.List("shop/catalog")->objects.size(); }

  static constexpr TraceDirectoryOptions kOptions{.blocks_min = 4};
  FakeEnv env_{5};
  LocalObjectStore objects_;
  std::unique_ptr<TraceDirectory> directory_;
  std::set<uint64_t> there_;
  uint64_t number_ = 0;
};

TEST_F(TraceDirectoryTest, BlocksComeGoAndComeBackAfterARestart) {
  for (uint64_t n = 0; n < 200; ++n) {
    Add(n);
    if (n % 7 == 3) Remove(n - 2);
    Save();
    if (n % 50 == 20) CheckAll();
  }
  CheckAll();
  EXPECT_LT(TableCount(), 12u) << "they are merged";
  Save(true);
  Reopen();
  EXPECT_EQ(directory_->totals().unknown, 0u);
  CheckAll();
  for (uint64_t n = 0; n < 190; ++n) {
    if (there_.contains(n)) Remove(n);
    Save();
  }
  CheckAll();
  EXPECT_LE(TableCount(), 3u) << "what is of blocks that are gone goes too";
}

// Whether blocks are in tables or noted, some of them gone, a few asked or many.
TEST_F(TraceDirectoryTest, TellsWhatIsInOtherBlocksAtOnce) {
  for (uint64_t n = 0; n < 40; ++n) {
    Add(n);
    if (n == 30) Save();
  }
  // A block that was written after block 7 was merged into it, and one with fragments of block 9.
  directory_->Add(Name(100), HashesOfBlock(7));
  directory_->Add(Name(101), HashesOfBlock(9));
  Remove(7);
  std::vector<uint64_t> all;
  for (uint64_t trace = 0; trace < 10; ++trace) all.insert(all.end(), 3, 90 + trace);
  EXPECT_EQ(InOthers(all, 9), std::vector<bool>(30, true)) << "101 has them, too";
  EXPECT_EQ(InOthers({90}, 9), std::vector<bool>({true}));
  // What is nowhere but in the block itself, noted or in a table or in the place of another.
  EXPECT_EQ(InOthers({350, 351, 352}, 35), std::vector<bool>({false, false, false}));
  EXPECT_EQ(InOthers({50, 51, 360}, 5), std::vector<bool>({false, false, true}));
  EXPECT_EQ(InOthers({70, 71, 60}, 100), std::vector<bool>({false, false, true}));
  std::vector<uint64_t> twice(20, 70);
  EXPECT_EQ(InOthers(twice, 100), std::vector<bool>(20, false));
  EXPECT_EQ(InOthers({60, 70}, 5), std::vector<bool>({true, true}));
  EXPECT_TRUE(InOthers({}, 5).empty());
  // Nothing is certain beside a block that is not known.
  directory_->Add(Name(200), std::nullopt);
  EXPECT_EQ(InOthers({50}, 5), std::vector<bool>({true}));
}

// Whatever comes, goes, is replaced or saved: asked about many traces and about few, the same.
TEST_F(TraceDirectoryTest, ManyAreToldAsFewAre) {
  std::mt19937 random(11);
  std::map<uint64_t, std::set<uint64_t>> traces;  // of blocks that are there
  std::vector<BlockName> pending;                 // to be replaced
  uint64_t replacement = 0;
  const auto add = [&](uint64_t n, const std::set<uint64_t>& of_block) {
    std::vector<model::TraceId> ids;
    for (const uint64_t trace : of_block) ids.push_back(TraceOf(trace));
    directory_->Add(Name(n), HashesOf(ids));
  };
  const auto check = [&](uint64_t n, const std::set<uint64_t>& of_block) {
    const std::vector<uint64_t> asked(of_block.begin(), of_block.end());
    std::vector<uint64_t> repeated;
    for (int i = 0; i < 50; ++i) repeated.insert(repeated.end(), asked.begin(), asked.end());
    const std::vector<bool> many = InOthers(repeated, n);
    for (size_t i = 0; i < repeated.size(); ++i) {
      ASSERT_EQ(many[i], InOthers({repeated[i]}, n)[0]) << "block " << n;
    }
  };
  for (uint64_t n = 1; n < 80; ++n) {
    std::set<uint64_t> of_block;
    if (n % 10 == 5) of_block.insert(*traces[n - 1].begin());
    while (of_block.size() < 10) of_block.insert(random() % 1000);
    add(n, of_block);
    traces[n] = of_block;
    check(n, of_block);
    if (n % 9 == 0) Save();
    if (n % 10 == 5) {
      replacement = 1000 + n;
      std::set<uint64_t> merged;
      for (const uint64_t old : {n, n - 1}) {
        pending.push_back(Name(old));
        merged.insert(traces[old].begin(), traces[old].end());
      }
      add(replacement, merged);
      directory_->WillReplace(Name(replacement), pending);
      traces[replacement] = merged;
    }
    if (n % 10 == 8) {
      directory_->Replace(Name(replacement), pending);
      pending.clear();
      check(n - 3, traces[n - 3]);
      for (const uint64_t old : {n - 3, n - 4}) {
        directory_->ForgetReplaced(Name(old));
        traces.erase(old);
      }
    }
    for (const auto& [block, in_block] : traces) {
      if (random() % 8 == 0 || block >= n) check(block, in_block);
    }
  }
}

// Who still reads a block that was replaced is told of the blocks of its time, whether these were
// in tables or noted.
TEST_F(TraceDirectoryTest, ABlockThatWasReplacedStaysTellable) {
  for (const bool in_tables : {false, true}) {
    const uint64_t base = in_tables ? 50 : 0;
    for (uint64_t n = base; n < base + 6; ++n) Add(n);
    if (in_tables) Save(true);
    // Blocks 1 and 2 of which 2 has a part of trace 10, too.
    TraceDirectory::Hashes second = HashesOfBlock(base + 2);
    second.push_back(TraceHash(TraceOf(base * 10 + 10)));
    std::sort(second.begin(), second.end());
    if (!in_tables) directory_->Add(Name(base + 2), second);
    const uint64_t shared =
        in_tables ? base * 10 + 20 : base * 10 + 10;  // of block 2 alone, or both
    const std::vector<uint64_t> asked{base * 10 + 10, base * 10 + 11, base * 10 + 30, shared};
    const std::vector<bool> expected{!in_tables, false, true, true};
    EXPECT_EQ(InOthers(asked, base + 1), expected);

    TraceDirectory::Hashes merged = second;
    for (const uint64_t hash : HashesOfBlock(base + 1)) merged.push_back(hash);
    std::sort(merged.begin(), merged.end());
    merged.erase(std::unique(merged.begin(), merged.end()), merged.end());
    const std::vector<BlockName> others{Name(base + 1), Name(base + 2)};
    directory_->Add(Name(base + 20), merged);
    directory_->WillReplace(Name(base + 20), others);
    EXPECT_EQ(InOthers(asked, base + 1), expected) << "while the new one is being written";
    EXPECT_FALSE(directory_->IsReplaced(Name(base + 1)));
    directory_->Replace(Name(base + 20), others);
    EXPECT_TRUE(directory_->IsReplaced(Name(base + 1)));
    EXPECT_EQ(InOthers(asked, base + 1), expected) << "and once it is there";
    EXPECT_EQ(InOthers({asked[0], asked[1], asked[2]}, base + 20),
              std::vector<bool>({false, false, true}));

    // Replaced in turn, with another one.
    for (const uint64_t hash : HashesOfBlock(base + 3)) merged.push_back(hash);
    std::sort(merged.begin(), merged.end());
    const std::vector<BlockName> again{Name(base + 20), Name(base + 3)};
    directory_->Add(Name(base + 21), merged);
    directory_->WillReplace(Name(base + 21), again);
    directory_->Replace(Name(base + 21), again);
    EXPECT_EQ(InOthers(asked, base + 1), expected);
    directory_->ForgetReplaced(Name(base + 1));
    EXPECT_FALSE(directory_->IsReplaced(Name(base + 1)));
    for (const uint64_t gone : {1, 2, 3}) there_.erase(base + gone);
  }
}

TEST_F(TraceDirectoryTest, AReplacementThatFailsChangesNothing) {
  for (const uint64_t n : {1, 2}) Add(n);
  TraceDirectory::Hashes merged = HashesOfBlock(1);
  for (const uint64_t hash : HashesOfBlock(2)) merged.push_back(hash);
  std::sort(merged.begin(), merged.end());
  directory_->Add(Name(9), merged);
  directory_->WillReplace(Name(9), {Name(1), Name(2)});
  directory_->Remove(Name(9));
  EXPECT_EQ(InOthers({10, 20}, 1), std::vector<bool>({false, true}));
  EXPECT_FALSE(directory_->IsReplaced(Name(1)));
  // Another block that comes to hold the traces is another one.
  directory_->Add(Name(9), merged);
  EXPECT_EQ(InOthers({10, 20}, 1), std::vector<bool>({true, true}));
}

TEST_F(TraceDirectoryTest, ADamagedTableMakesItsBlocksUnknownAndIsMadeAnew) {
  for (uint64_t n = 0; n < 4; ++n) Add(n);
  Save();
  ASSERT_EQ(TableCount(), 1u);
  const std::string path = "blocks/shop/catalog/" + objects_.List("shop/catalog")->objects[0].name;
  env_.FlipBit(path, 8 * 50);
  Reopen();
  EXPECT_EQ(directory_->totals().unknown, 4u);
  EXPECT_EQ(Find(5).size(), 4u) << "any of them may hold it";
  for (uint64_t n = 0; n < 4; ++n) directory_->Note(Name(n), HashesOfBlock(n));
  Save();
  CheckAll();
  EXPECT_EQ(directory_->totals().covered, 4u);
  EXPECT_EQ(TableCount(), 1u);
}

// A reader lists the folder every few seconds and can't delete what is damaged in it.
TEST_F(TraceDirectoryTest, AReaderTriesADamagedTableOnce) {
  for (uint64_t n = 0; n < 4; ++n) Add(n);
  Save();
  const std::vector<ObjectInfo> objects = objects_.List("shop/catalog")->objects;
  ASSERT_EQ(objects.size(), 1u);
  env_.FlipBit("blocks/shop/catalog/" + objects[0].name, 8 * 50);
  CountingStore counting(env_, "blocks");
  TraceDirectory reader(counting, {.read_only = true});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(reader.Load("shop", objects).ok());
  EXPECT_EQ(counting.opened(), 1);
  // One that is whole again is another object.
  ASSERT_TRUE(reader.Load("shop", {}).ok());
  env_.FlipBit("blocks/shop/catalog/" + objects[0].name, 8 * 50);
  ASSERT_TRUE(reader.Load("shop", objects).ok());
  EXPECT_EQ(reader.totals().tables, 1u);
}

TEST_F(TraceDirectoryTest, MemoryOfNotedTracesIsBounded) {
  directory_ = std::make_unique<TraceDirectory>(
      objects_, TraceDirectoryOptions{.blocks_min = 1000, .noted_traces_max = 35});
  for (uint64_t n = 0; n < 10; ++n) Add(n);
  EXPECT_EQ(directory_->totals().noted, 3u);
  EXPECT_EQ(directory_->totals().unknown, 7u);
  EXPECT_EQ(Find(95).size(), 7u) << "those that are not known, block 9 among them";
  EXPECT_TRUE(directory_->HasRoomFor(5));
  EXPECT_FALSE(directory_->HasRoomFor(6));
}

}  // namespace
}  // namespace weft::store
