#include "block/block_fixture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "block/json_text.h"
#include "block/schema.h"

namespace weft::block {
namespace {

using model::AttributeArray;
using model::Code;
using model::NestedRange;
using model::SpanBatch;
using model::SpanId;
using model::TraceId;
using model::ValueType;

constexpr uint64_t kBaseTime = 1'780'000'000'000'000'000ULL;

void AddString(SpanBatch* b, AttributeArray* to, std::string_view key, std::string_view value) {
  to->Add(b->strings.Intern(key), ValueType::kString, b->strings.Intern(value));
}
void AddInt(SpanBatch* b, AttributeArray* to, std::string_view key, int64_t value) {
  to->Add(b->strings.Intern(key), ValueType::kInt, static_cast<uint64_t>(value));
}

// The per-span columns that most spans leave at zero.
void AddPlainFields(SpanBatch* b) {
  b->status.push_back(0);
  b->status_message.push_back(0);
  b->trace_state.push_back(0);
  b->flags.push_back(0x101);
  b->dropped_attributes.push_back(0);
  b->dropped_events.push_back(0);
  b->dropped_links.push_back(0);
}

void EndSpan(SpanBatch* b) {
  b->attribute_end.push_back(b->attributes.size());
  b->event_end.push_back(b->events.size());
  b->link_end.push_back(b->links.size());
}

// ---------------------------------------------------------------- odd spans

class OddBatchMaker {
 public:
  explicit OddBatchMaker(uint64_t seed) : random_(seed) {}

  SpanBatch Make(uint32_t traces) {
    AddTables();
    for (uint32_t t = 0; t < traces; ++t) AddTrace();
    return std::move(b_);
  }

 private:
  void AddTables() {
    for (uint64_t r = 1 + random_.Below(4); r > 0; --r) {
      if (!random_.OneIn(3)) {
        AddString(&b_, &b_.resources.attributes, "service.name", OddText());
      }
      AddAttributes(&b_.resources.attributes, random_.Below(5));
      b_.resources.schema_url.push_back(b_.strings.Intern(random_.OneIn(2) ? "" : OddText()));
      b_.resources.dropped_attributes.push_back(OddCount());
      b_.resources.attribute_end.push_back(b_.resources.attributes.size());
    }
    for (uint64_t s = 1 + random_.Below(3); s > 0; --s) {
      AddAttributes(&b_.scopes.attributes, random_.Below(3));
      b_.scopes.name.push_back(b_.strings.Intern(OddText()));
      b_.scopes.version.push_back(b_.strings.Intern(OddText()));
      b_.scopes.schema_url.push_back(b_.strings.Intern(random_.OneIn(2) ? "" : OddText()));
      b_.scopes.dropped_attributes.push_back(OddCount());
      b_.scopes.attribute_end.push_back(b_.scopes.attributes.size());
    }
  }

  std::string OddText() {
    static const std::vector<std::string> kTexts = {
        "",
        "a",
        "GET /",
        "\xff\xfe",
        "caf\xc3\xa9",
        "\xef\xbf\xbd",
        "\xef\xbf\xbd"
        "ff",
        std::string("nul\0inside", 10),
        "\xed\xa0\x80 surrogate",
        "\xf0\x9f\xa7\xb5 thread",
        "cut \xe2\x82",
        "\"quotes\" and \\ and \n",
        "$bytes",
        "8f7d6a5e-0c1b-4f2e-9d3a-112233445566",
    };
    const uint64_t choice = random_.Below(kTexts.size() + 6);
    if (choice < kTexts.size()) return kTexts[choice];
    if (random_.OneIn(60)) return std::string(20000 + random_.Below(5000), 'x') + "\xf0";
    std::string text;
    for (uint64_t n = random_.Below(20); n > 0; --n) {
      text.push_back(
          static_cast<char>(random_.OneIn(8) ? random_.Below(256) : 'a' + random_.Below(26)));
    }
    return text;
  }

  std::string OddKey() {
    static const std::vector<std::string> kKeys = {
        "http.route", "k",   "K",    "",     "a#int",       "a",           "#",
        "a#",         "x.y", "\xff", "uuid", "only.double", "caf\xc3\xa9", "$key"};
    if (random_.OneIn(12)) return OddText();
    return kKeys[random_.Below(kKeys.size())];
  }

  uint32_t OddCount() { return random_.OneIn(3) ? static_cast<uint32_t>(random_.Next()) : 0; }

