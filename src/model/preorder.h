// The tree of one trace as rows in preorder: parents before children, siblings by start time.
//
// 1. Spans with equal ids and equal content hash are one span, sent twice: all but the first are
// left out (`duplicates`).
// 2. Spans that share an id and differ are all kept and marked. Of such a group the first by
// (start, kind order, input order) owns the
//    id; but a SERVER span that shares the id of a CLIENT span (Zipkin's shared spans) becomes that
//    client's child, and the children of the id hang under the server span.
// 3. A span whose parent id is set and not there is a root, marked orphan.
// 4. A cycle is cut at its earliest span (then smallest id), which becomes a root, marked.
// 5. Roots are ordered by (true roots first, start, id); siblings by (start, id, input order).
// Times are compared as received. Deterministic: the same set of spans gives the same rows, in
// whatever order it came. No recursion; O(n log n).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/ids.h"

namespace weft::model {

// Why a row is odd. Stored in blocks and sent to the UI: the numbers never change meaning.
enum SpanMark : uint8_t {
  kMarkOrphan = 1,        // its parent is not in the trace (as far as it is known)
  kMarkDuplicateId = 2,   // another, different span has the same id
  kMarkCycle = 4,         // its parent link was cut to break a cycle
  kMarkStartsBefore = 8,  // starts before its parent
  kMarkEndsAfter = 16,    // ends after its parent
};

struct TreeSpan {
  SpanId span_id;
  SpanId parent_span_id;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  uint8_t kind = 0;
};

// ContentHash of input span i (model/span_batch.h); asked only for spans whose id is not unique.
using ContentHashOf = std::function<uint64_t(uint32_t input)>;

struct Preorder {
  std::vector<uint32_t> input;   // row -> index of the input span
  std::vector<uint32_t> parent;  // rows back to the parent; 0 = root
  std::vector<uint32_t>
      subtree_size;            // descendants; j descends from i iff i < j <= i + subtree_size[i]
  std::vector<uint8_t> marks;  // SpanMark bits
  std::vector<uint32_t> duplicates;  // input spans left out, ascending

  uint32_t size() const { return static_cast<uint32_t>(input.size()); }
};

// Keeps its working memory between calls; one thread at a time.
class PreorderBuilder {
 public:
  // At most 2^31 spans. The result is valid until the next call.
  const Preorder& Build(std::span<const TreeSpan> spans, const ContentHashOf& content_hash);

 private:
  static constexpr uint32_t kNone = 0xffffffff;

  void SortById();
  void MarkGroupsOfOneId(const ContentHashOf& content_hash);
  void ResolveGroup(uint32_t begin, uint32_t end, const ContentHashOf& content_hash);
  void LinkParents();
  void CutCycles();
  void CutCycleOf(uint32_t input);
  void SortForOutput();
  void WriteRows();
  void MarkTimes();
  uint32_t OwnerOf(SpanId id) const;
  // Whether input a comes before input b among siblings.
  bool Before(uint32_t a, uint32_t b) const;

  std::span<const TreeSpan> spans_;
  Preorder out_;
  std::vector<uint32_t> by_id_;  // inputs sorted by (id, start, input); duplicates taken out
  std::vector<uint32_t> owner_;  // parallel to by_id_: the input that children of the id hang under
  std::vector<uint32_t> parent_;  // input -> parent input, or kNone
  std::vector<uint8_t> marks_;    // per input
  std::vector<uint8_t> dropped_;  // per input: a duplicate
  std::vector<uint32_t> sorted_;  // kept inputs, roots and siblings in output order
  std::vector<uint32_t> first_child_, next_sibling_, row_of_, stack_;
  std::vector<uint32_t> visited_;  // per input: the walk that saw it last
};

}  // namespace weft::model
