#include "store/range_request.h"

#include <algorithm>
#include <utility>

#include "base/env.h"
#include "base/fair_share.h"
#include "base/read_account.h"

namespace weft::store {
namespace {

constexpr int64_t kPatienceMinNs = 5'000'000;
constexpr uint32_t kRequestsPerHedge = 20;
constexpr uint32_t kHedgesAtOnce = 8;

// Up to 256 KiB, 1 MiB, 4 MiB, and above: what takes about as long.
size_t SizeClassOf(size_t length) {
  size_t size_class = 0;
  for (size_t limit = 256 << 10; length > limit && size_class < 3; limit *= 4) ++size_class;
  return size_class;
}

int64_t NowNs() { return Env::Posix().MonotonicNs(); }

}  // namespace

void RequestPace::Note(size_t length, int64_t took_ns) {
  const MutexLock lock(mutex_);
  Recent& recent = recent_[SizeClassOf(length)];
  recent.took_ns[recent.count++ % kSamples] = took_ns;
  credit_ = std::min(credit_ + 1, kRequestsPerHedge * kHedgesAtOnce);
}

std::optional<int64_t> RequestPace::Patience(size_t length) const {
  std::array<int64_t, kSamples> took_ns;
  size_t count;
  {
    const MutexLock lock(mutex_);
    const Recent& recent = recent_[SizeClassOf(length)];
    if (recent.count < kSamplesMin) return std::nullopt;
    took_ns = recent.took_ns;
    count = std::min(recent.count, kSamples);
  }
  const auto nineteenth = took_ns.begin() + static_cast<std::ptrdiff_t>(count * 19 / 20);
  std::nth_element(took_ns.begin(), nineteenth,
                   took_ns.begin() + static_cast<std::ptrdiff_t>(count));
  return std::max(2 * *nineteenth, kPatienceMinNs);
}

bool RequestPace::TakeHedge() {
  const MutexLock lock(mutex_);
  if (credit_ < kRequestsPerHedge) return false;
  credit_ -= kRequestsPerHedge;
  hedges_.Add();
  return true;
}

void RangeRequest::Begin(Arrived arrived) {
  {
    const MutexLock lock(mutex_);
    arrived_ = std::move(arrived);
    began_ns_ = NowNs();
    tries_ = 1;
    changed_.NotifyAll();
  }
  Try();
}

void RangeRequest::Try() {
  start_(offset_, length_,
         [self = shared_from_this(), began_ns = NowNs()](Result<std::string> outcome) {
           self->Take(std::move(outcome), began_ns);
         });
}

void RangeRequest::Take(Result<std::string> outcome, int64_t began_ns) {
  if (outcome.ok()) pace_->Note(length_, NowNs() - began_ns);
  {
    const MutexLock lock(mutex_);
    if (decided_) return;
    // The other one may still come through.
    if (!outcome.ok() && ++failures_ < tries_) return;
    decided_ = true;
  }
  outcome_ = std::move(outcome);
  arrived_(*outcome_);
  const MutexLock lock(mutex_);
  done_ = true;
  changed_.NotifyAll();
}

bool RangeRequest::IsDone() const {
  const MutexLock lock(mutex_);
  return done_;
}

Result<const std::string*> RangeRequest::Wait() {
  std::optional<FairShare::Pause> others_work;
  if (!IsDone()) others_work.emplace();
  if (IsSlow() && pace_->TakeHedge()) {
    ReadAccount* const account = ReadAccount::Current();
    if (account != nullptr) account->requests += 1, account->bytes += length_;
    {
      const MutexLock lock(mutex_);
      ++tries_;
    }
    Try();
  }
  {
    const MutexLock lock(mutex_);
    while (!done_) changed_.Wait(mutex_);
  }
  if (!outcome_->ok()) return outcome_->error();
  return &**outcome_;
}

// Waits until it is there, or slow; true to one caller, if it is slow.
bool RangeRequest::IsSlow() {
  const std::optional<int64_t> patience = pace_->Patience(length_);
  if (!patience) return false;
  const MutexLock lock(mutex_);
  while (!decided_ && !found_slow_) {
    if (tries_ == 0) {
      changed_.Wait(mutex_);
      continue;
    }
    const int64_t left_ns = began_ns_ + *patience - NowNs();
    if (left_ns <= 0) return found_slow_ = true;
    changed_.WaitFor(mutex_, left_ns);
  }
  return false;
}

bool RangeRequest::hedged() const {
  const MutexLock lock(mutex_);
  return tries_ > 1;
}

}  // namespace weft::store
