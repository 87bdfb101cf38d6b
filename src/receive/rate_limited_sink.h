// RateLimitedSink: a SpanSink that turns away tenants who send faster than they may, before their
// requests are read. A span counts as long as it is in OTLP's protobuf, however it came. Any
// thread.
#pragma once

#include <memory>
#include <utility>

#include "base/env.h"
#include "base/mutex.h"
#include "model/otlp_encode.h"
#include "model/span_sink.h"
#include "policy/tenant_rates.h"

namespace weft::receive {

class RateLimitedSink : public model::SpanSink {
 public:
  // `env` and `next` outlive this.
  RateLimitedSink(const Env& env, const policy::RateLimit& limit, model::SpanSink* next)
      : env_(env), next_(next), rates_(limit) {}

  Error Admit(const model::TenantId& tenant, uint64_t announced_bytes) override {
    {
      const MutexLock lock(mutex_);
      WEFT_RETURN_IF_ERROR(rates_.Check(tenant, env_.MonotonicNs()));
    }
    return next_->Admit(tenant, announced_bytes);
  }
  void Push(const model::TenantId& tenant, std::unique_ptr<model::SpanBatch> batch,
            Done done) override {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < batch->size(); ++i) bytes += model::OtlpProtoBytes(*batch, i);
    {
      const MutexLock lock(mutex_);
      rates_.Spend(tenant, bytes, env_.MonotonicNs());
    }
    next_->Push(tenant, std::move(batch), std::move(done));
  }

 private:
  const Env& env_;
  model::SpanSink* const next_;
  Mutex mutex_;
  policy::TenantRates rates_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::receive
