#include "receive/sample_batch.h"

#include <array>
#include <bit>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "receive/batch_builder.h"

namespace weft::receive {
namespace {

using model::Attribute;
using model::AttributeArray;
using model::Code;
using model::ValueType;

class Sampler {
 public:
  Sampler(uint64_t seed, uint32_t nesting)
      : random_(seed), nesting_(nesting), builder_(DecodeLimits{}, batch_.get()) {}

  std::unique_ptr<model::SpanBatch> Make(uint32_t spans) {
    for (int i = 0; i < 3; ++i) AddResource();
    for (int i = 0; i < 4; ++i) AddScope();
    for (uint32_t i = 0; i < spans; ++i) AddSpan();
    return std::move(batch_);
  }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }
  bool Chance(uint64_t percent) { return Below(100) < percent; }
  uint32_t Count32() { return Chance(80) ? 0 : static_cast<uint32_t>(random_()); }
  uint64_t Time() {
    return Chance(95) ? 1'700'000'000'000'000'000 + Below(1'000'000'000'000) : random_();
  }

  Code Text() {
    static constexpr std::array<std::string_view, 8> kTexts = {"",
                                                               "GET /cart",
                                                               "warp \"and\" weft",
                                                               "line\nbreak\ttab",
                                                               "Ω≈ç√ 絣織り 🧵",
                                                               "back\\slash",
                                                               "\x01\x1f control",
                                                               "a"};
    if (Chance(60)) return builder_.Text(kTexts[Below(kTexts.size())]);
    return builder_.Text(std::string(Below(300), static_cast<char>('a' + Below(26))));
  }
  Code Bytes() {
    std::string bytes(Below(20), '\0');
    for (char& c : bytes) c = static_cast<char>(random_());
    return builder_.Text(bytes);
  }
  Attribute Value(uint32_t depth) {
    const auto type = static_cast<ValueType>(Below(depth < nesting_ ? 8 : 6));
    switch (type) {
      case ValueType::kEmpty: return {0, type, 0};
      case ValueType::kString: return {0, type, Text()};
      case ValueType::kInt: return {0, type, Chance(50) ? Below(1000) : random_()};
      case ValueType::kDouble: return {0, type, std::bit_cast<uint64_t>(Double())};
      case ValueType::kBool: return {0, type, Below(2)};
      case ValueType::kBytes: return {0, type, Bytes()};
      case ValueType::kArray:
      case ValueType::kKvList: return Container(type, depth);
    }
    return {};
  }
  double Double() {
    static constexpr std::array<double, 7> kDoubles = {
        0.0, -0.0, 1.5, 1e300, std::numeric_limits<double>::infinity(), 5e-324, 0.1};
    return kDoubles[Below(kDoubles.size())];
  }
  Attribute Container(ValueType type, uint32_t depth) {
    const size_t opened = builder_.OpenContainer();
    for (uint64_t n = Below(4); n > 0; --n) {
      Attribute element = Value(depth + 1);
      if (type == ValueType::kKvList) element.key = builder_.Text("k" + std::to_string(n));
      builder_.AddElement(element);
    }
    return {0, type, builder_.CloseContainer(opened).Pack()};
  }
  void Attributes(AttributeArray* out) {
    for (uint64_t n = Below(6); n > 0; --n) {
      Attribute attribute = Value(0);
      attribute.key = builder_.Text("key." + std::to_string(Below(20)));
      out->Add(attribute);
    }
  }
  void AddResource() {
    Attributes(&batch_->resources.attributes);
    batch_->resources.schema_url.push_back(Text());
    batch_->resources.dropped_attributes.push_back(Count32());
    batch_->resources.attribute_end.push_back(batch_->resources.attributes.size());
  }
  void AddScope() {
    Attributes(&batch_->scopes.attributes);
    batch_->scopes.name.push_back(Text());
    batch_->scopes.version.push_back(Text());
    batch_->scopes.schema_url.push_back(Text());
    batch_->scopes.dropped_attributes.push_back(Count32());
    batch_->scopes.attribute_end.push_back(batch_->scopes.attributes.size());
  }
  void AddEvent() {
    model::EventColumns& events = batch_->events;
    events.time_ns.push_back(Time());
    events.name.push_back(Text());
    events.dropped_attributes.push_back(Count32());
    Attributes(&events.attributes);
    events.attribute_end.push_back(events.attributes.size());
  }
  void AddLink() {
    model::LinkColumns& links = batch_->links;
    links.trace_id.push_back({random_(), random_()});
    links.span_id.push_back({random_()});
    links.trace_state.push_back(Text());
    links.flags.push_back(Count32());
    links.dropped_attributes.push_back(Count32());
    Attributes(&links.attributes);
    links.attribute_end.push_back(links.attributes.size());
  }
  void AddSpan() {
    SpanFields fields;
    fields.trace_id = {Chance(50) ? 0u : 7u, 1 + Below(5)};
    fields.span_id = {1 + random_() / 2};
    fields.parent_span_id = {Chance(30) ? 0u : 1 + random_() / 2};
    fields.start_ns = Time();
    fields.end_ns = Time();
    fields.name = Text();
    fields.kind = static_cast<uint8_t>(Below(6));
    fields.status = static_cast<uint8_t>(Below(3));
    fields.status_message = Chance(20) ? Text() : 0;
    fields.trace_state = Chance(20) ? Text() : 0;
    fields.flags = Count32();
    fields.dropped_attributes = Count32();
    fields.dropped_events = Count32();
    fields.dropped_links = Count32();
    Attributes(&batch_->attributes);
    for (uint64_t n = Below(3); n > 0; --n) AddEvent();
    for (uint64_t n = Below(3); n > 0; --n) AddLink();
    builder_.CommitSpan(fields, static_cast<uint32_t>(Below(3)), static_cast<uint32_t>(Below(4)));
  }

