#include "query/insight/call_finder.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "model/preorder.h"
#include "model/span_batch.h"
#include "query/exec/group_filter.h"
#include "query/insight/call_key.h"
#include "query/insight/peer.h"

namespace weft::query::insight {
namespace {

using block::Column;
using block::Intrinsic;
using block::Scope;
using exec::Bitmap;
using exec::GroupColumns;
using model::SpanKind;

constexpr uint32_t kNone = CallGraph::kNone;

bool Sends(SpanKind kind) { return kind == SpanKind::kClient || kind == SpanKind::kProducer; }
bool Receives(SpanKind kind) { return kind == SpanKind::kServer || kind == SpanKind::kConsumer; }
bool IsMessaging(SpanKind kind) {
  return kind == SpanKind::kProducer || kind == SpanKind::kConsumer;
}

// What links of a group lead to, by the row that has them.
using Links = std::vector<std::pair<uint32_t, SpanKey>>;  // ascending by row

Result<Links> ReadLinks(GroupColumns* columns) {
  Links out;
  WEFT_ASSIGN_OR_RETURN(const uint32_t count, columns->TableRows(Scope::kLink));
  if (count == 0) return out;
  WEFT_ASSIGN_OR_RETURN(const Column* row, columns->Read(Intrinsic::kLinkSpan));
  WEFT_ASSIGN_OR_RETURN(const Column* trace, columns->Read(Intrinsic::kLinkTraceId));
  WEFT_ASSIGN_OR_RETURN(const Column* span, columns->Read(Intrinsic::kLinkSpanId));
  for (uint32_t i = 0; i < count; ++i) {
    if (!trace->has(i) || !span->has(i)) continue;
    const auto trace_id = model::TraceId::FromHex(trace->dictionary->strings[trace->codes[i]]);
    const auto span_id = model::SpanId::FromHex(span->dictionary->strings[span->codes[i]]);
    if (!trace_id || !span_id || !span_id->valid()) continue;
    out.emplace_back(static_cast<uint32_t>(row->ints[i]), SpanKey{*trace_id, *span_id});
  }
  return out;
}

// One text a row: the first of some attributes of its resource. Equal texts have equal codes.
class ResourceTexts {
 public:
  static Result<ResourceTexts> Open(const std::vector<const char*>& keys, GroupColumns* columns) {
    ResourceTexts out;
    WEFT_ASSIGN_OR_RETURN(const uint32_t resources, columns->TableRows(Scope::kResource));
    WEFT_ASSIGN_OR_RETURN(const Column* index, columns->Read(Intrinsic::kResource));
    out.resource_of_row_ = index->ints.data();
    std::vector<std::string> texts(resources);
    for (const char* key : keys) {
      WEFT_ASSIGN_OR_RETURN(const auto* found, columns->ReadAttribute(Scope::kResource, key));
      for (const block::ColumnPtr& column : *found) {
        if (column->type != model::ValueType::kString) continue;
        for (uint32_t i = 0; i < resources; ++i) {
          if (texts[i].empty() && column->has(i))
            texts[i] = column->dictionary->strings[column->codes[i]];
        }
      }
    }
    std::map<std::string, uint32_t> codes;
    for (const std::string& text : texts) {
      const auto [code, is_new] = codes.emplace(text, static_cast<uint32_t>(out.texts_.size()));
      if (is_new) out.texts_.push_back(text);
      out.code_of_resource_.push_back(code->second);
    }
    return out;
  }

  uint32_t code(uint32_t row) const {
    return code_of_resource_[static_cast<size_t>(resource_of_row_[row])];
  }
  uint32_t code_count() const { return static_cast<uint32_t>(texts_.size()); }
  const std::string& text(uint32_t code) const { return texts_[code]; }

