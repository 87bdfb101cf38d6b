// The tree of one trace as rows in preorder: parents before children, siblings by start time.
//
// 1. Spans with equal ids and equal content hash are one span, sent twice: all but the first are left out (`duplicates`).
// 2. Spans that share an id and differ are all kept and marked. Of such a group the first by (start, kind order, input order) owns the
//    id; but a SERVER span that shares the id of a CLIENT span (Zipkin's shared spans) becomes that client's child, and the children
//    of the id hang under the server span.
// 3. A span whose parent id is set and not there is a root, marked orphan.
// 4. A cycle is cut at its earliest span (then smallest id), which becomes a root, marked.
// 5. Roots are ordered by (true roots first, start, id); siblings by (start, id, input order). Times are compared as received.
// Deterministic: the same set of spans gives the same rows, in whatever order it came. No recursion; O(n log n).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/ids.h"

namespace weft::model {

// Why a row is odd. Stored in blocks and sent to the UI: the numbers never change meaning.
enum SpanMark : uint8_t {
  kMarkOrphan = 1,           // its parent is not in the trace (as far as it is known)
  kMarkDuplicateId = 2,      // another, different span has the same id
  kMarkCycle = 4,            // its parent link was cut to break a cycle
  kMarkStartsBefore = 8,     // starts before its parent
  kMarkEndsAfter = 16,       // ends after its parent
};

struct TreeSpan {
  SpanId span_id;
  SpanId parent_span_id;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  uint8_t kind = 0;
  uint64_t content_hash = 0;
};

struct Preorder {
  std::vector<uint32_t> input;         // row -> index of the input span
  std::vector<uint32_t> parent;        // rows back to the parent; 0 = root
  std::vector<uint32_t> subtree_size;  // descendants; j descends from i iff i < j <= i + subtree_size[i]
  std::vector<uint8_t> marks;          // SpanMark bits
  std::vector<uint32_t> duplicates;    // input spans left out, ascending

  uint32_t size() const { return static_cast<uint32_t>(input.size()); }
};

// Keeps its working memory between calls; one thread at a time.
class PreorderBuilder {
 public:
  // The result is valid until the next call.
  const Preorder& Build(std::span<const TreeSpan> spans);

 private:
  void DropDuplicates(std::span<const TreeSpan> spans);
  void LinkParents(std::span<const TreeSpan> spans);
  void CutCycles(std::span<const TreeSpan> spans);
  void WriteRows(std::span<const TreeSpan> spans);
  uint32_t FirstWithId(std::span<const TreeSpan> spans, SpanId id) const;

  Preorder out_;
  std::vector<uint32_t> by_id_;        // kept inputs sorted by (id, start, kind, input)
  std::vector<uint32_t> parent_of_;    // input -> parent input, or kNone
  std::vector<uint8_t> marks_;         // per input
  std::vector<uint32_t> order_;        // kept inputs sorted for output
  std::vector<uint32_t> first_child_;  // per input
  std::vector<uint32_t> next_sibling_;
  std::vector<uint32_t> stack_;
  std::vector<uint32_t> row_of_;
  std::vector<uint8_t> state_;
};

}  // namespace weft::model
