#include "base/fair_share.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weft {
namespace {

thread_local FairShare::Turn* current_turn = nullptr;

}  // namespace

FairShare::FairShare(const Env& env, size_t turns)
    : env_(env), free_(static_cast<int64_t>(std::max<size_t>(1, turns))) {}

// A tenant that comes anew starts where the one that has had least is: it has no claim to time in
// which it asked nothing.
FairShare::Work::Work(FairShare* share, const std::string& tenant)
    : share_(share), tenant_(tenant) {
  const MutexLock lock(share_->mutex_);
  int64_t least_ns = INT64_MAX;
  for (const auto& [name, tenant_of] : share_->tenants_) {
    least_ns = std::min(least_ns, tenant_of.used_ns);
  }
  if (least_ns == INT64_MAX) least_ns = 0;
  ++share_->tenants_.try_emplace(tenant_, Tenant{least_ns, 0}).first->second.works;
}

FairShare::Work::~Work() {
  const MutexLock lock(share_->mutex_);
  const auto found = share_->tenants_.find(tenant_);
  if (--found->second.works == 0) share_->tenants_.erase(found);
}

FairShare::Turn::Turn(Work* work) : work_(current_turn == nullptr ? work : nullptr) {
  if (work_ == nullptr) return;
  FairShare& share = *work_->share_;
  const MutexLock lock(share.mutex_);
  share.Acquire(this);
  current_turn = this;
}

FairShare::Turn::~Turn() {
  if (work_ == nullptr) return;
  current_turn = nullptr;
  FairShare& share = *work_->share_;
  const MutexLock lock(share.mutex_);
  share.Release(this);
}

FairShare::Pause::Pause()
    : turn_(current_turn != nullptr && !current_turn->paused_ ? current_turn : nullptr) {
  if (turn_ == nullptr) return;
  FairShare& share = *turn_->work_->share_;
  const MutexLock lock(share.mutex_);
  share.Release(turn_);
  turn_->paused_ = true;
}

FairShare::Pause::~Pause() {
  if (turn_ == nullptr) return;
  FairShare& share = *turn_->work_->share_;
  const MutexLock lock(share.mutex_);
  --share.free_;
  turn_->since_ns_ = share.env_.MonotonicNs();
  turn_->paused_ = false;
}

FairShare::Work* FairShare::Current() {
  return current_turn == nullptr ? nullptr : current_turn->work_;
}

void FairShare::Offer() {
  Turn* const turn = current_turn;
  if (turn == nullptr || turn->paused_) return;
  FairShare& share = *turn->work_->share_;
  const MutexLock lock(share.mutex_);
  if (!share.ShouldGiveUp(turn)) return;
  share.Release(turn);
  share.Acquire(turn);
}

bool FairShare::ShouldGiveUp(Turn* turn) {
  if (free_ < 0) return true;
  if (waiters_.empty()) return false;
  const int64_t now_ns = env_.MonotonicNs();
  Charge(turn, now_ns);
  const Waiter& next = **Next(now_ns);
  return now_ns - next.since_ns >= kPatienceNs || LessUsed(*next.work, *turn->work_);
}

size_t FairShare::waiting() const {
  const MutexLock lock(mutex_);
  return waiters_.size();
}

bool FairShare::IsBehind(const Work* a, const Work* b) {
  if (a == nullptr || b == nullptr) return a == nullptr && b != nullptr;
  FairShare& share = *a->share_;
  const MutexLock lock(share.mutex_);
  return share.LessUsed(*a, *b);
}

void FairShare::Acquire(Turn* turn) {
  if (free_ > 0 && waiters_.empty()) {
    --free_;
  } else {
    Waiter waiter{turn->work_, env_.MonotonicNs()};
    waiters_.push_back(&waiter);
    GrantNext();
    while (!waiter.granted) changed_.Wait(mutex_);
  }
  turn->since_ns_ = env_.MonotonicNs();
}

void FairShare::Release(Turn* turn) {
  Charge(turn, env_.MonotonicNs());
  ++free_;
  GrantNext();
}

void FairShare::Charge(Turn* turn, int64_t now_ns) {
  const int64_t held_ns = now_ns - turn->since_ns_;
  turn->since_ns_ = now_ns;
  turn->work_->used_ns_ += held_ns;
  tenants_.find(turn->work_->tenant_)->second.used_ns += held_ns;
}

void FairShare::GrantNext() {
  bool any = false;
  const int64_t now_ns = env_.MonotonicNs();
  while (free_ > 0 && !waiters_.empty()) {
    const auto next = Next(now_ns);
    (*next)->granted = true;
    waiters_.erase(next);
    --free_;
    any = true;
  }
  if (any) changed_.NotifyAll();
}

// There is one.
std::list<FairShare::Waiter*>::iterator FairShare::Next(int64_t now_ns) {
  auto best = waiters_.begin();
  if (now_ns - (*best)->since_ns >= kPatienceNs) return best;
  for (auto it = std::next(best); it != waiters_.end(); ++it) {
    if (LessUsed(*(*it)->work, *(*best)->work)) best = it;
  }
  return best;
}

bool FairShare::LessUsed(const Work& a, const Work& b) const {
  const int64_t of_a = tenants_.find(a.tenant_)->second.used_ns;
  const int64_t of_b = tenants_.find(b.tenant_)->second.used_ns;
  return std::pair(of_a, a.used_ns_) < std::pair(of_b, b.used_ns_);
}

}  // namespace weft