 private:
  const int64_t* resource_of_row_ = nullptr;
  std::vector<uint32_t> code_of_resource_;
  std::vector<std::string> texts_;  // by code
};

// The numbers of a column of small ones, by row.
std::vector<uint8_t> ReadSmall(const Column& column) {
  if (!column.dictionary) return {column.ints.begin(), column.ints.end()};
  const std::vector<uint8_t> values(column.dictionary->ints.begin(), column.dictionary->ints.end());
  std::vector<uint8_t> out(column.row_count);
  const uint32_t* const codes = column.codes.data();
  for (uint32_t row = 0; row < column.row_count; ++row) out[row] = values[codes[row]];
  return out;
}

// The rows on which `holds(row)` is true.
template <typename Holds>
Bitmap RowsWhere(uint32_t size, const Holds& holds) {
  Bitmap out(size);
  for (uint32_t begin = 0; begin < size; begin += 64) {
    const uint32_t end = std::min(size, begin + 64);
    uint64_t word = 0;
    for (uint32_t row = begin; row < end; ++row) word |= uint64_t{holds(row)} << (row - begin);
    out.words()[begin / 64] = word;
  }
  return out;
}

// Numbers by pairs of codes, as far as there is room for all pairs.
class PairTable {
 public:
  PairTable() = default;
  PairTable(size_t firsts, size_t seconds) : seconds_(seconds) {
    constexpr size_t kEntriesMax = 1 << 18;
    if (seconds != 0 && firsts <= kEntriesMax / seconds) numbers_.assign(firsts * seconds, kNone);
  }

  // kNone where nothing is known; to be set. Valid until the next call.
  uint32_t& At(uint32_t first, uint32_t second) {
    if (!numbers_.empty()) return numbers_[first * seconds_ + second];
    unknown_ = kNone;
    return unknown_;
  }

 private:
  size_t seconds_ = 0;
  uint32_t unknown_ = kNone;
  std::vector<uint32_t> numbers_;
};

class Finder {
 public:
  Finder(const exec::PlanRows::Part& part, GroupColumns* columns, TimeRange range,
         const LinkTargets& linked, FoundCalls* found)
      : group_(*part.group),
        chosen_(part.rows),
        columns_(*columns),
        range_(range),
        linked_(linked),
        found_(*found),
        graph_(found->graph) {}

  Error Run() {
    WEFT_RETURN_IF_ERROR(Open());
    uint32_t trace = kNone;
    for (uint32_t row = group_.row_count(); row-- > 0;) {
      if (!there_.Test(row)) continue;
      if (trace_of_row_[row] != trace) {
        EndTrace();
        trace = trace_of_row_[row];
      }
      Visit(row);
    }
    EndTrace();
    return error_;
  }

 private:
  Error Open() {
    WEFT_RETURN_IF_ERROR(group_.LoadTraces());
    trace_of_row_ = group_.trace_of_row().data();
    FindRows();
    WEFT_ASSIGN_OR_RETURN(const Column* kind, columns_.Read(Intrinsic::kKind));
    WEFT_ASSIGN_OR_RETURN(const Column* status, columns_.Read(Intrinsic::kStatus));
    WEFT_ASSIGN_OR_RETURN(start_, columns_.Read(Intrinsic::kStartTime));
    WEFT_ASSIGN_OR_RETURN(duration_, columns_.Read(Intrinsic::kDuration));
    WEFT_ASSIGN_OR_RETURN(parent_row_, columns_.Read(Intrinsic::kParentRow));
    WEFT_ASSIGN_OR_RETURN(marks_, columns_.Read(Intrinsic::kMarks));
    const uint32_t rows = group_.row_count();
    kind_ = ReadSmall(*kind);
    failed_ = RowsWhere(rows, [statuses = ReadSmall(*status)](uint32_t row) {
      return statuses[row] == static_cast<uint8_t>(model::StatusCode::kError);
    });
    Bitmap named = RowsWhere(rows, [&](uint32_t row) {
      return Sends(KindOf(row)) || KindOf(row) == SpanKind::kConsumer;
    });
    named.And(there_);
    WEFT_ASSIGN_OR_RETURN(services_, ResourceTexts::Open({"service.name"}, &columns_));
    service_nodes_.resize(services_.code_count(), kNone);
    WEFT_ASSIGN_OR_RETURN(Peers peers, Peers::Open(named, &columns_));
    peers_.emplace(std::move(peers));
    peer_nodes_.resize(peers_->size(), kNone);
    WEFT_ASSIGN_OR_RETURN(links_, ReadLinks(&columns_));
    has_links_ = Bitmap(rows);
    for (const auto& [row, key] : links_) has_links_.Set(row);
    covered_ = Bitmap(rows);
    call_edges_ = PairTable(services_.code_count(), services_.code_count());
    peer_edges_ = PairTable(services_.code_count(), peers_->size());
    answers_ = PairTable(services_.code_count(), peers_->size());
    return Error::Ok();
  }

