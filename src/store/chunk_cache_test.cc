#include "store/chunk_cache.h"

#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "base/read_account.h"

namespace weft::store {
namespace {

constexpr uint64_t kChunk = ChunkCache::kChunkBytes;

std::string RandomBytes(size_t size) {
  std::mt19937 random(1);
  std::string bytes(size, ' ');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

struct ChunkCacheTest : public ::testing::Test {
  // An object whose reads are answered at once, or when Answer() is called.
  RemoteObject Object() {
    return {"o", bytes.size(), [this](uint64_t at, size_t count, RangeDone done) {
              EXPECT_LE(at + count, bytes.size());
              const MutexLock lock(mutex);
              ++fetches;
              fetched_bytes += count;
              if (slow) {
                waiting.push_back([this, at, count, done] { done(bytes.substr(at, count)); });
              } else if (fails) {
                done(Error(ErrorCode::kUnavailable, "later"));
              } else {
                done(bytes.substr(at, count));
              }
            }};
  }
  std::string Read(ChunkCache* cache, uint64_t offset, size_t length) {
    std::string out(length, ' ');
    const Error error = cache->Read(Object(), offset, length, out.data());
    EXPECT_TRUE(error.ok()) << error.message();
    return out;
  }
  void Answer() {
    std::vector<std::function<void()>> answers;
    {
      const MutexLock lock(mutex);
      answers.swap(waiting);
    }
    for (const auto& answer : answers) answer();
  }

  const std::string bytes = RandomBytes(30 * kChunk + 77);
  Mutex mutex;
  bool slow = false, fails = false;
  std::vector<std::function<void()>> waiting;
  int fetches = 0;
  uint64_t fetched_bytes = 0;
  MetricRegistry metrics;
  RequestPace pace{metrics.GetCounter("hedged", "", {})};
};

TEST_F(ChunkCacheTest, GivesTheBytesOfTheObjectWhateverIsAsked) {
  FakeEnv env(3);
  DiskChunks disk(env, {.folder = "cache", .bytes_max = 8 * kChunk, .segment_bytes = 2 * kChunk},
                  metrics);
  ASSERT_TRUE(disk.Load().ok());
  for (DiskChunks* const below : {static_cast<DiskChunks*>(nullptr), &disk}) {
    ChunkCache cache(2 * kChunk, &pace, below);  // too small for all: chunks go and come back
    std::mt19937 random(7);
    for (int i = 0; i < 2000; ++i) {
      const uint64_t offset = random() % bytes.size();
      const size_t length =
          random() % std::min<uint64_t>(bytes.size() - offset + 1, i % 10 == 0 ? 3 * kChunk : 9000);
      if (i % 50 == 0) {
        const ByteRange ahead[] = {{offset, length}, {random() % kChunk, 5}};
        cache.Prefetch(Object(), ahead);
      }
      ASSERT_EQ(Read(&cache, offset, length), bytes.substr(offset, length)) << i;
    }
  }
}

TEST_F(ChunkCacheTest, NeighboursCostOneFetch) {
  ChunkCache cache(100 * kChunk, &pace, nullptr);
  Read(&cache, kChunk - 10, 20);  // lies on two chunks
  EXPECT_EQ(fetches, 1);
  for (uint64_t at = 0; at + 100 < 2 * kChunk; at += 100) Read(&cache, at, 100);
  EXPECT_EQ(fetches, 1);
  Read(&cache, 2 * kChunk - 10, 20);
  EXPECT_EQ(fetches, 2);
  EXPECT_EQ(fetched_bytes, 3 * kChunk) << "what is here is not fetched again";
}

TEST_F(ChunkCacheTest, NothingOfALargeReadStays) {
  ChunkCache cache(100 * kChunk, &pace, nullptr);
  Read(&cache, 10, 3 * kChunk);
  EXPECT_EQ(fetched_bytes, 4 * kChunk);
  Read(&cache, 10, 1);
  EXPECT_EQ(fetches, 2);
}

// One pass over large objects, as a merge makes it, must not push out what questions keep.
TEST_F(ChunkCacheTest, ALargeReadFromTheDiskLeavesTheMemoryAlone) {
  FakeEnv env(3);
  DiskChunks disk(env, {.folder = "cache", .bytes_max = 100 * kChunk}, metrics);
  ASSERT_TRUE(disk.Load().ok());
  {
    ChunkCache before(100 * kChunk, &pace, &disk);
    Read(&before, 0, 20 * kChunk);
  }
  ChunkCache cache(4 * kChunk, &pace, &disk);
  Read(&cache, 25 * kChunk, 1);
  const uint64_t hits = metrics.SumCounter("weft_store_disk_cache_hits_total");
  Read(&cache, 0, 20 * kChunk);
  Read(&cache, 25 * kChunk, 1);
  EXPECT_EQ(metrics.SumCounter("weft_store_disk_cache_hits_total"), hits + 20)
      << "the last read was from memory";
  EXPECT_EQ(fetches, 2);
}

TEST_F(ChunkCacheTest, WhatWillBeReadIsFetchedAheadInFewRequests) {
  ChunkCache cache(100 * kChunk, &pace, nullptr);
  slow = true;
  // The first two are close together, the third is far away.
  const ByteRange ranges[] = {{25 * kChunk, 100}, {0, 100}, {5 * kChunk, 10}};
  cache.Prefetch(Object(), ranges);
  EXPECT_EQ(fetches, 2);
  EXPECT_EQ(fetched_bytes, 7 * kChunk);
  cache.Prefetch(Object(), ranges);
  EXPECT_EQ(fetches, 2) << "it is on its way";
  slow = false;
  std::thread answers([this] { Answer(); });
  for (const ByteRange& range : ranges) {
    EXPECT_EQ(Read(&cache, range.offset, range.size), bytes.substr(range.offset, range.size));
  }
  answers.join();
  EXPECT_EQ(fetches, 2);
}

TEST_F(ChunkCacheTest, ReadersOfTheSameShareARequest) {
  ChunkCache cache(100 * kChunk, &pace, nullptr);
  slow = true;
  ReadAccount first, second;
  std::vector<std::thread> readers;
  for (ReadAccount* const account : {&first, &second}) {
    readers.emplace_back([&, account] {
      const ReadAccountScope scope(account);
      EXPECT_EQ(Read(&cache, 7, 50), bytes.substr(7, 50));
    });
  }
  // Both have asked, one of them the store.
  while (first.requests + second.requests + first.hits + second.hits < 2) std::this_thread::yield();
  Answer();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(fetches, 1);
  EXPECT_EQ(first.requests + second.requests, 1u);
  EXPECT_EQ(first.bytes + second.bytes, kChunk);
  EXPECT_EQ(first.hits + second.hits, 1u);
}

TEST_F(ChunkCacheTest, WhatIsForgottenIsFetchedAgain) {
  ChunkCache cache(100 * kChunk, &pace, nullptr);
  Read(&cache, kChunk, 1);
  cache.Forget("other");
  Read(&cache, kChunk, 1);
  EXPECT_EQ(fetches, 1);
  cache.Forget("o");
  Read(&cache, kChunk, 1);
  EXPECT_EQ(fetches, 2);
}

TEST_F(ChunkCacheTest, AFailedFetchLeavesNothingBehind) {
  ChunkCache cache(100 * kChunk, &pace, nullptr);
  char byte = 0;
  fails = true;
  EXPECT_EQ(cache.Read(Object(), 5, 1, &byte).code(), ErrorCode::kUnavailable);
  const ByteRange ahead{5, 1};
  cache.Prefetch(Object(), {&ahead, 1});
  fails = false;
  EXPECT_EQ(Read(&cache, 5, 1), bytes.substr(5, 1));
}

TEST_F(ChunkCacheTest, TheDiskOutlivesTheProcess) {
  FakeEnv env(3);
  for (int life = 0; life < 2; ++life) {
    DiskChunks disk(env, {.folder = "cache", .store = "s3://b", .bytes_max = 100 * kChunk},
                    metrics);
    ASSERT_TRUE(disk.Load().ok());
    ChunkCache cache(100 * kChunk, &pace, &disk);
    EXPECT_EQ(Read(&cache, 10, 3 * kChunk), bytes.substr(10, 3 * kChunk));
    EXPECT_EQ(Read(&cache, bytes.size() - 5, 5), bytes.substr(bytes.size() - 5));
    EXPECT_EQ(fetches, 2) << "in life " << life;
  }
}

}  // namespace
}  // namespace weft::store
