// Threads that answer requests which take time, so that the threads that serve sockets never wait.
//
// TryRun and Stop may be called from any thread but the pool's own.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace weft::api {

class WorkerPool {
 public:
  using Job = std::function<void()>;

  // At most `queue_max` jobs wait for one of `threads` threads (at least 1).
  WorkerPool(int threads, size_t queue_max);
  ~WorkerPool();  // Stop()
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Queues the job; false, and the job is not kept, when the queue is full or the pool is stopped.
  bool TryRun(Job job);
  // Runs what is queued and joins the threads. Jobs that should be short now must find that out
  // themselves.
  void Stop();

  size_t queued() const;

 private:
  void Work();

  const size_t queue_max_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Job> queue_ WEFT_GUARDED_BY(mutex_);
  bool stopping_ WEFT_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace weft::api