  // All rows of the part's traces but those that are left out.
  void FindRows() {
    Bitmap traces(group_.trace_count());
    chosen_.ForEach([&](uint32_t row) { traces.Set(trace_of_row_[row]); });
    there_ = RowsWhere(group_.row_count(),
                       [&](uint32_t row) { return traces.Test(trace_of_row_[row]); });
    there_.AndNotWords(group_.excluded_rows());
  }

  void Visit(uint32_t row) {
    const SpanKind kind = KindOf(row);
    const bool sends = Sends(kind);
    if (sends && !linked_.empty() && linked_.MayContain(SpanIdOf(row))) NoteSender(row);
    if (sends && !covered_.Test(row)) {
      if (PeerOf(row) != kNone) covered_.Set(row);
      lone_.push_back(row);
    }
    if (has_links_.Test(row)) NoteLinks(row);
    if (parent_row_->ints[row] == 0) return VisitRoot(row);
    const uint32_t parent = ParentOf(row);
    if (!there_.Test(parent)) return;
    const bool same_service = services_.code(row) == services_.code(parent);
    if ((Receives(kind) && Sends(KindOf(parent))) || !same_service) {
      AddCall(parent, row);
      covered_.Set(parent);
    } else if (covered_.Test(row) && !Receives(kind)) {
      covered_.Set(parent);
    }
  }

  void VisitRoot(uint32_t row) {
    const bool is_orphan = (marks_->ints[row] & model::kMarkOrphan) != 0;
    if (is_orphan) {
      orphans_.push_back(row);
    } else {
      has_root_ = true;
      const bool is_linked = !receiver_rows_.empty() && receiver_rows_.back() == row;
      if (!Counts(row) || is_linked) return;
      if (Receives(KindOf(row))) {
        found_.AddRoot(RootOf(row));
      } else {
        graph_.entries(ServiceOf(row)).Add(Received(row), graph_.steps());
      }
    }
  }

  // --- calls

  void AddCall(uint32_t client, uint32_t server) {
    if (!range_.Contains(StartOf(server))) return;
    if (!chosen_.Test(client) && !chosen_.Test(server)) return;
    const bool messaging = IsMessagingCall(client, server);
    CallSample call = Received(server);
    if (Sends(KindOf(client))) {
      call.client_ns = DurationOf(client);
      call.client_error = failed_.Test(client);
    }
    const uint32_t edge = EdgeOf(client, server);
    graph_.counts(edge).Add(call, graph_.steps());
    if (messaging || !Sends(KindOf(client))) return;
    uint32_t& noted = answers_.At(services_.code(server), peers_->of(client));
    if (noted == kNone) {
      noted = 0;
      if (const uint32_t peer = PeerOf(client); peer != kNone)
        found_.answered.insert({peer, ServiceOf(server)});
    }
    if (KindOf(server) == SpanKind::kServer) CheckClocks(client, server, edge);
  }

  bool IsMessagingCall(uint32_t client, uint32_t server) const {
    return KindOf(client) == SpanKind::kProducer || KindOf(server) == SpanKind::kConsumer;
  }

