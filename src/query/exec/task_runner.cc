#include "query/exec/task_runner.h"

#include <algorithm>
#include <atomic>
#include <iterator>

#include "base/fair_share.h"
#include "base/read_account.h"

namespace weft::query::exec {

// `task` is the caller's: it is not touched once `next` has passed `count`.
struct TaskRunner::Batch {
  const std::function<void(size_t)>* task = nullptr;
  size_t count = 0;
  // Of the caller, as they are for all who help.
  ReadAccount* account = ReadAccount::Current();
  FairShare::Work* query = FairShare::Current();
  std::atomic<size_t> next{0};
  Mutex mutex;
  CondVar all_done;
  size_t done WEFT_GUARDED_BY(mutex) = 0;

  // Takes tasks until none is left. The caller's account and query are there as long as a task that
  // was taken is not done.
  void Help() {
    size_t taken = next.fetch_add(1);
    if (taken >= count) return;
    {
      const ReadAccountScope scope(account);
      const FairShare::Turn turn(query);
      while (true) {
        (*task)(taken);
        taken = next.fetch_add(1);
        if (taken >= count) break;
        Done();
        FairShare::Offer();
      }
    }
    Done();
  }

  void Done() {
    const MutexLock lock(mutex);
    if (++done == count) all_done.NotifyAll();
  }

  void WaitForAll() {
    const MutexLock lock(mutex);
    if (done == count) return;
    const FairShare::Pause pause;
    while (done < count) all_done.Wait(mutex);
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
  batch->WaitForAll();
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
      auto first = batches_.begin();
      for (auto it = std::next(first); it != batches_.end(); ++it) {
        if (FairShare::IsBehind((*it)->query, (*first)->query)) first = it;
      }
      batch = *first;
      // Leaves the queue when it has no more tasks to give, or its caller would spin this thread.
      if (batch->next.load() + 1 >= batch->count) batches_.erase(first);
    }
    batch->Help();
  }
}

}  // namespace weft::query::exec
