#include "block/row_grouping.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "model/string_table.h"

namespace weft::block {
namespace {

struct TraceKey {
  uint32_t trace = 0;
  uint32_t operation = 0;  // rank of (root service, root name)
  uint64_t start_ns = 0;
  model::TraceId id;
};

uint64_t StartOf(const BlockInput& input, const BlockInput::Trace& trace) {
  uint64_t start = UINT64_MAX;
  for (uint32_t i = trace.first_row; i < trace.first_row + trace.row_count; ++i) {
    const RowRef ref = input.rows[i];
    start = std::min(start, input.batches[ref.batch]->start_ns[ref.row]);
  }
  return start;
}

std::vector<TraceKey> MakeKeys(std::span<const TraceToGroup> traces,
                               const model::StringTable& operations) {
  std::vector<uint32_t> sorted(operations.size());
  std::iota(sorted.begin(), sorted.end(), 0);
  std::sort(sorted.begin(), sorted.end(),
            [&](uint32_t a, uint32_t b) { return operations[a] < operations[b]; });
  std::vector<uint32_t> rank(sorted.size());
  for (uint32_t i = 0; i < sorted.size(); ++i) rank[sorted[i]] = i;
  std::vector<TraceKey> keys(traces.size());
  for (uint32_t t = 0; t < keys.size(); ++t) {
    keys[t] = {t, rank[traces[t].operation], traces[t].start_ns, traces[t].id};
  }
  return keys;
}

void SortInside(const std::vector<TraceKey>& keys, size_t begin, size_t end, TraceGroup* group) {
  std::vector<TraceKey> own(keys.begin() + begin, keys.begin() + end);
  std::sort(own.begin(), own.end(), [](const TraceKey& a, const TraceKey& b) {
    if (a.operation != b.operation) return a.operation < b.operation;
    return a.start_ns != b.start_ns ? a.start_ns < b.start_ns : a.id < b.id;
  });
  for (const TraceKey& key : own) group->traces.push_back(key.trace);
}

}  // namespace

std::vector<TraceGroup> GroupTraces(std::span<const TraceToGroup> traces,
                                    const model::StringTable& operations, uint32_t rows_max) {
  std::vector<TraceKey> keys = MakeKeys(traces, operations);
  std::sort(keys.begin(), keys.end(), [](const TraceKey& a, const TraceKey& b) {
    return a.start_ns != b.start_ns ? a.start_ns < b.start_ns : a.id < b.id;
  });
  std::vector<TraceGroup> groups;
  size_t begin = 0;
  while (begin < keys.size()) {
    TraceGroup group;
    size_t end = begin;
    while (end < keys.size()) {
      const uint32_t rows = traces[keys[end].trace].row_count;
      if (end > begin && uint64_t{group.row_count} + rows > rows_max) break;
      group.row_count += rows;
      ++end;
    }
    SortInside(keys, begin, end, &group);
    groups.push_back(std::move(group));
    begin = end;
  }
  return groups;
}

std::vector<TraceGroup> GroupTraces(const BlockInput& input, uint32_t rows_max) {
  ServiceNames services(input.batches);
  model::StringTable operations;
  std::vector<TraceToGroup> traces(input.traces.size());
  std::string text;
  for (uint32_t t = 0; t < traces.size(); ++t) {
    const BlockInput::Trace& trace = input.traces[t];
    const RowRef root = input.rows[trace.first_row];
    const model::SpanBatch& batch = *input.batches[root.batch];
    SetOperationText(services.Of(root.batch, batch.resource[root.row]),
                     batch.strings[batch.name[root.row]], &text);
    traces[t] = {trace.id, StartOf(input, trace), operations.Intern(text), trace.row_count};
  }
  return GroupTraces(traces, operations, rows_max);
}

void SetOperationText(std::string_view service, std::string_view name, std::string* out) {
  out->assign(service);
  out->push_back('\0');
  out->append(name);
}

ServiceNames::ServiceNames(const std::vector<const model::SpanBatch*>& batches)
    : batches_(&batches), codes_(batches.size()) {}

void ServiceNames::LookUp(uint32_t batch) {
  const model::SpanBatch& source = *(*batches_)[batch];
  for (uint32_t r = 0; r < source.resources.size(); ++r) {
    codes_[batch].push_back(source.ServiceName(r));
  }
}

}  // namespace weft::block
