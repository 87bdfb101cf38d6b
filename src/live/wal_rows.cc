#include "live/wal_rows.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/checksum.h"

namespace weft::live {
namespace {

constexpr char kVersion = 1;

void AppendVarint(uint64_t v, std::string* out) {
  for (; v >= 0x80; v >>= 7) out->push_back(static_cast<char>(v | 0x80));
  out->push_back(static_cast<char>(v));
}

std::optional<uint64_t> TakeVarint(std::string_view* bytes) {
  uint64_t v = 0;
  for (int shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const uint8_t byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    v |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return v;
  }
  return std::nullopt;
}

struct DecodedRun {
  uint64_t segment;
  uint32_t record, first, count;
};

Result<std::vector<DecodedRun>> Decode(std::string_view file) {
  const Error corrupt(ErrorCode::kCorrupt, "wal_rows.bin is damaged");
  if (file.size() < 5 || file[0] != kVersion) return corrupt;
  uint32_t crc;
  std::memcpy(&crc, file.data() + file.size() - 4, 4);
  if (Crc32c(file.substr(0, file.size() - 4)) != crc) return corrupt;
  std::string_view rest = file.substr(1, file.size() - 5);
  std::vector<DecodedRun> runs;
  uint64_t segment = 0, record = 0;
  while (!rest.empty()) {
    const auto segment_delta = TakeVarint(&rest), record_delta = TakeVarint(&rest),
               first = TakeVarint(&rest), count = TakeVarint(&rest);
    if (!segment_delta || !record_delta || !first || !count) return corrupt;
    record = *segment_delta == 0 ? record + *record_delta : *record_delta;
    segment += *segment_delta;
    if (record > UINT32_MAX || *first + *count > uint64_t{UINT32_MAX}) return corrupt;
    runs.push_back({segment, static_cast<uint32_t>(record), static_cast<uint32_t>(*first),
                    static_cast<uint32_t>(*count)});
  }
  return runs;
}

}  // namespace

std::string EncodeWalRows(std::vector<WalRow>* rows) {
  std::sort(rows->begin(), rows->end());
  std::string out(1, kVersion);
  WalRow last;
  for (size_t begin = 0; begin < rows->size();) {
    const WalRow& first = (*rows)[begin];
    size_t end = begin + 1;
    while (end < rows->size() && (*rows)[end].segment == first.segment &&
           (*rows)[end].record == first.record && (*rows)[end].row == first.row + (end - begin)) {
      ++end;
    }
    AppendVarint(first.segment - last.segment, &out);
    AppendVarint(first.segment == last.segment ? first.record - last.record : first.record, &out);
    AppendVarint(first.row, &out);
    AppendVarint(end - begin, &out);
    last = first;
    begin = end;
  }
  const uint32_t crc = Crc32c(out);
  out.append(reinterpret_cast<const char*>(&crc), 4);
  return out;
}

Error WalRowSet::Add(std::string_view file) {
  WEFT_ASSIGN_OR_RETURN(const std::vector<DecodedRun> runs, Decode(file));
  for (const DecodedRun& run : runs)
    runs_[{run.segment, run.record}].push_back({run.first, run.count});
  return Error::Ok();
}

bool WalRowSet::Contains(const WalRow& row) const {
  const auto at = runs_.find({row.segment, row.record});
  if (at == runs_.end()) return false;
  return std::any_of(at->second.begin(), at->second.end(), [&](const Run& run) {
    return row.row - run.first < run.count && row.row >= run.first;
  });
}

Result<std::vector<uint64_t>> WalRowSet::SegmentsOf(std::string_view file) {
  WEFT_ASSIGN_OR_RETURN(const std::vector<DecodedRun> runs, Decode(file));
  std::vector<uint64_t> segments;
  for (const DecodedRun& run : runs) {
    if (segments.empty() || segments.back() != run.segment) segments.push_back(run.segment);
  }
  return segments;
}

}  // namespace weft::live
