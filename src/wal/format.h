// The bytes of a segment file; the document is docs/wal-format.md. Numbers are little-endian.
//
//   file name   <number, 20 digits>-<salt, 16 hex digits>.wal
//   segment     SegmentHeader, then records one after the other, then maybe an end record
//   record      RecordHeader, tenant, payload
//
// A header has its own checksum, so that a damaged body still says where the next record begins;
// and all checksums start from the segment's random salt, so that no sender can put a byte sequence
// into a payload that passes for a record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::wal {

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr size_t kSegmentHeaderBytes = 40;
inline constexpr size_t kRecordHeaderBytes = 32;
inline constexpr uint64_t kBodyBytesMax = 1u << 30;
inline constexpr size_t kTenantBytesMax = 0xffff;

// Who a segment is; stands in its name and in its header.
struct SegmentId {
  uint64_t number = 0;
  uint64_t salt = 0;

  auto operator<=>(const SegmentId&) const = default;
};

std::string SegmentFileName(SegmentId id);
// Nothing for any other file.
std::optional<SegmentId> ParseSegmentFileName(std::string_view name);

struct SegmentHeader {
  uint32_t version = kFormatVersion;
  SegmentId id;
};

void EncodeSegmentHeader(const SegmentHeader& header, char* out);
// Nothing when the bytes are damaged. A version above kFormatVersion is returned as it is.
std::optional<SegmentHeader> DecodeSegmentHeader(std::string_view bytes);

// Bits of RecordHeader::flags; stored numbers, they never change meaning.
enum RecordFlag : uint16_t {
  kRecordEnd = 1,  // no record: the segment was closed in order, and nothing follows
};

struct RecordHeader {
  uint32_t body_bytes = 0;    // tenant and payload
  uint32_t index = 0;         // of the record in the segment; in an end record their number
  uint16_t tenant_bytes = 0;  // at most body_bytes
  uint16_t flags = 0;
  uint64_t synced_bytes = 0;  // of the segment that were durable when this was written
  uint32_t body_crc = 0;
};

// Encodes and checks the records of one segment.
class RecordCodec {
 public:
  explicit RecordCodec(uint64_t salt);

  // Appends a whole record; fills in the sizes and the checksum.
  void Append(RecordHeader header, std::string_view tenant, std::string_view payload,
              std::string* out) const;
  // Nothing when the bytes are not an intact header.
  std::optional<RecordHeader> DecodeHeader(std::string_view bytes) const;
  bool IsIntact(const RecordHeader& header, std::string_view body) const;

  // The first place in `bytes`, at or after `from`, where a header may begin; npos for none. The
  // last kRecordHeaderBytes - 1 bytes can't be judged.
  size_t FindHeader(std::string_view bytes, size_t from) const;

 private:
  const uint32_t crc_start_;
};

}  // namespace weft::wal
