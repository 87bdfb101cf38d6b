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

std::vector<ManyKeys> FindManyKeys(const BlockInput& input, const AttributePlan& spans,
                                   const AttributePlan& events) {
  std::vector<ManyKeys> found;
  KeyIndex& keys = spans.keys();
  if (keys.size() <= kManyKeys) return found;
  Senders senders;
  for (const RowRef ref : input.rows) {
    const model::SpanBatch& batch = *input.batches[ref.batch];
    const std::string_view service = batch.strings[batch.ServiceName(batch.resource[ref.row])];
    auto sender = senders.find(service);
    if (sender == senders.end()) sender = senders.emplace(std::string(service), Sender()).first;
    KeyIndex::BatchKeys batch_keys = keys.KeysOf(ref.batch);
    AddOwner(spans, batch.attributes, batch.AttributesOf(ref.row), &batch_keys, &sender->second);
    const model::IndexRange of_span = batch.EventsOf(ref.row);
    for (uint32_t e = of_span.begin; e < of_span.end; ++e) {
      AddOwner(events, batch.events.attributes, batch.EventAttributesOf(e), &batch_keys,
               &sender->second);
    }
  }
  for (const auto& [service, sender] : senders) {
    if (sender.keys.size() <= kManyKeys) continue;
    found.push_back({Cut(service), sender.keys.size(), Cut(keys.key(sender.example))});
  }
  KeepLargest(&found);
  return found;
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
