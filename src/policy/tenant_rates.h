// TenantRates: how many bytes each tenant may send in a second, by a token bucket for each.
//
// A tenant that has anything left may send a request, whatever its length, and then owes what it
// took too much: so a request is refused before it is read, or not at all, and over time no one
// sends more than the rate.
//
// Not thread-safe. Time is passed in, of a clock that never jumps.
#pragma once

#include <cstdint>
#include <map>

#include "base/error.h"
#include "model/span_sink.h"

namespace weft::policy {

struct RateLimit {
  uint64_t bytes_per_second = 0;  // 0: no limit
  uint64_t burst_bytes = 0;       // what a tenant that was quiet may send at once
};

class TenantRates {
 public:
  explicit TenantRates(const RateLimit& limit) : limit_(limit) {}

  // Ok when the tenant has something left; else kResourceExhausted with the time until it has.
  Error Check(const model::TenantId& tenant, int64_t now_ns);
  // Takes `bytes` from what the tenant has left.
  void Spend(const model::TenantId& tenant, uint64_t bytes, int64_t now_ns);

  // Tenants that are remembered.
  size_t size() const { return buckets_.size(); }

 private:
  struct Bucket {
    double bytes_left = 0;  // below zero: owed
    int64_t at_ns = 0;
  };

  Bucket& BucketOf(const model::TenantId& tenant, int64_t now_ns);
  double LeftAt(const Bucket& bucket, int64_t now_ns) const;
  void ForgetFull(int64_t now_ns);

  const RateLimit limit_;
  std::map<model::TenantId, Bucket> buckets_;
  int64_t next_forget_ns_ = 0;
};

}  // namespace weft::policy
