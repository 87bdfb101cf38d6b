#include "bench/span_table.h"

#include <charconv>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>

#include "block/json_text.h"

namespace weft::bench {
namespace {

using arrow::ListBuilder;
using arrow::MapBuilder;
using arrow::StringBuilder;
using arrow::TimestampBuilder;
using arrow::UInt64Builder;
using model::Attribute;
using model::IndexRange;
using model::SpanBatch;
using model::ValueType;

// What fails here is memory alone, which nothing could be done about.
void Must(const arrow::Status& status) {
  if (!status.ok()) status.Abort("a column of the workload");
}

const char* KindName(uint8_t kind) {
  static constexpr const char* kNames[] = {"Unspecified", "Internal", "Server",
                                           "Client",      "Producer", "Consumer"};
  return kind < std::size(kNames) ? kNames[kind] : kNames[0];
}

const char* StatusName(uint8_t status) {
  static constexpr const char* kNames[] = {"Unset", "Ok", "Error"};
  return status < std::size(kNames) ? kNames[status] : kNames[0];
}

// The text that the exporter stores of a value.
void ValueText(const SpanBatch& batch, const Attribute& value, std::string* out) {
  out->clear();
  switch (value.type) {
    case ValueType::kString:
    case ValueType::kBytes: out->append(batch.strings[value.as_code()]); return;
    case ValueType::kInt: *out = std::to_string(value.as_int()); return;
    case ValueType::kBool: *out = value.as_bool() ? "true" : "false"; return;
    case ValueType::kEmpty: return;
    case ValueType::kDouble: {
      char text[32];
      const auto end = std::to_chars(text, text + sizeof text, value.as_double()).ptr;
      out->assign(text, end);
      return;
    }
    case ValueType::kArray:
    case ValueType::kKvList: block::AppendJsonText(batch, value, out); return;
  }
}

// Whether the first key of `range` stands there again: of a key that was sent twice the last value
// counts, as in the exporter.
bool ComesAgain(const model::AttributeArray& attributes, IndexRange range) {
  for (uint32_t i = range.begin + 1; i < range.end; ++i) {
    if (attributes.key(i) == attributes.key(range.begin)) return true;
  }
  return false;
}

class TextMap {
 public:
  TextMap()
      : keys_(std::make_shared<StringBuilder>()),
        values_(std::make_shared<StringBuilder>()),
        map_(std::make_shared<MapBuilder>(arrow::default_memory_pool(), keys_, values_)) {}

  void Append(const SpanBatch& batch, const model::AttributeArray& attributes, IndexRange range) {
    Must(map_->Append());
    for (uint32_t i = range.begin; i < range.end; ++i) {
      const Attribute attribute = attributes[i];
      if (ComesAgain(attributes, {i, range.end})) continue;
      ValueText(batch, attribute, &text_);
      Must(keys_->Append(batch.strings[attribute.key]));
      Must(values_->Append(text_));
    }
  }
  const std::shared_ptr<MapBuilder>& builder() const { return map_; }