  uint64_t OddDouble() {
    static const std::vector<double> kDoubles = {0.0,
                                                 -0.0,
                                                 1.0,
                                                 5.0,
                                                 -1.5,
                                                 1e300,
                                                 4.9e-324,
                                                 0.1,
                                                 1e16,
                                                 123456789012345680.0,
                                                 std::numeric_limits<double>::infinity(),
                                                 -std::numeric_limits<double>::infinity(),
                                                 std::numeric_limits<double>::quiet_NaN()};
    if (random_.OneIn(4)) return random_.Next();
    return std::bit_cast<uint64_t>(kDoubles[random_.Below(kDoubles.size())]);
  }

  uint64_t OddInt() {
    static constexpr std::array<int64_t, 6> kInts = {0, 1, -1, 200, INT64_MAX, INT64_MIN};
    if (random_.OneIn(3)) return random_.Next();
    return static_cast<uint64_t>(kInts[random_.Below(kInts.size())]);
  }

  // Adds one value; the elements of containers go to `nested` before their container.
  void AddValue(AttributeArray* to, Code key, uint32_t depth) {
    const ValueType type = static_cast<ValueType>(random_.Below(depth > 3 ? 6 : 8));
    switch (type) {
      case ValueType::kEmpty: to->Add(key, type, 0); return;
      case ValueType::kString:
      case ValueType::kBytes: to->Add(key, type, b_.strings.Intern(OddText())); return;
      case ValueType::kInt: to->Add(key, type, OddInt()); return;
      case ValueType::kDouble: to->Add(key, type, OddDouble()); return;
      case ValueType::kBool: to->Add(key, type, random_.Below(2)); return;
      case ValueType::kArray:
      case ValueType::kKvList: AddContainer(to, key, type, depth); return;
    }
  }

  void AddContainer(AttributeArray* to, Code key, ValueType type, uint32_t depth) {
    AttributeArray elements;
    for (uint64_t n = random_.Below(4); n > 0; --n) {
      const Code element_key = type == ValueType::kKvList ? b_.strings.Intern(OddKey()) : 0;
      AddValue(&elements, element_key, depth + 1);
    }
    const NestedRange range{b_.nested.size(), elements.size()};
    for (uint32_t i = 0; i < elements.size(); ++i) b_.nested.Add(elements[i]);
    to->Add(key, type, range.Pack());
  }

  void AddAttributes(AttributeArray* to, uint64_t count) {
    for (; count > 0; --count) AddValue(to, b_.strings.Intern(OddKey()), 0);
  }

