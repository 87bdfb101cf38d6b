// RowSource: the waist between whoever holds spans (live traces, stored blocks) and queries.
//
// A source answers with row groups: immutable sets of spans with columns that are read when asked
// for. Each row group is five tables - spans, resources, scopes, events, links - that are joined by
// row numbers:
//
//   spans --kResource--> resources      events --kEventSpan--> spans
//   spans --kScope-----> scopes         links  --kLinkSpan---> spans
//
// Attributes of a scope are columns of that scope's table (a resource attribute has one entry per
// resource, not per span). Thread rule: everything here may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_range.h"
#include "block/column.h"
#include "model/ids.h"
#include "model/span_batch.h"
#include "model/span_sink.h"

namespace weft::block {

// Whose attribute it is: the table that the column belongs to.
enum class Scope : uint8_t { kSpan, kResource, kInstrumentation, kEvent, kLink };

// Columns that every row group has. All are complete (no row without a value) unless noted.
enum class Intrinsic : uint8_t {
  // Of spans.
  kName,           // string dictionary
  kKind,           // int dictionary (model::SpanKind)
  kStatus,         // int dictionary (model::StatusCode)
  kStatusMessage,  // string dictionary; no value where empty
  kTraceState,     // string dictionary; no value where empty
  kStartTime,      // plain ints, ns since 1970 (the bits of a uint64)
  kDuration,       // plain ints, ns, end - start; negative when the end precedes the start
  kSpanId,         // plain ints, the bits of the id
  kParentSpanId,   // plain ints, the bits of the id, 0 for a root
  kFlags,          // plain ints
  kResource,       // plain ints, row of the resource table
  kScope,          // plain ints, row of the scope table
  kMarks,          // plain ints, model::SpanMark bits
  kParentRow,      // plain ints, rows back to the parent, 0 = root; only in groups with has_tree()
  kSubtreeSize,    // plain ints, number of descendants; only in groups with has_tree()
  // Of events and links. Rows are ordered by span row.
  kEventSpan,    // plain ints, span row
  kEventName,    // string dictionary
  kEventTime,    // plain ints, ns since 1970
  kLinkSpan,     // plain ints, span row
  kLinkTraceId,  // string dictionary, 32 hex digits
  kLinkSpanId,   // string dictionary, 16 hex digits
  // Of scopes.
  kScopeName,     // string dictionary
  kScopeVersion,  // string dictionary
};

struct ServiceCount {
  std::string name;
  uint32_t span_count = 0;
  uint32_t error_count = 0;
};

// Flags of a trace as a whole, stored: numbers never change meaning.
enum TraceFlag : uint32_t {
  kTraceRootMissing = 1,   // no span without a parent id
  kTraceOrphans = 2,       // a span's parent is not there
  kTraceDuplicateIds = 4,  // different spans share an id
  kTraceCycles = 8,        // parent links formed a cycle, cut
  kTraceFragment = 16,     // parts of the trace were cut at different times
  kTraceClockSkew = 32,    // a span starts before its parent or ends after it
};

// What is known of a trace (or of one source's part of it).
struct TraceSummary {
  model::TraceId id;
  uint64_t start_ns = 0;     // of the earliest span
  uint64_t end_ns = 0;       // of the latest end
  std::string root_service;  // empty while no root is known
  std::string root_name;
  uint32_t span_count = 0;
  uint32_t error_count = 0;
  uint32_t flags = 0;                  // TraceFlag
  std::vector<ServiceCount> services;  // by name
};

// A value that somebody looks for: a text or a whole number.
struct WantedValue {
  model::ValueType type = model::ValueType::kString;  // or kInt
  std::string_view text;
  int64_t number = 0;
};

struct OperationCounts;

class RowGroup {
 public:
  virtual ~RowGroup() = default;

  // Reads what this interface gives without a Result, but for traces (see LoadTraces). A group of a
  // snapshot that was asked for as `lazy` wants it before anything but row_count(), the times and
  // block_id(); a group that turns out to be damaged and is left out of answers has no rows
  // afterwards. May be called again; after a failure too.
  virtual Error Load() const { return Error::Ok(); }

  virtual uint32_t row_count() const = 0;  // of spans
  // First and last start time of its spans.
  virtual uint64_t first_start_ns() const = 0;
  virtual uint64_t last_start_ns() const = 0;
  // The latest start time of any of its traces: no trace of this group can come before it in a
  // newest-first order.
  virtual uint64_t last_trace_start_ns() const = 0;
  // Whether rows are whole traces, contiguous and in preorder, with kParentRow and kSubtreeSize.
  virtual bool has_tree() const = 0;
  // The block it belongs to, empty for live rows.
  virtual const std::string& block_id() const = 0;

  // False when no row of the scope's table has an attribute that equals the value (numbers of any
  // type equal each other, an array what one of its elements equals), as filters know it without
  // reading the column. True says nothing.
  virtual Result<bool> MayHave(Scope scope, std::string_view key, const WantedValue& value) const {
    (void)scope, (void)key, (void)value;
    return true;
  }
  // The same of a column.
  virtual Result<bool> MayHave(Intrinsic column, const WantedValue& value) const {
    (void)column, (void)value;
    return true;
  }

