#include "demo/visit.h"

#include <array>
#include <cstdio>

namespace weft::demo {
namespace {

constexpr std::array<std::string_view, 12> kUserAgents = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/138.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
    "ShopApp/7.4.1 (iOS 18.5; iPhone16,2)",
    "ShopApp/7.4.0 (Android 15; SM-S928B)",
    "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "ShopApp/6.9.3 (Android 13; SM-A536B)",
};
constexpr std::array<std::string_view, 6> kCurrencies = {"EUR", "USD", "GBP", "CHF", "JPY", "SEK"};
constexpr std::array<std::string_view, 6> kLocales = {"de", "en", "fr", "it", "ja", "sv"};
constexpr std::array<std::string_view, 2> kVariants = {"a", "b"};
constexpr std::array<std::string_view, 4> kRegions = {"eu", "us", "jp", "uk"};
constexpr std::array<std::string_view, 3> kTiers = {"basic", "plus", "gold"};
constexpr std::array<std::string_view, 16> kFirstNames = {
    "mia",  "noah", "emma", "liam", "lea",  "paul", "ida",  "omar",
    "yuki", "ana",  "igor", "zoe",  "remy", "nils", "tara", "hugo"};
constexpr std::array<std::string_view, 16> kLastNames = {
    "keller", "novak", "rossi", "dubois", "jansen", "silva",  "okafor", "tanaka",
    "berg",   "weiss", "marin", "lopez",  "kowal",  "larsen", "costa",  "meyer"};

std::string Ipv4(uint64_t bits) {
  char text[16];
  const int length =
      std::snprintf(text, sizeof text, "%u.%u.%u.%u", static_cast<unsigned>(11 + bits % 200),
                    static_cast<unsigned>(bits >> 8 & 255), static_cast<unsigned>(bits >> 16 & 255),
                    static_cast<unsigned>(1 + (bits >> 24) % 254));
  return std::string(text, static_cast<size_t>(length));
}

template <size_t N>
std::string_view Choose(const std::array<std::string_view, N>& from, uint64_t bits) {
  return from[bits % N];
}

Shopper MakeShopper(World& world) {
  Shopper shopper;
  shopper.number = world.users.Draw(world.random);
  const uint64_t nature = Mix(shopper.number + 0x5107);
  shopper.user_id = std::to_string(100'000 + shopper.number);
  shopper.email = std::string(Choose(kFirstNames, nature >> 8)) + "." +
                  std::string(Choose(kLastNames, nature >> 16)) + std::to_string(shopper.number) +
                  "@example.com";
  // Most people ask from home; the others from wherever they are.
  shopper.address = Ipv4(world.random.Chance(0.8) ? nature : world.random.U64());
  shopper.user_agent = Choose(kUserAgents, nature >> 24);
  shopper.currency = nature % 10 < 5 ? kCurrencies[0] : Choose(kCurrencies, nature >> 32);
  shopper.locale = Choose(kLocales, nature >> 40);
  shopper.variant = Choose(kVariants, nature >> 48);
  shopper.region = Choose(kRegions, nature >> 52);
  shopper.tier = Choose(kTiers, nature >> 54);
  shopper.cohort = static_cast<int64_t>(nature >> 56);
  shopper.session_id = world.random.Uuid();
  return shopper;
}

}  // namespace

World::World(uint64_t seed, const TimelineOptions& timeline_options,
             FinishedSpanSink& finished_spans)
    : random(seed),
      fleet(seed),
      timeline(timeline_options),
      users(kUserCount, 1.0),
      products(kProductCount, 0.9),
      sink(finished_spans) {}

Visit::Visit(World& world, uint64_t start_ns)
    : world_(world), now_ns_(start_ns), trace_(NewTrace()), shopper_(MakeShopper(world)) {}

SpanContext Visit::current() const {
  return world_.open == 0 ? trace_ : world_.spans[world_.open - 1]->context();
}

SpanContext Visit::NewTrace() { return {world_.random.U64(), world_.random.U64(), 0}; }

const Instance& Visit::PickInstance(Service service) {
  return world_.fleet.Pick(service, world_.random.U64(), world_.timeline.RolledOutPods(now_ns_));
}

void Visit::Work(double median_us, double sigma) {
  now_ns_ += static_cast<uint64_t>(world_.random.LogNormal(median_us * 1000, sigma));
}

std::string Visit::PickProduct() {
  static constexpr char kDigits[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";  // neither I nor O
  uint64_t bits = Mix(world_.products.Draw(world_.random) + 0xca7a);
  std::string id(10, '0');
  for (char& c : id) {
    c = kDigits[bits % (sizeof kDigits - 1)];
    bits /= sizeof kDigits - 1;
  }
  return id;
}

OpenSpan::OpenSpan(Visit& visit, Library library, SpanKind kind, std::string_view name)
    : visit_(visit) {
  const SpanContext parent = visit.current();
  Begin({&visit.here(), library, kind, parent, parent.span_id, false, visit.now_ns()}, name);
}

OpenSpan::OpenSpan(Visit& visit, const Instance& instance, Library library, SpanKind kind,
                   std::string_view name, const SpanContext& parent)
    : visit_(visit) {
  Begin({&instance, library, kind, parent, parent.span_id, parent.valid(), visit.now_ns()}, name);
}

void OpenSpan::Begin(const SpanStart& start, std::string_view name) {
  World& world = visit_.world_;
  SpanStart with_id = start;
  do {
    with_id.context.span_id = world.random.U64();
  } while (with_id.context.span_id == 0);  // not a valid id
  if (world.open == world.spans.size()) world.spans.push_back(std::make_unique<ActiveSpan>());
  span_ = world.spans[world.open++].get();
  span_->Begin(with_id, name);
}

void OpenSpan::End() {
  if (span_ == nullptr) return;
  World& world = visit_.world_;
  world.sink.OnSpanEnd(span_->End(visit_.now_ns(), world.fleet));
  --world.open;
  span_ = nullptr;
}

}  // namespace weft::demo
