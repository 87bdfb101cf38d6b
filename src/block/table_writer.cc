#include "block/table_writer.h"

#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/column_page.h>
#include <parquet/column_writer.h>
#include <parquet/file_writer.h>
#include <parquet/index_location.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/properties.h>
#include <zstd.h>

#include "base/checksum.h"
#include "block/parquet_schema.h"

namespace weft::block {
namespace {

constexpr std::string_view kMagic = "PAR1";

// What the library writes, as one string.
class StringSink final : public arrow::io::OutputStream {
 public:
  StringSink() { set_mode(arrow::io::FileMode::WRITE); }
  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }
  arrow::Result<int64_t> Tell() const override { return static_cast<int64_t>(bytes.size()); }
  arrow::Status Write(const void* data, int64_t size) override {
    bytes.append(static_cast<const char*>(data), size);
    return arrow::Status::OK();
  }
  using arrow::io::OutputStream::Write;

  std::string bytes;
};

parquet::Encoding::type ParquetEncoding(ChunkEncoding encoding) {
  switch (encoding) {
    case ChunkEncoding::kPlain: return parquet::Encoding::PLAIN;
    case ChunkEncoding::kDictionary: return parquet::Encoding::RLE_DICTIONARY;
    case ChunkEncoding::kDelta: return parquet::Encoding::DELTA_BINARY_PACKED;
    case ChunkEncoding::kSplit: return parquet::Encoding::BYTE_STREAM_SPLIT;
  }
  return parquet::Encoding::PLAIN;
}

parquet::EncodedStatistics StatisticsOf(const ValueBounds& bounds, uint32_t nulls, bool all_null) {
  parquet::EncodedStatistics statistics;
  statistics.set_null_count(nulls);
  statistics.all_null_value = all_null;
  if (bounds.known) {
    statistics.set_min(bounds.min);
    statistics.set_max(bounds.max);
    statistics.is_min_value_exact = true;
    statistics.is_max_value_exact = true;
  }
  return statistics;
}

std::shared_ptr<parquet::WriterProperties> MakeProperties(const std::vector<ColumnSpec>& columns,
                                                          int zstd_level) {
  parquet::WriterProperties::Builder builder;
  builder.created_by("weft")
      ->version(parquet::ParquetVersion::PARQUET_2_6)
      ->compression(parquet::Compression::ZSTD)
      ->compression_level(zstd_level);
  for (const ColumnSpec& column : columns) {
    // Random bits: compressing them would only cost time.
    if (column.kind == ColumnKind::kId8) {
      builder.compression(column.name, parquet::Compression::UNCOMPRESSED);
    }
  }
  return builder.build();
}

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

struct TableWriter::State {
  State(std::vector<ColumnSpec> specs, const BlockWriterOptions& writer_options)
      : columns(std::move(specs)),
        options(writer_options),
        encoder(writer_options),
        zstd(ZSTD_createCCtx()) {
    schema.Init(MakeParquetSchema(columns));
    properties = MakeProperties(columns, options.zstd_level);
    metadata = parquet::FileMetaDataBuilder::Make(&schema, properties);
    page_index = parquet::PageIndexBuilder::Make(&schema);
    sink->bytes.append(kMagic);
    ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_compressionLevel, options.zstd_level);
  }

  void BeginRowGroup(uint32_t rows, int32_t span_row_group);
  void WriteColumn(const ColumnValues& values);
  void WritePages(const EncodedChunk& chunk, parquet::PageWriter* writer,
                  parquet::ColumnIndexBuilder* column_index);
  std::shared_ptr<arrow::Buffer> Compress(std::string_view bytes);
  void EndRowGroup();
  bool IsId(int32_t column) const {
    return columns[static_cast<size_t>(column)].kind == ColumnKind::kId16;
  }
  void KeepFilter(const BloomFilter& filter, int column);
  void WriteFilters();
  Finished Finish();

  std::vector<ColumnSpec> columns;
  BlockWriterOptions options;
  parquet::SchemaDescriptor schema;
  std::shared_ptr<parquet::WriterProperties> properties;
  std::shared_ptr<StringSink> sink = std::make_shared<StringSink>();
  std::unique_ptr<parquet::FileMetaDataBuilder> metadata;
  std::unique_ptr<parquet::PageIndexBuilder> page_index;
  ChunkEncoder encoder;
  std::unique_ptr<ZSTD_CCtx, FreeZstd> zstd;
  std::string compressed;
  std::string span_row_groups;
  // They stand behind the last row group, those of ids last: whoever looks for a trace reads them
  // and the footer in one go. Places are within `filters` or `id_filters` until they are written.
  std::string filters;
  std::string id_filters;
  parquet::IndexLocations filter_places;
  std::string filter_checksums;

