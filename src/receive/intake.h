// Intake: what every receiver does with spans once they are decoded - hand them to the sink and
// keep the account. received = accepted (counted by whoever is behind the sink) + refused, for
// every request that was decoded, also when the sink fails.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "model/span_sink.h"
#include "receive/rejected_spans.h"

namespace weft::receive {

class Intake {
 public:
  // `protocol` is the label of the metrics, such as "otlp_grpc". Sink and registry outlive this.
  Intake(std::string protocol, model::SpanSink* sink, MetricRegistry* metrics);

  // Whether a request of `announced_bytes` may come in. Its retry time is spread over half as much
  // again, so that those who are turned away together do not come back together.
  Error Admit(const model::TenantId& tenant, uint64_t announced_bytes);

  // Takes a decoded request: counts its spans and those refused, pushes the rest. `done` is called
  // once, on any thread: Ok when the batch was accepted. Any thread.
  void Take(const model::TenantId& tenant, std::unique_ptr<model::SpanBatch> batch,
            const RejectedSpans& rejected, std::function<void(Error)> done);

  // Counts spans that were decoded and are not even tried, because of `error`.
  void Refuse(const model::TenantId& tenant, uint64_t spans, const Error& error);

  // A request was answered: `code` as the protocol writes it ("200", "UNAVAILABLE").
  void CountRequest(const std::string& code);
  // Bytes of a request's body, decompressed.
  void CountBytes(uint64_t bytes) { bytes_.Add(bytes); }

 private:
  struct TenantCounters;

  TenantCounters& CountersOf(const model::TenantId& tenant) WEFT_EXCLUDES(mutex_);
  Counter& Refused(TenantCounters& counters, std::string_view reason) WEFT_EXCLUDES(mutex_);

  const std::string protocol_;
  model::SpanSink* const sink_;
  MetricRegistry* const metrics_;
  Counter& bytes_;
  std::atomic<uint32_t> turned_away_{0};

  Mutex mutex_;
  std::map<std::string, std::shared_ptr<TenantCounters>> tenants_ WEFT_GUARDED_BY(mutex_);
  std::map<std::string, Counter*> requests_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::receive
