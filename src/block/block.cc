#include "block/block.h"

#include <algorithm>
#include <cstdio>

#include "base/checksum.h"
#include "block/json_object.h"

namespace weft::block {
namespace {

void AppendRowGroup(const RowGroupMeta& group, std::string* out) {
  ObjectWriter object(out);
  object.Number("span_count", group.span_count);
  object.Number("trace_count", group.trace_count);
  object.Number("first_start_ns", group.first_start_ns);
  object.Number("last_start_ns", group.last_start_ns);
  object.Number("last_trace_start_ns", group.last_trace_start_ns);
  object.Close();
}

void AppendFile(const FileMeta& file, std::string* out) {
  ObjectWriter object(out);
  object.String("name", file.name);
  object.Number("size_bytes", file.size_bytes);
  object.Number("crc32c", file.crc32c);
  object.Number("tail_bytes", file.tail_bytes);
  object.Number("tail_crc32c", file.tail_crc32c);
  object.Close();
}

void AppendManyKeys(const ManyKeys& many, std::string* out) {
  ObjectWriter object(out);
  object.String("service", many.service);
  object.Number("keys", many.keys);
  object.String("example", many.example);
  object.Close();
}

// All members but the checksum; the object is still open.
std::string BodyOf(const BlockMeta& meta) {
  std::string out;
  ObjectWriter object(&out);
  object.Number("format_version", meta.format_version);
  object.String("id", meta.id);
  object.String("tenant", meta.tenant);
  object.Number("created_ns", meta.created_ns);
  object.Number("level", meta.level);
  object.Number("span_count", meta.span_count);
  object.Number("trace_count", meta.trace_count);
  object.Number("event_count", meta.event_count);
  object.Number("link_count", meta.link_count);
  object.Number("first_start_ns", meta.first_start_ns);
  object.Number("last_start_ns", meta.last_start_ns);
  object.Number("last_end_ns", meta.last_end_ns);
  object.Number("duplicate_count", meta.duplicate_count);
  object.Name("row_groups");
  AppendJsonList(meta.row_groups, AppendRowGroup, &out);
  object.Name("files");
  AppendJsonList(meta.files, AppendFile, &out);
  if (!meta.replaces.empty()) {
    object.Name("replaces");
    AppendJsonList(
        meta.replaces, [](const std::string& id, std::string* to) { AppendJsonString(id, to); },
        &out);
  }
  if (!meta.deletion.empty()) object.String("deletion", meta.deletion);
  if (!meta.many_keys.empty()) {
    object.Name("many_keys");
    AppendJsonList(meta.many_keys, AppendManyKeys, &out);
  }
  return out;
}

void ReadRowGroup(ObjectReader* object, RowGroupMeta* group) {
  object->Number("span_count", &group->span_count);
  object->Number("trace_count", &group->trace_count);
  object->Number("first_start_ns", &group->first_start_ns);
  object->Number("last_start_ns", &group->last_start_ns);
  object->Number("last_trace_start_ns", &group->last_trace_start_ns);
}

void ReadFile(ObjectReader* object, FileMeta* file) {
  object->String("name", &file->name);
  object->Number("size_bytes", &file->size_bytes);
  object->Number("crc32c", &file->crc32c);
  object->Number("tail_bytes", &file->tail_bytes);
  object->Number("tail_crc32c", &file->tail_crc32c);
}

void ReadBody(ObjectReader* object, BlockMeta* meta) {
  object->String("id", &meta->id);
  object->String("tenant", &meta->tenant);
  object->Number("created_ns", &meta->created_ns);
  object->Number("level", &meta->level);
  object->Number("span_count", &meta->span_count);
  object->Number("trace_count", &meta->trace_count);
  object->Number("event_count", &meta->event_count);
  object->Number("link_count", &meta->link_count);
  object->Number("first_start_ns", &meta->first_start_ns);
  object->Number("last_start_ns", &meta->last_start_ns);
  object->Number("last_end_ns", &meta->last_end_ns);
  object->Number("duplicate_count", &meta->duplicate_count);
  object->List("row_groups", [meta](ObjectReader* group) {
    ReadRowGroup(group, &meta->row_groups.emplace_back());
  });
  object->List("files",
               [meta](ObjectReader* file) { ReadFile(file, &meta->files.emplace_back()); });
  object->OptionalStrings("replaces", &meta->replaces);
  object->OptionalString("deletion", &meta->deletion);
  object->OptionalList("many_keys", [meta](ObjectReader* many) {
    ManyKeys& to = meta->many_keys.emplace_back();
    many->String("service", &to.service);
    many->Number("keys", &to.keys);
    many->String("example", &to.example);
  });
}

}  // namespace

std::string BlockMeta::ToJson() const {
  std::string out = BodyOf(*this);
  out.append(",\"checksum\":" + std::to_string(Crc32c(BodyOf(*this))) + "}\n");
  return out;
}

Result<BlockMeta> BlockMeta::FromJson(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) {
    return Error(ErrorCode::kCorrupt, "meta.json is not JSON");
  }
  BlockMeta meta;
  ObjectReader object(root);
  object.Number("format_version", &meta.format_version);
  if (object.bad().empty() && meta.format_version > kFormatVersion) {
    return Error(ErrorCode::kUnsupported,
                 "the block has format version " + std::to_string(meta.format_version) +
                     ", this weft reads up to " + std::to_string(kFormatVersion));
  }
  ReadBody(&object, &meta);
  uint32_t checksum = 0;
  object.Number("checksum", &checksum);
  if (!object.bad().empty()) {
    return Error(ErrorCode::kCorrupt, "meta.json: " + object.bad() + " is missing or malformed");
  }
  if (checksum != Crc32c(BodyOf(meta))) {
    return Error(ErrorCode::kCorrupt, "meta.json does not match its own checksum");
  }
  return meta;
}

uint64_t BlockMeta::TotalBytes() const {
  uint64_t total = 0;
  for (const FileMeta& file : files) total += file.size_bytes;
  return total;
}

std::string NewBlockId(int64_t now_ns, uint64_t random) {
  const uint64_t milliseconds = static_cast<uint64_t>(std::max<int64_t>(now_ns, 0)) / 1000000;
  constexpr uint64_t kTwelveDigits = (uint64_t{1} << 48) - 1;
  char text[25];
  std::snprintf(text, sizeof text, "%012llx%012llx",
                static_cast<unsigned long long>(milliseconds & kTwelveDigits),
                static_cast<unsigned long long>(random & kTwelveDigits));
  return text;
}

FileMeta Describe(const BlockFile& file, uint64_t tail_bytes) {
  const std::string_view tail = std::string_view(file.bytes).substr(file.bytes.size() - tail_bytes);
  return {.name = file.name,
          .size_bytes = file.bytes.size(),
          .crc32c = Crc32c(file.bytes),
          .tail_bytes = tail_bytes,
          .tail_crc32c = Crc32c(tail)};
}

void EncodedBlock::AddFile(std::string name, std::string bytes, uint64_t tail_bytes) {
  files.push_back({std::move(name), std::move(bytes)});
  meta.files.push_back(Describe(files.back(), tail_bytes));
}

}  // namespace weft::block
