// Who works next, when more is asked than the processors can do at once: each tenant gets the same
// time, and of a tenant each query, so that a dashboard's small questions don't wait for a huge one
// and no tenant for another's many.
//
// Work is done in turns, of which there are as many as it is worth to have threads. From time to
// time a thread offers its turn, and goes on at once unless somebody waits that has had less time.
// Time is what passes while a turn is held, on all threads of a piece of work together.
//
//   FairShare share(env, 2);
//   FairShare::Work query(&share, tenant);
//   { const FairShare::Turn turn(&query); ... FairShare::Offer(); ... }
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>

#include "base/env.h"
#include "base/mutex.h"

namespace weft {

class FairShare {
 public:
  // Who has waited so long is next, whatever it has had: nobody waits for ever.
  static constexpr int64_t kPatienceNs = 100'000'000;

  // `turns`: how many are held at once, at least 1.
  FairShare(const Env& env, size_t turns);
  FairShare(const FairShare&) = delete;
  FairShare& operator=(const FairShare&) = delete;

  class Turn;

  // What is done for a tenant: one query. May be used by any number of threads at once; must
  // outlive their turns.
  class Work {
   public:
    Work(FairShare* share, const std::string& tenant);
    ~Work();
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

   private:
    friend class FairShare;
    FairShare* const share_;
    const std::string tenant_;
    int64_t used_ns_ = 0;  // under the share's mutex
  };

  // Held by one thread, from here to the end of the scope; waits for it. A thread that holds one
  // already, or is to work for null, gets nothing and waits for nothing.
  class Turn {
   public:
    explicit Turn(Work* work);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    friend class FairShare;
    Work* work_;  // null: none is held
    int64_t since_ns_ = 0;
    bool paused_ = false;
  };

  // Somebody else works while this thread only waits: for other threads, for another machine. It
  // goes on without waiting for a turn, since it may hold locks for which those who have one wait;
  // then there is one more than there should be, until the next Offer().
  class Pause {
   public:
    Pause();
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    Turn* const turn_;
  };

  // Hands this thread's turn to somebody with a better right to it, and waits for another; no locks
  // may be held. Does nothing without a turn.
  static void Offer();
  // What this thread has a turn for; null without one.
  static Work* Current();

  // How many threads wait for a turn.
  size_t waiting() const;
  // Whether `a` has had less than `b`, of the same share. Null counts as having had nothing.
  static bool IsBehind(const Work* a, const Work* b);

 private:
  struct Tenant {
    int64_t used_ns = 0;
    size_t works = 0;
  };
  struct Waiter {
    const Work* work = nullptr;
    int64_t since_ns = 0;
    bool granted = false;
  };

  void Acquire(Turn* turn) WEFT_REQUIRES(mutex_);
  void Release(Turn* turn) WEFT_REQUIRES(mutex_);
  void Charge(Turn* turn, int64_t now_ns) WEFT_REQUIRES(mutex_);
  bool ShouldGiveUp(Turn* turn) WEFT_REQUIRES(mutex_);
  void GrantNext() WEFT_REQUIRES(mutex_);
  std::list<Waiter*>::iterator Next(int64_t now_ns) WEFT_REQUIRES(mutex_);
  bool LessUsed(const Work& a, const Work& b) const WEFT_REQUIRES(mutex_);

  const Env& env_;
  mutable Mutex mutex_;
  CondVar changed_;
  int64_t free_ WEFT_GUARDED_BY(mutex_);  // below 0 where pauses have ended
  std::map<std::string, Tenant> tenants_ WEFT_GUARDED_BY(mutex_);  // that ask something now
  std::list<Waiter*> waiters_ WEFT_GUARDED_BY(mutex_);             // in the order of arrival
};

}  // namespace weft
