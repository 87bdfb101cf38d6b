// What the log's tests share: a handler that remembers, and files made of segments.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/env_fake.h"
#include "wal/format.h"
#include "wal/wal.h"

namespace weft::wal {

class RememberingHandler : public ReplayHandler {
 public:
  Error OnRecord(RecordPosition position, std::string_view tenant,
                 std::string_view payload) override {
    if (fail_at >= 0 && std::cmp_equal(records.size(), fail_at)) {
      return Error(ErrorCode::kInternal, "the handler refuses");
    }
    order.push_back(position);
    records[position] = {std::string(tenant), std::string(payload)};
    return Error::Ok();
  }
  void OnDamage(const Damage& damage) override { damages.push_back(damage); }
  void OnProgress(uint64_t done, uint64_t total) override { progress.emplace_back(done, total); }

  int64_t fail_at = -1;
  std::vector<RecordPosition> order;
  std::map<RecordPosition, std::pair<std::string, std::string>> records;
  std::vector<Damage> damages;
  std::vector<std::pair<uint64_t, uint64_t>> progress;
};

// The header of a segment.
inline std::string EncodedHeader(SegmentId id, uint32_t version = kFormatVersion) {
  std::string bytes(kSegmentHeaderBytes, '\0');
  EncodeSegmentHeader({version, id}, bytes.data());
  return bytes;
}

}  // namespace weft::wal
