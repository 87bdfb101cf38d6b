// A few threads that help a query with work that can be split.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace weft::query::exec {

// Shared by all queries of the process; any thread may call Run, any number at once.
class TaskRunner {
 public:
  // `helpers` threads besides the callers; 0 means that callers do all of their work themselves.
  explicit TaskRunner(size_t helpers);
  ~TaskRunner();
  TaskRunner(const TaskRunner&) = delete;
  TaskRunner& operator=(const TaskRunner&) = delete;

  // How many calls may run at once.
  size_t width() const { return threads_.size() + 1; }

  // Calls task(0) ... task(count - 1), each once, in any order, and returns when all are done. The
  // caller works too, so that a busy pool delays nobody for ever. Reads are charged to the caller's
  // ReadAccount, time to its query (base/fair_share.h); threads help the query first that has had
  // least.
  void Run(size_t count, const std::function<void(size_t)>& task);

 private:
  struct Batch;

  void Work();

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::shared_ptr<Batch>> batches_ WEFT_GUARDED_BY(mutex_);
  bool stopping_ WEFT_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace weft::query::exec
