// Threads that answer requests which take time, so that the threads that serve sockets never wait.
//
// Jobs belong to groups (tenants). Next is a job of the group that has the fewest running, within
// it the one that came first; and the last free thread is kept for a group that has none running,
// so that nobody can keep them all.
//
// TryRun and Stop may be called from any thread but the pool's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace weft::api {

class WorkerPool {
 public:
  using Job = std::function<void()>;

  // Of a group at most `queue_max` jobs wait for one of `threads` threads (at least 1), of all
  // groups together kGroupsQueued times as many.
  WorkerPool(int threads, size_t queue_max);
  ~WorkerPool();  // Stop()
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Queues the job; false, and the job is not kept, when too many wait or the pool is stopped.
  bool TryRun(const std::string& group, Job job);
  // Runs what is queued and joins the threads. Jobs that should be short now must find that out
  // themselves.
  void Stop();

  size_t queued() const;

  static constexpr size_t kGroupsQueued = 4;

 private:
  struct Waiting {
    uint64_t number = 0;  // in the order of arrival
    Job job;
  };
  struct Group {
    std::deque<Waiting> queue;
    size_t running = 0;
  };
  using Groups = std::map<std::string, Group>;

  void Work();
  Groups::iterator Next() WEFT_REQUIRES(mutex_);

  const size_t queue_max_;
  mutable Mutex mutex_;
  CondVar changed_;
  Groups groups_ WEFT_GUARDED_BY(mutex_);  // with jobs that wait or run
  size_t queued_ WEFT_GUARDED_BY(mutex_) = 0;
  uint64_t next_number_ WEFT_GUARDED_BY(mutex_) = 0;
  size_t free_ WEFT_GUARDED_BY(mutex_);  // threads
  bool stopping_ WEFT_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace weft::api
