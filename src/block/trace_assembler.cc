#include "block/trace_assembler.h"

#include <algorithm>
#include <utility>

#include "block/json_text.h"
#include "block/schema.h"

namespace weft::block {

using model::Attribute;
using model::Code;
using model::SpanBatch;
using model::ValueType;

namespace {

Error Corrupt(std::string what) { return {ErrorCode::kCorrupt, std::move(what)}; }

void AppendU64(const Column& from, std::vector<uint64_t>* to) {
  to->insert(to->end(), from.ints.begin(), from.ints.end());
}
void AppendU32(const Column& from, std::vector<uint32_t>* to) {
  to->insert(to->end(), from.ints.begin(), from.ints.end());
}

}  // namespace

Result<ColumnPtr> TraceAssembler::Read(Scope scope, uint32_t group, uint32_t column, uint32_t begin,
                                       uint32_t end) const {
  // Rows that many traces share: their columns are small, and kept.
  if ((scope == Scope::kResource || scope == Scope::kInstrumentation) && begin + 1 == end) {
    return block_.table(scope).ReadRows(group, column, {&begin, 1}, nullptr);
  }
  return block_.table(scope).ReadRange(group, column, begin, end, nullptr);
}

Code TraceAssembler::TextAt(const Column& column, uint32_t row) {
  if (!column.has(row)) return 0;
  return out_.strings.Intern(column.dictionary->strings[column.codes[row]]);
}

Error TraceAssembler::AddRows(uint32_t row_group, uint32_t first_row, uint32_t count) {
  block_.table(Scope::kSpan).WillReadRows(row_group, first_row, first_row + count);
  WEFT_ASSIGN_OR_RETURN(const auto shared_overflow,
                        block_.Overflow(static_cast<int32_t>(row_group), nullptr));
  const OverflowReader& overflow = *shared_overflow;
  WEFT_RETURN_IF_ERROR(AddSpanColumns(row_group, first_row, first_row + count));
  WEFT_RETURN_IF_ERROR(AddAttributes(Scope::kSpan, row_group, first_row, first_row + count,
                                     overflow, &out_.attributes, &out_.attribute_end));
  for (const Scope scope : {Scope::kEvent, Scope::kLink}) {
    WEFT_ASSIGN_OR_RETURN(const Owned owned, FindOwned(scope, row_group, first_row, count));
    WEFT_RETURN_IF_ERROR(scope == Scope::kEvent ? AddEvents(owned, overflow)
                                                : AddLinks(owned, overflow));
  }
  return Error::Ok();
}

Error TraceAssembler::AddSpanColumns(uint32_t row_group, uint32_t begin, uint32_t end) {
  const auto read = [&](SpanColumn column) {
    return Read(Scope::kSpan, row_group, column, begin, end);
  };
  const uint32_t first = out_.size();
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr traces, read(kSpanTraceId));
  AddTraceIds(*traces);
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr ids, read(kSpanSpanId));
  for (const int64_t id : ids->ints) out_.span_id.push_back({static_cast<uint64_t>(id)});
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr parents, read(kSpanParent));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr explicit_ids, read(kSpanParentSpanId));
  WEFT_RETURN_IF_ERROR(AddParents(*parents, *explicit_ids, first));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr starts, read(kSpanStartTime));
  AppendU64(*starts, &out_.start_ns);
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr durations, read(kSpanDuration));
  for (uint32_t i = 0; i < durations->row_count; ++i) {
    out_.end_ns.push_back(out_.start_ns[first + i] + static_cast<uint64_t>(durations->ints[i]));
  }
  const auto add_texts = [&](SpanColumn column, std::vector<Code>* to) -> Error {
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr texts, read(column));
    for (uint32_t i = 0; i < texts->row_count; ++i) to->push_back(TextAt(*texts, i));
    return Error::Ok();
  };
  WEFT_RETURN_IF_ERROR(add_texts(kSpanName, &out_.name));
  WEFT_RETURN_IF_ERROR(add_texts(kSpanStatusMessage, &out_.status_message));
  WEFT_RETURN_IF_ERROR(add_texts(kSpanTraceState, &out_.trace_state));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr kinds, read(kSpanKind));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr statuses, read(kSpanStatusCode));
  WEFT_RETURN_IF_ERROR(AddWords(*kinds, *statuses));
  const auto add_numbers = [&](SpanColumn column, std::vector<uint32_t>* to) -> Error {
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr numbers, read(column));
    AppendU32(*numbers, to);
    return Error::Ok();
  };
  WEFT_RETURN_IF_ERROR(add_numbers(kSpanFlags, &out_.flags));
  WEFT_RETURN_IF_ERROR(add_numbers(kSpanDroppedAttributes, &out_.dropped_attributes));
  WEFT_RETURN_IF_ERROR(add_numbers(kSpanDroppedEvents, &out_.dropped_events));
  WEFT_RETURN_IF_ERROR(add_numbers(kSpanDroppedLinks, &out_.dropped_links));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr resources, read(kSpanResourceId));
  WEFT_RETURN_IF_ERROR(AddSideRows(Scope::kResource, *resources, &out_.resource));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr scopes, read(kSpanScopeId));
  return AddSideRows(Scope::kInstrumentation, *scopes, &out_.scope);
}