  uint32_t EdgeOf(uint32_t client, uint32_t server) {
    if (IsMessagingCall(client, server)) {
      return graph_.EdgeOf(
          {ServiceOf(client), ServiceOf(server), Connection::kMessaging, ViaOf(client, server)});
    }
    uint32_t& edge = call_edges_.At(services_.code(client), services_.code(server));
    if (edge == kNone)
      edge = graph_.EdgeOf({ServiceOf(client), ServiceOf(server), Connection::kCall, kNone});
    return edge;
  }

  // A server whose span starts before its client's, or ends after it though it is no longer than
  // that, has another clock. How far it is off: what centres one in the other.
  void CheckClocks(uint32_t client, uint32_t server, uint32_t edge) {
    const int64_t before = SignedStart(server) - SignedStart(client);
    const int64_t after = before + DurationOf(server) - DurationOf(client);
    const bool is_off = before < 0 || (after > 0 && DurationOf(server) <= DurationOf(client));
    if (!is_off) return;
    SkewCounts& skew = found_.skews[edge];
    const int64_t offset_ns = before / 2 + after / 2;
    (offset_ns >= 0 ? skew.ahead : skew.behind).Add(offset_ns >= 0 ? offset_ns : -offset_ns);
    if (StartOf(server) >= skew.example_ns) {
      skew.example = TraceIdOf(server);
      skew.example_ns = StartOf(server);
    }
    NoteHost(server, true, &skew);
    NoteHost(client, false, &skew);
  }

  void NoteHost(uint32_t row, bool of_server, SkewCounts* skew) {
    if (!hosts_) {
      auto hosts = ResourceTexts::Open(
          {"k8s.node.name", "host.name", "host.id", "k8s.pod.name", "service.instance.id"},
          &columns_);
      if (!hosts.ok()) {
        error_ = hosts.error();
        return;
      }
      hosts_ = *std::move(hosts);
    }
    const std::string& host = hosts_->text(hosts_->code(row));
    if (!host.empty()) skew->AddHost(of_server, graph_.TextOf(host), 1);
  }

  // What the two sides say about the queue between them.
  uint32_t ViaOf(uint32_t client, uint32_t server) {
    for (const uint32_t row : {client, server}) {
      if (!Sends(KindOf(row)) && KindOf(row) != SpanKind::kConsumer) continue;
      const uint32_t peer = PeerOf(row);
      if (peer != kNone && graph_.node(peer).kind == NodeKind::kQueue)
        return graph_.TextOf(graph_.node(peer).name);
    }
    return kNone;
  }

  // --- links

  void NoteSender(uint32_t row) {
    const SpanKey key = KeyOf(row);
    if (!linked_.Contains(key)) return;
    found_.senders[key] = {ServiceOf(row), ViaOf(row, row), DurationOf(row), failed_.Test(row)};
    covered_.Set(row);
  }

  void NoteLinks(uint32_t row) {
    const auto [first, last] =
        std::ranges::equal_range(links_, row, {}, [](const auto& link) { return link.first; });
    if (first == last || Sends(KindOf(row)) || !Counts(row)) return;
    LinkedReceiver receiver;
    const bool has_parent = parent_row_->ints[row] != 0;
    receiver.is_root =
        Receives(KindOf(row)) && !has_parent && (marks_->ints[row] & model::kMarkOrphan) == 0;
    for (auto link = first; link != last; ++link) {
      if (has_parent && link->second == KeyOf(ParentOf(row))) continue;
      receiver.senders.push_back(link->second);
    }
    if (receiver.senders.empty()) return;
    receiver.call = RootOf(row);
    found_.link_count += receiver.senders.size();
    found_.receivers.push_back(std::move(receiver));
    if (receiver_rows_.empty() || receiver_rows_.back() != row) receiver_rows_.push_back(row);
  }

  // --- lone calls and orphans, at the end of a trace

  void EndTrace() {
    for (const uint32_t row : orphans_) EndOrphan(row);
    for (const uint32_t row : lone_) {
      if (row != kNone) AddLone(row);
    }
    orphans_.clear();
    lone_.clear();
    receiver_rows_.clear();
    spans_of_service_.clear();
    has_root_ = false;
  }

