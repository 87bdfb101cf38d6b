// What a query may use up.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/env.h"
#include "query/exec/profile.h"

namespace weft::query::exec {

// Limits of one query; 0 and null mean none. Checked between row groups and between stages, so a
// limit is overrun by at most the work on one row group. The pointers outlive the query.
struct Budget {
  int64_t time_ms = 0;
  uint64_t memory_bytes = 0;  // held by results and candidates
  uint64_t read_bytes = 0;    // of blocks, from wherever they are; what a cache had counts, too
  const std::atomic<bool>* client_gone = nullptr;
  const std::atomic<bool>* cancelled = nullptr;  // by somebody who wanted it ended
  Profile* profile = nullptr;                    // that wants to know where the time goes
};

// A running query's account. Any thread.
class BudgetClock {
 public:
  BudgetClock(const Budget& budget, const Env& env)
      : budget_(budget), env_(env), start_ns_(env.MonotonicNs()) {}

  bool cancelled() const { return IsSet(budget_.client_gone) || IsSet(budget_.cancelled); }
  int64_t elapsed_ns() const { return env_.MonotonicNs() - start_ns_; }
  void AddMemory(uint64_t bytes) { memory_bytes_ += bytes; }
  void AddRead(uint64_t bytes) {
    read_bytes_ += bytes;
    if (budget_.profile != nullptr) budget_.profile->AddRead(bytes);
  }
  Profile* profile() const { return budget_.profile; }

  // Which limit has run out, in words; empty while none has.
  std::string Exhausted() const {
    if (cancelled()) return "cancelled";
    if (budget_.time_ms > 0 && elapsed_ns() > budget_.time_ms * 1'000'000) {
      return "the time limit of " + std::to_string(budget_.time_ms) + " ms ran out";
    }
    if (budget_.memory_bytes > 0 && memory_bytes_ > budget_.memory_bytes) {
      return "the memory limit of " + std::to_string(budget_.memory_bytes) + " bytes ran out";
    }
    if (budget_.read_bytes > 0 && read_bytes_ > budget_.read_bytes) {
      return "the limit of " + std::to_string(budget_.read_bytes) + " bytes to read ran out";
    }
    return {};
  }

 private:
  static bool IsSet(const std::atomic<bool>* flag) {
    return flag != nullptr && flag->load(std::memory_order_relaxed);
  }

  const Budget budget_;
  const Env& env_;
  const int64_t start_ns_;
  std::atomic<uint64_t> memory_bytes_{0};
  std::atomic<uint64_t> read_bytes_{0};
};

}  // namespace weft::query::exec
