// Two traces side by side: which calls are in one of them only, and what is different about the
// others.
//
// 1. Both traces come into one batch, so that equal texts, resources and scopes have equal numbers.
// 2. Spans are matched by their place in the tree (tree_match.h); spans of one service, name and
// kind
//    can be matched.
// 3. Of a matched pair the fields and attributes are compared. What is different about resources
// and
//    scopes is said once for each pair of them, however many spans are theirs.
// 4. The critical path of each trace is walked (critical_path.h): where its time went.
//
// O(n log n) for n spans; holds a copy of both traces.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "model/preorder.h"
#include "model/span_batch.h"
#include "query/insight/tree_match.h"

namespace weft::query::insight {

// A trace: its spans, and their order.
struct DiffTrace {
  const model::SpanBatch* spans = nullptr;
  const model::Preorder* tree = nullptr;
};

// The first trace, and the one that is held against it.
enum class DiffSide : uint8_t { kBase = 0, kCompare = 1 };

// Of a pair of spans. Where in time they start is not compared, nor are ids.
enum class SpanField : uint8_t {
  kDuration,  // where TraceDiff::DurationsDiffer
  kStatus,
  kStatusMessage,
  kParent,  // the parents are not a pair: something was put in between or taken out
  kEvents,  // their names, in order
  kLinks,   // how many
};

// An attribute that one side lacks, or that has another value. Of a key that occurs several
// times in one list the least value is compared with the least, and so on.
struct AttributeChange {
  std::optional<model::Attribute> base;
  std::optional<model::Attribute> compare;

  model::Code key() const { return base ? base->key : compare->key; }
};

// By the texts of their keys.
struct SpanChange {
  std::vector<SpanField> fields;
  std::vector<AttributeChange> attributes;

  bool empty() const { return fields.empty() && attributes.empty(); }
};

// Two resources, or two scopes, that matched spans have.
struct OwnerChange {
  uint32_t base = 0;  // of spans().resources or spans().scopes
  uint32_t compare = 0;
  uint64_t pairs = 0;    // of spans
  bool renamed = false;  // of scopes: name or version differ
  std::vector<AttributeChange> attributes;
};

// What is known of a trace, or of the spans of a service in it.
struct DiffTotals {
  uint64_t spans = 0;
  uint64_t errors = 0;
  int64_t sum_ns = 0;            // of the durations of all spans
  int64_t critical_path_ns = 0;  // of which on the critical path
};

struct ServiceDiff {
  model::Code name = 0;  // 0 for none
  std::array<DiffTotals, 2> sides;
  uint64_t matched = 0;   // pairs
  uint64_t modified = 0;  // pairs with a change of their own
  uint64_t added = 0;
  uint64_t removed = 0;
  uint64_t owner_changes = 0;  // of its resources

  bool changed() const { return modified + added + removed + owner_changes != 0; }
  int64_t critical_path_delta_ns() const {
    return sides[1].critical_path_ns - sides[0].critical_path_ns;
  }
};

// A line of the comparison: a pair with a change of its own, or a span that the other trace lacks.
struct DiffLine {
  uint32_t base = TreeMatch::kNone;     // row, or kNone for an added span
  uint32_t compare = TreeMatch::kNone;  // row, or kNone for a removed span
};

// Rows are those of spans(): those of the base in preorder, then those of the other trace.
// Immutable; any thread.
class TraceDiff {
 public:
  // The traces must not be empty, and may go away afterwards.
  TraceDiff(const DiffTrace& base, const DiffTrace& compare);

  const model::SpanBatch& spans() const { return spans_; }
  uint32_t base_size() const { return base_size_; }
  DiffSide side_of(uint32_t row) const {
    return row < base_size_ ? DiffSide::kBase : DiffSide::kCompare;
  }
  // The row of the span's pair in the other trace, or of its parent; kNone where there is none.
  uint32_t partner(uint32_t row) const { return partner_[row]; }
  uint32_t parent(uint32_t row) const { return parent_[row] == 0 ? kNone : row - parent_[row]; }
  model::Code service(uint32_t row) const { return service_of_resource_[spans_.resource[row]]; }
  int64_t duration_ns(uint32_t row) const;

