#include <atomic>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "wal/wal.h"
#include "wal/wal_testing.h"

namespace weft::wal {
namespace {

class WalTest : public testing::Test {
 protected:
  WalTest() {
    options_.folder = "data/wal";
    options_.own_thread = false;
    options_.disk_reserve_bytes = 0;
    env_.Plant("data/lock", "");
  }

  void Open() {
    wal_.reset();
    handler_ = {};
    auto wal = Wal::Open(env_, options_, metrics_, handler_);
    ASSERT_TRUE(wal.ok()) << wal.error().message();
    wal_ = std::move(wal).value();
  }

  // Appends and commits; what `done` said.
  std::pair<Error, RecordPosition> Write(const std::string& payload) {
    std::pair<Error, RecordPosition> said{Error(ErrorCode::kInternal, "not called"), {}};
    wal_->Append("t", payload, [&](const Error& e, RecordPosition p) { said = {e, p}; });
    while (wal_->CommitQueued()) {
    }
    return said;
  }

  RecordPosition MustWrite(const std::string& payload) {
    const auto [error, position] = Write(payload);
    EXPECT_TRUE(error.ok()) << error.message();
    return position;
  }

  std::set<uint64_t> Segments() const {
    std::set<uint64_t> numbers;
    for (const SegmentInfo& info : wal_->segments()) numbers.insert(info.number);
    return numbers;
  }

