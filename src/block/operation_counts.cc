#include "block/operation_counts.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <tuple>

#include "block/attributed_table.h"
#include "block/column_filler.h"
#include "block/latency_bucket.h"
#include "block/schema.h"

namespace weft::block {

using model::Code;
using model::ValueType;

OperationCounter::Key OperationCounter::KeyOf(const OperationCount& count) {
  // 2^64 ns are fewer than 2^29 minutes.
  return {uint64_t{count.service} << 32 | count.name,
          count.minute << 19 | uint64_t{count.bucket} << 9 | uint64_t{count.kind} << 1 |
              (count.error ? 1 : 0)};
}

namespace {

OperationCount CountOfSpan(Code service, Code name, uint8_t kind, bool error, uint64_t start_ns,
                           int64_t duration_ns) {
  return {start_ns / kMinuteNs,
          service,
          name,
          kind,
          error,
          static_cast<uint16_t>(LatencyBucketOf(duration_ns)),
          1};
}

}  // namespace

void OperationCounter::AddSpan(Code service, Code name, uint8_t kind, bool error, uint64_t start_ns,
                               int64_t duration_ns) {
  Add(CountOfSpan(service, name, kind, error, start_ns, duration_ns));
}

void OperationCounter::AddAll(const OperationCounts& counts, uint64_t first_minute,
                              uint64_t last_minute) {
  std::vector<Code> code_of(counts.strings.size(), model::StringTable::kMissing);
  const auto translate = [&](Code code) {
    if (code_of[code] == model::StringTable::kMissing) code_of[code] = Intern(counts.strings[code]);
    return code_of[code];
  };
  for (OperationCount count : counts.counts) {
    if (count.minute < first_minute || count.minute > last_minute) continue;
    count.service = translate(count.service);
    count.name = translate(count.name);
    Add(count);
  }
}

namespace {

// service.name of each resource of a group.
Error ReadServices(const RowGroup& group, OperationCounter* counter, std::vector<Code>* services) {
  WEFT_ASSIGN_OR_RETURN(const uint32_t rows, group.TableRows(Scope::kResource));
  services->assign(rows, counter->Intern(""));
  WEFT_ASSIGN_OR_RETURN(const auto columns, group.ReadAttribute(Scope::kResource, "service.name"));
  for (const ColumnPtr& column : columns) {
    if (column->type != ValueType::kString) continue;
    for (uint32_t row = 0; row < rows && row < column->row_count; ++row) {
      if (!column->has(row)) continue;
      (*services)[row] = counter->Intern(column->dictionary->strings[column->codes[row]]);
    }
  }
  return Error::Ok();
}

}  // namespace

template <typename Visit>
Error OperationCounter::ForEachSpan(const RowGroup& group, const std::vector<uint32_t>& rows,
                                    Visit visit) {
  std::vector<Code> services;
  WEFT_RETURN_IF_ERROR(ReadServices(group, this, &services));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr starts, group.Read(Intrinsic::kStartTime));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr durations, group.Read(Intrinsic::kDuration));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr names, group.Read(Intrinsic::kName));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr kinds, group.Read(Intrinsic::kKind));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr statuses, group.Read(Intrinsic::kStatus));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr resources, group.Read(Intrinsic::kResource));
  std::vector<Code> name_codes;
  for (const std::string_view name : names->dictionary->strings) name_codes.push_back(Intern(name));
  for (const uint32_t row : rows) {
    const uint64_t resource = NumberAt(*resources, row);
    if (resource >= services.size()) {
      return {ErrorCode::kCorrupt, "spans.parquet names an unknown resource"};
    }
    visit(CountOfSpan(services[resource], name_codes[names->codes[row]],
                      static_cast<uint8_t>(NumberAt(*kinds, row)),
                      NumberAt(*statuses, row) == static_cast<uint64_t>(model::StatusCode::kError),
                      static_cast<uint64_t>(starts->ints[row]), durations->ints[row]));
  }
  return Error::Ok();
}

