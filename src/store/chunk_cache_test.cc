#include "store/chunk_cache.h"

#include <random>

#include <gtest/gtest.h>

namespace weft::store {
namespace {

constexpr uint64_t kChunk = ChunkCache::kChunkBytes;

struct ChunkCacheTest : public ::testing::Test {
  std::string Read(ChunkCache* cache, uint64_t offset, size_t length) {
    std::string out(length, ' ');
    const auto fetch = [&](uint64_t at, size_t count, char* to) {
      ++fetches;
      fetched_bytes += count;
      EXPECT_LE(at + count, object.size());
      object.copy(to, count, at);
      return Error::Ok();
    };
    EXPECT_TRUE(cache->Read("o", object.size(), offset, length, fetch, out.data()).ok());
    return out;
  }

  std::string object = [] {
    std::mt19937 random(1);
    std::string bytes(5 * kChunk + 77, ' ');
    for (char& c : bytes) c = static_cast<char>(random());
    return bytes;
  }();
  int fetches = 0;
  uint64_t fetched_bytes = 0;
};

TEST_F(ChunkCacheTest, GivesTheBytesOfTheObjectWhateverIsAsked) {
  ChunkCache cache(2 * kChunk);  // too small for all: chunks go and come back
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    const uint64_t offset = random() % object.size();
    const size_t length =
        random() % std::min<uint64_t>(object.size() - offset + 1, i % 10 == 0 ? 3 * kChunk : 9000);
    ASSERT_EQ(Read(&cache, offset, length), object.substr(offset, length)) << i;
  }
}

TEST_F(ChunkCacheTest, NeighboursCostOneFetch) {
  ChunkCache cache(100 * kChunk);
  Read(&cache, kChunk - 10, 20);  // lies on two chunks
  EXPECT_EQ(fetches, 1);
  for (uint64_t at = 0; at + 100 < 2 * kChunk; at += 100) Read(&cache, at, 100);
  EXPECT_EQ(fetches, 1);
  Read(&cache, 2 * kChunk - 10, 20);
  EXPECT_EQ(fetches, 2);
  EXPECT_EQ(fetched_bytes, 3 * kChunk) << "what is here is not fetched again";
}

TEST_F(ChunkCacheTest, ALargeReadGoesPast) {
  ChunkCache cache(100 * kChunk);
  Read(&cache, 10, 3 * kChunk);
  EXPECT_EQ(fetched_bytes, 3 * kChunk);
  Read(&cache, 10, 1);
  EXPECT_EQ(fetches, 2);
}

TEST_F(ChunkCacheTest, WhatIsForgottenIsFetchedAgain) {
  ChunkCache cache(100 * kChunk);
  Read(&cache, kChunk, 1);
  cache.Forget("other");
  Read(&cache, kChunk, 1);
  EXPECT_EQ(fetches, 1);
  cache.Forget("o");
  Read(&cache, kChunk, 1);
  EXPECT_EQ(fetches, 2);
}

TEST_F(ChunkCacheTest, AFailedFetchLeavesNothingBehind) {
  ChunkCache cache(100 * kChunk);
  char byte = 0;
  const auto fail = [](uint64_t, size_t, char*) { return Error(ErrorCode::kUnavailable, "later"); };
  EXPECT_EQ(cache.Read("o", object.size(), 5, 1, fail, &byte).code(), ErrorCode::kUnavailable);
  EXPECT_EQ(Read(&cache, 5, 1), object.substr(5, 1));
}

}  // namespace
}  // namespace weft::store
