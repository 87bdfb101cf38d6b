#include "generate/call_matcher.h"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>
#include <utility>

#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>

namespace weft::generate {
namespace {

using model::PeerKind;
using model::SpanKind;

const std::string kUser = "user";
// Types of connections.
constexpr std::string_view kDirect = "";
constexpr std::string_view kMessaging = "messaging_system";
constexpr std::string_view kDatabase = "database";
constexpr std::string_view kVirtual = "virtual_node";

enum HistogramOf : size_t { kServer = 0, kClient = 1 };

bool IsMessaging(uint8_t kind) {
  return kind == static_cast<uint8_t>(SpanKind::kProducer) ||
         kind == static_cast<uint8_t>(SpanKind::kConsumer);
}
bool Calls(uint8_t kind) {
  return kind == static_cast<uint8_t>(SpanKind::kClient) ||
         kind == static_cast<uint8_t>(SpanKind::kProducer);
}
bool Serves(uint8_t kind) {
  return kind == static_cast<uint8_t>(SpanKind::kServer) ||
         kind == static_cast<uint8_t>(SpanKind::kConsumer);
}

// What attributes of a batch's spans say of their peers; texts are looked at once for each
// combination of values.
class PeerReader {
 public:
  PeerReader(const model::SpanBatch& batch, std::vector<model::Peer>* peers)
      : b_(batch), peers_(*peers), attribute_of_(batch.strings.size(), 0) {
    for (uint8_t i = 0; i < model::kPeerAttributes; ++i) {
      const model::Code code = b_.strings.Find(model::kPeerKeys[i]);
      if (code != model::StringTable::kMissing) attribute_of_[code] = i + 1;
    }
  }

  // An index into the peers, or CallSide::kNobody.
  uint32_t Of(uint32_t span) {
    key_.clear();
    const model::IndexRange range = b_.AttributesOf(span);
    for (uint32_t i = range.begin; i < range.end; ++i) {
      const uint64_t attribute = attribute_of_[b_.attributes.key(i)];
      if (attribute == 0) continue;
      key_.push_back(attribute << 8 | static_cast<uint64_t>(b_.attributes.type(i)));
      key_.push_back(b_.attributes.value(i));
    }
    if (key_.empty()) return CallSide::kNobody;
    const auto [found, is_new] = known_.try_emplace(key_, CallSide::kNobody);
    if (is_new) {
      model::Peer peer = PeerOfSpan(range);
      if (!peer.name.empty() && peers_.size() < kPeersMax) {
        found->second = static_cast<uint32_t>(peers_.size());
        peers_.push_back(std::move(peer));
      }
    }
    return found->second;
  }

 private:
  model::Peer PeerOfSpan(model::IndexRange range) const {
    model::PeerTexts texts;
    for (uint32_t i = range.begin; i < range.end; ++i) {
      const uint8_t attribute = attribute_of_[b_.attributes.key(i)];
      if (attribute != 0) texts[attribute - 1] = TextOf(b_.attributes[i]);
    }
    return model::PeerOf(texts);
  }

  std::string TextOf(const model::Attribute& a) const {
    switch (a.type) {
      case model::ValueType::kString: return std::string(b_.strings[a.as_code()]);
      case model::ValueType::kInt: return std::to_string(a.as_int());
      case model::ValueType::kBool: return a.as_bool() ? "true" : "false";
      default: return {};
    }
  }

  // Of a batch, as long as one of its spans waits; spans with further ones say nothing.
  static constexpr size_t kPeersMax = 4096;

