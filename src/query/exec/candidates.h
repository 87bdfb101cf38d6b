// The queue of a search: row groups that are not filtered yet and traces with matching spans, see
// search.h.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "block/row_source.h"
#include "query/exec/bitmap.h"

namespace weft::query::exec {

// The matching rows of one trace in one group.
struct MatchedPart {
  uint32_t group = 0;  // index of the group
  uint32_t trace = 0;  // number of the trace there
  uint32_t first_row = 0;
  uint32_t last_row = 0;
  uint32_t count = 0;
};

struct Candidate {
  model::TraceId id;
  uint64_t start_ns = 0;  // exact once resolved, too late or exact before
  bool resolved = false;
  block::TraceSummary summary;  // once resolved
  std::vector<MatchedPart> parts;
};

// The parts of each trace with matching rows; `group` is the group's index.
std::vector<MatchedPart> PartsOf(const block::RowGroup& rows, const Bitmap& matched,
                                 uint32_t group);

// Parts of filtered groups become candidates one by one, latest first: most never have to.

class CandidateQueue {
 public:
  enum class Kind : uint8_t { kGroup, kParts, kUnresolved, kResolved };
  struct Entry {
    uint64_t bound_ns = 0;
    Kind kind = Kind::kGroup;  // Take() never gives kParts
    uint32_t index = 0;        // of the group or the candidate
    model::TraceId id;         // of a trace
  };

  void AddGroup(uint32_t index, uint64_t bound_ns) {
    queue_.push({bound_ns, Kind::kGroup, index, {}});
  }
  // What was found in a group.
  void AddParts(const block::RowGroup& group, const std::vector<MatchedPart>& parts);
  // Puts the candidate back with its exact summary.
  void Resolve(uint32_t index, block::TraceSummary summary);

  bool empty() const { return queue_.empty(); }
  // The entry that may come first in the results; nothing when none is left.
  std::optional<Entry> Take();
  Candidate& candidate(uint32_t index) { return candidates_[index]; }
  size_t bytes() const {
    constexpr size_t kCandidateBytes = sizeof(Candidate) + sizeof(MatchedPart) + 96;
    return candidates_.size() * kCandidateBytes + pending_count_ * sizeof(PendingPart);
  }

 private:
  // A part that is no candidate yet.
  struct PendingPart {
    uint64_t start_ns = 0;
    model::TraceId id;
    MatchedPart part;

    bool operator<(const PendingPart& o) const { return start_ns < o.start_ns; }
  };

  void TakePart(uint32_t heap);
  void AddCandidate(const PendingPart& pending);

  struct Later {
    bool operator()(const Entry& a, const Entry& b) const;
  };

  std::priority_queue<Entry, std::vector<Entry>, Later> queue_;
  std::vector<std::vector<PendingPart>> pending_;  // one heap a group, latest on top
  size_t pending_count_ = 0;
  std::vector<Candidate> candidates_;
  absl::flat_hash_map<model::TraceId, uint32_t, model::TraceIdHash> by_id_;
};

}  // namespace weft::query::exec