void TraceAssembler::AddTraceIds(const Column& ids) {
  for (uint32_t i = 0; i < ids.row_count; ++i) {
    const model::TraceId id =
        model::TraceId::FromBytes(ids.dictionary->strings[ids.codes[i]].data());
    if (out_.traces.empty() || out_.traces.back() != id) {
      const auto known = std::find(out_.traces.begin(), out_.traces.end(), id);
      if (known != out_.traces.end()) {
        out_.trace.push_back(static_cast<uint32_t>(known - out_.traces.begin()));
        continue;
      }
      out_.traces.push_back(id);
    }
    out_.trace.push_back(static_cast<uint32_t>(out_.traces.size()) - 1);
  }
}

// `first` is the first of the new spans in the batch.
Error TraceAssembler::AddParents(const Column& parents, const Column& explicit_ids,
                                 uint32_t first) {
  for (uint32_t i = 0; i < parents.row_count; ++i) {
    const int64_t back = parents.ints[i];
    if (back < 0 || back > int64_t{i}) {
      return Corrupt("spans.parquet column parent points outside the trace");
    }
    if (explicit_ids.has(i)) {
      out_.parent_span_id.push_back({static_cast<uint64_t>(explicit_ids.ints[i])});
    } else if (back == 0) {
      out_.parent_span_id.push_back({});
    } else {
      out_.parent_span_id.push_back(out_.span_id[first + i - static_cast<uint32_t>(back)]);
    }
  }
  return Error::Ok();
}

Error TraceAssembler::AddWords(const Column& kinds, const Column& statuses) {
  for (uint32_t i = 0; i < kinds.row_count; ++i) {
    const auto kind = KindFromText(kinds.dictionary->strings[kinds.codes[i]]);
    const auto status = StatusFromText(statuses.dictionary->strings[statuses.codes[i]]);
    if (!kind || !status) return Corrupt("spans.parquet has an unknown kind or status");
    out_.kind.push_back(*kind);
    out_.status.push_back(*status);
  }
  return Error::Ok();
}

Error TraceAssembler::AddSideRows(Scope scope, const Column& rows, std::vector<uint32_t>* out) {
  const auto group = block_.GroupOf(scope, 0);
  const uint32_t limit = group ? block_.table(scope).row_groups()[*group].row_count : 0;
  auto& known = scope == Scope::kResource ? resources_ : scopes_;
  for (const int64_t row : rows.ints) {
    if (row < 0 || row >= int64_t{limit}) {
      return Corrupt("spans.parquet names an unknown row of " + std::string(FileOf(scope)));
    }
    const uint32_t key = static_cast<uint32_t>(row);
    auto found = known.find(key);
    if (found == known.end()) {
      const uint32_t next = scope == Scope::kResource ? out_.resources.size() : out_.scopes.size();
      WEFT_RETURN_IF_ERROR(scope == Scope::kResource ? AddResource(*group, key)
                                                     : AddScope(*group, key));
      found = known.emplace(key, next).first;
    }
    out->push_back(found->second);
  }
  return Error::Ok();
}

Error TraceAssembler::AddSideTables() {
  for (const Scope scope : {Scope::kResource, Scope::kInstrumentation}) {
    const auto group = block_.GroupOf(scope, 0);
    const uint32_t rows = group ? block_.table(scope).row_groups()[*group].row_count : 0;
    for (uint32_t row = 0; row < rows; ++row) {
      WEFT_RETURN_IF_ERROR(scope == Scope::kResource ? AddResource(*group, row)
                                                     : AddScope(*group, row));
    }
  }
  return Error::Ok();
}

Result<const OverflowReader*> TraceAssembler::SideOverflow() {
  if (!side_overflow_) {
    WEFT_ASSIGN_OR_RETURN(side_overflow_, block_.Overflow(-1, nullptr));
  }
  return side_overflow_.get();
}