  uint64_t OddTime() {
    switch (random_.Below(12)) {
      case 0: return 0;
      case 1: return UINT64_MAX;
      case 2: return uint64_t{1} << 63;
      default: return kBaseTime + random_.Below(2'000'000'000);
    }
  }

  void AddTrace() {
    const uint32_t trace = static_cast<uint32_t>(b_.traces.size());
    b_.traces.push_back({random_.OneIn(3) ? 0 : random_.Next(), random_.Next() | 1});
    std::vector<SpanId> ids;
    for (uint64_t n = 1 + random_.Below(random_.OneIn(10) ? 120 : 12); n > 0; --n) {
      AddSpan(trace, &ids);
    }
    if (random_.OneIn(4)) RepeatLastSpan();
  }

  void AddSpan(uint32_t trace, std::vector<SpanId>* ids) {
    const bool again = !ids->empty() && random_.OneIn(15);
    const SpanId id = again ? (*ids)[random_.Below(ids->size())] : SpanId{random_.Next() | 1};
    SpanId parent;
    if (!ids->empty() && !random_.OneIn(8)) parent = (*ids)[random_.Below(ids->size())];
    if (random_.OneIn(12)) parent = SpanId{random_.Next() | 1};
    if (random_.OneIn(40)) parent = id;
    ids->push_back(id);
    b_.trace.push_back(trace);
    b_.span_id.push_back(id);
    b_.parent_span_id.push_back(parent);
    b_.start_ns.push_back(OddTime());
    b_.end_ns.push_back(random_.OneIn(6) ? OddTime()
                                         : b_.start_ns.back() + random_.Below(1'000'000));
    b_.name.push_back(b_.strings.Intern(OddText()));
    b_.kind.push_back(static_cast<uint8_t>(random_.Below(random_.OneIn(9) ? 256 : 6)));
    b_.status.push_back(static_cast<uint8_t>(random_.Below(random_.OneIn(9) ? 256 : 3)));
    b_.status_message.push_back(b_.strings.Intern(random_.OneIn(3) ? OddText() : ""));
    b_.trace_state.push_back(b_.strings.Intern(random_.OneIn(5) ? OddText() : ""));
    b_.flags.push_back(random_.OneIn(4) ? static_cast<uint32_t>(random_.Next()) : 0x101);
    b_.resource.push_back(static_cast<uint32_t>(random_.Below(b_.resources.size())));
    b_.scope.push_back(static_cast<uint32_t>(random_.Below(b_.scopes.size())));
    b_.dropped_attributes.push_back(OddCount());
    b_.dropped_events.push_back(OddCount());
    b_.dropped_links.push_back(OddCount());
    AddAttributes(&b_.attributes, random_.Below(8));
    AddEvents();
    AddLinks();
    EndSpan(&b_);
  }

  void AddEvents() {
    for (uint64_t n = random_.OneIn(3) ? random_.Below(4) : 0; n > 0; --n) {
      b_.events.time_ns.push_back(OddTime());
      b_.events.name.push_back(b_.strings.Intern(OddText()));
      b_.events.dropped_attributes.push_back(OddCount());
      AddAttributes(&b_.events.attributes, random_.Below(4));
      b_.events.attribute_end.push_back(b_.events.attributes.size());
    }
  }

  void AddLinks() {
    for (uint64_t n = random_.OneIn(5) ? random_.Below(3) : 0; n > 0; --n) {
      b_.links.trace_id.push_back({random_.Next(), random_.Next()});
      b_.links.span_id.push_back({random_.Next()});
      b_.links.trace_state.push_back(b_.strings.Intern(random_.OneIn(2) ? OddText() : ""));
      b_.links.flags.push_back(OddCount());
      b_.links.dropped_attributes.push_back(OddCount());
      AddAttributes(&b_.links.attributes, random_.Below(3));
      b_.links.attribute_end.push_back(b_.links.attributes.size());
    }
  }

  // A retry: the same span once more, in another batch as a rule; here without what it owns.
  void RepeatLastSpan() {
    const auto repeat = [](auto* column) { column->push_back(column->back()); };
    repeat(&b_.trace);
    repeat(&b_.span_id);
    repeat(&b_.parent_span_id);
    repeat(&b_.start_ns);
    repeat(&b_.end_ns);
    repeat(&b_.name);
    repeat(&b_.kind);
    repeat(&b_.status);
    repeat(&b_.status_message);
    repeat(&b_.trace_state);
    repeat(&b_.flags);
    repeat(&b_.resource);
    repeat(&b_.scope);
    repeat(&b_.dropped_attributes);
    repeat(&b_.dropped_events);
    repeat(&b_.dropped_links);
    const model::IndexRange range = b_.AttributesOf(b_.size() - 2);
    for (uint32_t i = range.begin; i < range.end; ++i) b_.attributes.Add(b_.attributes[i]);
    EndSpan(&b_);
  }

  SeededRandom random_;
  SpanBatch b_;
};

// ---------------------------------------------------------------- the shop

constexpr uint32_t kServices = 18;
constexpr const char* kServiceNames[kServices] = {
    "frontend", "cart",     "checkout", "payment",        "shipping", "quote",
    "email",    "currency", "catalog",  "recommendation", "ad",       "accounting",
    "fraud",    "load",     "proxy",    "images",         "flags",    "inventory"};

struct Operation {
  uint32_t service;
  const char* name;
  uint8_t kind;
  const char* flavour;  // "http", "rpc", "db", "queue", "internal"
};

class ShopBatchMaker {
 public:
  explicit ShopBatchMaker(uint64_t seed) : random_(seed) { AddTables(); }

  SpanBatch Make(uint32_t spans) {
    while (b_.size() < spans) AddTrace();
    return std::move(b_);
  }

