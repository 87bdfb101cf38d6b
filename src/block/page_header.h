// The header of a Parquet page: a struct in Thrift's compact protocol (parquet.thrift, PageHeader)
// right before the bytes of the page. Read by hand because a page is read with every trace: no
// allocation, no exception, and every length is checked before it is believed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::block {

// Numbers of parquet.thrift.
enum class PageType : int32_t { kData = 0, kDictionary = 2 };
enum class PageEncoding : int32_t {
  kPlain = 0,
  kRle = 3,
  kDeltaBinaryPacked = 5,
  kRleDictionary = 8,
  kByteStreamSplit = 9,
};

struct PageHeader {
  int32_t type = -1;  // PageType
  int32_t uncompressed_size = -1;
  int32_t compressed_size = -1;
  bool has_crc = false;
  uint32_t crc = 0;  // CRC-32 (IEEE) of the compressed bytes
  // Of the data page or dictionary page inside.
  int32_t value_count = -1;
  int32_t encoding = -1;  // PageEncoding
  int32_t definition_level_encoding = -1;
};

// Reads the header at the front of `bytes` and takes it off; false when it is broken.
[[nodiscard]] bool ReadPageHeader(std::string_view* bytes, PageHeader* header);

// The header as the writer makes it.
std::string PageHeaderBytes(const PageHeader& header);

}  // namespace weft::block
