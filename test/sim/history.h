// One history: several lives of a server in a world that fails, from a seed.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/env_fake.h"
#include "store/local_object_store.h"
#include "test/sim/faulty_object_store.h"
#include "test/sim/oracle.h"
#include "test/sim/server.h"

namespace weft::sim {

class History {
 public:
  explicit History(uint64_t seed);

  // What went wrong, with the steps that led there; empty when nothing did.
  std::string Run();

  // What happened, to see that the history is worth its time.
  struct Tally {
    uint64_t acknowledged = 0, refused = 0, flushes = 0, failed_flushes = 0, merges = 0,
             power_cuts = 0, failed_starts = 0, flips = 0, reported_missing = 0, unreadable = 0,
             deletions = 0, failed_deletions = 0, expired_spans = 0;
  };
  const Tally& tally() const { return tally_; }

 private:
  uint64_t Random(uint64_t below) { return random_() % below; }
  bool OneIn(uint64_t n) { return Random(n) == 0; }
  void Note(const std::string& what);
  void Fail(const std::string& what);

  // A life: it begins, things happen, it ends one way or another.
  void Begin(bool clean);
  bool BeginWithFaults();
  void Step();
  void End();
  // All faults over: everything becomes blocks, these become few, and nothing else is left.
  void Settle();

  void PushNew();
  void PushAgain();
  void Flush();
  void Compact();
  Error CompactOnce();
  void Delete();
  void JumpClock();
  void BreakSomething();
  void BreakObjects();
  void AskWhileReadsFail();
  void FillDisk();
  void FlipBit();
  void UndoFlip();
  void Heal();

  void CheckSpans();
  void CheckCounters();
  void CheckLostRequests(const std::vector<uint64_t>& missing_ids);
  void CheckStore(const char* tenant);
  void CheckDeletions();
  void CheckNothingIsLeft();
  // How many spans a flipped bit of the file may cost.
  uint64_t SpansAtRisk(const std::string& path);
  void CheckFiles();
  // Whether this life has told of damage.
  bool DamageWasTold() const;

  const uint64_t seed_;
  std::mt19937_64 random_;
  FakeEnv env_;
  store::LocalObjectStore local_;
  FaultyObjectStore objects_;
  ServerOptions options_;
  bool flips_bits_;
  int64_t first_span_ns_;
  Oracle oracle_;
  std::unique_ptr<Server> server_;
  uint64_t next_id_ = 1;
  std::vector<Oracle::Spans> requests_;
  std::vector<std::pair<std::string, uint64_t>> flips_;  // path, bit
  uint64_t spans_at_risk_ = 0;                           // that these may cost
  bool damage_told_ = false;                             // in any life
  Tally tally_;
  std::vector<std::string> notes_;
  std::string failure_;
};

}  // namespace weft::sim