  void EndOrphan(uint32_t row) {
    if (!Counts(row)) return;
    if (Receives(KindOf(row))) {
      if (uint32_t* const client = LoneCallOf(row)) {
        AddTorn(*client, row);
        *client = kNone;
        return;
      }
      const uint32_t missing = graph_.NodeOf({NodeKind::kMissing, "(missing)", {}});
      CallSample call = Received(row);
      call.torn = true;
      graph_.counts(graph_.EdgeOf({missing, ServiceOf(row), Connection::kVirtual, kNone}))
          .Add(call, graph_.steps());
    }
    const OrphanKey key{ServiceOf(row), ScopeOf(row), kind_[row], !has_root_,
                        IsServiceElsewhere(row)};
    found_.orphans[key].Add(1, TraceIdOf(row), StartOf(row));
  }

  // The lone call of the trace in whose time the orphan lies: one that names its service, else the
  // shortest; null when there is none.
  uint32_t* LoneCallOf(uint32_t row) {
    // Of a trace that is nothing but pieces the callers are not looked for.
    constexpr size_t kPairsMax = 1 << 20;
    if (lone_.size() * orphans_.size() > kPairsMax) return nullptr;
    uint32_t* best = nullptr;
    bool best_named = false;
    const std::string& service = graph_.node(ServiceOf(row)).name;
    for (uint32_t& client : lone_) {
      if (client == kNone || !Encloses(client, row)) continue;
      if (IsMessaging(KindOf(client)) != (KindOf(row) == SpanKind::kConsumer)) continue;
      const uint32_t peer = PeerOf(client);
      if (peer != kNone && graph_.node(peer).kind == NodeKind::kDatabase) continue;
      const bool named = peer != kNone && HostLabel(graph_.node(peer).name) == service;
      const bool shorter = best != nullptr && DurationOf(client) < DurationOf(*best);
      if (best != nullptr && (best_named > named || (best_named == named && !shorter))) continue;
      best = &client;
      best_named = named;
    }
    return best;
  }

  bool Encloses(uint32_t client, uint32_t server) const {
    const int64_t begin = SignedStart(client), end = begin + DurationOf(client);
    const int64_t from = SignedStart(server);
    return from >= begin &&
           (KindOf(server) == SpanKind::kConsumer || from + DurationOf(server) <= end);
  }

  void AddTorn(uint32_t client, uint32_t server) {
    CallSample call = Received(server);
    call.client_ns = DurationOf(client);
    call.client_error = failed_.Test(client);
    call.torn = true;
    graph_.counts(EdgeOf(client, server)).Add(call, graph_.steps());
  }

  // Whether the orphan's service has spans in the trace that do not descend from it.
  bool IsServiceElsewhere(uint32_t orphan) {
    const Column* const sizes = Lazily(Intrinsic::kSubtreeSize, &subtree_size_);
    if (sizes == nullptr) return false;
    if (spans_of_service_.empty()) CountServices(orphan);
    const uint32_t service = services_.code(orphan);
    const auto end = orphan + 1 + static_cast<uint32_t>(sizes->ints[orphan]);
    uint32_t below = 0;
    for (uint32_t row = orphan; row < end; ++row) {
      if (there_.Test(row) && services_.code(row) == service) ++below;
    }
    return spans_of_service_[service] > below;
  }

  // In the trace of a row. Once a trace, as are the subtrees of its orphans together.
  void CountServices(uint32_t row) {
    const uint32_t trace = trace_of_row_[row];
    while (row > 0 && trace_of_row_[row - 1] == trace) --row;
    for (; row < group_.row_count() && trace_of_row_[row] == trace; ++row) {
      if (there_.Test(row)) ++spans_of_service_[services_.code(row)];
    }
  }