 private:
  void AddTables() {
    for (uint32_t s = 0; s < kServices; ++s) {
      for (uint32_t instance = 0; instance < 3; ++instance) {
        AttributeArray* a = &b_.resources.attributes;
        AddString(&b_, a, "service.name", kServiceNames[s]);
        AddString(&b_, a, "service.version", instance == 2 ? "1.4.1" : "1.4.0");
        AddString(&b_, a, "service.instance.id", Uuid());
        AddString(&b_, a, "telemetry.sdk.language", s % 2 ? "go" : "java");
        AddString(&b_, a, "host.name", "node-" + std::to_string(random_.Below(6)));
        AddInt(&b_, a, "process.pid", 100 + static_cast<int64_t>(random_.Below(30000)));
        b_.resources.schema_url.push_back(0);
        b_.resources.dropped_attributes.push_back(0);
        b_.resources.attribute_end.push_back(a->size());
      }
    }
    for (const char* name : {"net/http", "grpc", "database/sql", "kafka"}) {
      b_.scopes.name.push_back(b_.strings.Intern(name));
      b_.scopes.version.push_back(b_.strings.Intern("0.52.0"));
      b_.scopes.schema_url.push_back(0);
      b_.scopes.dropped_attributes.push_back(0);
      b_.scopes.attribute_end.push_back(0);
    }
  }

  std::string Uuid() {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string text(36, '-');
    for (size_t i = 0; i < text.size(); ++i) {
      if (i != 8 && i != 13 && i != 18 && i != 23) text[i] = kHex[random_.Below(16)];
    }
    return text;
  }

  // Median e^mu, heavy tail.
  uint64_t LogNormal(double median, double sigma) {
    const double u1 = (static_cast<double>(random_.Next() >> 11) + 1) / 9007199254740993.0;
    const double u2 = static_cast<double>(random_.Next() >> 11) / 9007199254740992.0;
    const double normal = std::sqrt(-2 * std::log(u1)) * std::cos(6.283185307179586 * u2);
    return static_cast<uint64_t>(median * std::exp(sigma * normal));
  }

