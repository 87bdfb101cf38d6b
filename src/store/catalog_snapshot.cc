#include "store/catalog_snapshot.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "base/checksum.h"
#include "store/byte_codec.h"
#include "store/packed_meta.h"

namespace weft::store {
namespace {

constexpr std::string_view kSnapshotMagic = "WEFTCAT1";
constexpr std::string_view kChangesMagic = "WEFTCHG1";
constexpr size_t kMagicBytes = 8;
constexpr size_t kChecksumBytes = 4;
constexpr size_t kNumberDigits = 16;
// What an object claims to hold it must have the bytes for: memory is not taken on its word.
constexpr size_t kIdBytes = 25;  // of a block, with its length
constexpr size_t kRowGroupBytesMin = 5;
constexpr size_t kBlockBytesMin = kIdBytes + 11;

Error Damaged() { return Error(ErrorCode::kCorrupt, "the catalog's object is damaged"); }

std::string Seal(ByteWriter writer) {
  writer.Fixed32(Crc32c(writer.bytes()));
  return writer.Take();
}

// What stands between the magic and the checksum.
Result<std::string_view> Unseal(std::string_view bytes, std::string_view magic) {
  if (bytes.size() < kMagicBytes + kChecksumBytes) return Damaged();
  const std::string_view body = bytes.substr(0, bytes.size() - kChecksumBytes);
  if (ByteReader(bytes.substr(body.size())).Fixed32() != Crc32c(body)) return Damaged();
  if (!body.starts_with(magic)) {
    return Error(ErrorCode::kUnsupported, "the catalog's object is of a later version of weft");
  }
  return body.substr(kMagicBytes);
}

void AppendBlock(const CatalogBlock& block, ByteWriter* out) {
  const BlockFacts& meta = block.meta;
  out->Sized(block.name.id);
  for (const uint64_t value :
       {block.total_bytes, uint64_t{meta.level}, meta.created_ns, meta.span_count, meta.trace_count,
        meta.first_start_ns, meta.last_start_ns, meta.last_end_ns}) {
    out->Varint(value);
  }
  out->Sized(meta.deletion);
  out->Varint(meta.row_groups.size());
  for (const block::RowGroupMeta& group : meta.row_groups) {
    for (const uint64_t value : {group.span_count, group.trace_count, group.first_start_ns,
                                 group.last_start_ns, group.last_trace_start_ns}) {
      out->Varint(value);
    }
  }
  out->Sized(block.packed_meta);
}

bool ReadBlock(ByteReader* in, CatalogBlock* block) {
  BlockFacts& meta = block->meta;
  block->name.id = std::string(in->Sized());
  block->total_bytes = in->Varint();
  meta.level = static_cast<uint32_t>(in->Varint());
  for (uint64_t* value : {&meta.created_ns, &meta.span_count, &meta.trace_count,
                          &meta.first_start_ns, &meta.last_start_ns, &meta.last_end_ns}) {
    *value = in->Varint();
  }
  meta.deletion = std::string(in->Sized());
  const uint64_t groups = in->Varint();
  if (groups > in->left() / kRowGroupBytesMin) return false;
  meta.row_groups.resize(groups);
  for (block::RowGroupMeta& group : meta.row_groups) {
    for (uint64_t* value : {&group.span_count, &group.trace_count, &group.first_start_ns,
                            &group.last_start_ns, &group.last_trace_start_ns}) {
      *value = in->Varint();
    }
  }
  block->packed_meta = std::string(in->Sized());
  return in->ok() && CheckBlockName(block->name).ok();
}

// Packed by a build with another dictionary: packed anew, so that one dictionary serves all.
Error Repack(std::string_view dictionary, CatalogBlock* block) {
  WEFT_ASSIGN_OR_RETURN(const auto meta, UnpackMeta(block->packed_meta, dictionary));
  block->packed_meta = PackMeta(meta);
  return Error::Ok();
}

void AppendIds(const std::vector<std::string>& ids, ByteWriter* out) {
  out->Varint(ids.size());
  for (const std::string& id : ids) out->Sized(id);
}

bool ReadIds(ByteReader* in, std::vector<std::string>* ids) {
  const uint64_t count = in->Varint();
  if (count > in->left() / kIdBytes) return false;
  ids->reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    if (ids->emplace_back(in->Sized()).size() + 1 != kIdBytes) return false;
  }
  return in->ok();
}

}  // namespace

std::string EncodeSnapshot(const std::vector<const CatalogBlock*>& blocks,
                           const std::vector<std::string>& retired) {
  ByteWriter out;
  out.Raw(kSnapshotMagic);
  out.Sized(MetaDictionary());
  out.Varint(blocks.size());
  for (const CatalogBlock* block : blocks) AppendBlock(*block, &out);
  AppendIds(retired, &out);
  return Seal(std::move(out));
}

Result<CatalogSnapshot> DecodeSnapshot(const model::TenantId& tenant, std::string_view bytes) {
  WEFT_ASSIGN_OR_RETURN(const std::string_view body, Unseal(bytes, kSnapshotMagic));
  ByteReader in(body);
  const std::string_view dictionary = in.Sized();
  const uint64_t count = in.Varint();
  if (count > in.left() / kBlockBytesMin) return Damaged();
  CatalogSnapshot snapshot;
  for (uint64_t i = 0; i < count; ++i) {
    CatalogBlock& block = snapshot.blocks.emplace_back();
    block.name.tenant = tenant;
    if (!ReadBlock(&in, &block)) return Damaged();
    if (dictionary != MetaDictionary()) WEFT_RETURN_IF_ERROR(Repack(dictionary, &block));
  }
  if (!ReadIds(&in, &snapshot.retired) || !in.at_end()) return Damaged();
  return snapshot;
}

std::string EncodeChanges(const std::vector<std::string>& block_ids) {
  ByteWriter out;
  out.Raw(kChangesMagic);
  AppendIds(block_ids, &out);
  return Seal(std::move(out));
}

Result<std::vector<std::string>> DecodeChanges(std::string_view bytes) {
  WEFT_ASSIGN_OR_RETURN(const std::string_view body, Unseal(bytes, kChangesMagic));
  ByteReader in(body);
  std::vector<std::string> ids;
  if (!ReadIds(&in, &ids) || !in.at_end()) return Damaged();
  return ids;
}

std::string CatalogObject(const model::TenantId& tenant, uint64_t number, std::string_view kind) {
  char digits[kNumberDigits + 1];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(number));
  return tenant + "/" + std::string(kCatalogFolder) + "/" + digits + "." + std::string(kind);
}

std::optional<CatalogObjectName> ParseCatalogObject(std::string_view name) {
  if (name.size() <= kNumberDigits + 1 || name[kNumberDigits] != '.') return std::nullopt;
  CatalogObjectName parsed;
  const char* end = name.data() + kNumberDigits;
  const auto [stop, error] = std::from_chars(name.data(), end, parsed.number, 16);
  // Numbers only grow: one that leaves no room for the next is not ours.
  if (error != std::errc() || stop != end || parsed.number >> 62 != 0) return std::nullopt;
  parsed.kind = name.substr(kNumberDigits + 1);
  const bool known =
      parsed.kind == kSnapshotKind || parsed.kind == kChangesKind || parsed.kind == kTracesKind;
  return known ? std::optional(parsed) : std::nullopt;
}

}  // namespace weft::store