  void AddLone(uint32_t row) {
    if (!Counts(row)) return;
    const uint32_t peer = PeerOf(row);
    const NodeKind kind = peer == kNone ? NodeKind::kExternal : graph_.node(peer).kind;
    if (peer != kNone) {
      CallSample call;
      call.at_ns = StartOf(row);
      call.client_ns = DurationOf(row);
      call.client_error = failed_.Test(row);
      call.trace_id = TraceIdOf(row);
      graph_.counts(LoneEdgeOf(row, peer)).Add(call, graph_.steps());
    }
    if (kind != NodeKind::kExternal) return;
    if (found_.lone.size() < FoundCalls::kHalfCallsMax) {
      found_.lone.push_back(HalfOf(row, peer));
    } else {
      found_.dropped_half_calls = true;
    }
  }

  uint32_t LoneEdgeOf(uint32_t row, uint32_t peer) {
    uint32_t& edge = peer_edges_.At(services_.code(row), peers_->of(row));
    if (edge != kNone) return edge;
    const NodeKind kind = graph_.node(peer).kind;
    const Connection connection = kind == NodeKind::kDatabase ? Connection::kDatabase
                                  : kind == NodeKind::kQueue  ? Connection::kMessaging
                                                              : Connection::kVirtual;
    edge = graph_.EdgeOf({ServiceOf(row), peer, connection, kNone});
    return edge;
  }

  // --- one row

  // Whether a call is asked for of which only this side is known.
  bool Counts(uint32_t row) const { return chosen_.Test(row) && range_.Contains(StartOf(row)); }

  HalfCall HalfOf(uint32_t row, uint32_t peer) {
    HalfCall half;
    half.span = KeyOf(row);
    half.start_ns = StartOf(row);
    half.duration_ns = DurationOf(row);
    half.error = failed_.Test(row);
    half.service = ServiceOf(row);
    half.scope = ScopeOf(row);
    half.peer = peer;
    half.key = CallKeyOf(row);
    return half;
  }

  HalfCall RootOf(uint32_t row) {
    uint32_t client = kNone;
    if (KindOf(row) == SpanKind::kConsumer) {
      const uint32_t peer = PeerOf(row);
      if (peer != kNone && graph_.node(peer).kind == NodeKind::kQueue) client = peer;
    }
    if (client == kNone) client = graph_.NodeOf({NodeKind::kUser, "user", {}});
    return HalfOf(row, client);
  }

  CallSample Received(uint32_t row) const {
    CallSample call;
    call.at_ns = StartOf(row);
    call.server_ns = DurationOf(row);
    call.server_error = failed_.Test(row);
    call.trace_id = TraceIdOf(row);
    return call;
  }

  SpanKind KindOf(uint32_t row) const { return static_cast<SpanKind>(kind_[row]); }
  uint32_t ParentOf(uint32_t row) const {
    return row - static_cast<uint32_t>(parent_row_->ints[row]);
  }
  uint64_t StartOf(uint32_t row) const { return static_cast<uint64_t>(start_->ints[row]); }
  int64_t SignedStart(uint32_t row) const { return start_->ints[row]; }
  int64_t DurationOf(uint32_t row) const { return std::max<int64_t>(0, duration_->ints[row]); }
  model::TraceId TraceIdOf(uint32_t row) const { return group_.trace_id(trace_of_row_[row]); }

  uint32_t ServiceOf(uint32_t row) {
    const uint32_t code = services_.code(row);
    uint32_t& node = service_nodes_[code];
    if (node == kNone) node = graph_.NodeOf({NodeKind::kService, services_.text(code), {}});
    return node;
  }

  // Of a row that sends, or of a consumer; kNone where it names nobody.
  uint32_t PeerOf(uint32_t row) {
    constexpr uint32_t kNobody = kNone - 1;
    uint32_t& node = peer_nodes_[peers_->of(row)];
    if (node == kNone) {
      NodeName name = peers_->NameOf(peers_->of(row));
      node = name.name.empty() ? kNobody : graph_.NodeOf(std::move(name));
    }
    return node == kNobody ? kNone : node;
  }