  const model::SpanBatch& b_;
  std::vector<model::Peer>& peers_;
  std::vector<uint8_t> attribute_of_;  // by code of the key: which one of kPeerKeys, from 1
  absl::InlinedVector<uint64_t, 8> key_;
  absl::flat_hash_map<absl::InlinedVector<uint64_t, 8>, uint32_t> known_;
};

void AddDuration(const CallSide& side, Histogram* histogram) {
  const uint32_t bucket = model::kGraphLatencyBounds.BucketOf(side.duration_ns);
  ++histogram->counts[bucket];
  histogram->total_ns += static_cast<uint64_t>(side.duration_ns);
  histogram->exemplars[bucket] = {side.trace_id, static_cast<double>(side.duration_ns) / 1e9,
                                  side.end_ns, 0};
}

}  // namespace

std::vector<CallSide> CallSidesOf(const model::SpanBatch& batch) {
  std::vector<CallSide> out;
  const auto names = std::make_shared<CallNames>();
  for (uint32_t r = 0; r < batch.resources.size(); ++r) {
    names->services.emplace_back(batch.strings[batch.ServiceName(r)]);
  }
  PeerReader peers(batch, &names->peers);
  for (uint32_t span = 0; span < batch.size(); ++span) {
    const uint8_t kind = batch.kind[span];
    const bool calls = Calls(kind);
    const bool root = !batch.parent_span_id[span].valid();
    // Nobody can tell who has sent what a root consumes.
    const bool consumed_root = root && kind == static_cast<uint8_t>(SpanKind::kConsumer);
    if ((!calls && !Serves(kind)) || consumed_root) continue;
    CallSide side;
    side.trace_id = batch.trace_id(span);
    side.caller = calls ? batch.span_id[span] : batch.parent_span_id[span];
    side.calls = calls;
    side.messaging = IsMessaging(kind);
    side.failed = batch.status[span] == static_cast<uint8_t>(model::StatusCode::kError);
    side.duration_ns =
        std::max<int64_t>(0, static_cast<int64_t>(batch.end_ns[span] - batch.start_ns[span]));
    side.end_ns = batch.end_ns[span];
    side.names = names;
    side.service_index = batch.resource[span];
    if (calls) side.peer_index = peers.Of(span);
    out.push_back(std::move(side));
  }
  return out;
}

// Calls that are counted now, put together by their labels.
class CallMatcher::Found {
 public:
  // One side may be null.
  void Add(const model::TenantId& tenant, const std::string& client, const std::string& server,
           std::string_view type, const CallSide* caller, const CallSide* called) {
    // By where the texts are: the store puts together what is written twice.
    const auto [found, is_new] =
        places_.try_emplace(Place{&client, &server, type.data()}, calls_.size());
    if (is_new) {
      calls_.emplace_back(tenant, Increment());
      Increment& made = calls_.back().second;
      made.labels = {{"client", model::LabelValue(client)},
                     {"server", model::LabelValue(server)},
                     {"connection_type", std::string(type)}};
      made.histograms.resize(2);
    }
    Increment& call = calls_[found->second].second;
    ++call.counters[0];
    const bool failed =
        (caller != nullptr && caller->failed) || (called != nullptr && called->failed);
    call.counters[1] += failed ? 1 : 0;
    if (caller != nullptr) AddDuration(*caller, &call.histograms[kClient]);
    if (called != nullptr) AddDuration(*called, &call.histograms[kServer]);
  }

  // A call of which nothing but the caller's side is known; false when it does not say to whom. The
  // peer is as slow as the caller says.
  bool AddLone(const model::TenantId& tenant, const CallSide& side) {
    const model::Peer* const peer = side.peer();
    if (!side.calls || peer == nullptr) return false;
    const bool queue = side.messaging || peer->kind == PeerKind::kQueue;
    const std::string_view type = peer->kind == PeerKind::kDatabase ? kDatabase
                                  : queue                           ? kMessaging
                                                                    : kVirtual;
    Keep(side);
    Add(tenant, side.service(), peer->name, type, &side, &side);
    return true;
  }

  // Its texts stay as long as this: places are told apart by where they are.
  void Keep(const CallSide& side) { names_.insert(side.names); }

  void AddTo(SeriesStore* store) {
    std::map<model::TenantId, std::vector<Increment>> by_tenant;
    for (auto& [tenant, call] : calls_) by_tenant[tenant].push_back(std::move(call));
    for (auto& [tenant, calls] : by_tenant) store->Add(tenant, Kind::kCalls, std::move(calls));
  }

