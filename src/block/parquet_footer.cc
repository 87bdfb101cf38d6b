#include "block/parquet_footer.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include <arrow/util/key_value_metadata.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include "block/block.h"
#include "block/parquet_schema.h"

namespace weft::block {
namespace {

constexpr std::string_view kMagic = "PAR1";
constexpr uint64_t kDataBegin = kMagic.size();
constexpr uint64_t kTrailerBytes = 8;  // footer length and magic

Error Corrupt(const std::string& what) { return {ErrorCode::kCorrupt, what}; }

parquet::ReaderProperties FooterProperties() {
  parquet::ReaderProperties properties;
  properties.set_thrift_string_size_limit(16 << 20);
  properties.set_thrift_container_size_limit(200'000);
  return properties;
}

bool IsKnownVersion(std::string_view text) {
  uint32_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  return error == std::errc() && end == text.data() + text.size() && version >= 1 &&
         version <= BlockMeta::kFormatVersion;
}

bool MayHaveEncoding(ColumnKind kind, ChunkEncoding encoding) {
  const bool integer = kind == ColumnKind::kInt64 || kind == ColumnKind::kTimestamp;
  switch (encoding) {
    case ChunkEncoding::kPlain: return true;
    case ChunkEncoding::kDictionary: return kind != ColumnKind::kBool && kind != ColumnKind::kId8;
    case ChunkEncoding::kDelta: return integer;
    case ChunkEncoding::kSplit: return integer || kind == ColumnKind::kDouble;
  }
  return false;
}

class FooterReader {
 public:
  FooterReader(std::string_view tail, uint64_t file_bytes)
      : tail_(tail), file_bytes_(file_bytes), properties_(FooterProperties()) {}

  Result<ParquetFooter> Read() {
    if (tail_.size() < kTrailerBytes || tail_.size() > file_bytes_ ||
        tail_.substr(tail_.size() - kMagic.size()) != kMagic) {
      return Corrupt("it does not end like a Parquet file");
    }
    uint32_t footer_bytes;
    std::memcpy(&footer_bytes, tail_.data() + tail_.size() - kTrailerBytes, 4);
    if (footer_bytes > tail_.size() - kTrailerBytes) return Corrupt("its footer is cut off");
    const char* footer = tail_.data() + tail_.size() - kTrailerBytes - footer_bytes;
    metadata_ = parquet::FileMetaData::Make(footer, int64_t{footer_bytes}, properties_);
    WEFT_ASSIGN_OR_RETURN(out_.columns, ReadParquetSchema(*metadata_->schema()));
    uint64_t first_row = 0;
    for (int g = 0; g < metadata_->num_row_groups(); ++g) {
      WEFT_RETURN_IF_ERROR(ReadRowGroup(g, first_row));
      first_row += out_.row_groups.back().row_count;
    }
    WEFT_RETURN_IF_ERROR(ReadKeyValues());
    return std::move(out_);
  }

 private:
  // Data ends where the tail begins.
  uint64_t data_end() const { return file_bytes_ - tail_.size(); }
  bool InData(uint64_t offset, uint64_t size) const {
    return offset >= kDataBegin && offset <= data_end() && size <= data_end() - offset;
  }

  Error ReadRowGroup(int ordinal, uint64_t first_row) {
    const std::unique_ptr<parquet::RowGroupMetaData> group = metadata_->RowGroup(ordinal);
    FileRowGroup& out = out_.row_groups.emplace_back();
    const int64_t rows = group->num_rows();
    if (rows <= 0 || rows > UINT32_MAX / 2 ||
        group->num_columns() != static_cast<int>(out_.columns.size())) {
      return Corrupt("row group " + std::to_string(ordinal) + " has an impossible shape");
    }
    out.row_count = static_cast<uint32_t>(rows);
    out.first_row = first_row;
    for (int c = 0; c < group->num_columns(); ++c) {
      ChunkPlace& chunk = out.chunks.emplace_back();
      if (!ReadChunk(*group->ColumnChunk(c), out.row_count, &chunk) ||
          !MayHaveEncoding(out_.columns[c].kind, chunk.encoding) ||
          (!out_.columns[c].optional && chunk.nulls != 0)) {
        return Corrupt("row group " + std::to_string(ordinal) + " column " + out_.columns[c].name +
                       " has an impossible place");
      }
    }
    return Error::Ok();
  }

  bool ReadChunk(const parquet::ColumnChunkMetaData& from, uint32_t rows, ChunkPlace* chunk) {
    if (from.num_values() != rows || from.total_uncompressed_size() < 0) return false;
    chunk->uncompressed_bytes = static_cast<uint64_t>(from.total_uncompressed_size());
    switch (from.compression()) {
      case parquet::Compression::ZSTD: chunk->compressed = true; break;
      case parquet::Compression::UNCOMPRESSED: break;
      default: return false;
    }
    if (!ReadEncoding(from, chunk)) return false;
    if (const auto statistics = from.encoded_statistics();
        statistics && statistics->has_null_count) {
      if (statistics->null_count < 0 || statistics->null_count > rows) return false;
      chunk->nulls = static_cast<uint32_t>(statistics->null_count);
    }
    return ReadPages(from, rows, chunk) && PlaceDictionary(from, chunk) && PlaceFilter(from, chunk);
  }

  bool PlaceFilter(const parquet::ColumnChunkMetaData& from, ChunkPlace* chunk) const {
    const auto offset = from.bloom_filter_offset();
    const auto length = from.bloom_filter_length();
    if (!offset) return true;
    if (!length || *offset <= 0 || *length <= 0 || *length > INT32_MAX ||
        !InData(static_cast<uint64_t>(*offset), static_cast<uint64_t>(*length))) {
      return false;
    }
    chunk->filter_offset = static_cast<uint64_t>(*offset);
    chunk->filter_bytes = static_cast<uint32_t>(*length);
    return true;
  }

  static bool ReadEncoding(const parquet::ColumnChunkMetaData& from, ChunkPlace* chunk) {
    const auto& encodings = from.encodings();
    const auto has = [&](parquet::Encoding::type encoding) {
      return std::find(encodings.begin(), encodings.end(), encoding) != encodings.end();
    };
    if (from.has_dictionary_page()) {
      chunk->encoding = ChunkEncoding::kDictionary;
      return has(parquet::Encoding::RLE_DICTIONARY);
    }
    if (has(parquet::Encoding::DELTA_BINARY_PACKED)) {
      chunk->encoding = ChunkEncoding::kDelta;
    } else if (has(parquet::Encoding::BYTE_STREAM_SPLIT)) {
      chunk->encoding = ChunkEncoding::kSplit;
    } else {
      chunk->encoding = ChunkEncoding::kPlain;
      return has(parquet::Encoding::PLAIN);
    }
    return true;
  }

  bool ReadPages(const parquet::ColumnChunkMetaData& from, uint32_t rows, ChunkPlace* chunk) {
    const auto location = from.GetOffsetIndexLocation();
    if (!location || location->offset < 0 || location->length <= 0) return false;
    const uint64_t begin = static_cast<uint64_t>(location->offset);
    const uint64_t length = static_cast<uint64_t>(location->length);
    if (begin < data_end() || begin - data_end() > tail_.size() ||
        length > tail_.size() - (begin - data_end())) {
      return false;
    }
    const auto index = parquet::OffsetIndex::Make(tail_.data() + (begin - data_end()),
                                                  static_cast<int64_t>(length), properties_);
    for (const parquet::PageLocation& page : index->page_locations()) {
      const bool in_order = chunk->pages.empty()
                                ? page.first_row_index == 0
                                : page.first_row_index > int64_t{chunk->pages.back().first_row};
      if (page.offset < 0 || page.compressed_page_size <= 0 || !in_order ||
          page.first_row_index >= int64_t{rows} ||
          !InData(static_cast<uint64_t>(page.offset), page.compressed_page_size)) {
        return false;
      }
      chunk->pages.push_back({static_cast<uint64_t>(page.offset),
                              static_cast<uint32_t>(page.compressed_page_size),
                              static_cast<uint32_t>(page.first_row_index)});
    }
    return !chunk->pages.empty();
  }

  // The dictionary page stands right before the first data page.
  bool PlaceDictionary(const parquet::ColumnChunkMetaData& from, ChunkPlace* chunk) const {
    if (chunk->encoding != ChunkEncoding::kDictionary) return true;
    const int64_t offset = from.dictionary_page_offset();
    const uint64_t end = chunk->pages.front().offset;
    if (offset < int64_t{kDataBegin} || static_cast<uint64_t>(offset) >= end ||
        end - static_cast<uint64_t>(offset) > INT32_MAX) {
      return false;
    }
    chunk->dictionary_offset = static_cast<uint64_t>(offset);
    chunk->dictionary_bytes = static_cast<uint32_t>(end - chunk->dictionary_offset);
    return true;
  }

  Error ReadKeyValues() {
    const auto& key_values = metadata_->key_value_metadata();
    if (!key_values) return Corrupt("it has no weft metadata");
    const auto version = key_values->Get(kFormatVersionKey);
    const auto groups = key_values->Get(kSpanRowGroupsKey);
    if (!version.ok() || !groups.ok()) return Corrupt("it has no weft metadata");
    if (!IsKnownVersion(*version)) {
      return {ErrorCode::kUnsupported, "it has format version " + *version};
    }
    if (!ReadSpanRowGroups(*groups)) return Corrupt("its list of row groups is broken");
    if (!ReadFilterChecksums(key_values->Get(kFilterChecksumsKey).ValueOr(""))) {
      return Corrupt("its list of checksums of filters is broken");
    }
    return Error::Ok();
  }

  // One number per filter, in their order.
  bool ReadFilterChecksums(std::string_view text) {
    for (FileRowGroup& group : out_.row_groups) {
      for (ChunkPlace& chunk : group.chunks) {
        if (chunk.filter_offset == 0) continue;
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        const auto [end, error] =
            std::from_chars(word.data(), word.data() + word.size(), chunk.filter_crc32c);
        if (error != std::errc() || end != word.data() + word.size()) return false;
      }
    }
    return text.empty();
  }

  bool ReadSpanRowGroups(std::string_view text) {
    for (FileRowGroup& group : out_.row_groups) {
      const std::string_view word = text.substr(0, text.find(' '));
      text.remove_prefix(std::min(text.size(), word.size() + 1));
      if (word == "-") continue;
      const auto [end, error] =
          std::from_chars(word.data(), word.data() + word.size(), group.span_row_group);
      if (error != std::errc() || end != word.data() + word.size() || group.span_row_group < 0) {
        return false;
      }
    }
    return text.empty();
  }

  std::string_view tail_;
  uint64_t file_bytes_;
  parquet::ReaderProperties properties_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  ParquetFooter out_;
};

}  // namespace

Result<ParquetFooter> ReadParquetFooter(std::string_view tail, uint64_t file_bytes) {
  try {
    return FooterReader(tail, file_bytes).Read();
  } catch (const std::exception& e) {
    return Corrupt(std::string("its footer is broken: ") + e.what());
  }
}

}  // namespace weft::block