  // Of the traces.
  const DiffTotals& totals(DiffSide side) const { return totals_[static_cast<size_t>(side)]; }
  uint32_t root(DiffSide side) const { return side == DiffSide::kBase ? 0 : base_size_; }
  uint64_t start_ns(DiffSide side) const { return start_ns_[static_cast<size_t>(side)]; }
  int64_t trace_duration_ns(DiffSide side) const {
    return trace_duration_ns_[static_cast<size_t>(side)];
  }

  // Greatest change of the time on the critical path first, then by name.
  const std::vector<ServiceDiff>& services() const { return services_; }
  // Those that differ; most pairs first.
  const std::vector<OwnerChange>& resources() const { return resources_; }
  const std::vector<OwnerChange>& scopes() const { return scopes_; }
  // In the order of the trace that is compared; a removed span stands behind what it stood behind.
  const std::vector<DiffLine>& lines() const { return lines_; }
  // Of a pair.
  SpanChange ChangeOf(uint32_t base, uint32_t compare) const;

  uint64_t matched() const { return matched_; }
  uint64_t modified() const { return modified_; }
  uint64_t added() const { return spans_.size() - base_size_ - matched_; }
  uint64_t removed() const { return base_size_ - matched_; }
  uint64_t moved() const { return moved_; }
  uint64_t field_changes() const { return field_changes_; }          // those of scopes included
  uint64_t attribute_changes() const { return attribute_changes_; }  // and of resources
  // Which share of all spans has a pair: 1 where the traces have the same calls.
  double matched_ratio() const;
  // Of the kinds of calls (a span's service, name and kind below its parent's) that are in either
  // trace, the share that is in both.
  double structure_overlap() const { return structure_overlap_; }

  // Two durations differ when they are a tenth of the longer and a millisecond apart.
  static bool DurationsDiffer(int64_t base_ns, int64_t compare_ns);

 private:
  static constexpr uint32_t kNone = TreeMatch::kNone;

  void Take(const DiffTrace& base, const DiffTrace& compare);
  void NumberKeys();
  void Match();
  void SumUp();
  void FindCriticalPaths(std::vector<int64_t>* own_ns) const;
  void CompareCalls();
  void ComparePairs();
  void CompareOwners();
  void SortLines();
  ServiceDiff* ServiceOf(uint32_t row);

  bool SameValue(const model::Attribute& a, const model::Attribute& b) const;
  uint64_t HashOf(const model::Attribute& value) const;
  uint64_t ContentOf(uint32_t row) const;
  std::vector<AttributeChange> Compare(const model::AttributeArray& attributes,
                                       model::IndexRange base, model::IndexRange compare) const;
  bool SameEvents(uint32_t base, uint32_t compare) const;

  model::SpanBatch spans_;
  uint32_t base_size_ = 0;
  std::vector<uint32_t> parent_, subtree_size_;  // as model::Preorder
  std::vector<uint32_t> key_;                    // of service, name and kind
  std::vector<uint32_t> partner_;
  std::vector<model::Code> service_of_resource_;
  std::vector<uint32_t> service_number_;  // by resource: of services_ while it is made

  std::array<DiffTotals, 2> totals_;
  std::array<uint64_t, 2> start_ns_{};
  std::array<int64_t, 2> trace_duration_ns_{};
  std::vector<ServiceDiff> services_;
  std::vector<OwnerChange> resources_, scopes_;
  std::vector<DiffLine> lines_;
  uint64_t matched_ = 0, modified_ = 0, moved_ = 0;
  uint64_t field_changes_ = 0, attribute_changes_ = 0;
  double structure_overlap_ = 1;
};

}  // namespace weft::query::insight