  // How many spans of each operation, minute and duration the group's block has, all its row groups
  // together (block/operation_counts.h). Null where that is not known, or some of its spans are
  // deleted: then rows have to be counted.
  virtual Result<std::shared_ptr<const OperationCounts>> BlockCounts() const {
    return std::shared_ptr<const OperationCounts>();
  }

  // Reads the directory of the group's traces, which a question that finds nothing can do without:
  // must have succeeded before the next five are called.
  virtual Error LoadTraces() const { return Error::Ok(); }
  // Traces of the group are numbered 0 .. trace_count() - 1.
  virtual uint32_t trace_count() const = 0;
  virtual model::TraceId trace_id(uint32_t trace) const = 0;
  // Start of the trace, as far as this source knows it.
  virtual uint64_t trace_start_ns(uint32_t trace) const = 0;
  virtual uint64_t trace_end_ns(uint32_t trace) const = 0;
  // The trace that each row belongs to.
  virtual const std::vector<uint32_t>& trace_of_row() const = 0;
  virtual Result<TraceSummary> Summary(uint32_t trace) const = 0;
  // The service or the name of each trace's root, by trace; no value while no root is known. Null
  // where only Summary() tells.
  enum class TraceText : uint8_t { kRootService, kRootName };
  virtual Result<ColumnPtr> ReadTraces(TraceText text) const {
    (void)text;
    return ColumnPtr();
  }

  // Rows of a scope's table.
  virtual Result<uint32_t> TableRows(Scope scope) const = 0;
  virtual Result<ColumnPtr> Read(Intrinsic column) const = 0;
  // The columns of an attribute, one per type that it occurs with (at most one per type; empty when
  // it does not occur).
  virtual Result<std::vector<ColumnPtr>> ReadAttribute(Scope scope, std::string_view key) const = 0;
  // The same, values alone.
  virtual Result<std::vector<PackedColumnPtr>> ReadAttributeValues(Scope scope,
                                                                   std::string_view key) const;
  // The same columns for some rows only (ascending): entry i of the answer is rows[i]. May read
  // less.
  virtual Result<ColumnPtr> ReadAt(Intrinsic column, std::span<const uint32_t> rows) const = 0;

  // Every attribute key that occurs, with its types.
  struct KeyInfo {
    Scope scope;
    std::string key;
    uint8_t types = 0;  // bit i: ValueType i occurs
  };
  virtual Result<std::vector<KeyInfo>> AttributeKeys() const = 0;

  // Rows to leave out because another group already gives them (live rows whose block has just
  // become visible): as Column::present, bits set are left out; empty for none.
  virtual const std::vector<uint64_t>& excluded_rows() const {
    static const std::vector<uint64_t> kNone;
    return kNone;
  }
  // Bytes read from files for this group so far, for statistics.
  virtual uint64_t bytes_read() const { return 0; }
};

struct SnapshotOptions {
  // The caller calls Load() of each group that it looks into: the others cost next to nothing.
  bool lazy = false;
};

class RowSource {
 public:
  virtual ~RowSource() = default;

  // Looks again at what there is, where another process may have taken away what a snapshot shows:
  // after a read of it has failed with kNotFound, a new snapshot has the same spans elsewhere.
  virtual Error Renew() const { return Error::Ok(); }

  // The groups that hold every span of the tenant that starts in `range` (and others), each span
  // once, as of now: a span whose acknowledgement has been sent is there.
  virtual Result<std::vector<std::shared_ptr<const RowGroup>>> Snapshot(
      const model::TenantId& tenant, TimeRange range, const SnapshotOptions& options) const = 0;

  // Everything known of one trace: the spans of all its fragments, each once, in no particular
  // order; an empty batch when there are none.
  virtual Result<model::SpanBatch> FindTrace(const model::TenantId& tenant,
                                             model::TraceId id) const = 0;

  // The ids of the spans that FindTrace finds, some of them perhaps more than once; without those
  // that may turn out to be deleted after a restart. For knowing which spans have come again: may
  // cost much less.
  virtual Result<std::vector<model::SpanId>> SpanIdsOf(const model::TenantId& tenant,
                                                       model::TraceId id) const {
    WEFT_ASSIGN_OR_RETURN(model::SpanBatch spans, FindTrace(tenant, id));
    return std::move(spans.span_id);
  }

  // The summary of the whole trace, all its fragments joined; span_count 0 when there is none.
  // `fragments` says in how many places it was found.
  struct JoinedSummary {
    TraceSummary summary;
    uint32_t fragments = 0;
  };
  virtual Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenant,
                                               model::TraceId id) const = 0;

  // Of each trace whether it has spans that are not in the block `block_id`, or may have: false is
  // certain. May cost much less than a summary.
  virtual Result<std::vector<bool>> MayBeElsewhere(const model::TenantId& tenant,
                                                   std::span<const model::TraceId> ids,
                                                   const std::string& block_id) const {
    (void)block_id;
    std::vector<bool> out;
    for (const model::TraceId& id : ids) {
      WEFT_ASSIGN_OR_RETURN(const JoinedSummary joined, SummarizeTrace(tenant, id));
      out.push_back(joined.fragments != 1);
    }
    return out;
  }
};

}  // namespace weft::block
