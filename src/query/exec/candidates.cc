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

// Latest bound first. At one bound: groups, as they may hold more of the traces; then traces whose
// start may still move; then results by id.
bool CandidateQueue::Later::operator()(const Entry& a, const Entry& b) const {
  if (a.bound_ns != b.bound_ns) return a.bound_ns < b.bound_ns;
  return std::tie(a.kind, a.id, a.index) > std::tie(b.kind, b.id, b.index);
}

void CandidateQueue::AddPart(model::TraceId id, uint64_t start_ns, const MatchedPart& part) {
  const auto [found, is_new] = by_id_.try_emplace(id, static_cast<uint32_t>(candidates_.size()));
  if (is_new) {
    candidates_.push_back({id, start_ns, false, {}, {}});
    queue_.push({start_ns, Kind::kUnresolved, found->second, id});
  }
  Candidate& candidate = candidates_[found->second];
  candidate.parts.push_back(part);
  // The queue's entry stays where it is, which is too early at worst.
  if (!candidate.resolved) candidate.start_ns = std::min(candidate.start_ns, start_ns);
}

void CandidateQueue::Resolve(uint32_t index, block::TraceSummary summary) {
  Candidate& candidate = candidates_[index];
  candidate.resolved = true;
  candidate.start_ns = summary.start_ns;
  candidate.summary = std::move(summary);
  queue_.push({candidate.start_ns, Kind::kResolved, index, candidate.id});
}

CandidateQueue::Entry CandidateQueue::Take() {
  const Entry entry = queue_.top();
  queue_.pop();
  return entry;
}

}  // namespace weft::query::exec