  FakeEnv env_{1};
  MetricRegistry metrics_;
  Options options_;
  RememberingHandler handler_;
  std::unique_ptr<Wal> wal_;
};

TEST_F(WalTest, ReplayGivesThePositionsThatDoneGave) {
  Open();
  const RecordPosition first = MustWrite("one");
  const RecordPosition second = MustWrite("two");
  wal_->Rotate();
  const RecordPosition third = MustWrite("three");
  EXPECT_EQ(second, (RecordPosition{first.segment, 1}));
  EXPECT_GT(third.segment, second.segment);
  Open();
  EXPECT_EQ(handler_.order, (std::vector{first, second, third}));
  EXPECT_EQ(handler_.records[second], (std::pair<std::string, std::string>{"t", "two"}));
  EXPECT_TRUE(handler_.damages.empty());
  EXPECT_EQ(handler_.progress.back().first, handler_.progress.back().second);
}

TEST_F(WalTest, OneSyncServesAGroup) {
  Open();
  const uint64_t before = env_.sync_count();
  std::vector<uint32_t> order;
  for (int i = 0; i < 100; ++i) {
    wal_->Append("t", "x", [&](const Error& e, RecordPosition p) {
      EXPECT_TRUE(e.ok());
      order.push_back(p.record);
    });
  }
  EXPECT_TRUE(wal_->CommitQueued());
  EXPECT_FALSE(wal_->CommitQueued());
  EXPECT_EQ(env_.sync_count(), before + 1);
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(WalTest, DoneIsCalledOnlyAfterTheSync) {
  Open();
  bool synced = false;
  const uint64_t before = env_.sync_count();
  wal_->Append("t", "x",
               [&](const Error&, RecordPosition) { synced = env_.sync_count() > before; });
  wal_->CommitQueued();
  EXPECT_TRUE(synced);
}

TEST_F(WalTest, ANewSegmentBeginsWhenTheOldOneIsFull) {
  options_.segment_bytes = 1000;
  Open();
  for (int i = 0; i < 10; ++i) MustWrite(std::string(300, 'x'));
  const RecordPosition huge = MustWrite(std::string(5000, 'x'));
  EXPECT_EQ(huge.record, 0u) << "a record larger than a segment has one of its own";
  EXPECT_EQ(wal_->segments().size(), 6u);
  for (const SegmentInfo& info : wal_->segments()) {
    EXPECT_TRUE(info.bytes <= 1000 || info.records == 1) << info.bytes;
  }
  Open();
  EXPECT_EQ(handler_.records.size(), 11u);
}

TEST_F(WalTest, AReleasedSegmentIsGoneInAnyOrder) {
  Open();
  const uint64_t a = MustWrite("a").segment;
  wal_->Rotate();
  const uint64_t b = MustWrite("b").segment;
  const uint64_t c = wal_->Rotate();
  EXPECT_EQ(wal_->ReleaseSegment(c).code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(wal_->ReleaseSegment(b).ok());
  EXPECT_TRUE(wal_->ReleaseSegment(b).ok()) << "again is fine";
  EXPECT_EQ(Segments(), (std::set{a, c}));
  env_.PowerCycle();
  Open();
  ASSERT_EQ(handler_.records.size(), 1u);
  EXPECT_EQ(handler_.records.begin()->second.second, "a");
}

TEST_F(WalTest, RotatingAnEmptySegmentDoesNothing) {
  Open();
  const uint64_t current = wal_->current_segment();
  EXPECT_EQ(wal_->Rotate(), current);
  MustWrite("x");
  EXPECT_GT(wal_->Rotate(), current);
}

TEST_F(WalTest, NumbersAreNeverUsedAgainEvenWhenTheClockGoesBack) {
  uint64_t last = 0;
  for (int life = 0; life < 5; ++life) {
    Open();
    const uint64_t number = MustWrite("x").segment;
    EXPECT_GT(number, last);
    last = number;
    wal_->Rotate();
    EXPECT_TRUE(wal_->ReleaseSegment(number).ok());
    wal_.reset();
    env_.SetNowNs(0);
  }
  EXPECT_EQ(env_.Files().size(), 2u) << "the lock and one segment";
}

TEST_F(WalTest, WhatAFailedSyncCoveredIsNotAcknowledgedAndTheNextSegmentIs) {
  Open();
  const RecordPosition good = MustWrite("good");
  env_.FailSyncs(1);
  EXPECT_EQ(Write("lost").first.code(), ErrorCode::kIo);
  const RecordPosition after = MustWrite("after");
  EXPECT_GT(after.segment, good.segment);
  Open();
  EXPECT_EQ(handler_.order, (std::vector{good, after}));
  EXPECT_TRUE(handler_.damages.empty());
  EXPECT_EQ(metrics_.SumCounter("weft_wal_sync_failures_total"), 1u);
}

TEST_F(WalTest, AFullDiskRefusesAndTakesAgain) {
  Open();
  const RecordPosition before = MustWrite("before");
  env_.SetDiskBytes(1000);
  for (int i = 0; i < 20; ++i) {
    const Error error = Write(std::string(2000, 'x')).first;
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_GT(error.retry_after_ms(), 0u);
  }
  EXPECT_NE(metrics_.RenderPrometheus().find("\nweft_wal_disk_full 1\n"), std::string::npos);
  EXPECT_LE(env_.Files().size(), 4u) << "failed segments do not pile up";
  env_.SetDiskBytes(1 << 20);
  const RecordPosition after = MustWrite("after");
  EXPECT_NE(metrics_.RenderPrometheus().find("\nweft_wal_disk_full 0\n"), std::string::npos);
  Open();
  EXPECT_EQ(handler_.order, (std::vector{before, after}));
}

TEST_F(WalTest, TheReserveIsKeptFreeAndReleasingWorksOnAFullDisk) {
  options_.disk_reserve_bytes = 5000;
  env_.SetDiskBytes(10000);
  Open();
  std::vector<uint64_t> numbers;
  Error error;
  while (error.ok()) {
    const auto said = Write(std::string(500, 'x'));
    error = said.first;
    if (error.ok()) numbers.push_back(said.second.segment);
  }
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_NEAR(static_cast<double>(*env_.FreeDiskBytes("data")), 5000, 600);
  // The last segment can be given back although there is no room for its successor.
  env_.SetDiskBytes(0);
  wal_->Rotate();
  EXPECT_TRUE(wal_->ReleaseSegment(numbers.back()).ok());
  EXPECT_TRUE(wal_->segments().empty());
  env_.SetDiskBytes(20000);
  EXPECT_GT(MustWrite("after").segment, numbers.back());
  EXPECT_EQ(env_.Files().size(), 2u) << "the lock and one segment";
}

TEST_F(WalTest, OpensOnAFullDiskForReading) {
  Open();
  MustWrite("x");
  wal_.reset();
  env_.SetDiskBytes(0);
  Open();
  EXPECT_EQ(handler_.records.size(), 1u);
  EXPECT_EQ(Write("y").first.code(), ErrorCode::kUnavailable);
}

TEST_F(WalTest, DamageIsToldAndCountedAndWhatFollowsIsReplayed) {
  Open();
  MustWrite(std::string(100, 'a'));
  MustWrite(std::string(100, 'b'));
  wal_.reset();
  for (const std::string& path : env_.Files()) {
    if (path.ends_with(".wal")) env_.FlipBit(path, (kSegmentHeaderBytes + 50) * 8);
  }
  Open();
  ASSERT_EQ(handler_.records.size(), 1u);
  EXPECT_EQ(handler_.records.begin()->first.record, 1u);
  ASSERT_EQ(handler_.damages.size(), 1u);
  EXPECT_EQ(metrics_.SumCounter("weft_wal_damaged_records_total"), 1u);
}

TEST_F(WalTest, ATornTailIsCut) {
  Open();
  const RecordPosition position = MustWrite("whole");
  wal_.reset();
  std::string path;
  for (const std::string& file : env_.Files()) {
    if (file.ends_with(".wal")) path = file;
  }
  const std::string bytes = *env_.ReadWholeFile(path);
  const size_t end = bytes.size() - kRecordHeaderBytes;  // without the end record
  env_.Plant(path, bytes.substr(0, end) + std::string(777, '\0'));
  Open();
  EXPECT_EQ(handler_.order, std::vector{position});
  EXPECT_TRUE(handler_.damages.empty());
  EXPECT_EQ(env_.ReadWholeFile(path)->size(), end);
  EXPECT_EQ(metrics_.SumCounter("weft_wal_torn_bytes_total"), 777u);
}

TEST_F(WalTest, TwoSegmentsOfOneNumberAreNotGuessedAt) {
  env_.Plant("data/wal/" + SegmentFileName({5, 1}), EncodedHeader({5, 1}));
  env_.Plant("data/wal/" + SegmentFileName({5, 2}), EncodedHeader({5, 2}));
  EXPECT_EQ(Wal::Open(env_, options_, metrics_, handler_).error().code(), ErrorCode::kCorrupt);
}

TEST_F(WalTest, OtherFilesAreLeftAlone) {
  env_.Plant("data/wal/notes.txt", "mine");
  Open();
  EXPECT_TRUE(env_.Exists("data/wal/notes.txt"));
}

TEST_F(WalTest, RefusesWhatItCannotHold) {
  options_.queue_bytes_max = 100;
  Open();
  std::vector<ErrorCode> said;
  const auto done = [&](const Error& e, RecordPosition) { said.push_back(e.code()); };
  wal_->Append("t", std::string(90, 'x'), done);
  wal_->Append("t", std::string(90, 'x'), done);
  EXPECT_EQ(said, std::vector{ErrorCode::kUnavailable}) << "the second, and at once";
  wal_->CommitQueued();
  wal_->Append("t", std::string(200, 'x'), done);  // alone it may be larger than the queue
  wal_->CommitQueued();
  wal_->Append(std::string(70000, 't'), "x", done);
  wal_->Stop();
  wal_->Append("t", "x", done);
  EXPECT_EQ(said, (std::vector{ErrorCode::kUnavailable, ErrorCode::kOk, ErrorCode::kOk,
                               ErrorCode::kTooLarge, ErrorCode::kUnavailable}));
}

TEST_F(WalTest, WithoutSyncDoneComesAfterTheWriteAndTheSyncLater) {
  options_.sync = false;
  Open();
  const uint64_t before = env_.sync_count();
  MustWrite("x");
  EXPECT_EQ(env_.sync_count(), before);
  wal_->Stop();
  EXPECT_EQ(env_.sync_count(), before + 1);
  env_.PowerCycle();
  Open();
  EXPECT_EQ(handler_.records.size(), 1u);
}

TEST_F(WalTest, TheHandlersErrorIsOpens) {
  Open();
  MustWrite("x");
  wal_.reset();
  handler_ = {};
  handler_.fail_at = 0;
  const Error error = Wal::Open(env_, options_, metrics_, handler_).error();
  EXPECT_EQ(error.code(), ErrorCode::kInternal);
  EXPECT_NE(error.message().find(".wal"), std::string::npos) << "names the file";
}

// With its own thread, on the real file system.
TEST(WalThreadTest, ManyThreadsAppendRotateAndReleaseAndNothingIsLost) {
  Env& env = Env::Posix();
  MetricRegistry metrics;
  Options options;
  options.folder = testing::TempDir() + "weft_wal_" + std::to_string(env.RandomU64());
  options.segment_bytes = 20'000;
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  Mutex mutex;
  std::map<RecordPosition, std::string> acknowledged;
  std::atomic<int> left = kThreads * kEach;
  RememberingHandler nothing;
  {
    auto wal = Wal::Open(env, options, metrics, nothing);
    ASSERT_TRUE(wal.ok()) << wal.error().message();
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          const std::string payload = std::to_string(t) + ":" + std::to_string(i);
          (*wal)->Append("t", payload, [&, payload](const Error& e, RecordPosition p) {
            EXPECT_TRUE(e.ok()) << e.message();
            const MutexLock lock(mutex);
            EXPECT_TRUE(acknowledged.emplace(p, payload).second);
            --left;
          });
        }
      });
    }
    for (int i = 0; i < 10; ++i) (*wal)->Rotate();
    for (std::thread& thread : threads) thread.join();
    while (left > 0) std::this_thread::yield();
    const uint64_t last = (*wal)->Rotate();
    (*wal)->Stop();
    EXPECT_EQ(left, 0);
    EXPECT_LT(acknowledged.rbegin()->first.segment, last);
    EXPECT_EQ((*wal)->Rotate(), last) << "does not hang after Stop";
  }
  RememberingHandler replayed;
  {
    auto wal = Wal::Open(env, options, metrics, replayed);
    ASSERT_TRUE(wal.ok());
    for (const SegmentInfo& info : (*wal)->segments()) {
      if (info.records == 0) continue;
      EXPECT_TRUE((*wal)->ReleaseSegment(info.number).ok());
    }
  }
  ASSERT_EQ(replayed.records.size(), acknowledged.size());
  for (const auto& [position, record] : replayed.records) {
    EXPECT_EQ(acknowledged[position], record.second);
  }
  EXPECT_EQ(env.ListFolder(options.folder)->size(), 1u);
  EXPECT_TRUE(env.RemoveTree(options.folder).ok());
}

}  // namespace
}  // namespace weft::wal