  std::mt19937_64 random_;
  const uint32_t nesting_;
  std::unique_ptr<model::SpanBatch> batch_ = std::make_unique<model::SpanBatch>();
  BatchBuilder builder_;
};

// How the value of an attribute of the shop comes about.
struct ShopAttribute {
  std::string_view key;
  std::string_view text;   // the value, or its beginning when `distinct` is more than one
  uint32_t distinct = 1;   // how many values there are
  bool is_number = false;  // an int below `distinct`
};

struct ShopSpan {
  std::string_view name;
  model::SpanKind kind;
  std::vector<ShopAttribute> attributes;
};

const std::vector<ShopSpan>& ShopSpans() {
  using model::SpanKind;
  static const std::vector<ShopAttribute> kHttpServer = {
      {"http.request.method", "GET"},
      {"url.scheme", "http"},
      {"url.path", "/api/products/", 500},
      {"http.route", "/api/products/{id}"},
      {"http.response.status_code", "", 5, true},
      {"server.address", "frontend-proxy"},
      {"server.port", "", 1, true},
      {"client.address", "10.2.0.", 250},
      {"user_agent.original", "Mozilla/5.0 ", 20},
      {"network.protocol.version", "1.1"},
      {"app.user.id", "user-8f3a-", 20000},
      {"app.session.id", "5e0c-77f1-", 100000},
      {"app.cart.items", "", 12, true},
      {"thread.id", "", 64, true},
  };
  static const std::vector<ShopAttribute> kRpc = {
      {"rpc.system", "grpc"},
      {"rpc.service", "demo.Catalog"},
      {"rpc.method", "GetProduct"},
      {"rpc.grpc.status_code", "", 3, true},
      {"net.peer.name", "product-catalog-", 4},
      {"net.peer.port", "", 1, true},
      {"app.product.id", "OLJCESPC", 500},
      {"app.product.name", "Explorascope ", 500},
      {"app.user.currency", "USD"},
      {"app.session.id", "5e0c-77f1-", 100000},
      {"messaging.message.id", "9b1d-4bad-", 1000000},
      {"thread.id", "", 64, true},
      {"thread.name", "grpc-exec-", 64},
      {"code.function.name", "catalog.Get"},
  };
  static const std::vector<ShopAttribute> kSql = {
      {"db.system.name", "postgresql"},
      {"db.namespace", "shop"},
      {"db.operation.name", "SELECT"},
      {"db.collection.name", "orders"},
      {"db.query.text", "SELECT id, total FROM orders WHERE state = ", 9},
      {"server.address", "postgres-0.shop"},
      {"server.port", "", 1, true},
      {"db.response.returned_rows", "", 100, true},
      {"network.peer.address", "10.2.7.", 250},
      {"app.order.id", "7d44-9dc0-", 1000000},
      {"thread.id", "", 64, true},
      {"thread.name", "worker-", 64},
      {"code.function.name", "Orders.find"},
      {"peer.service", "postgres"},
  };
  static const std::vector<ShopSpan> kSpans = {
      {"GET /api/products/{id}", SpanKind::kServer, kHttpServer},
      {"demo.Catalog/GetProduct", SpanKind::kClient, kRpc},
      {"demo.Catalog/GetProduct", SpanKind::kServer, kRpc},
      {"SELECT shop.orders", SpanKind::kClient, kSql},
      {"SELECT shop.orders", SpanKind::kClient, kSql},
      {"POST /api/checkout", SpanKind::kServer, kHttpServer},
      {"render", SpanKind::kInternal, kHttpServer},
  };
  return kSpans;
}

}  // namespace

