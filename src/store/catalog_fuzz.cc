// The objects of the catalog folder on any bytes, and on good ones with changes, each under a right
// checksum: what is taken for a snapshot, for changes or for a trace table is whole in itself.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/borrowed_file.h"
#include "base/checksum.h"
#include "store/byte_codec.h"
#include "store/catalog_snapshot.h"
#include "store/shelf_testing.h"
#include "store/trace_table.h"

namespace weft::store {
namespace {

constexpr size_t kChecksumBytes = 4;

void Check(bool holds) {
  if (!holds) std::abort();
}

// With the checksum that it should have.
std::string Sealed(std::string_view body) {
  ByteWriter out;
  out.Raw(body);
  out.Fixed32(Crc32c(body));
  return out.Take();
}

void ReadSnapshot(std::string_view bytes) {
  const auto snapshot = DecodeSnapshot("shop", bytes);
  if (!snapshot.ok()) return;
  std::vector<const CatalogBlock*> blocks;
  for (const CatalogBlock& block : snapshot->blocks) {
    Check(CheckBlockName(block.name).ok());
    (void)block.ReadMeta().ok();
    blocks.push_back(&block);
  }
  const std::string again = EncodeSnapshot(blocks, snapshot->retired);
  const auto same = DecodeSnapshot("shop", again);
  Check(same.ok() && same->blocks.size() == blocks.size() && same->retired == snapshot->retired);
}

void ReadChangesObject(std::string_view bytes) {
  const auto ids = DecodeChanges(bytes);
  if (ids.ok()) Check(*DecodeChanges(EncodeChanges(*ids)) == *ids);
}

// Gives each bucket and the head the checksum that they should have, as far as there are some.
void Reseal(std::string* table) {
  constexpr size_t kFixedBytes = 24, kIdBytes = 12, kBucketBytes = 8, kEntryBytes = 8;
  ByteReader in(*table);
  (void)in.Raw(8);
  const uint64_t blocks = in.Fixed32();
  const uint32_t bits = in.Fixed32();
  if (!in.ok() || blocks > table->size() || bits > 16) return;
  const size_t first_bucket = kFixedBytes + blocks * kIdBytes;
  const size_t head = first_bucket + (size_t{1} << bits) * kBucketBytes;
  if (head + kChecksumBytes > table->size()) return;
  const auto put = [table](size_t at, uint32_t crc) {
    ByteWriter out;
    out.Fixed32(crc);
    std::memcpy(table->data() + at, out.bytes().data(), kChecksumBytes);
  };
  std::string_view entries = std::string_view(*table).substr(head + kChecksumBytes);
  for (size_t at = first_bucket; at < head; at += kBucketBytes) {
    const uint64_t count = ByteReader(std::string_view(*table).substr(at)).Fixed32();
    const std::string_view bucket = entries.substr(0, count * kEntryBytes);
    put(at + 4, Crc32c(bucket));
    entries.remove_prefix(bucket.size());
  }
  put(head, Crc32c(std::string_view(*table).substr(0, head)));
}

void ReadTable(std::string bytes) {
  Reseal(&bytes);
  const auto table = TraceTable::Open(std::make_unique<BorrowedFile>(bytes));
  if (!table.ok()) return;
  const std::vector<RawBlockId>& blocks = (*table)->blocks();
  uint64_t seen = 0;
  uint64_t some_hash = 1;
  const Error error = (*table)->ForEach([&](uint64_t hash, uint32_t block) {
    Check(block < blocks.size());
    some_hash = hash;
    ++seen;
  });
  Check(!error.ok() || seen == (*table)->entry_count());
  std::vector<RawBlockId> found;
  (void)(*table)->Find(some_hash, &found).ok();
  const std::set<RawBlockId> known(blocks.begin(), blocks.end());
  Check(known.size() == blocks.size());
  for (const RawBlockId& id : found) Check(known.contains(id));
}

std::string GoodSnapshot() {
  std::vector<CatalogBlock> blocks;
  for (uint64_t n = 1; n <= 3; ++n) {
    block::BlockMeta meta = MakeOpaqueBlock({"shop", BlockIdOf(n)}, 100 * n, 100 * n + 50).meta;
    meta.row_groups.push_back({7, 1, 100 * n, 100 * n + 50, 100 * n});
    blocks.push_back(MakeCatalogBlock(meta));
  }
  std::vector<const CatalogBlock*> all;
  for (const CatalogBlock& block : blocks) all.push_back(&block);
  return EncodeSnapshot(all, {BlockIdOf(8)});
}

std::string GoodTable() {
  std::vector<RawBlockId> blocks;
  std::vector<std::pair<uint64_t, uint32_t>> entries;
  for (uint32_t n = 0; n < 5; ++n) {
    blocks.push_back(RawIdOf(BlockIdOf(n)));
    for (uint64_t t = 0; t < 500; ++t) entries.emplace_back(TraceHash({t, n}), n);
  }
  return EncodeTraceTable(blocks, std::move(entries));
}

// Every 3 bytes of `changes`: where (2), and the byte that stands there (1).
std::string Changed(std::string bytes, std::string_view changes) {
  for (; changes.size() >= 3; changes.remove_prefix(3)) {
    uint16_t at;
    std::memcpy(&at, changes.data(), sizeof at);
    bytes[at % bytes.size()] = changes[2];
  }
  return bytes;
}

std::string_view WithoutChecksum(std::string_view bytes) {
  return bytes.substr(0, bytes.size() - kChecksumBytes);
}

}  // namespace
}  // namespace weft::store

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::store;
  static const std::string snapshot = GoodSnapshot();
  static const std::string changes = EncodeChanges({BlockIdOf(1), BlockIdOf(2)});
  static const std::string table = GoodTable();
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0: ReadSnapshot(input); break;
    case 1: ReadSnapshot(Sealed("WEFTCAT1" + std::string(input))); break;
    case 2: ReadSnapshot(Sealed(Changed(std::string(WithoutChecksum(snapshot)), input))); break;
    case 3: ReadChangesObject(Sealed(Changed(std::string(WithoutChecksum(changes)), input))); break;
    case 4: ReadTable("WEFTTRT1" + std::string(input)); break;
    default: ReadTable(Changed(table, input));
  }
  return 0;
}
