// Records of deletions, on any bytes: what is accepted is what some record would have written, and
// whatever a record says comes back.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "block/deletion.h"

namespace {

using weft::block::Deletion;

// A record of which each part is taken from the bytes.
Deletion RecordOf(std::string_view bytes) {
  const auto number = [&bytes] {
    uint64_t value = 0;
    const size_t size = std::min(bytes.size(), sizeof(value));
    std::memcpy(&value, bytes.data(), size);
    bytes.remove_prefix(size);
    return value;
  };
  Deletion deletion{.id = "id", .tenant = "t"};
  deletion.created_ns = number();
  deletion.span_count = number();
  deletion.range.start_ns = number();
  deletion.range.end_ns = number();
  while (bytes.size() > 40 && deletion.parts.size() < 8) {
    weft::block::RowSetBuilder rows;
    uint64_t next = 0;
    for (int i = 0; i < 4; ++i) {
      const uint64_t count = 1 + number() % 1000;
      rows.Add(next, count);
      next += count + (number() >> 34);
    }
    deletion.parts.push_back({std::to_string(deletion.parts.size()), rows.Finish()});
  }
  // Texts of a record are valid, whatever was sent.
  for (const char c : bytes.substr(0, 64)) deletion.query.push_back(static_cast<char>(c & 127));
  return deletion;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto read = Deletion::FromJson(bytes); read.ok()) {
    const auto again = Deletion::FromJson(read->ToJson());
    if (!again.ok() || again->ToJson() != read->ToJson()) std::abort();
  }
  const std::string json = RecordOf(bytes).ToJson();
  const auto read = Deletion::FromJson(json);
  if (!read.ok() || read->ToJson() != json) std::abort();
  return 0;
}