std::unique_ptr<model::SpanBatch> MakeSampleBatch(uint64_t seed, uint32_t spans, uint32_t nesting) {
  return Sampler(seed, nesting).Make(spans);
}

std::unique_ptr<model::SpanBatch> MakeShopBatch(uint64_t seed, uint32_t spans) {
  std::mt19937_64 random(seed);
  auto batch = std::make_unique<model::SpanBatch>();
  BatchBuilder builder(DecodeLimits{}, batch.get());
  const auto text = [&](const ShopAttribute& a) {
    std::string value(a.text);
    if (a.distinct > 1) value += std::to_string(random() % a.distinct);
    return builder.Text(value);
  };
  const std::vector<ShopAttribute> resource = {{"service.name", "frontend"},
                                               {"service.version", "2.1.0"},
                                               {"service.instance.id", "c3f1b2a0-12"},
                                               {"telemetry.sdk.language", "go"},
                                               {"host.name", "node-7"}};
  for (const ShopAttribute& a : resource) {
    batch->resources.attributes.Add(builder.Text(a.key), ValueType::kString, text(a));
  }
  batch->resources.schema_url.push_back(0);
  batch->resources.dropped_attributes.push_back(0);
  batch->resources.attribute_end.push_back(batch->resources.attributes.size());
  batch->scopes.name.push_back(builder.Text("io.opentelemetry.shop"));
  batch->scopes.version.push_back(builder.Text("1.0"));
  batch->scopes.schema_url.push_back(0);
  batch->scopes.dropped_attributes.push_back(0);
  batch->scopes.attribute_end.push_back(0);
  uint64_t now_ns = 1'790'000'000'000'000'000;
  model::TraceId trace_id;
  for (uint32_t i = 0; i < spans; ++i) {
    const ShopSpan& kind = ShopSpans()[random() % ShopSpans().size()];
    if (i % 8 == 0) trace_id = {random(), random()};
    SpanFields fields;
    fields.trace_id = trace_id;
    fields.span_id = {random()};
    fields.parent_span_id = {i % 8 == 0 ? 0 : random()};
    now_ns += random() % 100'000;
    fields.start_ns = now_ns;
    fields.end_ns = now_ns + random() % 50'000'000;
    fields.name = builder.Text(kind.name);
    fields.kind = static_cast<uint8_t>(kind.kind);
    fields.flags = 0x101;
    for (const ShopAttribute& a : kind.attributes) {
      const Code key = builder.Text(a.key);
      if (a.is_number) {
        batch->attributes.Add(key, ValueType::kInt, random() % a.distinct);
      } else {
        batch->attributes.Add(key, ValueType::kString, text(a));
      }
    }
    builder.CommitSpan(fields, 0, 0);
  }
  return batch;
}

}  // namespace weft::receive
