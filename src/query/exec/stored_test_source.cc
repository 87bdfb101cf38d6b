#include "query/exec/stored_test_source.h"

#include "block/block_fixture.h"
#include "block/trace_summary.h"

namespace weft::query::exec {
namespace {

constexpr size_t kCacheBytes = 64 << 20;

Result<std::shared_ptr<const block::Block>> MakeBlock(const model::SpanBatch& batch,
                                                      const block::BlockWriterOptions& options,
                                                      uint64_t number) {
  block::BlockMeta meta;
  meta.id = block::NewBlockId(static_cast<int64_t>(number) * 1'000'000, number);
  meta.tenant = "default";
  const block::BlockInput input = block::MakeBlockInput({&batch});
  WEFT_ASSIGN_OR_RETURN(block::EncodedBlock encoded, block::WriteBlock(input, meta, options));
  const block::MemoryFiles files(std::move(encoded.files));
  auto cache = std::make_shared<block::ColumnCache>(kCacheBytes);
  return block::Block::Open(encoded.meta, files, cache);
}

}  // namespace

Result<std::shared_ptr<const StoredTestSource>> StoredTestSource::Make(
    const std::vector<model::SpanBatch>& batches, const block::BlockWriterOptions& options) {
  auto out = std::make_shared<StoredTestSource>();
  for (const model::SpanBatch& batch : batches) {
    if (batch.empty()) continue;
    WEFT_ASSIGN_OR_RETURN(auto made, MakeBlock(batch, options, out->blocks_.size() + 1));
    out->blocks_.push_back(std::move(made));
  }
  return std::shared_ptr<const StoredTestSource>(std::move(out));
}

Result<std::vector<std::shared_ptr<const block::RowGroup>>> StoredTestSource::Snapshot(
    const model::TenantId&, TimeRange range, const block::SnapshotOptions&) const {
  std::vector<std::shared_ptr<const block::RowGroup>> out;
  for (const auto& stored : blocks_) {
    const auto groups = stored->RowGroups(range);
    out.insert(out.end(), groups.begin(), groups.end());
  }
  return out;
}

Result<model::SpanBatch> StoredTestSource::FindTrace(const model::TenantId&,
                                                     model::TraceId id) const {
  model::SpanBatch out;
  model::BatchAppender appender(&out);
  for (const auto& stored : blocks_) {
    WEFT_ASSIGN_OR_RETURN(const model::SpanBatch part, stored->FindTrace(id));
    appender.AppendAll(part);
  }
  return block::WithoutDuplicates(out);
}

Result<block::RowSource::JoinedSummary> StoredTestSource::SummarizeTrace(
    const model::TenantId& tenant, model::TraceId id) const {
  JoinedSummary out;
  for (const auto& stored : blocks_) {
    WEFT_ASSIGN_OR_RETURN(const auto part, stored->Summary(id));
    out.fragments += part.span_count > 0 ? 1 : 0;
  }
  WEFT_ASSIGN_OR_RETURN(const model::SpanBatch spans, FindTrace(tenant, id));
  out.summary = block::SummarizeSpans(spans);
  return out;
}

}  // namespace weft::query::exec