Error TraceAssembler::AddResource(uint32_t group, uint32_t row) {
  const auto read = [&](ResourceColumn column) {
    return Read(Scope::kResource, group, column, row, row + 1);
  };
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr schema_url, read(kResourceSchemaUrl));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr dropped, read(kResourceDropped));
  WEFT_ASSIGN_OR_RETURN(const OverflowReader* overflow, SideOverflow());
  out_.resources.schema_url.push_back(TextAt(*schema_url, 0));
  AppendU32(*dropped, &out_.resources.dropped_attributes);
  return AddAttributes(Scope::kResource, group, row, row + 1, *overflow, &out_.resources.attributes,
                       &out_.resources.attribute_end);
}

Error TraceAssembler::AddScope(uint32_t group, uint32_t row) {
  const auto read = [&](ScopeColumn column) {
    return Read(Scope::kInstrumentation, group, column, row, row + 1);
  };
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr name, read(kScopeNameColumn));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr version, read(kScopeVersionColumn));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr schema_url, read(kScopeSchemaUrl));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr dropped, read(kScopeDropped));
  WEFT_ASSIGN_OR_RETURN(const OverflowReader* overflow, SideOverflow());
  out_.scopes.name.push_back(TextAt(*name, 0));
  out_.scopes.version.push_back(TextAt(*version, 0));
  out_.scopes.schema_url.push_back(TextAt(*schema_url, 0));
  AppendU32(*dropped, &out_.scopes.dropped_attributes);
  return AddAttributes(Scope::kInstrumentation, group, row, row + 1, *overflow,
                       &out_.scopes.attributes, &out_.scopes.attribute_end);
}

// Events and links are sorted by their span's row: find the stretch that belongs to these spans.
Result<TraceAssembler::Owned> TraceAssembler::FindOwned(Scope scope, uint32_t row_group,
                                                        uint32_t first_row, uint32_t count) {
  Owned owned;
  owned.count_of_span.assign(count, 0);
  const auto group = block_.GroupOf(scope, row_group);
  if (!group) return owned;
  const uint32_t column = scope == Scope::kEvent ? uint32_t{kEventSpanRow} : kLinkSpanRow;
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr rows, block_.table(scope).Read(*group, column, nullptr));
  const uint64_t begin = block_.table(Scope::kSpan).row_groups()[row_group].first_row + first_row;
  const auto first = std::lower_bound(rows->ints.begin(), rows->ints.end(), int64_t(begin));
  auto last = first;
  for (; last != rows->ints.end() && *last < int64_t(begin + count); ++last) {
    // Out of order only where the file is not what was written.
    if (*last < int64_t(begin)) return Corrupt(std::string(FileOf(scope)) + " is not sorted");
    ++owned.count_of_span[static_cast<uint64_t>(*last) - begin];
  }
  owned.group = *group;
  owned.begin = static_cast<uint32_t>(first - rows->ints.begin());
  owned.end = static_cast<uint32_t>(last - rows->ints.begin());
  return owned;
}

void TraceAssembler::AddEnds(const Owned& owned, uint32_t base, std::vector<uint32_t>* ends) {
  for (const uint32_t count : owned.count_of_span) {
    base += count;
    ends->push_back(base);
  }
}

Error TraceAssembler::AddEvents(const Owned& owned, const OverflowReader& overflow) {
  AddEnds(owned, out_.events.size(), &out_.event_end);
  if (owned.begin == owned.end) return Error::Ok();
  const auto read = [&](EventColumn column) {
    return Read(Scope::kEvent, owned.group, column, owned.begin, owned.end);
  };
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr times, read(kEventTimeColumn));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr names, read(kEventNameColumn));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr dropped, read(kEventDropped));
  AppendU64(*times, &out_.events.time_ns);
  for (uint32_t i = 0; i < names->row_count; ++i) out_.events.name.push_back(TextAt(*names, i));
  AppendU32(*dropped, &out_.events.dropped_attributes);
  return AddAttributes(Scope::kEvent, owned.group, owned.begin, owned.end, overflow,
                       &out_.events.attributes, &out_.events.attribute_end);
}

