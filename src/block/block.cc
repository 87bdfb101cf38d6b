#include "block/block.h"

#include <algorithm>
#include <cstdio>

#include <simdjson.h>

#include "base/checksum.h"
#include "block/json_text.h"

namespace weft::block {
namespace {

// Members `"name":value` of one object, in the order of the calls.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string* out) : out_(*out) { out_.push_back('{'); }
  void Number(std::string_view name, uint64_t value) {
    Name(name);
    out_.append(std::to_string(value));
  }
  void String(std::string_view name, std::string_view value) {
    Name(name);
    AppendJsonString(value, &out_);
  }
  void Name(std::string_view name) {
    if (!first_) out_.push_back(',');
    first_ = false;
    AppendJsonString(name, &out_);
    out_.push_back(':');
  }
  void Close() { out_.push_back('}'); }

 private:
  std::string& out_;
  bool first_ = true;
};

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

template <typename T, typename F>
void AppendList(const std::vector<T>& items, F append, std::string* out) {
  out->push_back('[');
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out->push_back(',');
    append(items[i], out);
  }
  out->push_back(']');
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
  AppendList(meta.row_groups, AppendRowGroup, &out);
  object.Name("files");
  AppendList(meta.files, AppendFile, &out);
  if (!meta.replaces.empty()) {
    object.Name("replaces");
    AppendList(
        meta.replaces, [](const std::string& id, std::string* to) { AppendJsonString(id, to); },
        &out);
  }
  return out;
}

// Reads members of one JSON object; stops at the first that is missing or of another type.
class ObjectReader {
 public:
  explicit ObjectReader(simdjson::dom::element element) {
    if (element.get_object().get(object_) != simdjson::SUCCESS) bad_ = "an object";
  }

  template <typename T>
  void Number(const char* name, T* out) {
    uint64_t value = 0;
    if (!bad_.empty()) return;
    if (object_[name].get(value) != simdjson::SUCCESS || static_cast<T>(value) != value) {
      Miss(name);
    } else {
      *out = static_cast<T>(value);
    }
  }
  void String(const char* name, std::string* out) {
    std::string_view value;
    if (!bad_.empty()) return;
    if (object_[name].get(value) != simdjson::SUCCESS) {
      Miss(name);
    } else {
      *out = value;
    }
  }
  // Nothing where there is no such member.
  void OptionalStrings(const char* name, std::vector<std::string>* out) {
    simdjson::dom::array array;
    if (!bad_.empty() || object_[name].error() == simdjson::NO_SUCH_FIELD) return;
    if (object_[name].get(array) != simdjson::SUCCESS) return Miss(name);
    for (const simdjson::dom::element element : array) {
      std::string_view value;
      if (element.get(value) != simdjson::SUCCESS) return Miss(name);
      out->emplace_back(value);
    }
  }
  // Calls read(ObjectReader&) for each element of an array; it returns the member that was bad.
  template <typename F>
  void List(const char* name, F read) {
    simdjson::dom::array array;
    if (!bad_.empty()) return;
    if (object_[name].get(array) != simdjson::SUCCESS) return Miss(name);
    for (const simdjson::dom::element element : array) {
      ObjectReader reader(element);
      read(&reader);
      if (!reader.bad_.empty()) return Miss(name);
    }
  }
  const std::string& bad() const { return bad_; }

 private:
  void Miss(const char* name) { bad_ = name; }

  simdjson::dom::object object_;
  std::string bad_;
};

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

void EncodedBlock::AddFile(std::string name, std::string bytes, uint64_t tail_bytes) {
  const std::string_view tail = std::string_view(bytes).substr(bytes.size() - tail_bytes);
  meta.files.push_back({.name = name,
                        .size_bytes = bytes.size(),
                        .crc32c = Crc32c(bytes),
                        .tail_bytes = tail_bytes,
                        .tail_crc32c = Crc32c(tail)});
  files.push_back({std::move(name), std::move(bytes)});
}

}  // namespace weft::block