  // Of the current row group.
  parquet::RowGroupMetaDataBuilder* row_group = nullptr;
  int row_group_ordinal = -1;
  int next_column = 0;
  uint64_t row_group_begin = 0;
};

void TableWriter::State::BeginRowGroup(uint32_t rows, int32_t span_row_group) {
  row_group = metadata->AppendRowGroup();
  row_group->set_num_rows(rows);
  page_index->AppendRowGroup();
  ++row_group_ordinal;
  next_column = 0;
  row_group_begin = sink->bytes.size();
  if (!span_row_groups.empty()) span_row_groups.push_back(' ');
  span_row_groups += span_row_group == kWholeBlock ? "-" : std::to_string(span_row_group);
}

std::shared_ptr<arrow::Buffer> TableWriter::State::Compress(std::string_view bytes) {
  compressed.resize(ZSTD_compressBound(bytes.size()));
  const size_t size =
      ZSTD_compress2(zstd.get(), compressed.data(), compressed.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size)) throw parquet::ParquetException(ZSTD_getErrorName(size));
  compressed.resize(size);
  return std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(compressed.data()),
                                         static_cast<int64_t>(size));
}

void TableWriter::State::WriteColumn(const ColumnValues& values) {
  const int column = next_column++;
  parquet::ColumnChunkMetaDataBuilder* chunk_metadata = row_group->NextColumnChunk();
  const EncodedChunk& chunk = encoder.Encode(columns[column], values);
  const auto codec = properties->compression(schema.Column(column)->path());
  std::unique_ptr<parquet::PageWriter> writer = parquet::PageWriter::Open(
      sink, codec, chunk_metadata, static_cast<int16_t>(row_group_ordinal),
      static_cast<int16_t>(column), arrow::default_memory_pool(), /*buffered_row_group=*/false,
      /*header_encryptor=*/nullptr, /*data_encryptor=*/nullptr,
      /*page_write_checksum_enabled=*/true, /*column_index_builder=*/nullptr,
      page_index->GetOffsetIndexBuilder(column),
      arrow::util::CodecOptions{codec == parquet::Compression::ZSTD
                                    ? options.zstd_level
                                    : arrow::util::kUseDefaultCompressionLevel});
  const bool has_dictionary = chunk.encoding == ChunkEncoding::kDictionary;
  if (has_dictionary) {
    const auto buffer = std::make_shared<arrow::Buffer>(chunk.dictionary);
    writer->WriteDictionaryPage(parquet::DictionaryPage(
        buffer, static_cast<int32_t>(chunk.dictionary_size), parquet::Encoding::PLAIN));
  }
  // One page says no more than its chunk.
  parquet::ColumnIndexBuilder* column_index = chunk.pages.size() > 1 && chunk.bounds.known
                                                  ? page_index->GetColumnIndexBuilder(column)
                                                  : nullptr;
  WritePages(chunk, writer.get(), column_index);
  if (column_index != nullptr) column_index->Finish();
  chunk_metadata->SetStatistics(
      StatisticsOf(chunk.bounds, chunk.nulls, chunk.nulls == values.rows));
  writer->Close(has_dictionary, /*fallback=*/false);
  if (chunk.filter) KeepFilter(*chunk.filter, column);
}

void TableWriter::State::KeepFilter(const BloomFilter& filter, int column) {
  std::string& to = IsId(column) ? id_filters : filters;
  const size_t begin = to.size();
  filter.AppendTo(&to);
  const std::string_view bytes = std::string_view(to).substr(begin);
  filter_places.push_back({{row_group_ordinal, column},
                           {static_cast<int64_t>(begin), static_cast<int32_t>(bytes.size())}});
  if (!filter_checksums.empty()) filter_checksums.push_back(' ');
  filter_checksums += std::to_string(Crc32c(bytes));
}

