// What a query did and how long each part of it took, for whoever asks to have it explained.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/mutex.h"

namespace weft::query::exec {

// Any thread.
class Profile {
 public:
  enum class Stage : uint8_t {
    kList,      // row groups that the time range touches
    kOpen,      // files of row groups
    kSkip,      // Bloom filters and dictionaries: may a group have what is asked for?
    kFilter,    // predicates on rows
    kTree,      // relations between spans, spansets
    kJoin,      // traces that are in several places
    kCompute,   // metrics and comparisons of the spans found
    kDescribe,  // spans in the answer
  };
  static constexpr size_t kStages = 8;
  static const char* NameOf(Stage stage);

  struct Spent {
    uint64_t calls = 0;
    int64_t ns = 0;  // summed over threads
  };

  explicit Profile(const Env& env) : env_(env) {}

  void AddTime(Stage stage, int64_t ns) {
    Account& account = stages_[static_cast<size_t>(stage)];
    account.calls.fetch_add(1, std::memory_order_relaxed);
    account.ns.fetch_add(ns, std::memory_order_relaxed);
  }
  // A row group whose rows were looked at, and how many the predicate left.
  void AddGroup(uint64_t rows, uint64_t matched) {
    groups_.fetch_add(1, std::memory_order_relaxed);
    rows_.fetch_add(rows, std::memory_order_relaxed);
    matched_.fetch_add(matched, std::memory_order_relaxed);
  }
  void AddRead(uint64_t bytes) { bytes_read_.fetch_add(bytes, std::memory_order_relaxed); }
  // What is run; the text of plan/description.h. The last one said counts.
  void SetPlan(std::vector<std::string> lines);
  // Row groups of which no row was looked at, and why.
  void AddSkipped(const std::string& why, uint64_t count = 1);

  int64_t NowNs() const { return env_.MonotonicNs(); }
  uint64_t groups() const { return groups_; }
  uint64_t rows() const { return rows_; }
  uint64_t matched() const { return matched_; }
  uint64_t bytes_read() const { return bytes_read_; }
  Spent spent(Stage stage) const {
    const Account& account = stages_[static_cast<size_t>(stage)];
    return {account.calls, account.ns};
  }
  std::map<std::string, uint64_t> skipped() const;
  std::vector<std::string> plan() const;

 private:
  // Further reasons are counted together: a query may have very many conditions.
  static constexpr size_t kReasonsMax = 32;

  struct Account {
    std::atomic<uint64_t> calls{0};
    std::atomic<int64_t> ns{0};
  };

  const Env& env_;
  std::array<Account, kStages> stages_;
  std::atomic<uint64_t> groups_{0};
  std::atomic<uint64_t> rows_{0};
  std::atomic<uint64_t> matched_{0};
  std::atomic<uint64_t> bytes_read_{0};
  mutable Mutex mutex_;
  std::map<std::string, uint64_t> skipped_ WEFT_GUARDED_BY(mutex_);
  std::vector<std::string> plan_ WEFT_GUARDED_BY(mutex_);
};

// Charges a stage from here to the end of the scope. Costs nothing without a profile.
class StageTimer {
 public:
  StageTimer(Profile* profile, Profile::Stage stage)
      : profile_(profile), stage_(stage), begin_ns_(profile == nullptr ? 0 : profile->NowNs()) {}
  ~StageTimer() {
    if (profile_ != nullptr) profile_->AddTime(stage_, profile_->NowNs() - begin_ns_);
  }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  Profile* const profile_;
  const Profile::Stage stage_;
  const int64_t begin_ns_;
};

}  // namespace weft::query::exec