 private:
  std::shared_ptr<StringBuilder> keys_;
  std::shared_ptr<StringBuilder> values_;
  std::shared_ptr<MapBuilder> map_;
  std::string text_;
};

std::shared_ptr<arrow::DataType> Nanoseconds() {
  return arrow::timestamp(arrow::TimeUnit::NANO, "UTC");
}

// A list column: one list a span.
template <typename Builder>
struct Lists {
  explicit Lists(std::shared_ptr<Builder> of)
      : values(std::move(of)),
        lists(std::make_shared<ListBuilder>(arrow::default_memory_pool(), values)) {}
  std::shared_ptr<Builder> values;
  std::shared_ptr<ListBuilder> lists;
};

std::shared_ptr<TimestampBuilder> NewTimestamps() {
  return std::make_shared<TimestampBuilder>(Nanoseconds(), arrow::default_memory_pool());
}

}  // namespace

struct SpanTable::Columns {
  std::shared_ptr<TimestampBuilder> timestamp = NewTimestamps();
  std::shared_ptr<StringBuilder> trace_id = std::make_shared<StringBuilder>();
  std::shared_ptr<StringBuilder> span_id = std::make_shared<StringBuilder>();
  std::shared_ptr<StringBuilder> parent_span_id = std::make_shared<StringBuilder>();
  std::shared_ptr<StringBuilder> trace_state = std::make_shared<StringBuilder>();
  std::shared_ptr<StringBuilder> span_name = std::make_shared<StringBuilder>();
  std::shared_ptr<StringBuilder> span_kind = std::make_shared<StringBuilder>();
  std::shared_ptr<StringBuilder> service_name = std::make_shared<StringBuilder>();
  TextMap resource_attributes;
  std::shared_ptr<StringBuilder> scope_name = std::make_shared<StringBuilder>();
  std::shared_ptr<StringBuilder> scope_version = std::make_shared<StringBuilder>();
  TextMap span_attributes;
  std::shared_ptr<UInt64Builder> duration = std::make_shared<UInt64Builder>();
  std::shared_ptr<StringBuilder> status_code = std::make_shared<StringBuilder>();
  std::shared_ptr<StringBuilder> status_message = std::make_shared<StringBuilder>();
  Lists<TimestampBuilder> event_timestamp{NewTimestamps()};
  Lists<StringBuilder> event_name{std::make_shared<StringBuilder>()};
  TextMap event_maps;
  Lists<MapBuilder> event_attributes{event_maps.builder()};
  Lists<StringBuilder> link_trace_id{std::make_shared<StringBuilder>()};
  Lists<StringBuilder> link_span_id{std::make_shared<StringBuilder>()};
  Lists<StringBuilder> link_trace_state{std::make_shared<StringBuilder>()};
  TextMap link_maps;
  Lists<MapBuilder> link_attributes{link_maps.builder()};