void TableWriter::State::WriteFilters() {
  for (auto& [chunk, place] : filter_places) {
    place.offset += static_cast<int64_t>(sink->bytes.size());
    if (IsId(chunk.column_index)) place.offset += static_cast<int64_t>(filters.size());
  }
  sink->bytes.append(filters);
  sink->bytes.append(id_filters);
  metadata->SetIndexLocations(parquet::IndexKind::kBloomFilter, filter_places);
}

void TableWriter::State::WritePages(const EncodedChunk& chunk, parquet::PageWriter* writer,
                                    parquet::ColumnIndexBuilder* column_index) {
  for (const EncodedPage& page : chunk.pages) {
    const std::string_view bytes =
        std::string_view(chunk.page_bytes).substr(page.begin, page.end - page.begin);
    const auto buffer =
        writer->has_compressor()
            ? Compress(bytes)
            : std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(bytes.data()),
                                              static_cast<int64_t>(bytes.size()));
    // Bounds stand in the column index only; in the page's header they would stand a second time.
    writer->WriteDataPage(parquet::DataPageV1(
        buffer, static_cast<int32_t>(page.rows), ParquetEncoding(chunk.encoding),
        parquet::Encoding::RLE, parquet::Encoding::RLE, static_cast<int64_t>(bytes.size()),
        parquet::EncodedStatistics(), page.first_row));
    if (column_index != nullptr) {
      column_index->AddPage(StatisticsOf(page.bounds, page.nulls, page.nulls == page.rows), {});
    }
  }
}

void TableWriter::State::EndRowGroup() {
  row_group->Finish(static_cast<int64_t>(sink->bytes.size() - row_group_begin),
                    static_cast<int16_t>(row_group_ordinal));
}

TableWriter::Finished TableWriter::State::Finish() {
  WriteFilters();
  const uint64_t tail_begin = sink->bytes.size();
  page_index->Finish();
  const parquet::PageIndexBuilder::WriteResult locations = page_index->WriteTo(sink.get());
  metadata->SetIndexLocations(parquet::IndexKind::kColumnIndex, locations.column_index_locations);
  metadata->SetIndexLocations(parquet::IndexKind::kOffsetIndex, locations.offset_index_locations);
  const auto key_values =
      arrow::KeyValueMetadata::Make({kFormatVersionKey, kSpanRowGroupsKey},
                                    {std::to_string(BlockMeta::kFormatVersion), span_row_groups});
  if (!filter_places.empty()) key_values->Append(kFilterChecksumsKey, filter_checksums);
  const std::unique_ptr<parquet::FileMetaData> footer = metadata->Finish(key_values);
  const uint64_t footer_begin = sink->bytes.size();
  footer->WriteTo(sink.get());
  const uint32_t footer_bytes = static_cast<uint32_t>(sink->bytes.size() - footer_begin);
  sink->bytes.append(reinterpret_cast<const char*>(&footer_bytes), 4);
  sink->bytes.append(kMagic);
  Finished finished{std::move(sink->bytes), 0};
  finished.tail_bytes = finished.bytes.size() - tail_begin;
  return finished;
}

namespace {

// The library reports by exceptions; they end here.
template <typename F>
Error WithoutExceptions(F&& f) {
  try {
    std::forward<F>(f)();
    return Error::Ok();
  } catch (const std::exception& e) {
    return {ErrorCode::kInternal, std::string("writing Parquet: ") + e.what()};
  }
}

}  // namespace

TableWriter::TableWriter(std::vector<ColumnSpec> columns, const BlockWriterOptions& options)
    : state_(std::make_unique<State>(std::move(columns), options)) {}

TableWriter::~TableWriter() = default;

void TableWriter::Reserve(size_t bytes) { state_->sink->bytes.reserve(bytes); }

const std::vector<ColumnSpec>& TableWriter::columns() const { return state_->columns; }

Error TableWriter::BeginRowGroup(uint32_t rows, int32_t span_row_group) {
  return WithoutExceptions([&] { state_->BeginRowGroup(rows, span_row_group); });
}

Error TableWriter::WriteColumn(const ColumnValues& values) {
  return WithoutExceptions([&] { state_->WriteColumn(values); });
}

Error TableWriter::EndRowGroup() {
  return WithoutExceptions([&] { state_->EndRowGroup(); });
}

Result<TableWriter::Finished> TableWriter::Finish() {
  Finished finished;
  WEFT_RETURN_IF_ERROR(WithoutExceptions([&] { finished = state_->Finish(); }));
  return finished;
}

}  // namespace weft::block
