#include "block/schema.h"

#include <charconv>
#include <vector>

#include "block/text_escape.h"

namespace weft::block {
namespace {

using model::ValueType;

constexpr std::string_view kAttributePrefix = "attr.";
constexpr bool kOptional = true;

const std::vector<ColumnSpec>& SpanSpecs() {
  static const std::vector<ColumnSpec> kSpecs = {
      {"trace_id", ColumnKind::kId16},
      {"span_id", ColumnKind::kId8},
      {"parent_span_id", ColumnKind::kId8, kOptional},
      {"parent", ColumnKind::kInt32},
      {"subtree_size", ColumnKind::kInt32},
      {"start_time", ColumnKind::kTimestamp},
      {"duration_ns", ColumnKind::kInt64},
      {"name", ColumnKind::kString},
      {"kind", ColumnKind::kString},
      {"status_code", ColumnKind::kString},
      {"status_message", ColumnKind::kString, kOptional},
      {"trace_state", ColumnKind::kString, kOptional},
      {"flags", ColumnKind::kUint32},
      {"resource_id", ColumnKind::kInt32},
      {"scope_id", ColumnKind::kInt32},
      {"dropped_attributes_count", ColumnKind::kUint32},
      {"dropped_events_count", ColumnKind::kUint32},
      {"dropped_links_count", ColumnKind::kUint32},
      {"marks", ColumnKind::kInt32},
  };
  return kSpecs;
}

const std::vector<ColumnSpec>& EventSpecs() {
  static const std::vector<ColumnSpec> kSpecs = {
      {"span_row", ColumnKind::kInt64},
      {"time", ColumnKind::kTimestamp},
      {"name", ColumnKind::kString},
      {"dropped_attributes_count", ColumnKind::kUint32},
  };
  return kSpecs;
}

const std::vector<ColumnSpec>& LinkSpecs() {
  static const std::vector<ColumnSpec> kSpecs = {
      {"span_row", ColumnKind::kInt64}, {"trace_id", ColumnKind::kId16},
      {"span_id", ColumnKind::kId8},    {"trace_state", ColumnKind::kString, kOptional},
      {"flags", ColumnKind::kUint32},   {"dropped_attributes_count", ColumnKind::kUint32},
  };
  return kSpecs;
}

const std::vector<ColumnSpec>& ResourceSpecs() {
  static const std::vector<ColumnSpec> kSpecs = {
      {"resource_id", ColumnKind::kInt32},
      {"schema_url", ColumnKind::kString, kOptional},
      {"dropped_attributes_count", ColumnKind::kUint32},
  };
  return kSpecs;
}

const std::vector<ColumnSpec>& ScopeSpecs() {
  static const std::vector<ColumnSpec> kSpecs = {
      {"scope_id", ColumnKind::kInt32},
      {"name", ColumnKind::kString},
      {"version", ColumnKind::kString},
      {"schema_url", ColumnKind::kString, kOptional},
      {"dropped_attributes_count", ColumnKind::kUint32},
  };
  return kSpecs;
}

const std::vector<ColumnSpec>& TraceSpecs() {
  static const std::vector<ColumnSpec> kSpecs = {
      {"row_group", ColumnKind::kInt32},
      {"first_row", ColumnKind::kInt64},
      {"span_count", ColumnKind::kInt32},
      {"error_count", ColumnKind::kInt32},
      {"start_time", ColumnKind::kTimestamp},
      {"duration_ns", ColumnKind::kInt64},
      {"root_service", ColumnKind::kString, kOptional},
      {"root_name", ColumnKind::kString, kOptional},
      {"services", ColumnKind::kJson},
      {"flags", ColumnKind::kUint32},
  };
  return kSpecs;
}

const std::vector<ColumnSpec>& TraceSpecsOfVersion1() {
  static const std::vector<ColumnSpec> kSpecs = [] {
    std::vector<ColumnSpec> specs = TraceSpecs();
    specs.insert(specs.begin(), {"trace_id", ColumnKind::kId16});
    return specs;
  }();
  return kSpecs;
}

const std::vector<ColumnSpec>& AttributeSpecs() {
  static const std::vector<ColumnSpec> kSpecs = {
      {"scope", ColumnKind::kString},
      {"row", ColumnKind::kInt64},
      {"key", ColumnKind::kString},
      {"type", ColumnKind::kString},
      {"value_string", ColumnKind::kString, kOptional},
      {"value_int", ColumnKind::kInt64, kOptional},
      {"value_double", ColumnKind::kDouble, kOptional},
      {"value_bool", ColumnKind::kBool, kOptional},
      {"value_bytes", ColumnKind::kBytes, kOptional},
  };
  return kSpecs;
}

const std::vector<ColumnSpec>& CountSpecs() {
  static const std::vector<ColumnSpec> kSpecs = {
      {"service", ColumnKind::kString},   {"name", ColumnKind::kString},
      {"kind", ColumnKind::kString},      {"error", ColumnKind::kInt32},
      {"minute", ColumnKind::kTimestamp}, {"duration_from_ns", ColumnKind::kInt64},
      {"count", ColumnKind::kInt64},
  };
  return kSpecs;
}

constexpr std::string_view kKindTexts[] = {"unspecified", "internal", "server",
                                           "client",      "producer", "consumer"};
constexpr std::string_view kStatusTexts[] = {"unset", "ok", "error"};
constexpr std::string_view kScopeTexts[] = {"span", "resource", "scope", "event", "link"};

std::string WordOf(std::span<const std::string_view> words, uint8_t number) {
  return number < words.size() ? std::string(words[number]) : std::to_string(number);
}

std::optional<uint8_t> NumberOf(std::span<const std::string_view> words, std::string_view text) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == text) return static_cast<uint8_t>(i);
  }
  uint8_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The type that a column without a `#type` has.
