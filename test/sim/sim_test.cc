// Thousands of histories of a server's data path in a world that fails, against an oracle.
//
// Whatever happens - power cuts that lose and tear, syncs that fail, a full disk, an object store
// that refuses, lies, repeats itself and is slow, clocks that jump, flipped bits - no acknowledged
// span is missing or doubled, none is there that was never sent or was deleted, the counters close,
// and nothing is left over. What a flipped bit took away may be missing, if it was told. A failing
// seed is printed with its steps and repeats exactly, with the server's log: WEFT_SEED=<seed>. More
// seeds: WEFT_SEEDS=<count>, from WEFT_SEED on.
#include <cstdlib>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include "base/log.h"
#include "test/sim/history.h"

namespace weft::sim {
namespace {

// With a sanitizer each takes ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kSeeds = 50;
#else
constexpr uint64_t kSeeds = 150;
#endif

uint64_t NumberOf(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void Add(const History::Tally& one, History::Tally* all) {
  all->acknowledged += one.acknowledged;
  all->refused += one.refused;
  all->flushes += one.flushes;
  all->failed_flushes += one.failed_flushes;
  all->merges += one.merges;
  all->power_cuts += one.power_cuts;
  all->failed_starts += one.failed_starts;
  all->flips += one.flips;
  all->reported_missing += one.reported_missing;
  all->unreadable += one.unreadable;
  all->deletions += one.deletions;
  all->failed_deletions += one.failed_deletions;
  all->expired_spans += one.expired_spans;
}

TEST(SimTest, EveryAcknowledgedSpanIsThereOnceWhateverHappens) {
  const uint64_t first = NumberOf("WEFT_SEED", 1);
  const bool one = std::getenv("WEFT_SEED") != nullptr && std::getenv("WEFT_SEEDS") == nullptr;
  const uint64_t count = one ? 1 : NumberOf("WEFT_SEEDS", kSeeds);
  SetUpLog(one ? LogLevel::kInfo : LogLevel::kOff, LogFormat::kText);
  History::Tally tally;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    History history(seed);
    const std::string failure = history.Run();
    Add(history.tally(), &tally);
    ASSERT_TRUE(failure.empty()) << failure;
  }
  SetUpLog(LogLevel::kInfo, LogFormat::kText);
  std::cout << count << " histories: " << tally.acknowledged << " spans acknowledged, "
            << tally.refused << " refused, " << tally.flushes << " flushes, "
            << tally.failed_flushes << " failed ones, " << tally.merges << " merges, "
            << tally.power_cuts << " power cuts, " << tally.failed_starts << " failed starts, "
            << tally.deletions << " deletions, " << tally.failed_deletions << " failed ones, "
            << tally.expired_spans << " spans expired, " << tally.flips << " flipped bits, "
            << tally.reported_missing << " checks with reported losses, " << tally.unreadable
            << " questions that a store's refusal failed\n";
  EXPECT_GT(tally.acknowledged, count);
  EXPECT_TRUE(one || tally.unreadable > 0) << "no read has failed";
  EXPECT_TRUE(one || tally.expired_spans > 0) << "nothing has expired";
}

// A span that was sent again after its block had expired; a block that had expired, could not be
// removed, and came back with spans that were deleted meanwhile; a span that was sent again after a
// deletion had failed, whose record came to light after a power cut.
TEST(SimTest, SeedsThatOnceFailed) {
  for (const uint64_t seed : {858, 1997, 2658, 4357}) {
    History history(seed);
    const std::string failure = history.Run();
    EXPECT_TRUE(failure.empty()) << failure;
  }
}

}  // namespace
}  // namespace weft::sim