Error TraceAssembler::AddLinks(const Owned& owned, const OverflowReader& overflow) {
  AddEnds(owned, out_.links.size(), &out_.link_end);
  if (owned.begin == owned.end) return Error::Ok();
  const auto read = [&](LinkColumn column) {
    return Read(Scope::kLink, owned.group, column, owned.begin, owned.end);
  };
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr traces, read(kLinkTrace));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr spans, read(kLinkSpanIdColumn));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr states, read(kLinkTraceState));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr flags, read(kLinkFlags));
  WEFT_ASSIGN_OR_RETURN(const ColumnPtr dropped, read(kLinkDropped));
  for (uint32_t i = 0; i < traces->row_count; ++i) {
    out_.links.trace_id.push_back(
        model::TraceId::FromBytes(traces->dictionary->strings[traces->codes[i]].data()));
    out_.links.span_id.push_back({static_cast<uint64_t>(spans->ints[i])});
    out_.links.trace_state.push_back(TextAt(*states, i));
  }
  AppendU32(*flags, &out_.links.flags);
  AppendU32(*dropped, &out_.links.dropped_attributes);
  return AddAttributes(Scope::kLink, owned.group, owned.begin, owned.end, overflow,
                       &out_.links.attributes, &out_.links.attribute_end);
}

Error TraceAssembler::AddAttributes(Scope scope, uint32_t table_group, uint32_t begin, uint32_t end,
                                    const OverflowReader& overflow, model::AttributeArray* to,
                                    std::vector<uint32_t>* ends) {
  loose_.clear();
  const TableReader& table = block_.table(scope);
  for (uint32_t c = 0; c < table.columns().size(); ++c) {
    if (table.AllNull(table_group, c)) continue;
    const auto attribute = ParseAttributeColumn(table.columns()[c]);
    if (!attribute) continue;
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr column, Read(scope, table_group, c, begin, end));
    WEFT_RETURN_IF_ERROR(CollectColumn(*column, attribute->key));
  }
  const uint64_t first_row = table.row_groups()[table_group].first_row + begin;
  WEFT_RETURN_IF_ERROR(CollectOverflow(scope, first_row, end - begin, overflow));
  SortToOwners(end - begin, to, ends);
  return Error::Ok();
}

Error TraceAssembler::CollectColumn(const Column& column, std::string_view key_text) {
  Code key = model::StringTable::kMissing;
  for (uint32_t row = 0; row < column.row_count; ++row) {
    if (!column.has(row)) continue;
    if (key == model::StringTable::kMissing) key = out_.strings.Intern(key_text);
    Attribute attribute{key, column.type, 0};
    if (column.dictionary && !column.dictionary->strings.empty()) {
      WEFT_ASSIGN_OR_RETURN(
          attribute, MakeText(column.type, key, column.dictionary->strings[column.codes[row]]));
    } else {
      attribute.value = NumberAt(column, row);
    }
    loose_.push_back({row, attribute});
  }
  return Error::Ok();
}

Error TraceAssembler::CollectOverflow(Scope scope, uint64_t first_row, uint32_t count,
                                      const OverflowReader& overflow) {
  Error failed;
  overflow.ForRows(scope, first_row, first_row + count, [&](const OverflowReader::Entry& entry) {
    const Code key = out_.strings.Intern(entry.key);
    Attribute attribute{key, entry.type, entry.number};
    switch (entry.type) {
      case ValueType::kString:
      case ValueType::kBytes:
      case ValueType::kArray:
      case ValueType::kKvList: {
        auto made = MakeText(entry.type, key, entry.text);
        if (!made.ok()) {
          failed = made.error();
          return;
        }
        attribute = *made;
        break;
      }
      default: break;
    }
    loose_.push_back({static_cast<uint32_t>(entry.row - first_row), attribute});
  });
  return failed;
}

Result<Attribute> TraceAssembler::MakeText(ValueType type, Code key, std::string_view text) {
  if (type == ValueType::kString || type == ValueType::kBytes) {
    return Attribute{key, type, out_.strings.Intern(text)};
  }
  WEFT_ASSIGN_OR_RETURN(Attribute attribute, ParseJsonText(text, &out_));
  if (attribute.type != type) return Corrupt("the JSON text of an attribute has the wrong type");
  attribute.key = key;
  return attribute;
}

// A stable counting sort by owner.
void TraceAssembler::SortToOwners(uint32_t count, model::AttributeArray* to,
                                  std::vector<uint32_t>* ends) {
  counts_.assign(count + 1, 0);
  for (const Loose& loose : loose_) ++counts_[loose.owner + 1];
  const uint32_t base = to->size();
  for (uint32_t i = 0; i < count; ++i) {
    counts_[i + 1] += counts_[i];
    ends->push_back(base + counts_[i + 1]);
  }
  to->keys().resize(base + loose_.size());
  to->values().resize(base + loose_.size());
  for (const Loose& loose : loose_) {
    const uint32_t at = base + counts_[loose.owner]++;
    to->keys()[at] = loose.attribute.key << 3 | static_cast<uint32_t>(loose.attribute.type);
    to->values()[at] = loose.attribute.value;
  }
}

}  // namespace weft::block
