#include "store/disk_chunks.h"

#include <string>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "base/log.h"

namespace weft::store {
namespace {

constexpr uint64_t kSize = 1000;  // of the chunks here

std::string Bytes(uint64_t number) {
  std::string bytes(kSize, static_cast<char>('a' + number % 26));
  bytes += std::to_string(number);
  return bytes;
}

class DiskChunksTest : public ::testing::Test {
 protected:
  DiskChunksTest() {
    SetUpLog(LogLevel::kOff, LogFormat::kText);
    Reopen();
  }
  ~DiskChunksTest() override { SetUpLog(LogLevel::kInfo, LogFormat::kText); }

  void Reopen(const std::string& store = "s3://bucket") {
    chunks_ = nullptr;
    options_.store = store;
    chunks_ = std::make_unique<DiskChunks>(env_, options_, metrics_);
    ASSERT_TRUE(chunks_->Load().ok());
  }
  void Keep(uint64_t number) {
    chunks_->Keep("o", number, std::make_shared<const std::string>(Bytes(number)));
  }
  // Whether it is here; what is here is right.
  bool Has(uint64_t number) {
    const auto chunk = chunks_->Find("o", number);
    if (chunk != nullptr) {
      EXPECT_EQ(*chunk, Bytes(number));
    }
    return chunk != nullptr;
  }
  uint64_t FileBytes() {
    uint64_t bytes = 0;
    const auto files = env_.ListFolder("cache");
    for (const FileInfo& file : *files) bytes += file.size_bytes;
    return bytes;
  }

  FakeEnv env_{5};
  MetricRegistry metrics_;
  // Ten chunks a segment, ten segments.
  DiskChunksOptions options_{.folder = "cache",
                             .bytes_max = 100 * (kSize + 64),
                             .segment_bytes = 10 * kSize,
                             .free_bytes_min = 0};
  std::unique_ptr<DiskChunks> chunks_;
};

TEST_F(DiskChunksTest, KeepsChunksOverLives) {
  for (uint64_t n = 0; n < 25; ++n) Keep(n);
  for (uint64_t n = 0; n < 25; ++n) EXPECT_TRUE(Has(n)) << n;
  EXPECT_FALSE(Has(25));
  EXPECT_EQ(chunks_->Find("other", 1), nullptr);
  Reopen();
  for (uint64_t n = 0; n < 25; ++n) EXPECT_TRUE(Has(n)) << n;
  Keep(25);
  EXPECT_TRUE(Has(25));
  Reopen("s3://another");
  EXPECT_FALSE(Has(3)) << "of another store";
}

TEST_F(DiskChunksTest, TheOldestGoUnlessTheyAreUsed) {
  for (uint64_t n = 0; n < 1000; ++n) {
    Keep(n);
    EXPECT_TRUE(n == 0 || Has(0)) << n;
    EXPECT_LE(FileBytes(), options_.bytes_max);
  }
  EXPECT_FALSE(Has(1));
  EXPECT_TRUE(Has(999));
  EXPECT_LE(chunks_->bytes(), options_.bytes_max + options_.segment_bytes + kSize);
  options_.bytes_max /= 4;
  Reopen();
  EXPECT_LE(FileBytes(), options_.bytes_max);
  EXPECT_TRUE(Has(999));
}

TEST_F(DiskChunksTest, LeavesRoomOnTheDiskToOthers) {
  for (uint64_t n = 0; n < 50; ++n) Keep(n);
  env_.SetDiskBytes(FileBytes() + 30 * kSize);
  options_.free_bytes_min = 25 * kSize;
  Reopen();
  for (uint64_t n = 50; n < 90; ++n) Keep(n);
  EXPECT_GE(*env_.FreeDiskBytes("cache"), options_.free_bytes_min - options_.segment_bytes);
  EXPECT_TRUE(Has(80));
  EXPECT_FALSE(Has(0));
}

TEST_F(DiskChunksTest, ADiskThatFailsCostsNoAnswer) {
  env_.SetDiskBytes(5 * kSize);
  for (uint64_t n = 0; n < 40; ++n) Keep(n);
  int found = 0;
  for (uint64_t n = 0; n < 40; ++n) found += Has(n) ? 1 : 0;
  EXPECT_LT(found, 10);
  env_.SetDiskBytes(UINT64_MAX);
  for (uint64_t n = 40; n < 80; ++n) Keep(n);
  EXPECT_TRUE(Has(45));
}

// Every bit of a segment.
TEST_F(DiskChunksTest, WhatIsDamagedIsNoHit) {
  options_.segment_bytes = 2 * kSize;
  Reopen();
  for (uint64_t n = 0; n < 2; ++n) Keep(n);
  const auto path = "cache/" + (*env_.ListFolder("cache"))[0].name;
  const std::string good = *env_.ReadWholeFile(path);
  for (uint64_t bit = 0; bit < good.size() * 8; bit += bit < 600 ? 1 : 37) {
    env_.FlipBit(path, bit);
    Reopen();
    Has(0), Has(1);  // what it finds is right
    chunks_ = nullptr;
    if (env_.Exists(path)) {
      env_.FlipBit(path, bit);
    } else {
      env_.Plant(path, good);
    }
  }
  Reopen();
  EXPECT_TRUE(Has(0) && Has(1));
}

// Nothing is synced: a power cut tears what it likes.
TEST_F(DiskChunksTest, APowerCutLeavesNothingWrong) {
  for (int cut = 0; cut < 20; ++cut) {
    for (uint64_t n = 0; n < 60; ++n) Keep(static_cast<uint64_t>(cut) * 7 + n);
    env_.PowerCycle();
    Reopen();
    for (uint64_t n = 0; n < 300; ++n) Has(n);
  }
}

}  // namespace
}  // namespace weft::store
