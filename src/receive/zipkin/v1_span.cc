// 1. The core annotations that name an endpoint say which sides of a call or a message the span
//    tells of: cs and cr a client, sr and ss a server, ms a producer, mr a consumer. Each side
//    becomes a span; with none there is one without a kind.
// 2. Each side takes its times from its own annotations, unless the span says them itself and there
//    is no other side. An end whose begin is not known stays an annotation.
// 3. Addresses (sa, ca, ma) become remote endpoints.
// 4. Every other annotation and tag goes to the side whose service wrote it.

#include "receive/zipkin/v1_span.h"

#include <utility>

namespace weft::receive::zipkin {
namespace {

using model::Code;
using model::SpanKind;

const KeyRoles<V1Role>::Table& Roles() {
  static const KeyRoles<V1Role>::Table kRoles = {
      {"cs", V1Role::kClientSend},     {"cr", V1Role::kClientReceive},
      {"sr", V1Role::kServerReceive},  {"ss", V1Role::kServerSend},
      {"ms", V1Role::kMessageSend},    {"mr", V1Role::kMessageReceive},
      {"ws", V1Role::kWireSend},       {"wr", V1Role::kWireReceive},
      {"ca", V1Role::kClientAddress},  {"sa", V1Role::kServerAddress},
      {"ma", V1Role::kMessageAddress}, {"lc", V1Role::kLocalComponent},
  };
  return kRoles;
}

bool IsCore(V1Role role) { return role >= V1Role::kClientSend && role <= V1Role::kWireReceive; }
bool IsAddress(V1Role role) {
  return role >= V1Role::kClientAddress && role <= V1Role::kMessageAddress;
}
uint64_t Between(uint64_t begin_us, uint64_t end_us) {
  return end_us > begin_us ? end_us - begin_us : 0;
}

}  // namespace

void V1Span::Clear() {
  V1Span empty;
  empty.annotations.swap(annotations);
  empty.binary_annotations.swap(binary_annotations);
  *this = std::move(empty);
  annotations.clear();
  binary_annotations.clear();
}

V1Converter::V1Converter(const model::StringTable* strings) : roles_(&Roles(), strings) {}

const std::vector<Span>& V1Converter::Convert(const V1Span& from) {
  sides_.clear();
  FindCore(from);
  MakeSides(from);
  Addresses(from);
  Rest(from);
  return sides_;
}

void V1Converter::FindCore(const V1Span& from) {
  core_ = Core();
  for (const V1Annotation& a : from.annotations) {
    const V1Role role = roles_.Of(a.value);
    if (!IsCore(role) || a.host.empty()) continue;
    const V1Annotation*& first = core_.at[static_cast<size_t>(role)];
    if (first == nullptr) first = &a;
  }
}

Span& V1Converter::AddSide(const V1Span& from, SpanKind kind, const V1Annotation* host) {
  Span& side = sides_.emplace_back();
  side.ids = from.ids;
  side.kind = kind;
  side.name = from.name;
  side.debug = from.debug;
  if (host != nullptr) side.local = host->host;
  return side;
}

void V1Converter::MakeSides(const V1Span& from) {
  const auto first = [this](V1Role a, V1Role b) {
    return core_.Of(a) != nullptr ? core_.Of(a) : core_.Of(b);
  };
  const V1Annotation* client = first(V1Role::kClientSend, V1Role::kClientReceive);
  const V1Annotation* server = first(V1Role::kServerReceive, V1Role::kServerSend);
  const V1Annotation* producer = core_.Of(V1Role::kMessageSend);
  const V1Annotation* consumer = core_.Of(V1Role::kMessageReceive);
  sides_.reserve(4);
  if (client != nullptr) {
    CallTimes(from, V1Role::kClientSend, V1Role::kClientReceive,
              &AddSide(from, SpanKind::kClient, client), false);
  }
  if (server != nullptr) {
    Span& side = AddSide(from, SpanKind::kServer, server);
    CallTimes(from, V1Role::kServerReceive, V1Role::kServerSend, &side, client != nullptr);
    // Whoever began the span has its time, and its duration when it is over.
    side.shared = client != nullptr || from.time_us == 0 ||
                  (core_.Of(V1Role::kServerSend) != nullptr && from.duration_us == 0);
  }
  const bool both = producer != nullptr && consumer != nullptr;
  if (producer != nullptr) {
    MessageTimes(from, V1Role::kMessageSend, V1Role::kWireSend,
                 &AddSide(from, SpanKind::kProducer, producer), false);
  }
  if (consumer != nullptr) {
    Span& side = AddSide(from, SpanKind::kConsumer, consumer);
    MessageTimes(from, V1Role::kWireReceive, V1Role::kMessageReceive, &side, both);
    side.shared = both;
  }
  if (!sides_.empty()) return;
  Span& side = AddSide(from, SpanKind::kUnspecified, nullptr);
  side.time_us = from.time_us;
  side.duration_us = from.duration_us;
}

// `both`: the span's own times are those of the other side.
void V1Converter::CallTimes(const V1Span& from, V1Role begin, V1Role end, Span* side, bool both) {
  const V1Annotation* first = core_.Of(begin);
  const V1Annotation* last = core_.Of(end);
  if (!both) {
    side->time_us = from.time_us;
    side->duration_us = from.duration_us;
  }
  if (side->time_us == 0 && first != nullptr) side->time_us = first->time_us;
  if (last == nullptr) return;
  if (first == nullptr && (side->time_us == 0 || side->duration_us == 0)) {
    side->annotations.push_back({last->time_us, last->value});
  } else if (side->duration_us == 0) {
    side->duration_us = Between(side->time_us, last->time_us);
  }
}

void V1Converter::MessageTimes(const V1Span& from, V1Role begin, V1Role end, Span* side,
                               bool both) {
  const V1Annotation* first = core_.Of(begin);
  const V1Annotation* last = core_.Of(end);
  if (!both) {
    side->time_us = from.time_us;
    side->duration_us = from.duration_us;
  }
  const V1Annotation* known = first != nullptr ? first : last;
  if (side->time_us == 0) side->time_us = known->time_us;
  if (side->duration_us == 0 && first != nullptr && last != nullptr) {
    side->duration_us = Between(first->time_us, last->time_us);
  }
}

Span* V1Converter::SideOfKind(SpanKind a, SpanKind b) {
  for (Span& side : sides_) {
    if (side.kind == a || side.kind == b) return &side;
  }
  return nullptr;
}

void V1Converter::Addresses(const V1Span& from) {
  const V1BinaryAnnotation* address[16] = {};
  for (const V1BinaryAnnotation& b : from.binary_annotations) {
    const V1Role role = roles_.Of(b.key);
    if (IsAddress(role) && b.is_true && !b.host.empty()) address[static_cast<size_t>(role)] = &b;
  }
  const auto* client_at = address[static_cast<size_t>(V1Role::kClientAddress)];
  const auto* server_at = address[static_cast<size_t>(V1Role::kServerAddress)];
  const auto* broker_at = address[static_cast<size_t>(V1Role::kMessageAddress)];
  Span* client = SideOfKind(SpanKind::kClient, SpanKind::kClient);
  Span* server = SideOfKind(SpanKind::kServer, SpanKind::kServer);
  Span* plain = SideOfKind(SpanKind::kUnspecified, SpanKind::kUnspecified);
  if (broker_at != nullptr) {
    for (Span& side : sides_) {
      if (side.kind == SpanKind::kProducer || side.kind == SpanKind::kConsumer) {
        side.remote = broker_at->host;
      }
    }
  }
  if (client != nullptr && server_at != nullptr) client->remote = server_at->host;
  if (server != nullptr && client_at != nullptr) {
    server->remote = client_at->host;
    if (server->remote.service == server->local.service) server->remote.service = 0;
  }
  if (plain == nullptr) return;
  if (server_at != nullptr) {
    plain->remote = server_at->host;
    if (client_at != nullptr) plain->local = client_at->host;
  } else if (client_at != nullptr) {
    plain->kind = SpanKind::kServer;
    plain->remote = client_at->host;
  }
}

// The side whose service wrote something; the first, when none or both did.
Span& V1Converter::SideOf(const Endpoint& host) {
  if (host.service != 0) {
    for (Span& side : sides_) {
      if (side.local.service == host.service) return side;
    }
  }
  return sides_.front();
}

void V1Converter::Rest(const V1Span& from) {
  const auto place = [this](const Endpoint& host) -> Span& {
    Span& side = SideOf(host);
    if (side.local.empty()) side.local = host;
    return side;
  };
  for (const V1Annotation& a : from.annotations) {
    const V1Role role = roles_.Of(a.value);
    const bool wire_alone =
        (role == V1Role::kWireSend && core_.Of(V1Role::kMessageSend) == nullptr) ||
        (role == V1Role::kWireReceive && core_.Of(V1Role::kMessageReceive) == nullptr);
    if (IsCore(role) && core_.Of(role) == &a && !wire_alone) continue;
    place(a.host).annotations.push_back({a.time_us, a.value});
  }
  for (const V1BinaryAnnotation& b : from.binary_annotations) {
    const V1Role role = roles_.Of(b.key);
    if (IsAddress(role) && b.is_true) continue;
    Span& side = place(b.host);
    if (role == V1Role::kLocalComponent && b.value == 0) continue;
    side.tags.push_back({b.key, b.value});
  }
}

}  // namespace weft::receive::zipkin
