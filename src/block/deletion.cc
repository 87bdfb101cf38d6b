#include "block/deletion.h"

#include "base/checksum.h"
#include "block/json_object.h"

namespace weft::block {
namespace {

void AppendPart(const Deletion::Part& part, std::string* out) {
  ObjectWriter object(out);
  object.String("block", part.block_id);
  object.Name("rows");
  AppendJsonList(
      part.rows.runs(),
      [](const RowSet::Run& run, std::string* to) {
        to->append(std::to_string(run.first) + "," + std::to_string(run.count));
      },
      out);
  object.Close();
}

// All members but the checksum; the object is still open.
std::string BodyOf(const Deletion& deletion) {
  std::string out;
  ObjectWriter object(&out);
  object.Number("format_version", Deletion::kFormatVersion);
  object.String("id", deletion.id);
  object.String("tenant", deletion.tenant);
  object.Number("created_ns", deletion.created_ns);
  object.String("requested_by", deletion.requested_by);
  object.String("query", deletion.query);
  object.Number("trace_id_count", deletion.trace_id_count);
  object.Number("start_ns", deletion.range.start_ns);
  object.Number("end_ns", deletion.range.end_ns);
  object.Number("span_count", deletion.span_count);
  object.Number("trace_count", deletion.trace_count);
  object.Number("block_count", deletion.block_count);
  object.Number("unreadable_blocks", deletion.unreadable_blocks);
  object.Number("done_ns", deletion.done_ns);
  object.Name("parts");
  AppendJsonList(deletion.parts, AppendPart, &out);
  return out;
}

Result<RowSet> RowsOf(const std::vector<uint64_t>& numbers) {
  std::vector<RowSet::Run> runs;
  for (size_t i = 0; i + 1 < numbers.size(); i += 2) runs.push_back({numbers[i], numbers[i + 1]});
  if (numbers.size() % 2 != 0) return Error(ErrorCode::kCorrupt, "half a run of rows");
  return RowSet::FromRuns(std::move(runs));
}

void ReadPart(ObjectReader* object, Deletion* deletion, Error* error) {
  Deletion::Part& part = deletion->parts.emplace_back();
  object->String("block", &part.block_id);
  std::vector<uint64_t> numbers;
  object->Numbers("rows", &numbers);
  auto rows = RowsOf(numbers);
  if (!rows.ok()) *error = rows.error();
  if (rows.ok()) part.rows = std::move(rows).value();
}

Error ReadBody(ObjectReader* object, Deletion* deletion) {
  object->String("id", &deletion->id);
  object->String("tenant", &deletion->tenant);
  object->Number("created_ns", &deletion->created_ns);
  object->String("requested_by", &deletion->requested_by);
  object->String("query", &deletion->query);
  object->Number("trace_id_count", &deletion->trace_id_count);
  object->Number("start_ns", &deletion->range.start_ns);
  object->Number("end_ns", &deletion->range.end_ns);
  object->Number("span_count", &deletion->span_count);
  object->Number("trace_count", &deletion->trace_count);
  object->Number("block_count", &deletion->block_count);
  object->Number("unreadable_blocks", &deletion->unreadable_blocks);
  object->Number("done_ns", &deletion->done_ns);
  Error error;
  object->List("parts",
               [deletion, &error](ObjectReader* part) { ReadPart(part, deletion, &error); });
  return error;
}

}  // namespace

std::string Deletion::ToJson() const {
  std::string out = BodyOf(*this);
  const uint32_t checksum = Crc32c(out);
  out.append(",\"checksum\":" + std::to_string(checksum) + "}\n");
  return out;
}

Result<Deletion> Deletion::FromJson(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) {
    return Error(ErrorCode::kCorrupt, "it is not JSON");
  }
  Deletion deletion;
  ObjectReader object(root);
  uint32_t version = 0;
  uint32_t checksum = 0;
  object.Number("format_version", &version);
  if (object.bad().empty() && version > kFormatVersion) {
    return Error(ErrorCode::kUnsupported, "it has format version " + std::to_string(version) +
                                              ", this weft reads up to " +
                                              std::to_string(kFormatVersion));
  }
  WEFT_RETURN_IF_ERROR(ReadBody(&object, &deletion));
  object.Number("checksum", &checksum);
  if (!object.bad().empty()) {
    return Error(ErrorCode::kCorrupt, object.bad() + " is missing or malformed");
  }
  if (version != kFormatVersion || checksum != Crc32c(BodyOf(deletion))) {
    return Error(ErrorCode::kCorrupt, "it does not match its own checksum");
  }
  return deletion;
}

}  // namespace weft::block