Error OperationCounter::AddGroup(const RowGroup& group, uint64_t first_minute,
                                 uint64_t last_minute) {
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr starts, group.Read(Intrinsic::kStartTime));
  const std::vector<uint64_t>& excluded = group.excluded_rows();
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < group.row_count(); ++row) {
    if (row / 64 < excluded.size() && (excluded[row / 64] >> (row % 64) & 1) != 0) continue;
    const uint64_t minute = static_cast<uint64_t>(starts->ints[row]) / kMinuteNs;
    if (minute >= first_minute && minute <= last_minute) rows.push_back(row);
  }
  return ForEachSpan(group, rows, [&](const OperationCount& count) { Add(count); });
}

Result<std::vector<uint32_t>> OperationCounter::BordersOf(const RowGroup& group) {
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr starts, group.Read(Intrinsic::kStartTime));
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < group.row_count(); ++row) {
    const auto start_ns = static_cast<uint64_t>(starts->ints[row]);
    if (start_ns % kMinuteNs == 0 && start_ns != 0) rows.push_back(row);
  }
  return rows;
}

Error OperationCounter::MoveBorders(const RowGroup& group, const std::vector<uint32_t>& rows) {
  return ForEachSpan(group, rows, [&](OperationCount count) {
    const auto sum = sums_.find(KeyOf(count));
    if (sum != sums_.end() && --sum->second == 0) sums_.erase(sum);
    --count.minute;
    Add(count);
  });
}

OperationCounts OperationCounter::Take() {
  OperationCounts out;
  out.counts.reserve(sums_.size());
  for (const auto& [key, count] : sums_) {
    out.counts.push_back({.minute = key.second >> 19,
                          .service = static_cast<Code>(key.first >> 32),
                          .name = static_cast<Code>(key.first),
                          .kind = static_cast<uint8_t>(key.second >> 1),
                          .error = (key.second & 1) != 0,
                          .bucket = static_cast<uint16_t>(key.second >> 9 & 1023),
                          .count = count});
  }
  out.strings = std::move(strings_);
  strings_ = {};
  sums_ = {};
  return out;
}

namespace {

std::vector<OperationCount> Sorted(const OperationCounts& counts) {
  std::vector<Code> by_text(counts.strings.size());
  std::iota(by_text.begin(), by_text.end(), 0);
  std::sort(by_text.begin(), by_text.end(),
            [&](Code a, Code b) { return counts.strings[a] < counts.strings[b]; });
  std::vector<uint32_t> place(by_text.size());
  for (uint32_t i = 0; i < by_text.size(); ++i) place[by_text[i]] = i;
  const auto key = [&](const OperationCount& c) {
    return std::tuple(place[c.service], place[c.name], c.kind, c.error, c.minute, c.bucket);
  };
  std::vector<OperationCount> sorted = counts.counts;
  std::sort(sorted.begin(), sorted.end(),
            [&](const OperationCount& a, const OperationCount& b) { return key(a) < key(b); });
  return sorted;
}

}  // namespace

bool OperationCounts::SaysTheSame(const OperationCounts& other) const {
  const std::vector<OperationCount> mine = Sorted(*this);
  const std::vector<OperationCount> theirs = Sorted(other);
  return std::equal(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                    [&](const OperationCount& a, const OperationCount& b) {
                      return std::tie(a.minute, a.kind, a.error, a.bucket, a.count) ==
                                 std::tie(b.minute, b.kind, b.error, b.bucket, b.count) &&
                             strings[a.service] == other.strings[b.service] &&
                             strings[a.name] == other.strings[b.name];
                    });
}

