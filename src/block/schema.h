// The files of a block and the columns of each: names, Parquet types, meanings of numbers that are
// stored as words. docs/block-format.md describes the same for readers of the files.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "block/row_source.h"
#include "model/attributes.h"

namespace weft::block {

inline constexpr std::string_view kSpansFile = "spans.parquet";
inline constexpr std::string_view kEventsFile = "events.parquet";
inline constexpr std::string_view kLinksFile = "links.parquet";
inline constexpr std::string_view kResourcesFile = "resources.parquet";
inline constexpr std::string_view kScopesFile = "scopes.parquet";
inline constexpr std::string_view kTracesFile = "traces.parquet";
inline constexpr std::string_view kAttributesFile = "attributes.parquet";
inline constexpr std::string_view kCountsFile = "counts.parquet";  // since version 4
inline constexpr std::string_view kBundleFile = "small.bundle";    // see block/bundle.h
inline constexpr std::string_view kMetaFile = "meta.json";

// What a column of a file is in Parquet's terms.
enum class ColumnKind : uint8_t {
  kString,     // BYTE_ARRAY, STRING: UTF-8, see block/text_escape.h
  kJson,       // BYTE_ARRAY, JSON: see block/json_text.h
  kBytes,      // BYTE_ARRAY
  kUuid,       // FIXED_LEN_BYTE_ARRAY(16), UUID; texts of 36 characters in memory
  kId16,       // FIXED_LEN_BYTE_ARRAY(16): trace ids
  kId8,        // FIXED_LEN_BYTE_ARRAY(8): span ids
  kInt32,      // INT32
  kUint32,     // INT32, unsigned
  kInt64,      // INT64
  kTimestamp,  // INT64, TIMESTAMP(UTC, ns)
  kDouble,     // DOUBLE
  kBool,       // BOOLEAN
};

struct ColumnSpec {
  std::string name;
  ColumnKind kind = ColumnKind::kString;
  bool optional = false;  // NULL may stand in it

  bool operator==(const ColumnSpec&) const = default;
};

// Whether values are byte strings, known by codes in memory; else they are numbers.
bool IsByteKind(ColumnKind kind);

// Fixed columns of each file, in file order; attribute columns follow them. The enums are indexes
// into the spans returned.
enum SpanColumn : uint32_t {
  kSpanTraceId,
  kSpanSpanId,
  kSpanParentSpanId,
  kSpanParent,
  kSpanSubtreeSize,
  kSpanStartTime,
  kSpanDuration,
  kSpanName,
  kSpanKind,
  kSpanStatusCode,
  kSpanStatusMessage,
  kSpanTraceState,
  kSpanFlags,
  kSpanResourceId,
  kSpanScopeId,
  kSpanDroppedAttributes,
  kSpanDroppedEvents,
  kSpanDroppedLinks,
  kSpanMarks,
};
enum EventColumn : uint32_t { kEventSpanRow, kEventTimeColumn, kEventNameColumn, kEventDropped };
enum LinkColumn : uint32_t {
  kLinkSpanRow,
  kLinkTrace,
  kLinkSpanIdColumn,
  kLinkTraceState,
  kLinkFlags,
  kLinkDropped,
};
enum ResourceColumn : uint32_t { kResourceId, kResourceSchemaUrl, kResourceDropped };
enum ScopeColumn : uint32_t {
  kScopeId,
  kScopeNameColumn,
  kScopeVersionColumn,
  kScopeSchemaUrl,
  kScopeDropped,
};
// Format version 1 had trace_id before these.
enum TraceColumn : uint32_t {
  kTraceRowGroup,
  kTraceFirstRow,
  kTraceSpanCount,
  kTraceErrorCount,
  kTraceStartTime,
  kTraceDuration,
  kTraceRootService,
  kTraceRootName,
  kTraceServices,
  kTraceFlags,
};
enum AttributeColumnIndex : uint32_t {
  kAttributeScope,
  kAttributeRow,
  kAttributeKey,
  kAttributeType,
  kAttributeString,
  kAttributeInt,
  kAttributeDouble,
  kAttributeBool,
  kAttributeBytes,
};

enum CountColumn : uint32_t {
  kCountService,
  kCountName,
  kCountKind,
  kCountError,
  kCountMinute,
  kCountDurationFrom,
  kCountCount,
};

// The columns that every block has, as this version writes them; or as an older one did.
std::span<const ColumnSpec> FixedColumns(std::string_view file);
std::span<const ColumnSpec> FixedColumns(std::string_view file, uint32_t format_version);
// The file that holds the table of a scope.
std::string_view FileOf(Scope scope);

// "span", "resource", "scope", "event", "link", as attributes.parquet has them.
std::string_view ScopeText(Scope scope);
std::optional<Scope> ScopeFromText(std::string_view text);
// "string", "int", ...: model::ValueTypeName the other way round.
std::optional<model::ValueType> ValueTypeFromText(std::string_view text);

// "server", "client", ...; numbers that OTLP does not name are their decimal digits.
std::string KindText(uint8_t kind);
std::string StatusText(uint8_t status);
std::optional<uint8_t> KindFromText(std::string_view text);
std::optional<uint8_t> StatusFromText(std::string_view text);

// The column of an attribute: `attr.` and the key, in which `#` is doubled; then, unless this is
// the most frequent type of the key in the block, `#` and the type. A kvlist always has `#kvlist`.
std::string AttributeColumnName(std::string_view key, model::ValueType type, bool main);
// The Parquet type of an attribute column.
ColumnKind AttributeColumnKind(model::ValueType type, bool uuid);

struct AttributeName {
  std::string key;
  model::ValueType type = model::ValueType::kString;
};
// The other way round; nothing when it is no attribute's column.
std::optional<AttributeName> ParseAttributeColumn(const ColumnSpec& spec);

}  // namespace weft::block
