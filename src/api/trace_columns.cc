// The text is written in one pass over the rows for each column. Dictionary, resources and scopes
// get their numbers in the order in which the rows use them, so what the spans don't use isn't
// sent; they stand last because only then they are known.

#include "api/trace_columns.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <utility>

#include "api/json_writer.h"
#include "block/row_source.h"

namespace weft::api {
namespace {

using model::AttributeArray;
using model::Code;
using model::IndexRange;
using model::SpanBatch;
using model::ValueType;

constexpr uint32_t kUnused = 0xffffffff;
// Deeper values than receivers let in are cut, whatever a file may say.
constexpr int kDepthMax = 200;

// Gives out new numbers for old ones in the order of first use.
class Renumbering {
 public:
  explicit Renumbering(uint32_t size) : numbers_(size, kUnused) {}

  uint32_t Use(uint32_t old) {
    if (numbers_[old] == kUnused) {
      numbers_[old] = static_cast<uint32_t>(used_.size());
      used_.push_back(old);
    }
    return numbers_[old];
  }
  const std::vector<uint32_t>& used() const { return used_; }

 private:
  std::vector<uint32_t> numbers_;
  std::vector<uint32_t> used_;
};

class ColumnsEncoder {
 public:
  ColumnsEncoder(const OrderedTrace& trace, std::string* out)
      : trace_(trace),
        batch_(*trace.batch),
        json_(out),
        strings_(batch_.strings.size()),
        resources_(batch_.resources.size()),
        scopes_(batch_.scopes.size()) {}

  void Write(model::TraceId id, uint32_t flags) {
    json_.BeginObject();
    json_.Field("traceId", id.ToHex());
    json_.Int64Field("startNs", trace_.start_ns);
    json_.Int64Field("endNs", trace_.end_ns);
    WriteFlags(flags);
    WriteSpans();
    WriteEvents();
    WriteLinks();
    WriteResources();
    WriteScopes();
    WriteDictionary();
    json_.EndObject();
  }

 private:
  template <typename F>
  void RowColumn(std::string_view name, F write) {
    json_.Key(name);
    json_.BeginArray();
    for (uint32_t row = 0; row < trace_.size(); ++row) write(trace_.tree.input[row], row);
    json_.EndArray();
  }
  template <typename F>
  void ListColumn(std::string_view name, const std::vector<std::pair<uint32_t, uint32_t>>& list,
                  F write) {
    json_.Key(name);
    json_.BeginArray();
    for (const auto& [row, item] : list) write(row, item);
    json_.EndArray();
  }
  void CodeColumn(std::string_view name, const std::vector<Code>& codes) {
    RowColumn(name, [&](uint32_t span, uint32_t) { json_.Uint(strings_.Use(codes[span])); });
  }
  template <typename T>
  void NumberColumn(std::string_view name, const std::vector<T>& numbers) {
    RowColumn(name, [&](uint32_t span, uint32_t) { json_.Uint(numbers[span]); });
  }

  void WriteFlags(uint32_t flags);
  void WriteSpans();
  void WriteTree();
  void WriteEvents();
  void WriteLinks();
  void WriteResources();
  void WriteScopes();
  void WriteDictionary();
  void WriteAttributes(const AttributeArray& from, IndexRange range, int depth = 0);
  void WriteValue(const AttributeArray& from, uint32_t i, int depth);
  // A time as ns after the start of the trace; before it (an event's clock may say so) as a
  // negative number.
  void WriteOffset(uint64_t time_ns) {
    json_.SafeInt(static_cast<int64_t>(time_ns - trace_.start_ns));
  }

