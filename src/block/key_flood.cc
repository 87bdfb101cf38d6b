#include "block/key_flood.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <absl/container/flat_hash_set.h>

#include "block/text_escape.h"

namespace weft::block {
namespace {

constexpr size_t kExampleBytesMax = 100;
constexpr size_t kServicesMax = 5;

// What one service sends. Beyond `kCountedMax` keys are not told apart any more.
struct Sender {
  static constexpr size_t kCountedMax = 1'000'000;

  absl::flat_hash_set<uint32_t> keys;
  uint32_t example = 0;

  void Add(uint32_t key) {
    if (keys.size() >= kCountedMax) return;
    if (keys.insert(key).second) example = key;
  }
};

using Senders = std::map<std::string, Sender, std::less<>>;

// The attributes of one owner.
void AddOwner(const AttributePlan& plan, const model::AttributeArray& attributes,
              model::IndexRange range, KeyIndex::BatchKeys* keys, Sender* sender) {
  for (uint32_t i = range.begin; i < range.end; ++i) {
    const uint32_t key = keys->KeyOf(attributes.key(i));
    if (plan.ColumnOf(key, attributes.type(i)) == AttributePlan::kNoColumn) sender->Add(key);
  }
}

// Valid text, whatever it was.
std::string Cut(std::string_view text) {
  text = text.substr(0, kExampleBytesMax);
  std::string out;
  return AppendEscapedText(text, &out) ? out : std::string(text);
}

void KeepLargest(std::vector<ManyKeys>* list) {
  std::sort(list->begin(), list->end(), [](const ManyKeys& a, const ManyKeys& b) {
    return std::tie(b.keys, a.service) < std::tie(a.keys, b.service);
  });
  if (list->size() > kServicesMax) list->resize(kServicesMax);
}

}  // namespace

namespace {

class FloodFinder {
 public:
  FloodFinder(const BlockInput& input, const KeyPlans& plans)
      : input_(input), plans_(plans), keys_(plans.spans.keys()) {}

  std::vector<ManyKeys> Run() {
    for (const RowRef ref : input_.rows) AddSpan(ref);
    std::vector<ManyKeys> found;
    for (const auto& [service, sender] : senders_) {
      if (sender.keys.size() <= kManyKeys) continue;
      found.push_back({Cut(service), sender.keys.size(), Cut(keys_.key(sender.example))});
    }
    KeepLargest(&found);
    return found;
  }

 private:
  void AddSpan(RowRef ref) {
    const model::SpanBatch& batch = *input_.batches[ref.batch];
    const uint32_t resource = batch.resource[ref.row];
    const std::string_view service = batch.strings[batch.ServiceName(resource)];
    auto at = senders_.find(service);
    if (at == senders_.end()) at = senders_.emplace(std::string(service), Sender()).first;
    Sender* sender = &at->second;
    KeyIndex::BatchKeys keys = keys_.KeysOf(ref.batch);
    AddOwner(plans_.spans, batch.attributes, batch.AttributesOf(ref.row), &keys, sender);
    const model::IndexRange events = batch.EventsOf(ref.row);
    for (uint32_t e = events.begin; e < events.end; ++e) {
      AddOwner(plans_.events, batch.events.attributes, batch.EventAttributesOf(e), &keys, sender);
    }
    const model::IndexRange links = batch.LinksOf(ref.row);
    for (uint32_t l = links.begin; l < links.end; ++l) {
      AddOf(Scope::kLink, plans_.links, batch, l, &keys, sender);
    }
    // Many spans share these.
    if (resources_.insert({ref.batch, resource}).second) {
      AddOf(Scope::kResource, plans_.resources, batch, resource, &keys, sender);
    }
    const uint32_t scope = batch.scope[ref.row];
    if (scopes_.insert({{ref.batch, resource}, scope}).second) {
      AddOf(Scope::kInstrumentation, plans_.scopes, batch, scope, &keys, sender);
    }
  }

  static void AddOf(Scope scope, const AttributePlan& plan, const model::SpanBatch& batch,
                    uint32_t owner, KeyIndex::BatchKeys* keys, Sender* sender) {
    const ScopeAttributes source = AttributesOf(batch, scope);
    AddOwner(plan, *source.attributes, source.RangeOf(owner), keys, sender);
  }

  const BlockInput& input_;
  const KeyPlans& plans_;
  KeyIndex& keys_;
  Senders senders_;
  // Looked at: batch and resource; with each of its scopes.
  absl::flat_hash_set<std::pair<uint32_t, uint32_t>> resources_;
  absl::flat_hash_set<std::pair<std::pair<uint32_t, uint32_t>, uint32_t>> scopes_;
};

}  // namespace

std::vector<ManyKeys> FindManyKeys(const BlockInput& input, const KeyPlans& plans) {
  if (plans.spans.keys().size() <= kManyKeys) return {};
  return FloodFinder(input, plans).Run();
}

void MergeManyKeys(const std::vector<ManyKeys>& input, std::vector<ManyKeys>* merged) {
  for (const ManyKeys& many : input) {
    const auto at = std::find_if(merged->begin(), merged->end(), [&](const ManyKeys& known) {
      return known.service == many.service;
    });
    if (at == merged->end()) {
      merged->push_back(many);
    } else if (at->keys < many.keys) {
      *at = many;
    }
  }
  KeepLargest(merged);
}

}  // namespace weft::block
