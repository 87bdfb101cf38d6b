#include "policy/tenant_rates.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace weft::policy {
namespace {

// Tenants are named by senders. Who has a full bucket need not be remembered; when that does not
// help, those who come new share a bucket that no one can name.
constexpr size_t kTenantsMax = 10'000;
constexpr const char* kAllOthers = "";

// Looking for them costs a step for each.
constexpr int64_t kForgetPauseNs = 1'000'000'000;

constexpr double kNsPerSecond = 1e9;
constexpr uint32_t kRetryMsMin = 100;
constexpr uint32_t kRetryMsMax = 60'000;

}  // namespace

double TenantRates::LeftAt(const Bucket& bucket, int64_t now_ns) const {
  const double seconds =
      static_cast<double>(std::max<int64_t>(0, now_ns - bucket.at_ns)) / kNsPerSecond;
  return std::min(static_cast<double>(limit_.burst_bytes),
                  bucket.bytes_left + seconds * static_cast<double>(limit_.bytes_per_second));
}

void TenantRates::ForgetFull(int64_t now_ns) {
  next_forget_ns_ = now_ns + kForgetPauseNs;
  const auto full = static_cast<double>(limit_.burst_bytes);
  std::erase_if(buckets_, [&](const auto& one) { return LeftAt(one.second, now_ns) >= full; });
}

TenantRates::Bucket& TenantRates::BucketOf(const model::TenantId& tenant, int64_t now_ns) {
  auto at = buckets_.find(tenant);
  if (at == buckets_.end()) {
    if (buckets_.size() >= kTenantsMax && now_ns >= next_forget_ns_) ForgetFull(now_ns);
    const bool has_room = buckets_.size() < kTenantsMax;
    const Bucket full{static_cast<double>(limit_.burst_bytes), now_ns};
    at = buckets_.emplace(has_room ? tenant : kAllOthers, full).first;
  }
  Bucket& bucket = at->second;
  bucket.bytes_left = LeftAt(bucket, now_ns);
  bucket.at_ns = std::max(bucket.at_ns, now_ns);
  return bucket;
}

Error TenantRates::Check(const model::TenantId& tenant, int64_t now_ns) {
  if (limit_.bytes_per_second == 0) return Error::Ok();
  const Bucket& bucket = BucketOf(tenant, now_ns);
  if (bucket.bytes_left > 0) return Error::Ok();
  const double seconds = -bucket.bytes_left / static_cast<double>(limit_.bytes_per_second);
  const auto retry_ms = static_cast<uint32_t>(
      std::clamp<double>(std::ceil(seconds * 1000), kRetryMsMin, kRetryMsMax));
  return {ErrorCode::kResourceExhausted,
          "RATE_LIMITED: ingestion rate limit (" + std::to_string(limit_.bytes_per_second) +
              " bytes/s, burst: " + std::to_string(limit_.burst_bytes) + " bytes) of tenant " +
              tenant + " exceeded: send again later",
          retry_ms};
}

void TenantRates::Spend(const model::TenantId& tenant, uint64_t bytes, int64_t now_ns) {
  if (limit_.bytes_per_second == 0) return;
  BucketOf(tenant, now_ns).bytes_left -= static_cast<double>(bytes);
}

}  // namespace weft::policy
