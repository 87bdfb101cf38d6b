#include "block/trace_summary.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "model/preorder.h"

namespace weft::block {
namespace {

constexpr uint8_t kStatusError = static_cast<uint8_t>(model::StatusCode::kError);

std::vector<model::TreeSpan> TreeSpansOf(const model::SpanBatch& batch) {
  std::vector<model::TreeSpan> spans(batch.size());
  for (uint32_t i = 0; i < batch.size(); ++i) {
    spans[i] = {batch.span_id[i], batch.parent_span_id[i], batch.start_ns[i], batch.end_ns[i],
                batch.kind[i]};
  }
  return spans;
}

void CountServices(const model::SpanBatch& batch, const model::Preorder& rows, TraceSummary* out) {
  std::vector<ServiceCount> by_resource(batch.resources.size());
  for (uint32_t input : rows.input) {
    ServiceCount& count = by_resource[batch.resource[input]];
    ++count.span_count;
    if (batch.status[input] == kStatusError) ++count.error_count;
  }
  std::map<std::string, ServiceCount> by_name;
  for (uint32_t r = 0; r < by_resource.size(); ++r) {
    if (by_resource[r].span_count == 0) continue;
    ServiceCount& count = by_name[std::string(batch.strings[batch.ServiceName(r)])];
    count.span_count += by_resource[r].span_count;
    count.error_count += by_resource[r].error_count;
  }
  for (auto& [name, count] : by_name) {
    count.name = name;
    out->error_count += count.error_count;
    out->services.push_back(count);
  }
}

}  // namespace

uint32_t FlagsOfMarks(uint8_t marks) {
  uint32_t flags = 0;
  if (marks & model::kMarkOrphan) flags |= kTraceOrphans;
  if (marks & model::kMarkDuplicateId) flags |= kTraceDuplicateIds;
  if (marks & model::kMarkCycle) flags |= kTraceCycles;
  if (marks & model::kMarkStartsBefore) flags |= kTraceClockSkew;
  return flags;
}

TraceSummary SummarizeSpans(const model::SpanBatch& batch) {
  TraceSummary out;
  if (batch.empty()) return out;
  model::PreorderBuilder builder;
  const model::Preorder& rows =
      builder.Build(TreeSpansOf(batch), [&](uint32_t i) { return model::ContentHash(batch, i); });
  out.id = batch.trace_id(0);
  out.span_count = rows.size();
  out.start_ns = UINT64_MAX;
  for (uint32_t row = 0; row < rows.size(); ++row) {
    const uint32_t input = rows.input[row];
    out.start_ns = std::min(out.start_ns, batch.start_ns[input]);
    out.end_ns = std::max({out.end_ns, batch.end_ns[input], batch.start_ns[input]});
    out.flags |= FlagsOfMarks(rows.marks[row]);
  }
  const uint32_t root = rows.input[0];
  if (batch.parent_span_id[root].valid()) {
    out.flags |= kTraceRootMissing;
  } else {
    out.root_service = batch.strings[batch.ServiceName(batch.resource[root])];
    out.root_name = batch.strings[batch.name[root]];
  }
  CountServices(batch, rows, &out);
  return out;
}

model::SpanBatch WithoutDuplicates(const model::SpanBatch& batch) {
  // Only spans with equal ids need their content hashed.
  using Key = std::tuple<model::TraceId, model::SpanId, uint64_t>;
  std::vector<std::pair<Key, uint32_t>> keys(batch.size());
  for (uint32_t i = 0; i < batch.size(); ++i)
    keys[i] = {{batch.trace_id(i), batch.span_id[i], batch.start_ns[i]}, i};
  std::sort(keys.begin(), keys.end());
  std::vector<uint32_t> kept;
  for (size_t begin = 0; begin < keys.size();) {
    size_t end = begin;
    std::vector<uint64_t> seen;
    while (end < keys.size() && keys[end].first == keys[begin].first) ++end;
    for (size_t i = begin; i < end; ++i) {
      if (end - begin > 1) {
        const uint64_t hash = model::ContentHash(batch, keys[i].second);
        if (std::find(seen.begin(), seen.end(), hash) != seen.end()) continue;
        seen.push_back(hash);
      }
      kept.push_back(keys[i].second);
    }
    begin = end;
  }
  std::sort(kept.begin(), kept.end());
  model::SpanBatch out;
  model::BatchAppender(&out).Append(batch, kept);
  return out;
}

}  // namespace weft::block
