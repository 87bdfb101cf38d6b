#include "query/insight/trace_diff.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/hash/hash.h>

#include "query/insight/critical_path.h"

namespace weft::query::insight {
namespace {

using model::Attribute;
using model::AttributeArray;
using model::Code;
using model::IndexRange;
using model::SpanBatch;
using model::ValueType;

constexpr int64_t kDurationMinNs = 1'000'000;
constexpr int64_t kDurationShare = 10;

bool IsError(const SpanBatch& spans, uint32_t row) {
  return spans.status[row] == static_cast<uint8_t>(model::StatusCode::kError);
}

KeyedTree PartOf(const std::vector<uint32_t>& key, const std::vector<uint32_t>& parent,
                 const std::vector<uint32_t>& subtree_size, uint32_t begin, uint32_t end) {
  const auto part = [&](const std::vector<uint32_t>& from) {
    return std::vector<uint32_t>(from.begin() + begin, from.begin() + end);
  };
  return {part(key), part(parent), part(subtree_size)};
}

}  // namespace

TraceDiff::TraceDiff(const DiffTrace& base, const DiffTrace& compare) {
  Take(base, compare);
  NumberKeys();
  Match();
  SumUp();
  CompareCalls();
  ComparePairs();
  CompareOwners();
  SortLines();
  std::sort(services_.begin(), services_.end(), [&](const ServiceDiff& a, const ServiceDiff& b) {
    const int64_t x = std::abs(a.critical_path_delta_ns()),
                  y = std::abs(b.critical_path_delta_ns());
    return x != y ? x > y : spans_.strings[a.name] < spans_.strings[b.name];
  });
}

void TraceDiff::Take(const DiffTrace& base, const DiffTrace& compare) {
  model::BatchAppender appender(&spans_);
  for (const DiffTrace* trace : {&base, &compare}) {
    appender.Append(*trace->spans, trace->tree->input);
    const model::Preorder& tree = *trace->tree;
    parent_.insert(parent_.end(), tree.parent.begin(), tree.parent.end());
    subtree_size_.insert(subtree_size_.end(), tree.subtree_size.begin(), tree.subtree_size.end());
  }
  base_size_ = base.tree->size();
}

void TraceDiff::NumberKeys() {
  for (uint32_t r = 0; r < spans_.resources.size(); ++r)
    service_of_resource_.push_back(spans_.ServiceName(r));
  absl::flat_hash_map<std::tuple<Code, Code, uint8_t>, uint32_t> numbers;
  key_.reserve(spans_.size());
  for (uint32_t row = 0; row < spans_.size(); ++row) {
    const auto next = static_cast<uint32_t>(numbers.size());
    key_.push_back(numbers.try_emplace({service(row), spans_.name[row], spans_.kind[row]}, next)
                       .first->second);
  }
}

void TraceDiff::Match() {
  TreeMatch match = MatchTrees(
      PartOf(key_, parent_, subtree_size_, 0, base_size_),
      PartOf(key_, parent_, subtree_size_, base_size_, spans_.size()),
      [this](uint32_t row) { return ContentOf(row); },
      [this](uint32_t row) { return ContentOf(base_size_ + row); });
  matched_ = match.matched();
  partner_ = std::move(match.of_base);
  for (uint32_t& row : partner_) row = row == kNone ? kNone : row + base_size_;
  partner_.insert(partner_.end(), match.of_compare.begin(), match.of_compare.end());
}

int64_t TraceDiff::duration_ns(uint32_t row) const {
  return std::max<int64_t>(0, static_cast<int64_t>(spans_.end_ns[row] - spans_.start_ns[row]));
}

ServiceDiff* TraceDiff::ServiceOf(uint32_t row) {
  return &services_[service_number_[spans_.resource[row]]];
}

void TraceDiff::SumUp() {
  absl::flat_hash_map<Code, uint32_t> numbers;
  for (const Code name : service_of_resource_) {
    const auto [at, added] = numbers.try_emplace(name, static_cast<uint32_t>(services_.size()));
    if (added) services_.emplace_back().name = name;
    service_number_.push_back(at->second);
  }
  std::vector<int64_t> own_ns(spans_.size());
  FindCriticalPaths(&own_ns);
  std::array<uint64_t, 2> end_ns{};
  start_ns_ = {UINT64_MAX, UINT64_MAX};
  for (uint32_t row = 0; row < spans_.size(); ++row) {
    const auto side = static_cast<size_t>(side_of(row));
    start_ns_[side] = std::min(start_ns_[side], spans_.start_ns[row]);
    end_ns[side] = std::max(end_ns[side], spans_.end_ns[row]);
    for (DiffTotals* totals : {&totals_[side], &ServiceOf(row)->sides[side]}) {
      ++totals->spans;
      totals->errors += IsError(spans_, row) ? 1 : 0;
      totals->sum_ns += duration_ns(row);
      totals->critical_path_ns += own_ns[row];
    }
  }
  for (const size_t side : {0, 1}) {
    trace_duration_ns_[side] =
        end_ns[side] > start_ns_[side] ? static_cast<int64_t>(end_ns[side] - start_ns_[side]) : 0;
  }
}

void TraceDiff::FindCriticalPaths(std::vector<int64_t>* own_ns) const {
  std::vector<int64_t> start, duration;
  for (uint32_t row = 0; row < spans_.size(); ++row) {
    start.push_back(static_cast<int64_t>(spans_.start_ns[row]));
    duration.push_back(duration_ns(row));
  }
  const std::vector<int64_t> parent(parent_.begin(), parent_.end());
  const std::vector<int64_t> subtree_size(subtree_size_.begin(), subtree_size_.end());
  const std::vector<int64_t> resource(spans_.resource.begin(), spans_.resource.end());
  const TreeRows rows{spans_.size(),       start.data(),    duration.data(),   parent.data(),
                      subtree_size.data(), resource.data(), spans_.kind.data()};
  BlockingTimes times;
  times.Compute(rows, exec::Bitmap(spans_.size(), true));
  CriticalPath path;
  for (uint32_t row = 0; row < spans_.size(); row = rows.end_of(row))
    path.Walk(rows, times, row, own_ns);
}

void TraceDiff::CompareCalls() {
  using Call = std::pair<uint32_t, uint32_t>;  // key of the parent, or kNone; key
  std::array<absl::flat_hash_set<Call>, 2> calls;
  for (uint32_t row = 0; row < spans_.size(); ++row) {
    const uint32_t above = parent(row);
    calls[static_cast<size_t>(side_of(row))].emplace(above == kNone ? kNone : key_[above],
                                                     key_[row]);
  }
  size_t both = 0;
  for (const Call& call : calls[0]) both += calls[1].contains(call) ? 1 : 0;
  const size_t either = calls[0].size() + calls[1].size() - both;
  structure_overlap_ = static_cast<double>(both) / static_cast<double>(either);
}

void TraceDiff::ComparePairs() {
  for (uint32_t row = 0; row < spans_.size(); ++row) {
    if (partner_[row] == kNone) {
      const bool added = side_of(row) == DiffSide::kCompare;
      ++(added ? ServiceOf(row)->added : ServiceOf(row)->removed);
      lines_.push_back(added ? DiffLine{kNone, row} : DiffLine{row, kNone});
      continue;
    }
    if (side_of(row) == DiffSide::kCompare) continue;
    ServiceDiff* const service = ServiceOf(row);
    ++service->matched;
    const SpanChange change = ChangeOf(row, partner_[row]);
    if (change.empty()) continue;
    ++service->modified;
    ++modified_;
    field_changes_ += change.fields.size();
    attribute_changes_ += change.attributes.size();
    for (const SpanField field : change.fields) moved_ += field == SpanField::kParent ? 1 : 0;
    lines_.push_back({row, partner_[row]});
  }
}

void TraceDiff::CompareOwners() {
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> resources, scopes;
  for (uint32_t row = 0; row < base_size_; ++row) {
    const uint32_t other = partner_[row];
    if (other == kNone) continue;
    // Equal ones have equal numbers.
    if (spans_.resource[row] != spans_.resource[other])
      ++resources[{spans_.resource[row], spans_.resource[other]}];
    if (spans_.scope[row] != spans_.scope[other])
      ++scopes[{spans_.scope[row], spans_.scope[other]}];
  }
  for (const auto& [pair, count] : resources) {
    OwnerChange change{pair.first, pair.second, count, false,
                       Compare(spans_.resources.attributes, spans_.ResourceAttributesOf(pair.first),
                               spans_.ResourceAttributesOf(pair.second))};
    if (change.attributes.empty()) continue;
    ++services_[service_number_[pair.first]].owner_changes;
    attribute_changes_ += change.attributes.size();
    resources_.push_back(std::move(change));
  }
  for (const auto& [pair, count] : scopes) {
    const auto& [a, b] = pair;
    const bool renamed = spans_.scopes.name[a] != spans_.scopes.name[b] ||
                         spans_.scopes.version[a] != spans_.scopes.version[b];
    OwnerChange change{a, b, count, renamed,
                       Compare(spans_.scopes.attributes, spans_.ScopeAttributesOf(a),
                               spans_.ScopeAttributesOf(b))};
    if (!renamed && change.attributes.empty()) continue;
    field_changes_ += renamed ? 1 : 0;
    attribute_changes_ += change.attributes.size();
    scopes_.push_back(std::move(change));
  }
  for (std::vector<OwnerChange>* owners : {&resources_, &scopes_}) {
    std::sort(owners->begin(), owners->end(), [](const OwnerChange& a, const OwnerChange& b) {
      return std::tie(b.pairs, a.base, a.compare) < std::tie(a.pairs, b.base, b.compare);
    });
  }
}

void TraceDiff::SortLines() {
  // A removed span stands behind the pair of the last matched span before it.
  std::vector<uint32_t> place(base_size_);
  uint32_t last = base_size_;
  for (uint32_t row = 0; row < base_size_; ++row) {
    if (partner_[row] != kNone) last = partner_[row];
    place[row] = last;
  }
  const auto key = [&](const DiffLine& line) {
    if (line.compare != kNone) return std::tuple(line.compare, false, uint32_t{0});
    return std::tuple(place[line.base], true, line.base);
  };
  std::sort(lines_.begin(), lines_.end(),
            [&](const DiffLine& a, const DiffLine& b) { return key(a) < key(b); });
}

double TraceDiff::matched_ratio() const {
  return 2 * static_cast<double>(matched_) / static_cast<double>(spans_.size());
}

bool TraceDiff::DurationsDiffer(int64_t base_ns, int64_t compare_ns) {
  const int64_t apart = std::abs(compare_ns - base_ns);
  return apart >= kDurationMinNs && apart >= std::max(base_ns, compare_ns) / kDurationShare;
}

SpanChange TraceDiff::ChangeOf(uint32_t base, uint32_t compare) const {
  SpanChange out;
  const auto add = [&](SpanField field, bool differs) {
    if (differs) out.fields.push_back(field);
  };
  add(SpanField::kDuration, DurationsDiffer(duration_ns(base), duration_ns(compare)));
  add(SpanField::kStatus, spans_.status[base] != spans_.status[compare]);
  add(SpanField::kStatusMessage, spans_.status_message[base] != spans_.status_message[compare]);
  const uint32_t above = parent(base);
  add(SpanField::kParent, (above == kNone ? kNone : partner_[above]) != parent(compare));
  add(SpanField::kEvents, !SameEvents(base, compare));
  add(SpanField::kLinks, spans_.LinksOf(base).size() != spans_.LinksOf(compare).size());
  out.attributes =
      Compare(spans_.attributes, spans_.AttributesOf(base), spans_.AttributesOf(compare));
  return out;
}

bool TraceDiff::SameEvents(uint32_t base, uint32_t compare) const {
  const IndexRange a = spans_.EventsOf(base), b = spans_.EventsOf(compare);
  const std::vector<Code>& names = spans_.events.name;
  return std::equal(names.begin() + a.begin, names.begin() + a.end, names.begin() + b.begin,
                    names.begin() + b.end);
}

bool TraceDiff::SameValue(const Attribute& a, const Attribute& b) const {
  if (a.type != b.type) return false;
  if (a.type != ValueType::kArray && a.type != ValueType::kKvList) return a.value == b.value;
  const model::NestedRange x = a.as_nested(), y = b.as_nested();
  if (x.count != y.count) return false;
  for (uint32_t i = 0; i < x.count; ++i) {
    const Attribute p = spans_.nested[x.begin + i], q = spans_.nested[y.begin + i];
    if (p.key != q.key || !SameValue(p, q)) return false;
  }
  return true;
}

uint64_t TraceDiff::HashOf(const Attribute& value) const {
  uint64_t hash = absl::HashOf(value.key, static_cast<int>(value.type));
  if (value.type != ValueType::kArray && value.type != ValueType::kKvList)
    return absl::HashOf(hash, value.value);
  const model::NestedRange range = value.as_nested();
  for (uint32_t i = 0; i < range.count; ++i)
    hash = absl::HashOf(hash, HashOf(spans_.nested[range.begin + i]));
  return hash;
}

// Whatever the order of attributes.
uint64_t TraceDiff::ContentOf(uint32_t row) const {
  uint64_t sum = absl::HashOf(spans_.status[row], spans_.status_message[row]);
  const IndexRange range = spans_.AttributesOf(row);
  for (uint32_t i = range.begin; i < range.end; ++i) sum += HashOf(spans_.attributes[i]);
  return sum;
}

std::vector<AttributeChange> TraceDiff::Compare(const AttributeArray& attributes, IndexRange base,
                                                IndexRange compare) const {
  const auto sorted = [&](IndexRange range) {
    std::vector<Attribute> out;
    out.reserve(range.size());
    for (uint32_t i = range.begin; i < range.end; ++i) out.push_back(attributes[i]);
    std::sort(out.begin(), out.end(), [](const Attribute& x, const Attribute& y) {
      return std::tie(x.key, x.type, x.value) < std::tie(y.key, y.type, y.value);
    });
    return out;
  };
  const std::vector<Attribute> a = sorted(base), b = sorted(compare);
  std::vector<AttributeChange> out;
  for (size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    if (j == b.size() || (i < a.size() && a[i].key < b[j].key)) {
      out.push_back({a[i++], std::nullopt});
    } else if (i == a.size() || b[j].key < a[i].key) {
      out.push_back({std::nullopt, b[j++]});
    } else {
      if (!SameValue(a[i], b[j])) out.push_back({a[i], b[j]});
      ++i, ++j;
    }
  }
  const auto order = [&](const AttributeChange& change) {
    const uint64_t base = change.base ? change.base->value : 0;
    return std::tuple(spans_.strings[change.key()], base,
                      change.compare ? change.compare->value : 0);
  };
  std::sort(out.begin(), out.end(),
            [&](const auto& x, const auto& y) { return order(x) < order(y); });
  return out;
}

}  // namespace weft::query::insight
