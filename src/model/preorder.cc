// The steps are those of the header: duplicates, owners of ids, parents, cycles, order, rows.
#include "model/preorder.h"

#include <algorithm>
#include <numeric>

namespace weft::model {
namespace {

constexpr uint8_t kServer = 2;
constexpr uint8_t kClient = 3;

}  // namespace

const Preorder& PreorderBuilder::Build(std::span<const TreeSpan> spans,
                                       const ContentHashOf& content_hash) {
  spans_ = spans;
  const size_t n = spans.size();
  marks_.assign(n, 0);
  dropped_.assign(n, 0);
  parent_.assign(n, kNone);
  out_.duplicates.clear();
  SortById();
  MarkGroupsOfOneId(content_hash);
  LinkParents();
  CutCycles();
  SortForOutput();
  WriteRows();
  MarkTimes();
  return out_;
}

bool PreorderBuilder::Before(uint32_t a, uint32_t b) const {
  if (spans_[a].start_ns != spans_[b].start_ns) return spans_[a].start_ns < spans_[b].start_ns;
  if (spans_[a].span_id != spans_[b].span_id) return spans_[a].span_id < spans_[b].span_id;
  return a < b;
}

void PreorderBuilder::SortById() {
  by_id_.resize(spans_.size());
  std::iota(by_id_.begin(), by_id_.end(), 0);
  std::sort(by_id_.begin(), by_id_.end(), [this](uint32_t a, uint32_t b) {
    if (spans_[a].span_id != spans_[b].span_id) return spans_[a].span_id < spans_[b].span_id;
    return Before(a, b);
  });
  owner_ = by_id_;
}

void PreorderBuilder::MarkGroupsOfOneId(const ContentHashOf& content_hash) {
  const uint32_t n = static_cast<uint32_t>(by_id_.size());
  for (uint32_t begin = 0; begin < n;) {
    uint32_t end = begin + 1;
    while (end < n && spans_[by_id_[end]].span_id == spans_[by_id_[begin]].span_id) ++end;
    if (end - begin > 1) ResolveGroup(begin, end, content_hash);
    begin = end;
  }
  if (!out_.duplicates.empty()) {
    std::sort(out_.duplicates.begin(), out_.duplicates.end());
    size_t kept = 0;
    for (size_t i = 0; i < by_id_.size(); ++i) {
      if (dropped_[by_id_[i]]) continue;
      owner_[kept] = owner_[i];
      by_id_[kept++] = by_id_[i];
    }
    by_id_.resize(kept);
    owner_.resize(kept);
  }
}

// Inputs by_id_[begin, end) share an id.
void PreorderBuilder::ResolveGroup(uint32_t begin, uint32_t end,
                                   const ContentHashOf& content_hash) {
  std::vector<uint64_t> hashes(end - begin);
  for (uint32_t i = begin; i < end; ++i) hashes[i - begin] = content_hash(by_id_[i]);
  // Equal content implies equal start, and the group is sorted by start: only a run of equal starts
  // needs comparing.
  std::vector<uint64_t> seen;
  for (uint32_t i = begin; i < end; ++i) {
    if (i == begin || spans_[by_id_[i]].start_ns != spans_[by_id_[i - 1]].start_ns) seen.clear();
    const auto at = std::lower_bound(seen.begin(), seen.end(), hashes[i - begin]);
    if (at != seen.end() && *at == hashes[i - begin]) {
      dropped_[by_id_[i]] = 1;
      out_.duplicates.push_back(by_id_[i]);
    } else {
      seen.insert(at, hashes[i - begin]);
    }
  }
  uint32_t kept = 0;
  uint32_t first = kNone, client = kNone, server = kNone;
  for (uint32_t i = begin; i < end; ++i) {
    const uint32_t input = by_id_[i];
    if (dropped_[input]) continue;
    ++kept;
    if (first == kNone) first = input;
    if (client == kNone && spans_[input].kind == kClient) client = input;
    if (server == kNone && spans_[input].kind == kServer) server = input;
  }
  const bool shared = client != kNone && server != kNone;
  if (shared) parent_[server] = client;
  for (uint32_t i = begin; i < end; ++i) {
    owner_[i] = shared ? server : first;
    if (kept > 1) marks_[by_id_[i]] |= kMarkDuplicateId;
  }
}

uint32_t PreorderBuilder::OwnerOf(SpanId id) const {
  const auto at = std::lower_bound(
      by_id_.begin(), by_id_.end(), id,
      [this](uint32_t input, SpanId wanted) { return spans_[input].span_id < wanted; });
  if (at == by_id_.end() || spans_[*at].span_id != id) return kNone;
  return owner_[at - by_id_.begin()];
}

void PreorderBuilder::LinkParents() {
  for (uint32_t input : by_id_) {
    if (parent_[input] != kNone || !spans_[input].parent_span_id.valid())
      continue;  // shared server span, or root
    parent_[input] = OwnerOf(spans_[input].parent_span_id);
    if (parent_[input] == kNone) marks_[input] |= kMarkOrphan;
    if (parent_[input] == input) {
      parent_[input] = kNone;
      marks_[input] |= kMarkCycle;
    }
  }
}

// Walks up from every span once; a walk that meets itself has found a cycle.
void PreorderBuilder::CutCycles() {
  visited_.assign(spans_.size(), 0);
  uint32_t walk = 0;
  for (uint32_t start : by_id_) {
    ++walk;
    uint32_t at = start;
    while (at != kNone && visited_[at] == 0) {
      visited_[at] = walk;
      at = parent_[at];
    }
    if (at != kNone && visited_[at] == walk) CutCycleOf(at);
  }
}

void PreorderBuilder::CutCycleOf(uint32_t input) {
  uint32_t earliest = input;
  for (uint32_t at = parent_[input]; at != input; at = parent_[at]) {
    if (Before(at, earliest)) earliest = at;
  }
  parent_[earliest] = kNone;
  marks_[earliest] |= kMarkCycle;
}

void PreorderBuilder::SortForOutput() {
  sorted_.assign(by_id_.begin(), by_id_.end());
  const auto is_true_root = [this](uint32_t i) {
    return (marks_[i] & (kMarkOrphan | kMarkCycle)) == 0;
  };
  std::sort(sorted_.begin(), sorted_.end(), [&](uint32_t a, uint32_t b) {
    const bool root_a = parent_[a] == kNone, root_b = parent_[b] == kNone;
    if (root_a && root_b && is_true_root(a) != is_true_root(b)) return is_true_root(a);
    if (root_a != root_b) return root_a;
    return Before(a, b);
  });
}

void PreorderBuilder::WriteRows() {
  const uint32_t n = static_cast<uint32_t>(sorted_.size());
  first_child_.assign(spans_.size(), kNone);
  next_sibling_.assign(spans_.size(), kNone);
  row_of_.assign(spans_.size(), kNone);
  // Children in reverse order, so that each list ends up sorted; roots go onto the stack the same
  // way.
  stack_.clear();
  for (uint32_t i = n; i-- > 0;) {
    const uint32_t input = sorted_[i];
    if (parent_[input] == kNone) {
      stack_.push_back(input);
      continue;
    }
    next_sibling_[input] = first_child_[parent_[input]];
    first_child_[parent_[input]] = input;
  }
  out_.input.resize(n);
  out_.parent.resize(n);
  out_.marks.resize(n);
  out_.subtree_size.assign(n, 0);
  uint32_t row = 0;
  while (!stack_.empty()) {
    const uint32_t input = stack_.back();
    stack_.pop_back();
    row_of_[input] = row;
    out_.input[row] = input;
    out_.parent[row] = parent_[input] == kNone ? 0 : row - row_of_[parent_[input]];
    out_.marks[row] = marks_[input];
    ++row;
    // The sibling waits below the children. Roots have no siblings here: they are all on the stack
    // already.
    if (next_sibling_[input] != kNone) stack_.push_back(next_sibling_[input]);
    if (first_child_[input] != kNone) stack_.push_back(first_child_[input]);
  }
  for (uint32_t i = n; i-- > 0;) {
    if (out_.parent[i] != 0) out_.subtree_size[i - out_.parent[i]] += out_.subtree_size[i] + 1;
  }
}

void PreorderBuilder::MarkTimes() {
  for (uint32_t row = 0; row < out_.size(); ++row) {
    if (out_.parent[row] == 0) continue;
    const TreeSpan& span = spans_[out_.input[row]];
    const TreeSpan& parent = spans_[out_.input[row - out_.parent[row]]];
    if (span.start_ns < parent.start_ns) out_.marks[row] |= kMarkStartsBefore;
    if (span.end_ns > parent.end_ns) out_.marks[row] |= kMarkEndsAfter;
  }
}

}  // namespace weft::model
