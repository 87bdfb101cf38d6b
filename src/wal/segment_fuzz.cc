// Any bytes as a segment: no crash, bounded memory, and nothing delivered that was not written.
//
// The input is used twice: as the file itself, and as a list of changes to an intact segment, after
// which each record that is delivered must be one of those that were in it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "wal/segment_reader.h"
#include "wal/wal_testing.h"

namespace weft::wal {
namespace {

constexpr SegmentId kId{1, 2};
constexpr uint32_t kRecords = 20;

std::string Payload(uint32_t i) { return std::string(i * 7, static_cast<char>(i)); }

class MemoryFile : public ReadableFile {
 public:
  explicit MemoryFile(std::string bytes) : bytes_(std::move(bytes)) {}
  Error ReadAt(uint64_t offset, size_t length, char* out) const override {
    if (offset > bytes_.size() || length > bytes_.size() - offset) std::abort();
    bytes_.copy(out, length, offset);
    return Error::Ok();
  }
  uint64_t size_bytes() const override { return bytes_.size(); }

 private:
  const std::string bytes_;
};

void Check(bool holds) {
  if (!holds) std::abort();
}

RememberingHandler Scan(std::string bytes) {
  const MemoryFile file(std::move(bytes));
  RememberingHandler handler;
  const auto scan = SegmentReader(file, kId, handler).Scan();
  Check(scan.ok() || scan.error().code() == ErrorCode::kUnsupported);
  for (size_t i = 1; i < handler.order.size(); ++i) {
    Check(handler.order[i - 1] < handler.order[i]);
  }
  uint64_t damaged = 0;
  for (const Damage& damage : handler.damages) damaged += damage.bytes;
  if (scan.ok()) Check(damaged + scan->torn_bytes <= file.size_bytes());
  return handler;
}

std::string IntactSegment() {
  const RecordCodec codec(kId.salt);
  std::string bytes = EncodedHeader(kId);
  for (uint32_t i = 0; i < kRecords; ++i) {
    codec.Append({.index = i, .synced_bytes = i % 3 ? 0 : bytes.size()}, "t", Payload(i), &bytes);
  }
  return bytes;
}

// Every 4 bytes of `changes`: offset (2), what to do (1), with what (1).
void Change(std::string_view changes, std::string* bytes) {
  for (; changes.size() >= 4 && !bytes->empty(); changes.remove_prefix(4)) {
    uint16_t offset;
    std::memcpy(&offset, changes.data(), sizeof offset);
    const size_t at = offset % bytes->size();
    const auto operand = static_cast<uint8_t>(changes[3]);
    switch (changes[2] & 3) {
      case 0: (*bytes)[at] ^= static_cast<char>(operand); break;
      case 1: bytes->erase(at, operand); break;
      case 2: bytes->insert(at, bytes->substr(bytes->size() / 2, operand)); break;
      default: bytes->resize(at + operand % (bytes->size() - at + 1));
    }
  }
}

}  // namespace
}  // namespace weft::wal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::wal;
  const std::string input(reinterpret_cast<const char*>(data), size);
  Scan(input);
  Scan(EncodedHeader(kId) + input);
  static const std::string intact = IntactSegment();
  std::string changed = intact;
  Change(input, &changed);
  for (const auto& [position, record] : Scan(changed).records) {
    Check(position.record < kRecords);
    Check(record.first == "t" && record.second == Payload(position.record));
  }
  return 0;
}