  model::SpanId SpanIdOf(uint32_t row) {
    const Column* const ids = Lazily(Intrinsic::kSpanId, &span_id_);
    return {ids == nullptr ? 0 : static_cast<uint64_t>(ids->ints[row])};
  }
  SpanKey KeyOf(uint32_t row) { return {TraceIdOf(row), SpanIdOf(row)}; }

  uint32_t ScopeOf(uint32_t row) {
    const Column* const index = Lazily(Intrinsic::kScope, &scope_);
    const Column* const names = Lazily(Intrinsic::kScopeName, &scope_name_);
    if (index == nullptr || names == nullptr) return kNone;
    const auto at = static_cast<uint32_t>(index->ints[row]);
    if (!names->has(at)) return kNone;
    return graph_.TextOf(names->dictionary->strings[names->codes[at]]);
  }

  uint64_t CallKeyOf(uint32_t row) {
    if (!call_keys_) {
      auto keys = CallKeys::Open(&columns_);
      if (!keys.ok()) {
        error_ = keys.error();
        return 0;
      }
      call_keys_ = *std::move(keys);
    }
    return call_keys_->Of(row);
  }

  // Null, and error_ set, when it can't be read.
  const Column* Lazily(Intrinsic column, const Column** read) {
    if (*read != nullptr) return *read;
    const auto result = columns_.Read(column);
    if (!result.ok()) {
      error_ = result.error();
      return nullptr;
    }
    *read = *result;
    return *read;
  }

  const block::RowGroup& group_;
  const Bitmap& chosen_;
  GroupColumns& columns_;
  const TimeRange range_;
  const LinkTargets& linked_;
  FoundCalls& found_;
  CallGraph& graph_;
  Error error_;

  const uint32_t* trace_of_row_ = nullptr;
  Bitmap there_;   // rows of the traces
  Bitmap failed_;  // of them
  std::vector<uint8_t> kind_;
  const Column* start_ = nullptr;
  const Column* duration_ = nullptr;
  const Column* parent_row_ = nullptr;
  const Column* marks_ = nullptr;
  // Read when they are needed.
  const Column* subtree_size_ = nullptr;
  const Column* span_id_ = nullptr;
  const Column* scope_ = nullptr;
  const Column* scope_name_ = nullptr;
  ResourceTexts services_;
  std::vector<uint32_t> service_nodes_;  // by code; kNone: not known yet
  std::optional<ResourceTexts> hosts_;
  std::optional<Peers> peers_;
  std::vector<uint32_t> peer_nodes_;  // by peer; kNone: not known yet
  std::optional<CallKeys> call_keys_;
  Links links_;
  Bitmap has_links_;
  PairTable call_edges_;  // by services: edges without a queue
  PairTable peer_edges_;  // by service and peer
  PairTable answers_;     // by service and peer: 0 for those that are noted in found_.answered

  Bitmap covered_;  // rows under which, within their service, there is a call, or that are one
  // Of the trace that is being walked.
  bool has_root_ = false;
  std::vector<uint32_t> orphans_, lone_, receiver_rows_;
  absl::flat_hash_map<uint32_t, uint32_t> spans_of_service_;  // by code; empty: not counted yet
};

}  // namespace

Error FindCalls(const exec::PlanRows::Part& part, GroupColumns* columns, TimeRange range,
                const LinkTargets& linked, FoundCalls* found) {
  return Finder(part, columns, range, linked, found).Run();
}

Error CollectLinked(GroupColumns* columns, TimeRange range, LinkTargets* linked) {
  WEFT_ASSIGN_OR_RETURN(const Links links, ReadLinks(columns));
  if (links.empty()) return Error::Ok();
  WEFT_ASSIGN_OR_RETURN(const Bitmap rows, exec::RowsInRange(columns, range));
  for (const auto& [row, key] : links) {
    if (rows.Test(row)) linked->Insert(key);
  }
  return Error::Ok();
}

}  // namespace weft::query::insight
