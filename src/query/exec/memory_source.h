// A RowSource for tests: row groups over batches in memory, written for clarity and not for speed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "block/row_source.h"
#include "model/span_batch.h"

namespace weft::query::exec {

// Each batch is one row group; a trace in two batches has two fragments. Immutable once built, so
// thread-safe.
class MemorySource : public block::RowSource {
 public:
  struct Group {
    std::shared_ptr<const model::SpanBatch> spans;
    std::vector<uint32_t>
        excluded;  // rows that Snapshot leaves out; FindTrace does not see them either
  };

  explicit MemorySource(std::vector<Group> groups);
  // One group a batch, nothing excluded.
  static MemorySource Of(std::vector<model::SpanBatch> batches);

  // The tenant is ignored.
  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId& tenant, TimeRange range,
      const block::SnapshotOptions& options) const override;
  Result<model::SpanBatch> FindTrace(const model::TenantId& tenant,
                                     model::TraceId id) const override;
  Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenant,
                                       model::TraceId id) const override;

 private:
  std::vector<std::shared_ptr<const block::RowGroup>> row_groups_;
  std::vector<Group> groups_;
  // The spans of a trace by group.
  absl::flat_hash_map<model::TraceId, std::map<uint32_t, std::vector<uint32_t>>, model::TraceIdHash>
      rows_of_;
};

}  // namespace weft::query::exec
