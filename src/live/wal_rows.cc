#include "live/wal_rows.h"

#include <algorithm>
#include <array>
#include <bit>
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

// Sorts numbers whose bits above `bits` are 0, digit by digit.
void RadixSort(uint32_t bits, std::vector<uint64_t>* keys) {
  constexpr uint32_t kDigitBits = 11;
  std::vector<uint64_t> sorted(keys->size());
  for (uint32_t shift = 0; shift < bits; shift += kDigitBits) {
    std::array<uint32_t, (1 << kDigitBits) + 1> place{};
    const auto digit = [shift](uint64_t key) { return key >> shift & ((1 << kDigitBits) - 1); };
    for (const uint64_t key : *keys) ++place[digit(key) + 1];
    for (size_t d = 1; d < place.size(); ++d) place[d] += place[d - 1];
    for (const uint64_t key : *keys) sorted[place[digit(key)]++] = key;
    keys->swap(sorted);
  }
}

// Sorts them as one number each, which is several times faster than by their fields.
void SortRows(std::vector<WalRow>* rows) {
  uint64_t segment_min = UINT64_MAX, segment_max = 0;
  uint32_t record_max = 0, row_max = 0;
  for (const WalRow& at : *rows) {
    segment_min = std::min(segment_min, at.segment);
    segment_max = std::max(segment_max, at.segment);
    record_max = std::max(record_max, at.record);
    row_max = std::max(row_max, at.row);
  }
  if (rows->empty()) return;
  const uint32_t row_bits = std::bit_width(row_max);
  const uint32_t record_bits = std::bit_width(record_max);
  const uint32_t segment_bits = std::bit_width(segment_max - segment_min);
  const uint32_t bits = row_bits + record_bits + segment_bits;
  if (bits > 63) return std::sort(rows->begin(), rows->end());
  std::vector<uint64_t> keys(rows->size());
  for (size_t i = 0; i < keys.size(); ++i) {
    const WalRow& at = (*rows)[i];
    keys[i] = ((at.segment - segment_min) << record_bits | at.record) << row_bits | at.row;
  }
  RadixSort(bits, &keys);
  for (size_t i = 0; i < keys.size(); ++i) {
    const uint64_t record = keys[i] >> row_bits;
    (*rows)[i] = {segment_min + (record >> record_bits),
                  static_cast<uint32_t>(record & ((uint64_t{1} << record_bits) - 1)),
                  static_cast<uint32_t>(keys[i] & ((uint64_t{1} << row_bits) - 1))};
  }
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
  SortRows(rows);
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
