// A RowSource for tests over real blocks: encoded, and read back from memory.
#pragma once

#include <memory>
#include <vector>

#include "block/block.h"
#include "block/reader.h"
#include "block/row_source.h"

namespace weft::query::exec {

// Each batch is one block. Thread-safe.
class StoredTestSource : public block::RowSource {
 public:
  static Result<std::shared_ptr<const StoredTestSource>> Make(
      const std::vector<model::SpanBatch>& batches, const block::BlockWriterOptions& options);

  // The tenant is ignored.
  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId& tenant, TimeRange range,
      const block::SnapshotOptions& options) const override;
  Result<model::SpanBatch> FindTrace(const model::TenantId& tenant,
                                     model::TraceId id) const override;
  Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenant,
                                       model::TraceId id) const override;

 private:
  std::vector<std::shared_ptr<const block::Block>> blocks_;
};

}  // namespace weft::query::exec
