#include "api/worker_pool.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace weft::api {

WorkerPool::WorkerPool(int threads, size_t queue_max)
    : queue_max_(queue_max), free_(static_cast<size_t>(std::max(1, threads))) {
  for (int i = 0; i < std::max(1, threads); ++i) threads_.emplace_back([this] { Work(); });
}

WorkerPool::~WorkerPool() { Stop(); }

bool WorkerPool::TryRun(const std::string& group, Job job) {
  const MutexLock lock(mutex_);
  if (stopping_ || queued_ >= kGroupsQueued * queue_max_) return false;
  const auto found = groups_.find(group);
  if (found != groups_.end() && found->second.queue.size() >= queue_max_) return false;
  groups_[group].queue.push_back({next_number_++, std::move(job)});
  ++queued_;
  changed_.NotifyOne();
  return true;
}

void WorkerPool::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

size_t WorkerPool::queued() const {
  const MutexLock lock(mutex_);
  return queued_;
}

// The group of which a job may begin now; groups_.end() for none.
WorkerPool::Groups::iterator WorkerPool::Next() {
  auto best = groups_.end();
  for (auto it = groups_.begin(); it != groups_.end(); ++it) {
    const Group& group = it->second;
    const bool may_begin = group.running == 0 || free_ > 1;
    if (group.queue.empty() || !may_begin) continue;
    const auto rank = [](const Group& g) { return std::pair(g.running, g.queue.front().number); };
    if (best == groups_.end() || rank(group) < rank(best->second)) best = it;
  }
  return best;
}

void WorkerPool::Work() {
  mutex_.Lock();
  while (true) {
    const auto next = Next();
    if (next == groups_.end()) {
      if (stopping_ && queued_ == 0) break;
      changed_.Wait(mutex_);
      continue;
    }
    Job job = std::move(next->second.queue.front().job);
    next->second.queue.pop_front();
    ++next->second.running;
    --queued_;
    --free_;
    mutex_.Unlock();
    job();
    job = nullptr;
    mutex_.Lock();
    ++free_;
    if (--next->second.running == 0 && next->second.queue.empty()) groups_.erase(next);
    if (queued_ > 0 || stopping_) changed_.NotifyAll();
  }
  mutex_.Unlock();
}

}  // namespace weft::api