  const OrderedTrace& trace_;
  const SpanBatch& batch_;
  JsonWriter json_;
  Renumbering strings_;
  Renumbering resources_;
  Renumbering scopes_;
};

void ColumnsEncoder::WriteFlags(uint32_t flags) {
  constexpr std::array<std::pair<uint32_t, std::string_view>, 6> kNames = {
      {{block::kTraceRootMissing, "root_missing"},
       {block::kTraceOrphans, "orphans"},
       {block::kTraceDuplicateIds, "duplicate_ids"},
       {block::kTraceCycles, "cycles"},
       {block::kTraceFragment, "fragment"},
       {block::kTraceClockSkew, "clock_skew"}}};
  json_.Key("flags");
  json_.BeginArray();
  for (const auto& [bit, name] : kNames) {
    if ((flags & bit) != 0) json_.String(name);
  }
  json_.EndArray();
}

void ColumnsEncoder::WriteSpans() {
  json_.Key("spans");
  json_.BeginObject();
  RowColumn("id", [&](uint32_t span, uint32_t) { json_.String(batch_.span_id[span].ToHex()); });
  RowColumn("parentId", [&](uint32_t span, uint32_t) {
    const model::SpanId parent = batch_.parent_span_id[span];
    json_.String(parent.valid() ? parent.ToHex() : std::string());
  });
  WriteTree();
  RowColumn("start", [&](uint32_t span, uint32_t) {
    json_.SafeUint(batch_.start_ns[span] - trace_.start_ns);
  });
  RowColumn("duration", [&](uint32_t span, uint32_t) {
    json_.SafeInt(static_cast<int64_t>(batch_.end_ns[span] - batch_.start_ns[span]));
  });
  CodeColumn("name", batch_.name);
  // Kinds and states that OTLP doesn't know mean what it says they mean: unspecified and unset.
  RowColumn("kind", [&](uint32_t span, uint32_t) {
    json_.Uint(batch_.kind[span] <= 5 ? batch_.kind[span] : 0);
  });
  RowColumn("status", [&](uint32_t span, uint32_t) {
    json_.Uint(batch_.status[span] <= 2 ? batch_.status[span] : 0);
  });
  CodeColumn("statusMessage", batch_.status_message);
  RowColumn("resource",
            [&](uint32_t span, uint32_t) { json_.Uint(resources_.Use(batch_.resource[span])); });
  RowColumn("scope", [&](uint32_t span, uint32_t) { json_.Uint(scopes_.Use(batch_.scope[span])); });
  NumberColumn("flags", batch_.flags);
  CodeColumn("traceState", batch_.trace_state);
  NumberColumn("droppedAttributes", batch_.dropped_attributes);
  NumberColumn("droppedEvents", batch_.dropped_events);
  NumberColumn("droppedLinks", batch_.dropped_links);
  RowColumn("attributes", [&](uint32_t span, uint32_t) {
    WriteAttributes(batch_.attributes, batch_.AttributesOf(span));
  });
  json_.EndObject();
}

void ColumnsEncoder::WriteTree() {
  const model::Preorder& tree = trace_.tree;
  RowColumn("parent", [&](uint32_t, uint32_t row) {
    json_.Int(tree.parent[row] == 0 ? -1 : static_cast<int64_t>(row) - tree.parent[row]);
  });
  RowColumn("subtreeSize", [&](uint32_t, uint32_t row) { json_.Uint(tree.subtree_size[row]); });
  RowColumn("marks", [&](uint32_t, uint32_t row) { json_.Uint(tree.marks[row]); });
}

void ColumnsEncoder::WriteEvents() {
  std::vector<std::pair<uint32_t, uint32_t>> list;  // row, event
  for (uint32_t row = 0; row < trace_.size(); ++row) {
    const IndexRange range = batch_.EventsOf(trace_.tree.input[row]);
    const size_t first = list.size();
    for (uint32_t event = range.begin; event < range.end; ++event) list.emplace_back(row, event);
    std::sort(list.begin() + static_cast<ptrdiff_t>(first), list.end(),
              [&](const auto& a, const auto& b) {
                const uint64_t a_time = batch_.events.time_ns[a.second];
                const uint64_t b_time = batch_.events.time_ns[b.second];
                return a_time != b_time ? a_time < b_time : a.second < b.second;
              });
  }
  const model::EventColumns& events = batch_.events;
  json_.Key("events");
  json_.BeginObject();
  ListColumn("span", list, [&](uint32_t row, uint32_t) { json_.Uint(row); });
  ListColumn("time", list, [&](uint32_t, uint32_t event) { WriteOffset(events.time_ns[event]); });
  ListColumn("name", list,
             [&](uint32_t, uint32_t event) { json_.Uint(strings_.Use(events.name[event])); });
  ListColumn("droppedAttributes", list,
             [&](uint32_t, uint32_t event) { json_.Uint(events.dropped_attributes[event]); });
  ListColumn("attributes", list, [&](uint32_t, uint32_t event) {
    WriteAttributes(events.attributes, batch_.EventAttributesOf(event));
  });
  json_.EndObject();
}

void ColumnsEncoder::WriteLinks() {
  std::vector<std::pair<uint32_t, uint32_t>> list;  // row, link
  for (uint32_t row = 0; row < trace_.size(); ++row) {
    const IndexRange range = batch_.LinksOf(trace_.tree.input[row]);
    for (uint32_t link = range.begin; link < range.end; ++link) list.emplace_back(row, link);
  }
  const model::LinkColumns& links = batch_.links;
  json_.Key("links");
  json_.BeginObject();
  ListColumn("span", list, [&](uint32_t row, uint32_t) { json_.Uint(row); });
  ListColumn("traceId", list,
             [&](uint32_t, uint32_t link) { json_.String(links.trace_id[link].ToHex()); });
  ListColumn("spanId", list,
             [&](uint32_t, uint32_t link) { json_.String(links.span_id[link].ToHex()); });
  ListColumn("traceState", list,
             [&](uint32_t, uint32_t link) { json_.Uint(strings_.Use(links.trace_state[link])); });
  ListColumn("flags", list, [&](uint32_t, uint32_t link) { json_.Uint(links.flags[link]); });
  ListColumn("droppedAttributes", list,
             [&](uint32_t, uint32_t link) { json_.Uint(links.dropped_attributes[link]); });
  ListColumn("attributes", list, [&](uint32_t, uint32_t link) {
    WriteAttributes(links.attributes, batch_.LinkAttributesOf(link));
  });
  json_.EndObject();
}

void ColumnsEncoder::WriteResources() {
  const model::ResourceColumns& resources = batch_.resources;
  json_.Key("resources");
  json_.BeginArray();
  for (const uint32_t r : resources_.used()) {
    json_.BeginObject();
    json_.UintField("service", strings_.Use(batch_.ServiceName(r)));
    json_.UintField("schemaUrl", strings_.Use(resources.schema_url[r]));
    json_.UintField("droppedAttributes", resources.dropped_attributes[r]);
    json_.Key("attributes");
    WriteAttributes(resources.attributes, batch_.ResourceAttributesOf(r));
    json_.EndObject();
  }
  json_.EndArray();
}

void ColumnsEncoder::WriteScopes() {
  const model::ScopeColumns& scopes = batch_.scopes;
  json_.Key("scopes");
  json_.BeginArray();
  for (const uint32_t s : scopes_.used()) {
    json_.BeginObject();
    json_.UintField("name", strings_.Use(scopes.name[s]));
    json_.UintField("version", strings_.Use(scopes.version[s]));
    json_.UintField("schemaUrl", strings_.Use(scopes.schema_url[s]));
    json_.UintField("droppedAttributes", scopes.dropped_attributes[s]);
    json_.Key("attributes");
    WriteAttributes(scopes.attributes, batch_.ScopeAttributesOf(s));
    json_.EndObject();
  }
  json_.EndArray();
}

void ColumnsEncoder::WriteDictionary() {
  json_.Key("dictionary");
  json_.BeginArray();
  for (const Code code : strings_.used()) json_.String(batch_.strings[code]);
  json_.EndArray();
}

void ColumnsEncoder::WriteAttributes(const AttributeArray& from, IndexRange range, int depth) {
  json_.BeginArray();
  for (uint32_t i = range.begin; i < range.end; ++i) {
    json_.Uint(strings_.Use(from.key(i)));
    WriteValue(from, i, depth);
  }
  json_.EndArray();
}

// Type and value, as two list entries.
void ColumnsEncoder::WriteValue(const AttributeArray& from, uint32_t i, int depth) {
  const model::Attribute a = from[i];
  const bool cut =
      depth >= kDepthMax && (a.type == ValueType::kArray || a.type == ValueType::kKvList);
  json_.Uint(cut ? 0 : static_cast<uint8_t>(a.type));
  if (cut) return json_.Null();
  switch (a.type) {
    case ValueType::kEmpty: return json_.Null();
    case ValueType::kString: return json_.Uint(strings_.Use(a.as_code()));
    case ValueType::kInt: return json_.SafeInt(a.as_int());
    case ValueType::kDouble: return json_.Double(a.as_double());
    case ValueType::kBool: return json_.Bool(a.as_bool());
    case ValueType::kBytes: return json_.Base64(batch_.strings[a.as_code()]);
    case ValueType::kArray: break;
    case ValueType::kKvList: break;
  }
  const model::NestedRange nested = a.as_nested();
  const IndexRange range = {nested.begin, nested.begin + nested.count};
  if (a.type == ValueType::kKvList) return WriteAttributes(batch_.nested, range, depth + 1);
  json_.BeginArray();
  for (uint32_t element = range.begin; element < range.end; ++element)
    WriteValue(batch_.nested, element, depth + 1);
  json_.EndArray();
}

// What the tree says about the trace as a whole.
uint32_t FlagsOf(const OrderedTrace& trace) {
  uint8_t marks = 0;
  bool has_root = false;
  for (uint32_t row = 0; row < trace.size(); ++row) {
    marks |= trace.tree.marks[row];
    has_root |= !trace.batch->parent_span_id[trace.tree.input[row]].valid();
  }
  uint32_t flags = 0;
  if (!has_root) flags |= block::kTraceRootMissing;
  if (marks & model::kMarkOrphan) flags |= block::kTraceOrphans;
  if (marks & model::kMarkDuplicateId) flags |= block::kTraceDuplicateIds;
  if (marks & model::kMarkCycle) flags |= block::kTraceCycles;
  if (marks & (model::kMarkStartsBefore | model::kMarkEndsAfter)) flags |= block::kTraceClockSkew;
  return flags;
}

}  // namespace

OrderedTrace OrderTrace(const SpanBatch& batch) {
  std::vector<model::TreeSpan> spans(batch.size());
  for (uint32_t i = 0; i < batch.size(); ++i) {
    spans[i] = {batch.span_id[i], batch.parent_span_id[i], batch.start_ns[i], batch.end_ns[i],
                batch.kind[i]};
  }
  OrderedTrace trace;
  trace.batch = &batch;
  model::PreorderBuilder builder;
  trace.tree = builder.Build(spans, [&](uint32_t span) { return model::ContentHash(batch, span); });
  if (trace.size() == 0) return trace;
  trace.start_ns = batch.start_ns[trace.tree.input[0]];
  for (const uint32_t span : trace.tree.input) {
    trace.start_ns = std::min(trace.start_ns, batch.start_ns[span]);
    trace.end_ns = std::max(trace.end_ns, batch.end_ns[span]);
  }
  trace.end_ns = std::max(trace.end_ns, trace.start_ns);
  trace.flags = FlagsOf(trace);
  return trace;
}

std::string EncodeTraceColumns(const OrderedTrace& trace, model::TraceId id, uint32_t flags) {
  std::string out;
  out.reserve(size_t{256} * trace.size() + trace.batch->strings.bytes());
  ColumnsEncoder(trace, &out).Write(id, trace.flags | flags);
  return out;
}

}  // namespace weft::api
