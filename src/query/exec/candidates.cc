#include "query/exec/candidates.h"

#include <algorithm>
#include <tuple>

namespace weft::query::exec {

std::vector<MatchedPart> PartsOf(const block::RowGroup& rows, const Bitmap& matched,
                                 uint32_t group) {
  constexpr uint32_t kNone = UINT32_MAX;
  std::vector<uint32_t> part_of(rows.trace_count(), kNone);
  std::vector<MatchedPart> parts;
  const std::vector<uint32_t>& trace_of_row = rows.trace_of_row();
  matched.ForEach([&](uint32_t row) {
    uint32_t& part = part_of[trace_of_row[row]];
    if (part == kNone) {
      part = static_cast<uint32_t>(parts.size());
      parts.push_back({group, trace_of_row[row], row, row, 0});
    }
    parts[part].last_row = row;
    ++parts[part].count;
  });
  return parts;
}

// Latest bound first. At one bound: groups and parts, as they may hold more of the traces; then
// traces whose start may still move; then results by id.
bool CandidateQueue::Later::operator()(const Entry& a, const Entry& b) const {
  if (a.bound_ns != b.bound_ns) return a.bound_ns < b.bound_ns;
  return std::tie(a.kind, a.id, a.index) > std::tie(b.kind, b.id, b.index);
}

void CandidateQueue::AddParts(const block::RowGroup& group, const std::vector<MatchedPart>& parts) {
  if (parts.empty()) return;
  std::vector<PendingPart> heap;
  heap.reserve(parts.size());
  for (const MatchedPart& part : parts) {
    heap.push_back({group.trace_start_ns(part.trace), group.trace_id(part.trace), part});
  }
  std::make_heap(heap.begin(), heap.end());
  pending_count_ += heap.size();
  queue_.push({heap.front().start_ns, Kind::kParts, static_cast<uint32_t>(pending_.size()), {}});
  pending_.push_back(std::move(heap));
}

void CandidateQueue::TakePart(uint32_t index) {
  std::vector<PendingPart>& heap = pending_[index];
  std::pop_heap(heap.begin(), heap.end());
  const PendingPart pending = heap.back();
  heap.pop_back();
  --pending_count_;
  if (!heap.empty()) queue_.push({heap.front().start_ns, Kind::kParts, index, {}});
  AddCandidate(pending);
}

void CandidateQueue::AddCandidate(const PendingPart& pending) {
  const auto index = static_cast<uint32_t>(candidates_.size());
  const auto [found, is_new] = by_id_.try_emplace(pending.id, index);
  if (is_new) {
    candidates_.push_back({pending.id, pending.start_ns, false, {}, {}});
    queue_.push({pending.start_ns, Kind::kUnresolved, index, pending.id});
  }
  Candidate& candidate = candidates_[found->second];
  candidate.parts.push_back(pending.part);
  // The queue's entry stays where it is, which is too early at worst.
  if (!candidate.resolved) candidate.start_ns = std::min(candidate.start_ns, pending.start_ns);
}

void CandidateQueue::Resolve(uint32_t index, block::TraceSummary summary) {
  Candidate& candidate = candidates_[index];
  candidate.resolved = true;
  candidate.start_ns = summary.start_ns;
  candidate.summary = std::move(summary);
  queue_.push({candidate.start_ns, Kind::kResolved, index, candidate.id});
}

// A part puts its candidate into the queue, unless that has been taken and dropped.
std::optional<CandidateQueue::Entry> CandidateQueue::Take() {
  while (!queue_.empty()) {
    const Entry entry = queue_.top();
    queue_.pop();
    if (entry.kind != Kind::kParts) return entry;
    TakePart(entry.index);
  }
  return std::nullopt;
}

}  // namespace weft::query::exec