  void AppendSpan(const SpanBatch& batch, uint32_t span);
  void AppendEvents(const SpanBatch& batch, uint32_t span);
  void AppendLinks(const SpanBatch& batch, uint32_t span);
  std::vector<std::pair<std::string, std::shared_ptr<arrow::ArrayBuilder>>> Named() const;
};

void SpanTable::Columns::AppendSpan(const SpanBatch& batch, uint32_t span) {
  const auto text = [&](model::Code code) { return batch.strings[code]; };
  const uint64_t start = batch.start_ns[span];
  const uint64_t end = batch.end_ns[span];
  const model::SpanId parent = batch.parent_span_id[span];
  const uint32_t resource = batch.resource[span];
  const uint32_t scope = batch.scope[span];
  Must(timestamp->Append(static_cast<int64_t>(start)));
  Must(trace_id->Append(batch.trace_id(span).ToHex()));
  Must(span_id->Append(batch.span_id[span].ToHex()));
  Must(parent_span_id->Append(parent.valid() ? parent.ToHex() : ""));
  Must(trace_state->Append(text(batch.trace_state[span])));
  Must(span_name->Append(text(batch.name[span])));
  Must(span_kind->Append(KindName(batch.kind[span])));
  Must(service_name->Append(text(batch.ServiceName(resource))));
  resource_attributes.Append(batch, batch.resources.attributes,
                             batch.ResourceAttributesOf(resource));
  Must(scope_name->Append(text(batch.scopes.name[scope])));
  Must(scope_version->Append(text(batch.scopes.version[scope])));
  span_attributes.Append(batch, batch.attributes, batch.AttributesOf(span));
  Must(duration->Append(end > start ? end - start : 0));
  Must(status_code->Append(StatusName(batch.status[span])));
  Must(status_message->Append(text(batch.status_message[span])));
  AppendEvents(batch, span);
  AppendLinks(batch, span);
}

void SpanTable::Columns::AppendEvents(const SpanBatch& batch, uint32_t span) {
  Must(event_timestamp.lists->Append());
  Must(event_name.lists->Append());
  Must(event_attributes.lists->Append());
  const IndexRange range = batch.EventsOf(span);
  for (uint32_t e = range.begin; e < range.end; ++e) {
    Must(event_timestamp.values->Append(static_cast<int64_t>(batch.events.time_ns[e])));
    Must(event_name.values->Append(batch.strings[batch.events.name[e]]));
    event_maps.Append(batch, batch.events.attributes, batch.EventAttributesOf(e));
  }
}

void SpanTable::Columns::AppendLinks(const SpanBatch& batch, uint32_t span) {
  Must(link_trace_id.lists->Append());
  Must(link_span_id.lists->Append());
  Must(link_trace_state.lists->Append());
  Must(link_attributes.lists->Append());
  const IndexRange range = batch.LinksOf(span);
  for (uint32_t l = range.begin; l < range.end; ++l) {
    Must(link_trace_id.values->Append(batch.links.trace_id[l].ToHex()));
    Must(link_span_id.values->Append(batch.links.span_id[l].ToHex()));
    Must(link_trace_state.values->Append(batch.strings[batch.links.trace_state[l]]));
    link_maps.Append(batch, batch.links.attributes, batch.LinkAttributesOf(l));
  }
}

std::vector<std::pair<std::string, std::shared_ptr<arrow::ArrayBuilder>>>
SpanTable::Columns::Named() const {
  return {{"Timestamp", timestamp},
          {"TraceId", trace_id},
          {"SpanId", span_id},
          {"ParentSpanId", parent_span_id},
          {"TraceState", trace_state},
          {"SpanName", span_name},
          {"SpanKind", span_kind},
          {"ServiceName", service_name},
          {"ResourceAttributes", resource_attributes.builder()},
          {"ScopeName", scope_name},
          {"ScopeVersion", scope_version},
          {"SpanAttributes", span_attributes.builder()},
          {"Duration", duration},
          {"StatusCode", status_code},
          {"StatusMessage", status_message},
          {"Events.Timestamp", event_timestamp.lists},
          {"Events.Name", event_name.lists},
          {"Events.Attributes", event_attributes.lists},
          {"Links.TraceId", link_trace_id.lists},
          {"Links.SpanId", link_span_id.lists},
          {"Links.TraceState", link_trace_state.lists},
          {"Links.Attributes", link_attributes.lists}};
}

SpanTable::SpanTable() : columns_(std::make_unique<Columns>()) {}
SpanTable::~SpanTable() = default;

void SpanTable::Append(const SpanBatch& batch) {
  for (uint32_t span = 0; span < batch.size(); ++span) columns_->AppendSpan(batch, span);
}

uint64_t SpanTable::spans() const { return static_cast<uint64_t>(columns_->timestamp->length()); }

Error SpanTable::WriteFile(const std::string& path) {
  const auto rows = static_cast<int64_t>(spans());
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const auto& [name, builder] : columns_->Named()) {
    arrays.emplace_back();
    Must(builder->Finish(&arrays.back()));
    fields.push_back(arrow::field(name, arrays.back()->type(), false));
  }
  const auto schema = arrow::schema(std::move(fields));
  const auto batch = arrow::RecordBatch::Make(schema, rows, std::move(arrays));
  const auto write = [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::FileOutputStream::Open(path));
    ARROW_ASSIGN_OR_RAISE(const auto writer, arrow::ipc::MakeFileWriter(file, schema));
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
    ARROW_RETURN_NOT_OK(writer->Close());
    return file->Close();
  };
  if (const arrow::Status status = write(); !status.ok())
    return Error(ErrorCode::kIo, "can't write " + path + ": " + status.ToString());
  return Error::Ok();
}

}  // namespace weft::bench
