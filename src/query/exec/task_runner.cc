#include "query/exec/task_runner.h"

#include <algorithm>
#include <atomic>

#include "base/read_account.h"

namespace weft::query::exec {

// `task` is the caller's: it is not touched once `next` has passed `count`.
struct TaskRunner::Batch {
  const std::function<void(size_t)>* task = nullptr;
  size_t count = 0;
  ReadAccount* account = ReadAccount::Current();  // of the caller, charged by all who help
  std::atomic<size_t> next{0};
  Mutex mutex;
  CondVar all_done;
  size_t done WEFT_GUARDED_BY(mutex) = 0;

  // Takes tasks until none is left.
  void Help() {
    const ReadAccountScope scope(account);
    while (true) {
      const size_t i = next.fetch_add(1);
      if (i >= count) return;
      (*task)(i);
      MutexLock lock(mutex);
      if (++done == count) all_done.NotifyAll();
    }
  }
};

TaskRunner::TaskRunner(size_t helpers) {
  for (size_t i = 0; i < helpers; ++i) threads_.emplace_back([this] { Work(); });
}

TaskRunner::~TaskRunner() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void TaskRunner::Run(size_t count, const std::function<void(size_t)>& task) {
  auto batch = std::make_shared<Batch>();
  batch->task = &task;
  batch->count = count;
  if (count > 1 && !threads_.empty()) {
    MutexLock lock(mutex_);
    batches_.push_back(batch);
    changed_.NotifyAll();
  }
  batch->Help();
  {
    MutexLock lock(batch->mutex);
    while (batch->done < count) batch->all_done.Wait(batch->mutex);
  }
  MutexLock lock(mutex_);
  batches_.erase(std::remove(batches_.begin(), batches_.end(), batch), batches_.end());
}

void TaskRunner::Work() {
  while (true) {
    std::shared_ptr<Batch> batch;
    {
      MutexLock lock(mutex_);
      while (batches_.empty() && !stopping_) changed_.Wait(mutex_);
      if (stopping_) return;
      batch = batches_.front();
      // Leaves the queue when it has no more tasks to give, or its caller would spin this thread.
      if (batch->next.load() + 1 >= batch->count) batches_.pop_front();
    }
    batch->Help();
  }
}

}  // namespace weft::query::exec
