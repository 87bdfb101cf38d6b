#include "demo/fleet.h"

#include "demo/random.h"
#include "demo/wire.h"

namespace weft::demo {
namespace {

constexpr std::array<ServiceInfo, kServiceCount> kServices = {{
    {"frontend-proxy", Language::kCpp, "1.33.2", "", 8080, 2},
    {"frontend", Language::kNode, "4.12.0", "", 8080, 4},
    {"image-provider", Language::kCpp, "1.27.4", "", 8081, 2},
    {"product-catalog", Language::kGo, "2.8.1", "", 3550, 4},
    {"product-reviews", Language::kPython, "0.9.3", "", 3551, 2},
    {"recommendation", Language::kPython, "3.0.2", "", 9001, 2},
    {"ad", Language::kJava, "2.1.7", "", 9555, 2},
    {"search", Language::kJava, "1.4.0", "", 9200, 2},
    {"currency", Language::kCpp, "1.6.0", "", 7001, 2},
    {"cart", Language::kDotnet, "5.3.1", "", 7070, 3},
    {"checkout", Language::kGo, "3.7.4", "", 5050, 3},
    {"payment", Language::kNode, "1.8.2", "1.9.0", 50051, 3},
    {"shipping", Language::kRust, "0.14.0", "", 50050, 2},
    {"quote", Language::kPhp, "1.2.5", "", 8090, 2},
    {"email", Language::kRuby, "2.0.8", "", 6060, 2},
    {"account", Language::kPython, "1.11.0", "", 8070, 2},
    {"accounting", Language::kDotnet, "2.4.2", "", 8071, 2},
    {"fraud-detection", Language::kJava, "1.0.9", "", 8072, 2},
}};

struct LanguageInfo {
  std::string_view sdk_language;
  std::string_view sdk_version;
  std::string_view runtime_name;  // empty: none
  std::string_view runtime_version;
  uint32_t clock_tick_ns;
  std::array<ScopeInfo, kLibraryCount> scopes;  // in the order of Library
};

constexpr std::array<LanguageInfo, kLanguageCount> kLanguages = {{
    {"cpp",
     "1.22.0",
     "",
     "",
     1000,
     {{{"envoy", "1.33.2"},
       {"envoy", "1.33.2"},
       {"shop-grpc-filter", "1.2.0"},
       {"", ""},
       {"", ""},
       {"", ""},
       {"", ""},
       {"shop", ""}}}},
    {"nodejs",
     "2.0.1",
     "nodejs",
     "22.16.0",
     1000,
     {{{"@opentelemetry/instrumentation-http", "0.203.0"},
       {"@opentelemetry/instrumentation-undici", "0.14.0"},
       {"@opentelemetry/instrumentation-grpc", "0.203.0"},
       {"@opentelemetry/instrumentation-pg", "0.55.0"},
       {"@opentelemetry/instrumentation-ioredis", "0.51.0"},
       {"@opentelemetry/instrumentation-kafkajs", "0.12.0"},
       {"", ""},
       {"shop", ""}}}},
    {"go",
     "1.37.0",
     "go",
     "go1.24.4",
     1,
     {{{"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "0.62.0"},
       {"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "0.62.0"},
       {"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc", "0.62.0"},
       {"github.com/XSAM/otelsql", "0.39.0"},
       {"github.com/redis/go-redis/extra/redisotel", "9.11.0"},
       {"shop/kafka", "3.7.4"},
       {"", ""},
       {"shop", ""}}}},
    {"python",
     "1.36.0",
     "cpython",
     "3.12.11",
     1,
     {{{"opentelemetry.instrumentation.flask", "0.57b0"},
       {"opentelemetry.instrumentation.requests", "0.57b0"},
       {"opentelemetry.instrumentation.grpc", "0.57b0"},
       {"opentelemetry.instrumentation.psycopg2", "0.57b0"},
       {"opentelemetry.instrumentation.redis", "0.57b0"},
       {"opentelemetry.instrumentation.kafka", "0.57b0"},
       {"", ""},
       {"shop", ""}}}},
    {"java",
     "1.52.0",
     "OpenJDK Runtime Environment",
     "21.0.7+6-LTS",
     1,
     {{{"io.opentelemetry.tomcat-10.0", "2.18.0-alpha"},
       {"io.opentelemetry.java-http-client", "2.18.0-alpha"},
       {"io.opentelemetry.grpc-1.6", "2.18.0-alpha"},
       {"io.opentelemetry.jdbc", "2.18.0-alpha"},
       {"io.opentelemetry.lettuce-5.1", "2.18.0-alpha"},
       {"io.opentelemetry.kafka-clients-0.11", "2.18.0-alpha"},
       {"io.opentelemetry.opensearch-rest-1.0", "2.18.0-alpha"},
       {"shop", ""}}}},
    {"dotnet",
     "1.12.0",
     ".NET",
     "9.0.7",
     100,
     {{{"Microsoft.AspNetCore", ""},
       {"System.Net.Http", ""},
       {"OpenTelemetry.Instrumentation.GrpcNetClient", "1.12.0-beta.1"},
       {"Npgsql", "9.0.3"},
       {"OpenTelemetry.Instrumentation.StackExchangeRedis", "1.12.0-beta.1"},
       {"OpenTelemetry.Instrumentation.ConfluentKafka", "0.1.0-alpha.3"},
       {"", ""},
       {"Shop", ""}}}},
    {"rust",
     "0.30.0",
     "",
     "",
     1,
     {{{"opentelemetry-instrumentation-actix-web", "0.22.0"},
       {"reqwest-tracing", "0.5.8"},
       {"tonic-tracing", "0.4.0"},
       {"", ""},
       {"", ""},
       {"", ""},
       {"", ""},
       {"shop", "0.14.0"}}}},
    {"php",
     "1.6.0",
     "cli",
     "8.4.10",
     1,
     {{{"io.opentelemetry.contrib.php.slim", "1.2.0"},
       {"io.opentelemetry.contrib.php.guzzle", "1.2.0"},
       {"", ""},
       {"io.opentelemetry.contrib.php.pdo", "0.4.0"},
       {"", ""},
       {"", ""},
       {"", ""},
       {"shop", ""}}}},
    {"ruby",
     "1.8.0",
     "ruby",
     "3.4.4",
     1,
     {{{"OpenTelemetry::Instrumentation::Sinatra", "0.25.4"},
       {"OpenTelemetry::Instrumentation::Net::HTTP", "0.23.1"},
       {"", ""},
       {"", ""},
       {"", ""},
       {"", ""},
       {"", ""},
       {"shop", ""}}}},
}};

// The node whose clock runs ahead, and by how much: more than a call takes, less than anyone
// notices on a wall clock.
constexpr uint32_t kSkewedNode = 5;
constexpr int64_t kClockSkewNs = 340'000'000;

constexpr char kBase36[] = "0123456789abcdefghijklmnopqrstuvwxyz";

std::string Letters(Random& random, size_t count) {
  std::string text(count, '0');
  for (char& c : text) c = kBase36[random.Below(36)];
  return text;
}

std::string Hex(Random& random, size_t count) {
  std::string text(count, '0');
  for (char& c : text) c = kBase36[random.Below(16)];
  return text;
}

void AddRuntime(WireBuffer& resource, const LanguageInfo& language, Random& random) {
  resource.Attribute(1, "telemetry.sdk.name",
                     language.sdk_language == "cpp" ? "envoy" : "opentelemetry");
  resource.Attribute(1, "telemetry.sdk.language", language.sdk_language);
  resource.Attribute(1, "telemetry.sdk.version", language.sdk_version);
  resource.Attribute(1, "process.pid", random.Between(1, 40));
  if (language.runtime_name.empty()) return;
  resource.Attribute(1, "process.runtime.name", language.runtime_name);
  resource.Attribute(1, "process.runtime.version", language.runtime_version);
}

std::string EncodeResource(const Instance& instance, Random& random) {
  const ServiceInfo& service = InfoOf(instance.service);
  WireBuffer resource;
  resource.Attribute(1, "service.name", service.name);
  resource.Attribute(1, "service.namespace", "shop");
  resource.Attribute(1, "service.version",
                     instance.next_version ? service.next_version : service.version);
  resource.Attribute(1, "service.instance.id", random.Uuid());
  resource.Attribute(1, "deployment.environment.name", "production");
  AddRuntime(resource, kLanguages[static_cast<size_t>(instance.language)], random);
  resource.Attribute(1, "host.name", instance.pod);
  resource.Attribute(1, "host.arch", "amd64");
  resource.Attribute(1, "os.type", "linux");
  resource.Attribute(1, "container.id", Hex(random, 64));
  resource.Attribute(1, "k8s.cluster.name", "shop-eu-1");
  resource.Attribute(1, "k8s.namespace.name", "shop");
  resource.Attribute(1, "k8s.deployment.name", service.name);
  resource.Attribute(1, "k8s.pod.name", instance.pod);
  resource.Attribute(1, "k8s.pod.uid", random.Uuid());
  resource.Attribute(1, "k8s.pod.ip", instance.address);
  resource.Attribute(1, "k8s.node.name", instance.node);
  return std::string(resource.bytes());
}

}  // namespace

const ServiceInfo& InfoOf(Service service) { return kServices[static_cast<size_t>(service)]; }

const ScopeInfo& ScopeOf(Language language, Library library) {
  return kLanguages[static_cast<size_t>(language)].scopes[static_cast<size_t>(library)];
}

Fleet::Fleet(uint64_t seed) {
  for (size_t s = 0; s < kServiceCount; ++s) {
    const ServiceInfo& info = kServices[s];
    first_[s] = static_cast<uint32_t>(instances_.size());
    for (uint32_t i = 0; i < info.instance_count; ++i)
      AddInstance(seed, static_cast<Service>(s), i, false);
    first_next_[s] = static_cast<uint32_t>(instances_.size());
    if (info.next_version.empty()) continue;
    for (uint32_t i = 0; i < info.instance_count; ++i)
      AddInstance(seed, static_cast<Service>(s), i, true);
  }
}

void Fleet::AddInstance(uint64_t seed, Service service, uint32_t ordinal, bool next_version) {
  const ServiceInfo& info = InfoOf(service);
  const auto number = static_cast<uint32_t>(instances_.size());
  Random random(Mix(seed) ^ Mix(number));
  // Replica sets have a name of their own per version.
  Random replica_set(Mix(seed) ^
                     Mix(1000 + static_cast<uint64_t>(service) * 2 + (next_version ? 1 : 0)));

  Instance instance;
  instance.service = service;
  instance.language = info.language;
  instance.next_version = next_version;
  instance.pod = std::string(info.name) + "-" + Letters(replica_set, 10) + "-" + Letters(random, 5);
  // One pod of shipping runs on the skewed node, and nothing else: a story must be findable.
  const uint32_t node =
      service == Service::kShipping ? kSkewedNode - ordinal : number % (kSkewedNode - 1);
  instance.node = "ip-10-0-" + std::to_string(16 + node) + "-" + std::to_string(20 + node * 31);
  instance.clock_skew_ns = node == kSkewedNode ? kClockSkewNs : 0;
  instance.address =
      "10.244." + std::to_string(1 + node) + "." + std::to_string(2 + random.Below(250));
  instance.clock_tick_ns = kLanguages[static_cast<size_t>(info.language)].clock_tick_ns;
  instance.resource = EncodeResource(instance, random);
  instances_.push_back(std::move(instance));
}

const Instance& Fleet::Pick(Service service, uint64_t pick, uint32_t rolled_out) const {
  const auto s = static_cast<size_t>(service);
  const auto ordinal = static_cast<uint32_t>(pick % kServices[s].instance_count);
  const bool next = !kServices[s].next_version.empty() && ordinal < rolled_out;
  return instances_[(next ? first_next_[s] : first_[s]) + ordinal];
}

}  // namespace weft::demo
