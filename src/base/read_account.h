// ReadAccount: what a piece of work, a query say, has cost in reads from a store on another
// machine.
//
//   ReadAccount account;
//   { const ReadAccountScope scope(&account); ...the work... }
//   account.requests  // requests that it made
//
// A thread charges the account of its innermost scope; work that is split among threads hands
// ReadAccount::Current() to them. Reads of files of this machine are not counted.
#pragma once

#include <atomic>
#include <cstdint>

namespace weft {

struct ReadAccount {
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> bytes{0};  // that were asked for
  std::atomic<uint64_t> hits{0};   // reads that made no request: a cache or another reader had it

  // That of this thread; null when nobody asks.
  static ReadAccount* Current();
};

// Null is allowed: then nothing is counted until the scope ends. One thread.
class ReadAccountScope {
 public:
  explicit ReadAccountScope(ReadAccount* account);
  ~ReadAccountScope();
  ReadAccountScope(const ReadAccountScope&) = delete;
  ReadAccountScope& operator=(const ReadAccountScope&) = delete;

 private:
  ReadAccount* const before_;
};

}  // namespace weft
