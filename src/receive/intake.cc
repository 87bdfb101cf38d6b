#include "receive/intake.h"

#include <utility>

namespace weft::receive {
namespace {

// Tenants are named by senders: past this many, the rest share one label, so that no one can fill
// the registry.
constexpr size_t kTenantLabelsMax = 200;
constexpr const char* kOtherTenants = "other";

}  // namespace

struct Intake::TenantCounters {
  std::string label;
  Counter* received = nullptr;
  std::map<std::string, Counter*, std::less<>> refused;  // by reason
};

Intake::Intake(std::string protocol, model::SpanSink* sink, MetricRegistry* metrics)
    : protocol_(std::move(protocol)),
      sink_(sink),
      metrics_(metrics),
      bytes_(metrics->GetCounter("weft_received_bytes_total",
                                 "Bytes of request bodies, decompressed, by protocol",
                                 {{"protocol", protocol_}})) {}

Error Intake::Admit(const model::TenantId& tenant, uint64_t announced_bytes) {
  Error error = sink_->Admit(tenant, announced_bytes);
  if (error.ok() || error.retry_after_ms() == 0) return error;
  // Successive numbers times an odd constant visit all eighths of the half in turn.
  const uint32_t turn = turned_away_.fetch_add(1, std::memory_order_relaxed) * 5 % 8;
  const uint32_t spread_ms = error.retry_after_ms() / 16 * turn;
  return Error(error.code(), error.message(), error.retry_after_ms() + spread_ms);
}

Intake::TenantCounters& Intake::CountersOf(const model::TenantId& tenant) {
  const MutexLock lock(mutex_);
  const bool known = tenants_.contains(tenant);
  const std::string label = known || tenants_.size() < kTenantLabelsMax ? tenant : kOtherTenants;
  std::shared_ptr<TenantCounters>& counters = tenants_[label];
  if (!counters) {
    counters = std::make_shared<TenantCounters>();
    counters->label = label;
    counters->received = &metrics_->GetCounter("weft_received_spans_total",
                                               "Spans in requests that could be decoded",
                                               {{"protocol", protocol_}, {"tenant", label}});
  }
  return *counters;
}

Counter& Intake::Refused(TenantCounters& counters, std::string_view reason) {
  const MutexLock lock(mutex_);
  const auto known = counters.refused.find(reason);
  if (known != counters.refused.end()) return *known->second;
  Counter& counter = metrics_->GetCounter(
      "weft_refused_spans_total", "Spans received and not accepted, by reason",
      {{"protocol", protocol_}, {"tenant", counters.label}, {"reason", std::string(reason)}});
  counters.refused.emplace(reason, &counter);
  return counter;
}

void Intake::Take(const model::TenantId& tenant, std::unique_ptr<model::SpanBatch> batch,
                  const RejectedSpans& rejected, std::function<void(Error)> done) {
  TenantCounters& counters = CountersOf(tenant);
  const uint64_t spans = batch->size();
  counters.received->Add(spans + rejected.total());
  for (size_t i = 0; i < kRejectReasonCount; ++i) {
    if (rejected.by_reason[i] == 0) continue;
    Refused(counters, RejectReasonName(static_cast<RejectReason>(i))).Add(rejected.by_reason[i]);
  }
  if (spans == 0) return done(Error::Ok());
  sink_->Push(tenant, std::move(batch), [this, &counters, spans, done = std::move(done)](Error e) {
    if (!e.ok()) Refused(counters, ErrorCodeName(e.code())).Add(spans);
    done(std::move(e));
  });
}

void Intake::Refuse(const model::TenantId& tenant, uint64_t spans, const Error& error) {
  TenantCounters& counters = CountersOf(tenant);
  counters.received->Add(spans);
  Refused(counters, ErrorCodeName(error.code())).Add(spans);
}

void Intake::CountRequest(const std::string& code) {
  Counter* counter = nullptr;
  {
    const MutexLock lock(mutex_);
    Counter*& known = requests_[code];
    if (known == nullptr) {
      known =
          &metrics_->GetCounter("weft_receive_requests_total", "Requests to receivers, by answer",
                                {{"protocol", protocol_}, {"code", code}});
    }
    counter = known;
  }
  counter->Add();
}

}  // namespace weft::receive
