// Series as messages of Prometheus' remote write 1.0 (prometheus.WriteRequest, snappy).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "generate/series_store.h"

namespace weft::generate {

struct WriteRequest {
  std::string body;  // compressed
  uint64_t samples = 0;
};

// What was there at one time, and at the time before, so that a receiver is told of what has begun
// and ended in between. Of one tenant. One thread.
class WriteEncoder {
 public:
  // Requests of at most some thousand samples each. A series that is new since the last call begins
  // with 0 right after that call's time, so that its first increase is seen; one that is gone ends
  // with a stale marker; an exemplar is sent once.
  std::vector<WriteRequest> Encode(const SeriesStore& store, const model::TenantId& tenant,
                                   int64_t now_ms);

 private:
  struct Sent {
    std::shared_ptr<const Labels> labels;
    Kind kind = Kind::kSpans;
    bool seen = false;                             // in the call at hand
    std::vector<std::vector<uint64_t>> exemplars;  // Exemplar::number, by histogram and bucket
  };

  absl::flat_hash_map<const Labels*, Sent> sent_;
  int64_t last_ms_ = 0;
};

}  // namespace weft::generate
