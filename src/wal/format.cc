#include "wal/format.h"

#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/checksum.h"

namespace weft::wal {
namespace {

constexpr char kSegmentMagic[8] = {'w', 'e', 'f', 't', 'w', 'a', 'l', '\n'};
// Bytes that text, protobuf and LZ4 seldom hold side by side: false starts of a scan are rare.
constexpr char kRecordMagic[4] = {'\xd7', 'W', '\x1e', '\xf5'};
constexpr std::string_view kSuffix = ".wal";
constexpr size_t kNumberDigits = 20;
constexpr size_t kSaltDigits = 16;

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied as they are");

template <typename T>
void Put(T value, char* out) {
  std::memcpy(out, &value, sizeof value);
}

template <typename T>
T Get(std::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <typename T>
bool ParseWhole(std::string_view text, int base, T* value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value, base);
  return error == std::errc() && stop == end;
}

}  // namespace

std::string SegmentFileName(SegmentId id) {
  char name[64];
  std::snprintf(name, sizeof name, "%020llu-%016llx.wal",
                static_cast<unsigned long long>(id.number),
                static_cast<unsigned long long>(id.salt));
  return name;
}

std::optional<SegmentId> ParseSegmentFileName(std::string_view name) {
  if (name.size() != kNumberDigits + 1 + kSaltDigits + kSuffix.size()) return std::nullopt;
  SegmentId id;
  if (!ParseWhole(name.substr(0, kNumberDigits), 10, &id.number) ||
      !ParseWhole(name.substr(kNumberDigits + 1, kSaltDigits), 16, &id.salt)) {
    return std::nullopt;
  }
  if (SegmentFileName(id) != name) return std::nullopt;
  return id;
}

void EncodeSegmentHeader(const SegmentHeader& header, char* out) {
  std::memcpy(out, kSegmentMagic, sizeof kSegmentMagic);
  Put<uint32_t>(header.version, out + 8);
  Put<uint32_t>(kSegmentHeaderBytes, out + 12);
  Put<uint64_t>(header.id.number, out + 16);
  Put<uint64_t>(header.id.salt, out + 24);
  Put<uint32_t>(0, out + 32);
  Put<uint32_t>(Crc32c({out, 36}), out + 36);
}

std::optional<SegmentHeader> DecodeSegmentHeader(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes ||
      std::memcmp(bytes.data(), kSegmentMagic, sizeof kSegmentMagic) != 0 ||
      Crc32c(bytes.substr(0, 36)) != Get<uint32_t>(bytes, 36)) {
    return std::nullopt;
  }
  return SegmentHeader{Get<uint32_t>(bytes, 8),
                       {Get<uint64_t>(bytes, 16), Get<uint64_t>(bytes, 24)}};
}

RecordCodec::RecordCodec(uint64_t salt)
    : crc_start_(Crc32c({reinterpret_cast<const char*>(&salt), sizeof salt})) {}

void RecordCodec::Append(RecordHeader header, std::string_view tenant, std::string_view payload,
                         std::string* out) const {
  char bytes[kRecordHeaderBytes];
  std::memcpy(bytes, kRecordMagic, sizeof kRecordMagic);
  Put<uint32_t>(static_cast<uint32_t>(tenant.size() + payload.size()), bytes + 4);
  Put<uint32_t>(header.index, bytes + 8);
  Put<uint16_t>(static_cast<uint16_t>(tenant.size()), bytes + 12);
  Put<uint16_t>(header.flags, bytes + 14);
  Put<uint64_t>(header.synced_bytes, bytes + 16);
  Put<uint32_t>(Crc32cExtend(Crc32cExtend(crc_start_, tenant), payload), bytes + 24);
  Put<uint32_t>(Crc32cExtend(crc_start_, {bytes, 28}), bytes + 28);
  out->append(bytes, sizeof bytes).append(tenant).append(payload);
}

std::optional<RecordHeader> RecordCodec::DecodeHeader(std::string_view bytes) const {
  if (bytes.size() < kRecordHeaderBytes ||
      std::memcmp(bytes.data(), kRecordMagic, sizeof kRecordMagic) != 0 ||
      Crc32cExtend(crc_start_, bytes.substr(0, 28)) != Get<uint32_t>(bytes, 28)) {
    return std::nullopt;
  }
  const RecordHeader header{Get<uint32_t>(bytes, 4),  Get<uint32_t>(bytes, 8),
                            Get<uint16_t>(bytes, 12), Get<uint16_t>(bytes, 14),
                            Get<uint64_t>(bytes, 16), Get<uint32_t>(bytes, 24)};
  // The checksum held: only a writer with a defect could have made these.
  if (header.tenant_bytes > header.body_bytes || header.body_bytes > kBodyBytesMax) {
    return std::nullopt;
  }
  return header;
}

bool RecordCodec::IsIntact(const RecordHeader& header, std::string_view body) const {
  return body.size() == header.body_bytes && Crc32cExtend(crc_start_, body) == header.body_crc;
}

size_t RecordCodec::FindHeader(std::string_view bytes, size_t from) const {
  const std::string_view magic(kRecordMagic, sizeof kRecordMagic);
  for (size_t at = bytes.find(magic, from); at != std::string_view::npos;
       at = bytes.find(magic, at + 1)) {
    if (bytes.size() - at < kRecordHeaderBytes) return std::string_view::npos;
    if (DecodeHeader(bytes.substr(at))) return at;
  }
  return std::string_view::npos;
}

}  // namespace weft::wal
