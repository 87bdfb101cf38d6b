#include "block/table_reader.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include <isa-l/crc.h>
#include <zstd.h>

#include "base/checksum.h"
#include "block/page_header.h"

namespace weft::block {
namespace {

// No writer makes larger pages; what claims to be one is not read.
constexpr uint32_t kPageBytesMax = 1u << 30;

// Entries of the cache: a column, its dictionary, its filter and its values alone.
uint32_t WholeItem(uint32_t column) { return column * 4; }
uint32_t DictionaryItem(uint32_t column) { return column * 4 + 1; }
uint32_t FilterItem(uint32_t column) { return column * 4 + 2; }
uint32_t ValuesItem(uint32_t column) { return column * 4 + 3; }

Error Corrupt(std::string what) { return {ErrorCode::kCorrupt, std::move(what)}; }

model::ValueType TypeOfKind(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kDouble: return model::ValueType::kDouble;
    case ColumnKind::kBool: return model::ValueType::kBool;
    case ColumnKind::kBytes: return model::ValueType::kBytes;
    default: return IsByteKind(kind) ? model::ValueType::kString : model::ValueType::kInt;
  }
}

PageEncoding ExpectedEncoding(const ChunkPlace& chunk, bool dictionary_page) {
  if (dictionary_page) return PageEncoding::kPlain;
  switch (chunk.encoding) {
    case ChunkEncoding::kDictionary: return PageEncoding::kRleDictionary;
    case ChunkEncoding::kDelta: return PageEncoding::kDeltaBinaryPacked;
    case ChunkEncoding::kSplit: return PageEncoding::kByteStreamSplit;
    case ChunkEncoding::kPlain: return PageEncoding::kPlain;
  }
  return PageEncoding::kPlain;
}

// One context per thread: making one costs more than a small page.
ZSTD_DCtx* ThreadZstd() {
  struct FreeZstd {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  static thread_local const std::unique_ptr<ZSTD_DCtx, FreeZstd> kContext(ZSTD_createDCtx());
  return kContext.get();
}

}  // namespace

Result<std::shared_ptr<const TableReader>> TableReader::Open(std::unique_ptr<ReadableFile> file,
                                                             const FileMeta& meta,
                                                             std::shared_ptr<ColumnCache> cache,
                                                             Options options) {
  std::shared_ptr<TableReader> table(new TableReader());
  table->name_ = meta.name;
  table->options_ = options;
  table->file_ = std::move(file);
  table->cache_ = std::move(cache);
  table->owner_ = ColumnCache::NewOwner();
  const uint64_t size = table->file_->size_bytes();
  if (size != meta.size_bytes || meta.tail_bytes > size) {
    return Corrupt(meta.name + " has " + std::to_string(size) + " bytes instead of " +
                   std::to_string(meta.size_bytes));
  }
  WEFT_ASSIGN_OR_RETURN(const Bytes tail,
                        table->Fetch(size - meta.tail_bytes, meta.tail_bytes, nullptr));
  if (options.verify_checksums && Crc32c(tail.view) != meta.tail_crc32c) {
    return Corrupt(meta.name + ": the footer does not match its checksum");
  }
  auto footer = ReadParquetFooter(tail.view, size);
  if (!footer.ok()) return footer.error().WithContext(meta.name);
  table->footer_ = std::move(footer).value();
  for (const FileRowGroup& group : table->row_groups()) {
    if (group.row_count > options.rows_max) return Corrupt(meta.name + " claims too many rows");
  }
  for (const ColumnSpec& spec : table->footer_.columns) {
    const auto attribute = ParseAttributeColumn(spec);
    const uint32_t column = static_cast<uint32_t>(table->shapes_.size());
    if (attribute) table->columns_of_key_[attribute->key].push_back(column);
    table->shapes_.push_back({.kind = spec.kind,
                              .optional = spec.optional,
                              .type = attribute ? attribute->type : TypeOfKind(spec.kind),
                              .plain_numbers = !attribute});
  }
  return std::shared_ptr<const TableReader>(std::move(table));
}

TableReader::~TableReader() {
  if (cache_) cache_->Forget(owner_);
}

std::optional<uint32_t> TableReader::FindColumn(std::string_view name) const {
  for (uint32_t i = 0; i < footer_.columns.size(); ++i) {
    if (footer_.columns[i].name == name) return i;
  }
  return std::nullopt;
}

std::span<const uint32_t> TableReader::AttributeColumns(std::string_view key) const {
  const auto found = columns_of_key_.find(absl::string_view(key.data(), key.size()));
  if (found == columns_of_key_.end()) return {};
  return found->second;
}

std::optional<uint32_t> TableReader::RowGroupOf(int32_t span_row_group) const {
  for (uint32_t i = 0; i < footer_.row_groups.size(); ++i) {
    if (footer_.row_groups[i].span_row_group == span_row_group) return i;
  }
  return std::nullopt;
}

ColumnShape TableReader::ShapeOf(uint32_t row_group, uint32_t column) const {
  ColumnShape shape = shapes_[column];
  shape.encoding = footer_.row_groups[row_group].chunks[column].encoding;
  return shape;
}

Error TableReader::Explain(const Error& error, uint32_t row_group, uint32_t column, uint32_t begin,
                           uint32_t end) const {
  const uint64_t first = footer_.row_groups[row_group].first_row;
  return error.WithContext(name_ + " column " + footer_.columns[column].name + " rows " +
                           std::to_string(first + begin) + ".." + std::to_string(first + end));
}

Result<TableReader::Bytes> TableReader::Fetch(uint64_t offset, size_t size,
                                              ByteCounter* bytes) const {
  if (bytes) bytes->fetch_add(size, std::memory_order_relaxed);
  const std::string_view mapped = file_->mapped();
  if (offset <= mapped.size() && size <= mapped.size() - offset) {
    return Bytes{mapped.substr(offset, size), nullptr};
  }
  std::shared_ptr<char[]> buffer(new char[size]);
  WEFT_RETURN_IF_ERROR(file_->ReadAt(offset, size, buffer.get()));
  return Bytes{std::string_view(buffer.get(), size), buffer};
}

// The content of a page, decompressed: `value_count` rows, or entries of a dictionary (whose number
// only the page itself knows: then it is not compared).
Result<TableReader::Bytes> TableReader::FetchPage(const ChunkPlace& chunk, uint64_t offset,
                                                  uint32_t size, bool dictionary,
                                                  uint32_t value_count, ByteCounter* bytes) const {
  WEFT_ASSIGN_OR_RETURN(Bytes page, Fetch(offset, size, bytes));
  PageHeader header;
  std::string_view content = page.view;
  const PageType type = dictionary ? PageType::kDictionary : PageType::kData;
  if (!ReadPageHeader(&content, &header) || header.type != static_cast<int32_t>(type) ||
      header.encoding != static_cast<int32_t>(ExpectedEncoding(chunk, dictionary)) ||
      header.compressed_size != static_cast<int64_t>(content.size()) ||
      header.uncompressed_size < 0 || header.value_count < 0 ||
      (!dictionary && static_cast<uint32_t>(header.value_count) != value_count)) {
    return Corrupt("the header of a page is broken");
  }
  if (options_.verify_checksums) {
    const uint32_t crc =
        crc32_gzip_refl(0, reinterpret_cast<const uint8_t*>(content.data()), content.size());
    if (!header.has_crc || crc != header.crc) return Corrupt("a page does not match its checksum");
  }
  const uint32_t plain_size = static_cast<uint32_t>(header.uncompressed_size);
  if (!chunk.compressed) {
    if (plain_size != content.size()) return Corrupt("a page has the wrong size");
    return Bytes{content, page.owner};
  }
  if (plain_size > kPageBytesMax || plain_size > chunk.uncompressed_bytes ||
      ZSTD_getFrameContentSize(content.data(), content.size()) != plain_size) {
    return Corrupt("a page has the wrong size");
  }
  std::shared_ptr<char[]> buffer(new char[std::max(plain_size, 1u)]);
  const size_t got =
      ZSTD_decompressDCtx(ThreadZstd(), buffer.get(), plain_size, content.data(), content.size());
  if (ZSTD_isError(got) || got != plain_size) return Corrupt("a page cannot be decompressed");
  return Bytes{std::string_view(buffer.get(), plain_size), buffer};
}

Result<std::shared_ptr<const Dictionary>> TableReader::ReadDictionary(const ColumnShape& shape,
                                                                      uint32_t row_group,
                                                                      uint32_t column,
                                                                      ByteCounter* bytes) const {
  const ChunkPlace& chunk = footer_.row_groups[row_group].chunks[column];
  if (chunk.dictionary_offset == 0) return std::shared_ptr<const Dictionary>();
  const ColumnCache::Key key{owner_, row_group, DictionaryItem(column)};
  if (!shape.packed) {
    if (auto known = cache_->Find<Dictionary>(key)) return known;
  }
  WEFT_ASSIGN_OR_RETURN(const Bytes header_bytes,
                        Fetch(chunk.dictionary_offset, chunk.dictionary_bytes, nullptr));
  PageHeader header;
  std::string_view rest = header_bytes.view;
  if (!ReadPageHeader(&rest, &header) || header.value_count < 0) {
    return Corrupt("the header of the dictionary is broken");
  }
  WEFT_ASSIGN_OR_RETURN(const Bytes page, FetchPage(chunk, chunk.dictionary_offset,
                                                    chunk.dictionary_bytes, true, 0, bytes));
  auto dictionary =
      DecodeDictionary(shape, page.view, static_cast<uint32_t>(header.value_count), page.owner);
  if (!dictionary) return Corrupt("the dictionary is broken");
  if (!shape.packed) cache_->Insert(key, dictionary, DictionaryBytes(*dictionary));
  return dictionary;
}

Error TableReader::AddRows(uint32_t row_group, uint32_t column, uint32_t begin, uint32_t end,
                           ColumnAssembler* assembler, ByteCounter* bytes) const {
  const FileRowGroup& group = footer_.row_groups[row_group];
  const ChunkPlace& chunk = group.chunks[column];
  auto page = std::upper_bound(chunk.pages.begin(), chunk.pages.end(), begin,
                               [](uint32_t row, const PagePlace& p) { return row < p.first_row; });
  for (--page; begin < end; ++page) {
    const uint32_t page_end =
        page + 1 == chunk.pages.end() ? group.row_count : (page + 1)->first_row;
    const uint32_t page_rows = page_end - page->first_row;
    const uint32_t take = std::min(end, page_end) - begin;
    auto content = FetchPage(chunk, page->offset, page->size_bytes, false, page_rows, bytes);
    Error error = content.error();
    if (error.ok() &&
        !assembler->AddPage(content->view, page_rows, begin - page->first_row, take)) {
      error = Corrupt("the content of a page is broken");
    }
    if (!error.ok()) return Explain(error, row_group, column, page->first_row, page_end);
    begin += take;
  }
  return Error::Ok();
}

Result<std::shared_ptr<const BloomFilter>> TableReader::FilterOf(uint32_t row_group,
                                                                 uint32_t column,
                                                                 ByteCounter* bytes) const {
  const FileRowGroup& group = footer_.row_groups[row_group];
  const ChunkPlace& chunk = group.chunks[column];
  if (chunk.filter_offset == 0) return std::shared_ptr<const BloomFilter>();
  const ColumnCache::Key key{owner_, row_group, FilterItem(column)};
  if (auto known = cache_->Find<BloomFilter>(key)) return known;
  WEFT_ASSIGN_OR_RETURN(const Bytes stored, Fetch(chunk.filter_offset, chunk.filter_bytes, bytes));
  if (options_.verify_checksums && Crc32c(stored.view) != chunk.filter_crc32c) {
    return Explain(Corrupt("the filter does not match its checksum"), row_group, column, 0,
                   group.row_count);
  }
  auto read = BloomFilter::Read(stored.view);
  if (!read) {
    return Explain(Corrupt("the filter is broken"), row_group, column, 0, group.row_count);
  }
  auto filter = std::make_shared<const BloomFilter>(std::move(*read));
  cache_->Insert(key, filter, 128 + filter->bytes());
  return filter;
}

Result<std::shared_ptr<const Dictionary>> TableReader::DictionaryOf(uint32_t row_group,
                                                                    uint32_t column,
                                                                    ByteCounter* bytes) const {
  auto dictionary = ReadDictionary(ShapeOf(row_group, column), row_group, column, bytes);
  if (!dictionary.ok()) {
    return Explain(dictionary.error(), row_group, column, 0,
                   footer_.row_groups[row_group].row_count);
  }
  return dictionary;
}

ColumnPtr TableReader::FindWhole(uint32_t row_group, uint32_t column) const {
  return cache_->Find<Column>({owner_, row_group, WholeItem(column)});
}

Result<ColumnPtr> TableReader::Read(uint32_t row_group, uint32_t column, ByteCounter* bytes) const {
  if (ColumnPtr known = FindWhole(row_group, column)) return known;
  const uint32_t rows = footer_.row_groups[row_group].row_count;
  WEFT_ASSIGN_OR_RETURN(ColumnPtr whole, ReadRange(row_group, column, 0, rows, bytes));
  size_t held = ColumnBytes(*whole);
  // A chunk's dictionary has an entry of its own; one made while decoding has not.
  const bool own_dictionary =
      footer_.row_groups[row_group].chunks[column].encoding != ChunkEncoding::kDictionary;
  if (whole->dictionary && own_dictionary) held += DictionaryBytes(*whole->dictionary);
  cache_->Insert({owner_, row_group, WholeItem(column)}, whole, held);
  return whole;
}

Result<ColumnAssembler> TableReader::Assemble(const ColumnShape& shape, uint32_t row_group,
                                              uint32_t column, uint32_t begin, uint32_t end,
                                              bool trust_nulls, ByteCounter* bytes) const {
  auto dictionary = ReadDictionary(shape, row_group, column, bytes);
  if (!dictionary.ok()) {
    return Explain(dictionary.error(), row_group, column, 0,
                   footer_.row_groups[row_group].row_count);
  }
  ColumnAssembler assembler(shape, *dictionary, end - begin);
  if (trust_nulls && footer_.columns[column].optional && AllNull(row_group, column)) {
    assembler.AddNulls(end - begin);
  } else {
    WEFT_RETURN_IF_ERROR(AddRows(row_group, column, begin, end, &assembler, bytes));
  }
  return assembler;
}

Result<PackedColumnPtr> TableReader::ReadPacked(uint32_t row_group, uint32_t column,
                                                bool raw_uuids) const {
  const uint32_t rows = footer_.row_groups[row_group].row_count;
  ColumnShape shape = ShapeOf(row_group, column);
  shape.packed = true;
  shape.raw_uuids = raw_uuids;
  WEFT_ASSIGN_OR_RETURN(ColumnAssembler assembler,
                        Assemble(shape, row_group, column, 0, rows, /*trust_nulls=*/true, nullptr));
  return PackedColumnPtr(assembler.FinishPacked());
}

Result<PackedColumnPtr> TableReader::ReadValues(uint32_t row_group, uint32_t column,
                                                ByteCounter* bytes) const {
  const ColumnCache::Key key{owner_, row_group, ValuesItem(column)};
  if (auto known = cache_->Find<PackedColumn>(key)) return known;
  const uint32_t rows = footer_.row_groups[row_group].row_count;
  WEFT_ASSIGN_OR_RETURN(ColumnAssembler assembler,
                        Assemble(ShapeOf(row_group, column), row_group, column, 0, rows,
                                 /*trust_nulls=*/true, bytes));
  const auto values = assembler.FinishPacked();
  NarrowCodes(values.get());
  size_t held = PackedBytes(*values);
  const bool own_dictionary =
      footer_.row_groups[row_group].chunks[column].encoding != ChunkEncoding::kDictionary;
  if (values->dictionary && own_dictionary) held += DictionaryBytes(*values->dictionary);
  cache_->Insert(key, values, held);
  return PackedColumnPtr(values);
}

Result<ColumnPtr> TableReader::ReadRange(uint32_t row_group, uint32_t column, uint32_t begin,
                                         uint32_t end, ByteCounter* bytes) const {
  if (const ColumnPtr known = FindWhole(row_group, column)) {
    std::vector<uint32_t> rows(end - begin);
    std::iota(rows.begin(), rows.end(), begin);
    return GatherRows(*known, rows);
  }
  WEFT_ASSIGN_OR_RETURN(ColumnAssembler assembler,
                        Assemble(ShapeOf(row_group, column), row_group, column, begin, end,
                                 /*trust_nulls=*/true, bytes));
  return ColumnPtr(assembler.Finish());
}

Result<ColumnPtr> TableReader::ReadPages(uint32_t row_group, uint32_t column, uint32_t begin,
                                         uint32_t end) const {
  WEFT_ASSIGN_OR_RETURN(ColumnAssembler assembler,
                        Assemble(ShapeOf(row_group, column), row_group, column, begin, end,
                                 /*trust_nulls=*/false, nullptr));
  return ColumnPtr(assembler.Finish());
}

Result<ColumnPtr> TableReader::ReadRows(uint32_t row_group, uint32_t column,
                                        std::span<const uint32_t> rows, ByteCounter* bytes) const {
  const FileRowGroup& group = footer_.row_groups[row_group];
  const ChunkPlace& chunk = group.chunks[column];
  if (ColumnPtr known = FindWhole(row_group, column)) return GatherRows(*known, rows);
  // Few rows, or few pages with any: read those; otherwise the whole column is soon wanted anyway.
  const uint64_t pages_wanted = std::min<uint64_t>(rows.size(), chunk.pages.size());
  if (rows.empty() || pages_wanted * 2 >= chunk.pages.size() + 1) {
    WEFT_ASSIGN_OR_RETURN(const ColumnPtr whole, Read(row_group, column, bytes));
    return GatherRows(*whole, rows);
  }
  const ColumnShape shape = ShapeOf(row_group, column);
  auto dictionary = ReadDictionary(shape, row_group, column, bytes);
  if (!dictionary.ok()) {
    return Explain(dictionary.error(), row_group, column, 0, group.row_count);
  }
  ColumnAssembler assembler(shape, *dictionary, static_cast<uint32_t>(rows.size()));
  for (size_t i = 0; i < rows.size();) {
    size_t run = i + 1;
    while (run < rows.size() && rows[run] == rows[run - 1] + 1) ++run;
    WEFT_RETURN_IF_ERROR(AddRows(row_group, column, rows[i], rows[run - 1] + 1, &assembler, bytes));
    i = run;
  }
  return ColumnPtr(assembler.Finish());
}

void TableReader::WillReadRows(uint32_t row_group, uint32_t begin, uint32_t end) const {
  const FileRowGroup& group = footer_.row_groups[row_group];
  std::vector<ByteRange> ranges;
  for (uint32_t c = 0; c < group.chunks.size(); ++c) {
    const ChunkPlace& chunk = group.chunks[c];
    if (chunk.dictionary_offset != 0 &&
        !cache_->Find<Dictionary>({owner_, row_group, DictionaryItem(c)})) {
      ranges.push_back({chunk.dictionary_offset, chunk.dictionary_bytes});
    }
    if (AllNull(row_group, c)) continue;
    for (size_t p = 0; p < chunk.pages.size() && chunk.pages[p].first_row < end; ++p) {
      const bool is_last = p + 1 == chunk.pages.size();
      if (!is_last && chunk.pages[p + 1].first_row <= begin) continue;
      ranges.push_back({chunk.pages[p].offset, chunk.pages[p].size_bytes});
    }
  }
  file_->WillRead(ranges);
}

void TableReader::WillReadColumns(std::span<const uint32_t> row_groups,
                                  std::span<const uint32_t> columns) const {
  std::vector<ByteRange> ranges;
  const auto add = [&](uint32_t row_group, uint32_t c) {
    const ChunkPlace& chunk = footer_.row_groups[row_group].chunks[c];
    if (FindWhole(row_group, c)) return;
    if (chunk.dictionary_offset != 0) {
      ranges.push_back({chunk.dictionary_offset, chunk.dictionary_bytes});
    }
    for (const PagePlace& page : chunk.pages) ranges.push_back({page.offset, page.size_bytes});
  };
  for (const uint32_t g : row_groups) {
    for (const uint32_t c : columns) add(g, c);
    for (uint32_t c = 0; columns.empty() && c < this->columns().size(); ++c) add(g, c);
  }
  file_->WillRead(ranges);
}

ColumnPtr GatherRows(const Column& column, std::span<const uint32_t> rows) {
  auto out = std::make_shared<Column>();
  out->type = column.type;
  out->row_count = static_cast<uint32_t>(rows.size());
  out->dictionary = column.dictionary;
  const auto gather = [&](const auto& from, auto* to) {
    if (from.empty()) return;
    to->reserve(rows.size());
    for (const uint32_t row : rows) to->push_back(from[row]);
  };
  gather(column.codes, &out->codes);
  gather(column.ints, &out->ints);
  gather(column.doubles, &out->doubles);
  if (!column.present.empty()) {
    out->present.assign((rows.size() + 63) / 64, 0);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (column.has(rows[i])) out->present[i / 64] |= uint64_t{1} << (i % 64);
    }
  }
  return out;
}

}  // namespace weft::block