// The order of these calls is that of the enum CountColumn.
Result<TableWriter::Finished> EncodeCounts(const OperationCounts& counts,
                                           const BlockWriterOptions& options) {
  TableWriter file(ColumnsOf(kCountsFile, {}), options);
  const std::vector<OperationCount> rows = Sorted(counts);
  const auto count = static_cast<uint32_t>(rows.size());
  if (count == 0) return file.Finish();
  ColumnFiller filler;
  model::StringTable kinds;
  const auto texts = [&](auto code) {
    return filler.WriteCodes(&file, count, counts.strings,
                             [&](uint32_t i) { return code(rows[i]); });
  };
  const auto numbers = [&](auto number) {
    return filler.WriteNumbers(&file, count, [&](uint32_t i) { return number(rows[i]); });
  };
  using Row = OperationCount;
  WEFT_RETURN_IF_ERROR(file.BeginRowGroup(count, TableWriter::kWholeBlock));
  WEFT_RETURN_IF_ERROR(texts([](const Row& row) { return row.service; }));
  WEFT_RETURN_IF_ERROR(texts([](const Row& row) { return row.name; }));
  WEFT_RETURN_IF_ERROR(filler.WriteCodes(
      &file, count, kinds, [&](uint32_t i) { return kinds.Intern(KindText(rows[i].kind)); }));
  WEFT_RETURN_IF_ERROR(numbers([](const Row& row) { return row.error ? 1 : 0; }));
  WEFT_RETURN_IF_ERROR(numbers([](const Row& row) { return row.minute * kMinuteNs; }));
  WEFT_RETURN_IF_ERROR(numbers([](const Row& row) { return LatencyBucketFloor(row.bucket); }));
  WEFT_RETURN_IF_ERROR(numbers([](const Row& row) { return row.count; }));
  WEFT_RETURN_IF_ERROR(file.EndRowGroup());
  return file.Finish();
}

Error AddCounts(const OperationCounts& counts, const BlockWriterOptions& options,
                EncodedBlock* block) {
  WEFT_ASSIGN_OR_RETURN(TableWriter::Finished file, EncodeCounts(counts, options));
  block->AddFile(std::string(kCountsFile), std::move(file.bytes), file.tail_bytes);
  return Error::Ok();
}

Result<OperationCounts> DecodeCounts(const TableReader& table, ByteCounter* bytes) {
  OperationCounts out;
  if (table.row_groups().empty()) return out;
  const Error corrupt(ErrorCode::kCorrupt, std::string(kCountsFile) + " says what cannot be");
  if (table.row_groups().size() != 1) return corrupt;
  std::vector<ColumnPtr> columns;
  for (uint32_t c = 0; c < table.columns().size(); ++c) {
    WEFT_ASSIGN_OR_RETURN(columns.emplace_back(), table.Read(0, c, bytes));
  }
  const auto text = [&](CountColumn column, uint32_t row) {
    return columns[column]->dictionary->strings[columns[column]->codes[row]];
  };
  const auto number = [&](CountColumn column, uint32_t row) {
    return NumberAt(*columns[column], row);
  };
  for (uint32_t row = 0; row < table.row_groups()[0].row_count; ++row) {
    const std::optional<uint8_t> kind = KindFromText(text(kCountKind, row));
    const uint64_t floor = number(kCountDurationFrom, row);
    const uint32_t bucket = LatencyBucketOf(static_cast<int64_t>(floor));
    const uint64_t minute_ns = number(kCountMinute, row);
    const uint64_t count = number(kCountCount, row);
    if (!kind || LatencyBucketFloor(bucket) != floor || minute_ns % kMinuteNs != 0 || count == 0) {
      return corrupt;
    }
    out.counts.push_back({.minute = minute_ns / kMinuteNs,
                          .service = out.strings.Intern(text(kCountService, row)),
                          .name = out.strings.Intern(text(kCountName, row)),
                          .kind = *kind,
                          .error = number(kCountError, row) != 0,
                          .bucket = static_cast<uint16_t>(bucket),
                          .count = count});
  }
  return out;
}

}  // namespace weft::block
