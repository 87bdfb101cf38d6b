// Lose the power, then look: thousands of short lives of a log on a disk that loses, tears and
// refuses, against an oracle that knows every acknowledged record. A failing seed is printed; it
// repeats exactly.
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "base/log.h"
#include "wal/wal.h"
#include "wal/wal_testing.h"

namespace weft::wal {
namespace {

class History {
 public:
  explicit History(uint64_t seed) : env_(seed) {
    options_.folder = "wal";
    options_.own_thread = false;
    options_.disk_reserve_bytes = 0;
    options_.segment_bytes = 200 + Random(3000);
    options_.group_bytes_max = 1 + Random(2000);
    env_.Plant("lock", "");
  }

  void Run() {
    for (int life = 0; life < 5 && !testing::Test::HasFailure(); ++life) {
      env_.CutPowerAfter(Random(60));
      Live();
      env_.PowerCycle();
      env_.SetDiskBytes(UINT64_MAX);
      CheckReplay();
    }
  }

 private:
  uint64_t Random(uint64_t below) { return env_.RandomU64() % below; }

  void Live() {
    RememberingHandler handler;
    auto wal = Wal::Open(env_, options_, metrics_, handler);
    if (!wal.ok()) return;  // the power went during the replay
    for (int step = 0; step < 30; ++step) Step(**wal);
    // Not stopped in order: the process dies. The destructor finds the power cut or does no harm.
  }

  void Step(Wal& wal) {
    switch (Random(12)) {
      case 0: wal.Rotate(); break;
      case 1: Release(wal); break;
      case 2: env_.FailSyncs(1); break;
      case 3: env_.SetDiskBytes(Random(2) ? UINT64_MAX : Random(4000)); break;
      case 4: env_.SetNowNs(static_cast<int64_t>(Random(INT64_MAX))); break;
      case 5:
      case 6: wal.CommitQueued(); break;
      default: Append(wal);
    }
  }

  void Append(Wal& wal) {
    const uint64_t id = next_id_++;
    std::string payload = std::to_string(id) + ":" + std::string(Random(600), 'p');
    payloads_[id] = payload;
    wal.Append("t", payload, [this, id](const Error& error, RecordPosition position) {
      if (!error.ok()) return;
      EXPECT_TRUE(acknowledged_.emplace(position, id).second) << "a position was given twice";
      EXPECT_FALSE(released_.contains(position.segment)) << "a segment number was used again";
    });
  }

  void Release(Wal& wal) {
    const auto segments = wal.segments();
    if (segments.empty()) return;
    const uint64_t number = segments[Random(segments.size())].number;
    // What was acknowledged in it is not asked for from here on, whether or not the release
    // succeeds.
    if (number == wal.current_segment()) return;
    maybe_released_.insert(number);
    if (wal.ReleaseSegment(number).ok()) released_.insert(number);
  }

  void CheckReplay() {
    RememberingHandler handler;
    {
      const auto wal = Wal::Open(env_, options_, metrics_, handler);
      ASSERT_TRUE(wal.ok()) << wal.error().message();
    }
    for (const auto& [position, id] : acknowledged_) {
      if (maybe_released_.contains(position.segment)) continue;
      const auto it = handler.records.find(position);
      ASSERT_NE(it, handler.records.end()) << "an acknowledged record is lost";
      EXPECT_EQ(it->second.second, payloads_[id]);
    }
    for (const auto& [position, record] : handler.records) {
      const uint64_t id = std::stoull(record.second);
      EXPECT_EQ(record.second, payloads_[id]) << "not what was written";
      EXPECT_FALSE(released_.contains(position.segment)) << "a released record came back";
      const auto it = acknowledged_.find(position);
      EXPECT_TRUE(it == acknowledged_.end() || it->second == id) << "another record's position";
      // It stays where it is from now on, acknowledged or not.
      acknowledged_.emplace(position, id);
    }
    for (const Damage& damage : handler.damages) {
      EXPECT_TRUE(damage.maybe_interrupted) << "no bit was flipped: " << damage.message;
    }
  }

  FakeEnv env_;
  MetricRegistry metrics_;
  Options options_;
  uint64_t next_id_ = 0;
  std::map<uint64_t, std::string> payloads_;
  std::map<RecordPosition, uint64_t> acknowledged_;
  std::set<uint64_t> maybe_released_;
  std::set<uint64_t> released_;
};

// 1000, or as many as WEFT_SEEDS says.
uint64_t SeedCount() {
  const char* seeds = std::getenv("WEFT_SEEDS");
  return seeds == nullptr ? 1000 : std::strtoull(seeds, nullptr, 10);
}

TEST(WalPowerTest, NoAcknowledgedRecordIsLostAndNoneIsInvented) {
  SetUpLog(LogLevel::kOff, LogFormat::kText);
  for (uint64_t seed = 1; seed <= SeedCount(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History(seed).Run();
    if (HasFailure()) break;
  }
  SetUpLog(LogLevel::kInfo, LogFormat::kText);
}

}  // namespace
}  // namespace weft::wal