 private:
  using Place = std::tuple<const std::string*, const std::string*, const char*>;

  absl::flat_hash_map<Place, size_t> places_;
  std::vector<std::pair<model::TenantId, Increment>> calls_;
  absl::flat_hash_set<std::shared_ptr<const CallNames>> names_;
};

CallMatcher::CallMatcher(const Env& env, MetricRegistry& metrics, SeriesStore* store)
    : env_(env),
      store_(*store),
      unmatched_(metrics.GetCounter("weft_generator_unmatched_calls_total",
                                    "Spans of calls whose other side did not come in time and "
                                    "cannot be told.")) {}

void CallMatcher::Expire(int64_t now_ns, Found* found) {
  while (!order_.empty() && (order_.front().until_ns <= now_ns || waiting_.size() > kWaitingMax)) {
    const auto at = waiting_.find(order_.front().key);
    if (at != waiting_.end() && at->second.number == order_.front().number) {
      const Waiting& gone = at->second;
      if (!gone.answered && !found->AddLone(gone.tenant, gone.side)) unmatched_.Add();
      waiting_.erase(at);
    }
    order_.pop_front();
  }
}

void CallMatcher::Wait(const model::TenantId& tenant, CallSide side, bool answered,
                       int64_t now_ns) {
  const Key key{std::hash<std::string>()(tenant), side.trace_id, side.caller, side.calls};
  const uint64_t number = ++next_;
  if (waiting_.try_emplace(key, Waiting{tenant, std::move(side), number, answered}).second) {
    order_.push_back({key, number, now_ns + kWaitNs});
    if (order_.size() > 2 * (waiting_.size() + kWaitingMax)) ForgetAnswered();
  }
}

// Most of those who waited have met whom they waited for, and stand in the order for nothing.
void CallMatcher::ForgetAnswered() {
  std::erase_if(order_, [this](const Order& order) WEFT_REQUIRES(mutex_) {
    const auto at = waiting_.find(order.key);
    return at == waiting_.end() || at->second.number != order.number;
  });
}

void CallMatcher::Put(const model::TenantId& tenant, CallSide side, int64_t now_ns, Found* found) {
  if (!side.calls && !side.caller.valid()) {
    found->Keep(side);
    return found->Add(tenant, kUser, side.service(), kVirtual, nullptr, &side);
  }
  const model::Peer* const peer = side.peer();
  if (side.calls && !side.messaging && peer != nullptr && peer->kind == PeerKind::kDatabase) {
    found->AddLone(tenant, side);
    return;
  }
  const auto other =
      waiting_.find({std::hash<std::string>()(tenant), side.trace_id, side.caller, !side.calls});
  if (other == waiting_.end() || other->second.tenant != tenant) {
    return Wait(tenant, std::move(side), false, now_ns);
  }
  const CallSide& caller = side.calls ? side : other->second.side;
  const CallSide& called = side.calls ? other->second.side : side;
  const bool messaging = caller.messaging || called.messaging;
  found->Keep(caller);
  found->Keep(called);
  found->Add(tenant, caller.service(), called.service(), messaging ? kMessaging : kDirect, &caller,
             &called);
  // Of a producer there may be many consumers.
  if (messaging && !side.calls) {
    other->second.answered = true;
    return;
  }
  waiting_.erase(other);
  if (messaging) Wait(tenant, std::move(side), true, now_ns);
}

void CallMatcher::Add(const model::TenantId& tenant, std::vector<CallSide> sides) {
  Found found;
  {
    const int64_t now_ns = env_.MonotonicNs();
    const MutexLock lock(mutex_);
    for (CallSide& side : sides) Put(tenant, std::move(side), now_ns, &found);
    Expire(now_ns, &found);
  }
  found.AddTo(&store_);
}

}  // namespace weft::generate
