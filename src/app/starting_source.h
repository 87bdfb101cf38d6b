// The RowSource that queries get before and after the write-ahead log has been replayed.
#pragma once

#include <atomic>

#include "block/row_source.h"

namespace weft::app {

// Forwards to another source once there is one; until then every question is answered with
// kUnavailable.
class StartingSource : public block::RowSource {
 public:
  void Set(const block::RowSource* source) { source_ = source; }
  bool has_source() const { return source_ != nullptr; }

  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId& tenant, TimeRange range,
      const block::SnapshotOptions& options) const override {
    const block::RowSource* source = source_;
    if (source == nullptr) return NotYet();
    return source->Snapshot(tenant, range, options);
  }
  Result<model::SpanBatch> FindTrace(const model::TenantId& tenant,
                                     model::TraceId id) const override {
    const block::RowSource* source = source_;
    if (source == nullptr) return NotYet();
    return source->FindTrace(tenant, id);
  }
  Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenant,
                                       model::TraceId id) const override {
    const block::RowSource* source = source_;
    if (source == nullptr) return NotYet();
    return source->SummarizeTrace(tenant, id);
  }
  Result<std::vector<bool>> MayBeElsewhere(const model::TenantId& tenant,
                                           std::span<const model::TraceId> ids,
                                           const std::string& block_id) const override {
    const block::RowSource* source = source_;
    if (source == nullptr) return NotYet();
    return source->MayBeElsewhere(tenant, ids, block_id);
  }

  Error Renew() const override {
    const block::RowSource* source = source_;
    return source == nullptr ? NotYet() : source->Renew();
  }

 private:
  static Error NotYet() {
    return Error(ErrorCode::kUnavailable,
                 "the write-ahead log is being replayed: ask again when /ready says ready", 1000);
  }

  std::atomic<const block::RowSource*> source_{nullptr};
};

}  // namespace weft::app
