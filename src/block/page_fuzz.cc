// The parsers of a block's parts, each on any bytes: page headers, dictionaries, page contents of
// every kind and encoding, footers, meta.json, Bloom filters. The first byte chooses.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "block/block.h"
#include "block/bloom_filter.h"
#include "block/column_assembler.h"
#include "block/page_header.h"
#include "block/parquet_footer.h"

namespace {

using namespace weft::block;

constexpr uint32_t kRowsMax = 4096;

// Every code of the column is an entry of its dictionary, every row has its place.
void CheckColumn(const Column& column) {
  if (column.dictionary) {
    if (column.codes.size() != column.row_count) std::abort();
    for (const uint32_t code : column.codes) {
      if (code != kNoValue && code >= column.dictionary->size()) std::abort();
    }
  } else if (column.ints.size() + column.doubles.size() != column.row_count) {
    std::abort();
  }
}

// There are as many values as rows that have one.
void CheckPacked(const PackedColumn& column) {
  size_t present = column.present.empty() ? column.row_count : 0;
  for (const uint64_t word : column.present) present += std::popcount(word);
  column.WithCodes([&](const auto* codes, size_t count) {
    if (count + column.ints.size() + column.doubles.size() != present) std::abort();
    for (size_t i = 0; i < count; ++i) {
      if (!column.dictionary || codes[i] >= column.dictionary->size()) std::abort();
    }
  });
}

// Four bytes say what the page is, the rest is the page.
void ReadPage(std::string_view bytes) {
  if (bytes.size() < 5) return;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  ColumnShape shape{.kind = static_cast<ColumnKind>(byte(0) % 12),
                    .optional = (byte(0) & 0x80) != 0,
                    .encoding = static_cast<ChunkEncoding>(byte(1) % 4),
                    .plain_numbers = (byte(1) & 0x80) != 0,
                    .packed = (byte(1) & 0x40) != 0,
                    .raw_uuids = (byte(1) & 0x60) == 0x60};
  // What a footer can say: differences are of integers, ids of 8 bytes and bools have no
  // dictionary.
  const bool integer = shape.kind == ColumnKind::kInt64 || shape.kind == ColumnKind::kTimestamp;
  if (shape.encoding == ChunkEncoding::kDelta && !integer) shape.encoding = ChunkEncoding::kPlain;
  if (shape.encoding == ChunkEncoding::kSplit && !integer && shape.kind != ColumnKind::kDouble) {
    shape.encoding = ChunkEncoding::kPlain;
  }
  if (shape.kind == ColumnKind::kBool) shape.encoding = ChunkEncoding::kPlain;
  const uint32_t rows = 1 + (byte(2) | byte(3) << 8) % kRowsMax;
  const uint32_t skip = byte(4) % rows;
  bytes.remove_prefix(5);
  std::shared_ptr<const Dictionary> dictionary;
  if (shape.encoding == ChunkEncoding::kDictionary) {
    const size_t half = bytes.size() / 2;
    dictionary = DecodeDictionary(shape, bytes.substr(0, half), rows % 16, nullptr);
    if (!dictionary) return;
    bytes.remove_prefix(half);
  }
  ColumnAssembler assembler(shape, dictionary, rows - skip);
  if (!assembler.AddPage(bytes, rows, skip, rows - skip)) return;
  if (shape.packed) {
    const auto packed = assembler.FinishPacked();
    CheckPacked(*packed);
    NarrowCodes(packed.get());
    CheckPacked(*packed);
  } else {
    CheckColumn(*assembler.Finish());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // A copy of the exact size, so that reading beyond it is seen.
  const std::unique_ptr<char[]> copy(new char[size]);
  std::copy_n(data, size, copy.get());
  std::string_view bytes(copy.get() + 1, size - 1);
  PageHeader header;
  switch (data[0] % 5) {
    case 0: (void)ReadPageHeader(&bytes, &header); break;
    case 1: ReadPage(bytes); break;
    case 2: (void)ReadParquetFooter(bytes, bytes.size() + 1000).ok(); break;
    case 3: (void)BlockMeta::FromJson(bytes).ok(); break;
    default:
      if (const auto filter = BloomFilter::Read(bytes)) {
        (void)filter->MayHave(BloomFilter::Hash(bytes));
        // Whatever is a filter is written back as it was.
        std::string again;
        filter->AppendTo(&again);
        if (again != bytes) std::abort();
      }
  }
  return 0;
}