  void AddTrace() {
    trace_ = static_cast<uint32_t>(b_.traces.size());
    b_.traces.push_back({random_.Next(), random_.Next()});
    session_ = Uuid();
    request_ = Uuid();
    user_ = "user-" + std::to_string(random_.Below(random_.Below(100000) + 1));
    client_ = "10." + std::to_string(random_.Below(4)) + "." + std::to_string(random_.Below(256)) +
              "." + std::to_string(random_.Below(256));
    now_ += 1 + LogNormal(700'000, 1.0);
    static constexpr std::array<const char*, 6> kRoutes = {
        "GET /api/products/{id}",   "GET /api/cart", "POST /api/checkout", "GET /",
        "GET /api/recommendations", "POST /api/cart"};
    const uint32_t route = static_cast<uint32_t>(random_.Below(kRoutes.size()));
    AddTree({0, kRoutes[route], 2, "http"}, SpanId{}, now_, 3 + route % 2, route);
  }

  // One span and below it what its service calls; returns its end.
  uint64_t AddTree(const Operation& operation, SpanId parent, uint64_t start, uint32_t depth,
                   uint32_t route) {
    const SpanId id{random_.Next() | 1};
    const uint32_t row = AddSpan(operation, id, parent, start, route);
    uint64_t at = start + LogNormal(80'000, 0.6);
    static constexpr std::array<Operation, 8> kCalls = {{
        {1, "cart.CartService/GetCart", 3, "rpc"},
        {3, "payment.PaymentService/Charge", 3, "rpc"},
        {8, "catalog.CatalogService/GetProduct", 3, "rpc"},
        {11, "SELECT orders", 3, "db"},
        {17, "SELECT products", 3, "db"},
        {12, "orders publish", 4, "queue"},
        {7, "convert", 1, "internal"},
        {4, "GET /quote", 3, "http"},
    }};
    // Recommendations ask for their products one by one.
    const bool one_by_one = route == 4 && operation.service == 8;
    for (int c = 0; one_by_one && c < 6; ++c) {
      at = AddTree({17, "SELECT products", 3, "db"}, id, at, 0, route);
    }
    const uint32_t calls = depth == 0 ? 0 : 1 + (route + depth) % 3;
    for (uint32_t c = 0; c < calls; ++c) {
      const Operation& call = kCalls[(route * 3 + c * 5 + depth) % kCalls.size()];
      at = AddTree(call, id, at, depth - 1, route) + LogNormal(30'000, 0.7);
    }
    b_.end_ns[row] = at + LogNormal(120'000, 0.9);
    return b_.end_ns[row];
  }

  uint32_t AddSpan(const Operation& operation, SpanId id, SpanId parent, uint64_t start,
                   uint32_t route) {
    b_.trace.push_back(trace_);
    b_.span_id.push_back(id);
    b_.parent_span_id.push_back(parent);
    b_.start_ns.push_back(start);
    b_.end_ns.push_back(start);
    b_.name.push_back(b_.strings.Intern(operation.name));
    b_.kind.push_back(operation.kind);
    AddPlainFields(&b_);
    b_.resource.push_back(operation.service * 3 + static_cast<uint32_t>(trace_ % 3));
    b_.scope.push_back(operation.flavour[0] == 'h' ? 0 : operation.flavour[0] == 'r' ? 1 : 2);
    AddSpanAttributes(operation, route);
    if (random_.OneIn(60)) AddFailure();
    EndSpan(&b_);
    return b_.size() - 1;
  }

  void AddSpanAttributes(const Operation& operation, uint32_t route) {
    AttributeArray* a = &b_.attributes;
    AddString(&b_, a, "session.id", session_);
    AddString(&b_, a, "app.request.id", request_);
    AddString(&b_, a, "app.user.id", user_);
    AddInt(&b_, a, "thread.id", static_cast<int64_t>(random_.Below(32)));
    AddString(&b_, a, "thread.name", "worker-" + std::to_string(random_.Below(32)));
    AddString(&b_, a, "deployment.ring", trace_ % 10 == 0 ? "canary" : "stable");
    const std::string flavour = operation.flavour;
    if (flavour == "http") {
      AddHttp(operation, route);
    } else if (flavour == "rpc") {
      AddRpc(operation);
    } else if (flavour == "db") {
      AddDatabase(operation);
    } else {
      AddString(&b_, a, "messaging.system", "kafka");
      AddString(&b_, a, "messaging.destination.name", "orders");
      AddInt(&b_, a, "messaging.kafka.offset", static_cast<int64_t>(b_.size()));
    }
  }

  void AddHttp(const Operation& operation, uint32_t route) {
    AttributeArray* a = &b_.attributes;
    const std::string path =
        "/api/" + std::to_string(route) + "/" + std::to_string(random_.Below(2000));
    AddString(&b_, a, "http.request.method", operation.name[0] == 'G' ? "GET" : "POST");
    AddString(&b_, a, "http.route", operation.name);
    AddInt(&b_, a, "http.response.status_code", random_.OneIn(50) ? 500 : 200);
    AddString(&b_, a, "url.path", path);
    AddString(&b_, a, "url.full", "http://shop.example" + path);
    AddString(&b_, a, "client.address", client_);
    AddInt(&b_, a, "network.peer.port", 1024 + static_cast<int64_t>(random_.Below(60000)));
    AddString(&b_, a, "user_agent.original",
              "Mozilla/5.0 (X11; Linux x86_64) " + std::to_string(random_.Below(40)));
    AddInt(&b_, a, "http.response.body.size", static_cast<int64_t>(LogNormal(4000, 1.2)));
  }

  void AddRpc(const Operation& operation) {
    AttributeArray* a = &b_.attributes;
    AddString(&b_, a, "rpc.system", "grpc");
    AddString(&b_, a, "rpc.service", std::string(operation.name).substr(0, 8));
    AddString(&b_, a, "rpc.method", operation.name);
    AddInt(&b_, a, "rpc.grpc.status_code", random_.OneIn(80) ? 14 : 0);
    AddString(&b_, a, "server.address", kServiceNames[operation.service]);
    AddInt(&b_, a, "server.port", 8080);
    AddInt(&b_, a, "network.peer.port", 1024 + static_cast<int64_t>(random_.Below(60000)));
  }

  void AddDatabase(const Operation& operation) {
    AttributeArray* a = &b_.attributes;
    AddString(&b_, a, "db.system.name", "postgresql");
    AddString(&b_, a, "db.operation.name", "SELECT");
    AddString(&b_, a, "db.query.text",
              std::string(operation.name) + " WHERE id = " + std::to_string(random_.Below(50000)));
    AddString(&b_, a, "db.namespace", "shop");
    AddString(&b_, a, "server.address", "db-" + std::to_string(random_.Below(3)));
    AddInt(&b_, a, "server.port", 5432);
    AddInt(&b_, a, "db.response.returned_rows", static_cast<int64_t>(random_.Below(30)));
  }

  void AddFailure() {
    b_.status.back() = 2;
    b_.status_message.back() = b_.strings.Intern("deadline exceeded");
    b_.events.time_ns.push_back(b_.start_ns.back());
    b_.events.name.push_back(b_.strings.Intern("exception"));
    b_.events.dropped_attributes.push_back(0);
    AddString(&b_, &b_.events.attributes, "exception.type", "TimeoutError");
    AddString(&b_, &b_.events.attributes, "exception.message", "deadline exceeded");
    b_.events.attribute_end.push_back(b_.events.attributes.size());
  }

  SeededRandom random_;
  SpanBatch b_;
  uint32_t trace_ = 0;
  uint64_t now_ = kBaseTime;
  std::string session_, request_, user_, client_;
};

}  // namespace

SpanBatch MakeOddBatch(uint64_t seed, uint32_t traces) { return OddBatchMaker(seed).Make(traces); }

SpanBatch MakeShopBatch(uint64_t seed, uint32_t spans) { return ShopBatchMaker(seed).Make(spans); }

BlockInput MakeBlockInput(const std::vector<const SpanBatch*>& batches) {
  BlockInput input{.batches = batches};
  std::map<TraceId, std::vector<RowRef>> traces;
  for (uint32_t b = 0; b < batches.size(); ++b) {
    for (uint32_t row = 0; row < batches[b]->size(); ++row) {
      traces[batches[b]->trace_id(row)].push_back({b, row});
    }
  }
  model::PreorderBuilder builder;
  std::vector<model::TreeSpan> spans;
  for (const auto& [id, refs] : traces) {
    spans.clear();
    for (const RowRef ref : refs) {
      const SpanBatch& b = *batches[ref.batch];
      spans.push_back({b.span_id[ref.row], b.parent_span_id[ref.row], b.start_ns[ref.row],
                       b.end_ns[ref.row], b.kind[ref.row]});
    }
    const model::Preorder& tree = builder.Build(
        spans, [&](uint32_t i) { return ContentHash(*batches[refs[i].batch], refs[i].row); });
    input.traces.push_back({id, static_cast<uint32_t>(input.rows.size()), tree.size(), 0});
    for (const uint32_t i : tree.input) input.rows.push_back(refs[i]);
    input.parent.insert(input.parent.end(), tree.parent.begin(), tree.parent.end());
    input.subtree_size.insert(input.subtree_size.end(), tree.subtree_size.begin(),
                              tree.subtree_size.end());
    input.marks.insert(input.marks.end(), tree.marks.begin(), tree.marks.end());
  }
  return input;
}

namespace {

// Builds one JSON object, member by member.
class Description {
 public:
  void Text(const char* name, std::string_view text) {
    Name(name);
    AppendJsonString(text, &out_);
  }
  void Number(const char* name, uint64_t number) {
    Name(name);
    out_ += std::to_string(number);
  }
  void Raw(const char* name, std::string_view json) {
    Name(name);
    out_ += json;
  }
  std::string Finish() { return out_ + "}"; }

 private:
  void Name(const char* name) {
    out_.push_back(out_.empty() ? '{' : ',');
    AppendJsonString(name, &out_);
    out_.push_back(':');
  }
  std::string out_;
};

std::string Join(const std::vector<std::string>& parts, const char* around) {
  std::string out(1, around[0]);
  for (const std::string& part : parts) {
    if (out.size() > 1) out.push_back(',');
    out += part;
  }
  return out + around[1];
}

std::string DescribeAttributes(const SpanBatch& batch, const AttributeArray& attributes,
                               model::IndexRange range) {
  std::vector<std::string> members;
  for (uint32_t i = range.begin; i < range.end; ++i) {
    std::string& member = members.emplace_back();
    AppendJsonString(batch.strings[attributes.key(i)], &member);
    member.push_back(':');
    AppendJsonText(batch, attributes[i], &member);
  }
  std::sort(members.begin(), members.end());
  return Join(members, "{}");
}

std::string DescribeResource(const SpanBatch& batch, uint32_t resource) {
  Description out;
  out.Text("schema_url", batch.strings[batch.resources.schema_url[resource]]);
  out.Number("dropped_attributes", batch.resources.dropped_attributes[resource]);
  out.Raw("attributes", DescribeAttributes(batch, batch.resources.attributes,
                                           batch.ResourceAttributesOf(resource)));
  return out.Finish();
}

std::string DescribeScope(const SpanBatch& batch, uint32_t scope) {
  Description out;
  out.Text("name", batch.strings[batch.scopes.name[scope]]);
  out.Text("version", batch.strings[batch.scopes.version[scope]]);
  out.Text("schema_url", batch.strings[batch.scopes.schema_url[scope]]);
  out.Number("dropped_attributes", batch.scopes.dropped_attributes[scope]);
  out.Raw("attributes",
          DescribeAttributes(batch, batch.scopes.attributes, batch.ScopeAttributesOf(scope)));
  return out.Finish();
}

std::string DescribeEvents(const SpanBatch& batch, uint32_t row) {
  std::vector<std::string> events;
  const model::IndexRange range = batch.EventsOf(row);
  for (uint32_t e = range.begin; e < range.end; ++e) {
    Description out;
    out.Number("time_ns", batch.events.time_ns[e]);
    out.Text("name", batch.strings[batch.events.name[e]]);
    out.Number("dropped_attributes", batch.events.dropped_attributes[e]);
    out.Raw("attributes",
            DescribeAttributes(batch, batch.events.attributes, batch.EventAttributesOf(e)));
    events.push_back(out.Finish());
  }
  return Join(events, "[]");
}

std::string DescribeLinks(const SpanBatch& batch, uint32_t row) {
  std::vector<std::string> links;
  const model::IndexRange range = batch.LinksOf(row);
  for (uint32_t l = range.begin; l < range.end; ++l) {
    Description out;
    out.Text("trace_id", batch.links.trace_id[l].ToHex());
    out.Text("span_id", batch.links.span_id[l].ToHex());
    out.Text("trace_state", batch.strings[batch.links.trace_state[l]]);
    out.Number("flags", batch.links.flags[l]);
    out.Number("dropped_attributes", batch.links.dropped_attributes[l]);
    out.Raw("attributes",
            DescribeAttributes(batch, batch.links.attributes, batch.LinkAttributesOf(l)));
    links.push_back(out.Finish());
  }
  return Join(links, "[]");
}

}  // namespace

std::string DescribeSpan(const SpanBatch& batch, uint32_t row) {
  Description out;
  out.Text("trace_id", batch.trace_id(row).ToHex());
  out.Text("span_id", batch.span_id[row].ToHex());
  if (batch.parent_span_id[row].valid()) {
    out.Text("parent_span_id", batch.parent_span_id[row].ToHex());
  } else {
    out.Raw("parent_span_id", "null");
  }
  out.Number("start_ns", batch.start_ns[row]);
  out.Number("duration_ns", batch.end_ns[row] - batch.start_ns[row]);
  out.Text("name", batch.strings[batch.name[row]]);
  out.Text("kind", KindText(batch.kind[row]));
  out.Text("status_code", StatusText(batch.status[row]));
  out.Text("status_message", batch.strings[batch.status_message[row]]);
  out.Text("trace_state", batch.strings[batch.trace_state[row]]);
  out.Number("flags", batch.flags[row]);
  out.Number("dropped_attributes", batch.dropped_attributes[row]);
  out.Number("dropped_events", batch.dropped_events[row]);
  out.Number("dropped_links", batch.dropped_links[row]);
  out.Text("service", batch.strings[batch.ServiceName(batch.resource[row])]);
  out.Raw("attributes", DescribeAttributes(batch, batch.attributes, batch.AttributesOf(row)));
  out.Raw("resource", DescribeResource(batch, batch.resource[row]));
  out.Raw("scope", DescribeScope(batch, batch.scope[row]));
  out.Raw("events", DescribeEvents(batch, row));
  out.Raw("links", DescribeLinks(batch, row));
  return out.Finish();
}

Error MemoryFile::ReadAt(uint64_t offset, size_t length, char* out) const {
  if (offset > bytes_.size() || length > bytes_.size() - offset) {
    return {ErrorCode::kCorrupt, "the file is shorter than expected"};
  }
  std::memcpy(out, bytes_.data() + offset, length);
  return Error::Ok();
}

Result<std::unique_ptr<ReadableFile>> MemoryFiles::Open(std::string_view name) const {
  for (const BlockFile& file : files_) {
    if (file.name == name) {
      return std::unique_ptr<ReadableFile>(std::make_unique<MemoryFile>(file.bytes, mapped_));
    }
  }
  return Error(ErrorCode::kNotFound, "there is no file " + std::string(name));
}

}  // namespace weft::block
