// A SpanSink for tests: keeps what it is given and answers as it is told.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "model/span_sink.h"

namespace weft::receive {

class FakeSpanSink : public model::SpanSink {
 public:
  struct Pushed {
    model::TenantId tenant;
    std::unique_ptr<model::SpanBatch> batch;
  };

  Error Admit(const model::TenantId&, uint64_t announced_bytes) override {
    const MutexLock lock(mutex_);
    announced_.push_back(announced_bytes);
    return announced_bytes >= admit_fails_from_ ? admit_error_ : Error::Ok();
  }

  void Push(const model::TenantId& tenant, std::unique_ptr<model::SpanBatch> batch,
            Done done) override {
    Error error;
    {
      const MutexLock lock(mutex_);
      error = push_error_;
      if (error.ok()) accepted_ += batch->size();
      if (error.ok()) pushed_.push_back({tenant, std::move(batch)});
      if (hold_) {
        held_.push_back(std::move(done));
        return;
      }
    }
    done(std::move(error));
  }

  // Admit answers `error` to all who announce at least `from_bytes`.
  void FailAdmit(Error error, uint64_t from_bytes = 0) {
    const MutexLock lock(mutex_);
    admit_error_ = std::move(error);
    admit_fails_from_ = from_bytes;
  }
  void FailPush(Error error) {
    const MutexLock lock(mutex_);
    push_error_ = std::move(error);
  }
  // From now on answers wait for Release.
  void Hold() {
    const MutexLock lock(mutex_);
    hold_ = true;
  }
  size_t held() {
    const MutexLock lock(mutex_);
    return held_.size();
  }
  void Release(const Error& error) {
    std::vector<Done> held;
    {
      const MutexLock lock(mutex_);
      held.swap(held_);
    }
    for (Done& done : held) done(error);
  }

  uint64_t accepted() {
    const MutexLock lock(mutex_);
    return accepted_;
  }
  std::vector<Pushed> TakePushed() {
    const MutexLock lock(mutex_);
    return std::exchange(pushed_, {});
  }
  std::vector<uint64_t> announced() {
    const MutexLock lock(mutex_);
    return announced_;
  }

 private:
  Mutex mutex_;
  Error admit_error_ WEFT_GUARDED_BY(mutex_);
  uint64_t admit_fails_from_ WEFT_GUARDED_BY(mutex_) = UINT64_MAX;
  Error push_error_ WEFT_GUARDED_BY(mutex_);
  bool hold_ WEFT_GUARDED_BY(mutex_) = false;
  uint64_t accepted_ WEFT_GUARDED_BY(mutex_) = 0;
  std::vector<Done> held_ WEFT_GUARDED_BY(mutex_);
  std::vector<Pushed> pushed_ WEFT_GUARDED_BY(mutex_);
  std::vector<uint64_t> announced_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::receive