std::optional<ValueType> MainTypeOf(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kString:
    case ColumnKind::kUuid: return ValueType::kString;
    case ColumnKind::kJson: return ValueType::kArray;
    case ColumnKind::kBytes: return ValueType::kBytes;
    case ColumnKind::kInt64: return ValueType::kInt;
    case ColumnKind::kDouble: return ValueType::kDouble;
    case ColumnKind::kBool: return ValueType::kBool;
    default: return std::nullopt;
  }
}

}  // namespace

bool IsByteKind(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kString:
    case ColumnKind::kJson:
    case ColumnKind::kBytes:
    case ColumnKind::kUuid:
    case ColumnKind::kId16: return true;
    default: return false;
  }
}

std::span<const ColumnSpec> FixedColumns(std::string_view file) {
  if (file == kSpansFile) return SpanSpecs();
  if (file == kEventsFile) return EventSpecs();
  if (file == kLinksFile) return LinkSpecs();
  if (file == kResourcesFile) return ResourceSpecs();
  if (file == kScopesFile) return ScopeSpecs();
  if (file == kTracesFile) return TraceSpecs();
  if (file == kAttributesFile) return AttributeSpecs();
  if (file == kCountsFile) return CountSpecs();
  return {};
}

std::span<const ColumnSpec> FixedColumns(std::string_view file, uint32_t format_version) {
  if (file == kTracesFile && format_version == 1) return TraceSpecsOfVersion1();
  return FixedColumns(file);
}

std::string_view FileOf(Scope scope) {
  switch (scope) {
    case Scope::kSpan: return kSpansFile;
    case Scope::kResource: return kResourcesFile;
    case Scope::kInstrumentation: return kScopesFile;
    case Scope::kEvent: return kEventsFile;
    case Scope::kLink: return kLinksFile;
  }
  return {};
}

std::string_view ScopeText(Scope scope) { return kScopeTexts[static_cast<size_t>(scope)]; }

std::optional<Scope> ScopeFromText(std::string_view text) {
  for (size_t i = 0; i < std::size(kScopeTexts); ++i) {
    if (kScopeTexts[i] == text) return static_cast<Scope>(i);
  }
  return std::nullopt;
}

std::optional<ValueType> ValueTypeFromText(std::string_view text) {
  for (uint8_t i = 0; i < 8; ++i) {
    if (model::ValueTypeName(static_cast<ValueType>(i)) == text) return static_cast<ValueType>(i);
  }
  return std::nullopt;
}

std::string KindText(uint8_t kind) { return WordOf(kKindTexts, kind); }
std::string StatusText(uint8_t status) { return WordOf(kStatusTexts, status); }
std::optional<uint8_t> KindFromText(std::string_view text) { return NumberOf(kKindTexts, text); }
std::optional<uint8_t> StatusFromText(std::string_view text) {
  return NumberOf(kStatusTexts, text);
}

std::string AttributeColumnName(std::string_view key, ValueType type, bool main) {
  std::string name(kAttributePrefix);
  std::string escaped;
  if (AppendEscapedText(key, &escaped)) key = escaped;
  for (const char c : key) {
    if (c == '#') name.push_back('#');
    name.push_back(c);
  }
  if (!main || type == ValueType::kKvList) {
    name.push_back('#');
    name.append(model::ValueTypeName(type));
  }
  return name;
}

ColumnKind AttributeColumnKind(ValueType type, bool uuid) {
  switch (type) {
    case ValueType::kString:
    case ValueType::kEmpty: return uuid ? ColumnKind::kUuid : ColumnKind::kString;
    case ValueType::kInt: return ColumnKind::kInt64;
    case ValueType::kDouble: return ColumnKind::kDouble;
    case ValueType::kBool: return ColumnKind::kBool;
    case ValueType::kBytes: return ColumnKind::kBytes;
    case ValueType::kArray:
    case ValueType::kKvList: return ColumnKind::kJson;
  }
  return ColumnKind::kString;
}

std::optional<AttributeName> ParseAttributeColumn(const ColumnSpec& spec) {
  std::string_view name = spec.name;
  if (!name.starts_with(kAttributePrefix)) return std::nullopt;
  name.remove_prefix(kAttributePrefix.size());
  const std::optional<ValueType> main = MainTypeOf(spec.kind);
  if (!main) return std::nullopt;
  AttributeName result{.type = *main};
  std::string escaped;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '#' && (i + 1 == name.size() || name[i + 1] != '#')) {
      const auto type = ValueTypeFromText(name.substr(i + 1));
      if (!type) return std::nullopt;
      result.type = *type;
      break;
    }
    if (name[i] == '#') ++i;
    escaped.push_back(name[i]);
  }
  if (!AppendUnescapedText(escaped, &result.key)) result.key = std::move(escaped);
  return result;
}

}  // namespace weft::block
