// Who runs the shop: services, the libraries that instrument them, and the processes ("instances")
// they run in.
//
// A Fleet is built once from a seed and does not change; any thread may read it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::demo {

enum class Service : uint8_t {
  kFrontendProxy,
  kFrontend,
  kImageProvider,
  kProductCatalog,
  kProductReviews,
  kRecommendation,
  kAd,
  kSearch,
  kCurrency,
  kCart,
  kCheckout,
  kPayment,
  kShipping,
  kQuote,
  kEmail,
  kAccount,
  kAccounting,
  kFraudDetection,
};
inline constexpr size_t kServiceCount = 18;

enum class Language : uint8_t { kCpp, kNode, kGo, kPython, kJava, kDotnet, kRust, kPhp, kRuby };
inline constexpr size_t kLanguageCount = 9;

// What an instrumentation scope stands for; each language has its own name and version for it.
enum class Library : uint8_t {
  kHttpServer,
  kHttpClient,
  kGrpc,
  kSql,
  kRedis,
  kKafka,
  kSearchClient,
  kOwn
};
inline constexpr size_t kLibraryCount = 8;

struct ServiceInfo {
  std::string_view name;
  Language language;
  std::string_view version;
  std::string_view next_version;  // what a deployment brings; empty: never deployed
  uint16_t port;
  uint8_t instance_count;
};
const ServiceInfo& InfoOf(Service service);

struct ScopeInfo {
  std::string_view name;
  std::string_view version;
};
const ScopeInfo& ScopeOf(Language language, Library library);

struct Instance {
  Service service;
  Language language;
  bool next_version = false;
  std::string pod;
  std::string node;
  std::string address;         // IPv4 of the pod
  int64_t clock_skew_ns = 0;   // its node's clock minus true time
  uint32_t clock_tick_ns = 1;  // resolution of its SDK's clock
  std::string resource;        // encoded opentelemetry.proto.resource.v1.Resource
};

class Fleet {
 public:
  explicit Fleet(uint64_t seed);

  const std::vector<Instance>& instances() const { return instances_; }
  // Number of an instance in instances().
  uint32_t IndexOf(const Instance& instance) const {
    return static_cast<uint32_t>(&instance - instances_.data());
  }
  // The `pick`-th instance (modulo their number) of a service. Of a service with a next version the
  // first `rolled_out` pods have been replaced by that version.
  const Instance& Pick(Service service, uint64_t pick, uint32_t rolled_out = 0) const;

 private:
  void AddInstance(uint64_t seed, Service service, uint32_t ordinal, bool next_version);

  std::vector<Instance> instances_;
  std::array<uint32_t, kServiceCount> first_{};       // of the current version
  std::array<uint32_t, kServiceCount> first_next_{};  // of the next version
};

}  // namespace weft::demo
