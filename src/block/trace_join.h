// Traces of which several parts hold fragments, made whole.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "block/merge_part.h"
#include "model/ids.h"
#include "model/preorder.h"
#include "model/span_batch.h"

namespace weft::block {

// Trace `trace` of part `part`.
struct Fragment {
  uint32_t part = 0;
  uint32_t trace = 0;
};

struct JoinedTrace {
  // Its spans in preorder, see BlockInput; duplicates are left out, and so are rows that the parts
  // leave out.
  std::vector<PartRow> rows;
  std::vector<uint32_t> parent;
  std::vector<uint32_t> subtree_size;
  std::vector<uint8_t> marks;
  std::vector<model::SpanId> span_id;
  std::vector<model::SpanId> parent_id;
  uint32_t duplicate_count = 0;
  uint32_t error_count = 0;
  uint64_t start_ns = UINT64_MAX;
  uint64_t end_ns = 0;
  uint32_t flags = 0;  // TraceFlag
  // Names are of the parts' dictionaries.
  bool root_known = false;
  std::string_view first_name;             // of the first row
  std::vector<std::string_view> services;  // of each row
};

// Reads of each part the rows of the traces that are to be joined, once. One thread at a time.
class TraceJoin {
 public:
  // The parts must outlive it. `fragments` are all that will be joined, in the order of part and
  // trace.
  TraceJoin(std::span<const MergePart> parts, std::span<const Fragment> fragments);

  Result<JoinedTrace> Join(std::span<const Fragment> fragments);

 private:
  // The rows of a part's fragments, one after another.
  struct Shape {
    std::vector<uint32_t> traces;     // ascending
    std::vector<uint32_t> first_row;  // of each, in these columns
    bool loaded = false;
    ColumnPtr span_id, parent, parent_span_id, start, duration, name, kind, status, resource;
    std::vector<uint8_t> kinds;  // per entry of the kind dictionary
    std::shared_ptr<const std::vector<std::string>> services;
  };
  Result<const Shape*> ShapeOf(uint32_t part);
  Error Load(const MergePart& part, Shape* shape) const;
  Error AddFragment(Fragment fragment);
  Result<uint64_t> ContentHashOf(std::span<const Fragment> fragments, uint32_t input);

  std::span<const MergePart> parts_;
  std::vector<Shape> shapes_;
  model::PreorderBuilder preorder_;
  // Of the current trace.
  std::vector<PartRow> rows_;
  std::vector<uint32_t> shape_rows_;  // of each, in its part's shape
  std::vector<uint32_t> fragment_of_;
  std::vector<model::TreeSpan> spans_;
  std::vector<model::SpanBatch> contents_;  // per fragment, when asked for
};

}  // namespace weft::block
