#include "query/exec/cursor.h"

#include <absl/strings/escaping.h>

#include "base/checksum.h"

namespace weft::query::exec {
namespace {

// A version byte, the start, the id, and a checksum of those against slips of the hand.
constexpr char kVersion = 1;
constexpr size_t kBodyBytes = 1 + 8 + 16;
constexpr size_t kBytes = kBodyBytes + 4;

void AppendChecksum(std::string* bytes) {
  const uint32_t crc = Crc32c(*bytes);
  for (int shift = 24; shift >= 0; shift -= 8) bytes->push_back(static_cast<char>(crc >> shift));
}

}  // namespace

std::string Cursor::Encode() const {
  std::string bytes(kBodyBytes, kVersion);
  model::StoreBigEndian64(start_ns, bytes.data() + 1);
  id.ToBytes(bytes.data() + 9);
  AppendChecksum(&bytes);
  return absl::WebSafeBase64Escape(bytes);
}

Result<Cursor> Cursor::Decode(std::string_view text) {
  std::string bytes;
  const bool read =
      text.size() <= 2 * kBytes &&
      absl::WebSafeBase64Unescape(absl::string_view(text.data(), text.size()), &bytes);
  if (read && bytes.size() == kBytes && bytes[0] == kVersion) {
    std::string expected = bytes.substr(0, kBodyBytes);
    AppendChecksum(&expected);
    if (expected == bytes)
      return Cursor{model::LoadBigEndian64(bytes.data() + 1),
                    model::TraceId::FromBytes(bytes.data() + 9)};
  }
  return Error(ErrorCode::kInvalidArgument,
               "the cursor is not one that a search returned; start again without it");
}

}  // namespace weft::query::exec
