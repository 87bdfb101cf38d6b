#include "block/traces_writer.h"

#include <algorithm>

#include "block/attributed_table.h"
#include "block/json_text.h"
#include "block/schema.h"

namespace weft::block {

TracesWriter::TracesWriter(const BlockWriterOptions& options)
    : file_(ColumnsOf(kTracesFile, {}), options) {}

// The order of these calls is that of the enum TraceColumn.
Error TracesWriter::Write(std::span<const TraceRow> traces, int32_t ordinal,
                          model::StringTable* strings) {
  const uint32_t count = static_cast<uint32_t>(traces.size());
  const auto numbers = [&](auto value) {
    return filler_.WriteNumbers(&file_, count, [&](uint32_t t) { return value(traces[t]); });
  };
  const auto optional_codes = [&](model::Code TraceRow::* code) {
    return filler_.WriteOptionalCodes(&file_, count, *strings,
                                      [&](uint32_t t) { return traces[t].*code; });
  };
  WEFT_RETURN_IF_ERROR(file_.BeginRowGroup(count, ordinal));
  WEFT_RETURN_IF_ERROR(numbers([&](const TraceRow&) { return ordinal; }));
  WEFT_RETURN_IF_ERROR(numbers([](const TraceRow& t) { return t.first_row; }));
  WEFT_RETURN_IF_ERROR(numbers([](const TraceRow& t) { return t.span_count; }));
  WEFT_RETURN_IF_ERROR(numbers([](const TraceRow& t) { return t.error_count; }));
  WEFT_RETURN_IF_ERROR(numbers([](const TraceRow& t) { return t.start_ns; }));
  WEFT_RETURN_IF_ERROR(numbers([](const TraceRow& t) { return t.end_ns - t.start_ns; }));
  WEFT_RETURN_IF_ERROR(optional_codes(&TraceRow::root_service));
  WEFT_RETURN_IF_ERROR(optional_codes(&TraceRow::root_name));
  WEFT_RETURN_IF_ERROR(
      filler_.WriteCodes(&file_, count, *strings, [&](uint32_t t) { return traces[t].services; }));
  WEFT_RETURN_IF_ERROR(numbers([](const TraceRow& t) { return t.flags; }));
  return file_.EndRowGroup();
}

model::Code InternTraceId(model::TraceId id, model::StringTable* strings) {
  char bytes[16];
  id.ToBytes(bytes);
  return strings->Intern({bytes, sizeof bytes});
}

void AppendServicesText(std::vector<std::string_view>* names, std::string* out) {
  std::sort(names->begin(), names->end());
  names->erase(std::unique(names->begin(), names->end()), names->end());
  out->push_back('[');
  for (size_t i = 0; i < names->size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendJsonString((*names)[i], out);
  }
  out->push_back(']');
}

}  // namespace weft::block
