#include "block/page_header.h"

#include "block/hybrid_codec.h"

namespace weft::block {
namespace {

// Types of Thrift's compact protocol.
enum ThriftType : uint8_t {
  kStop = 0,
  kTrue = 1,
  kFalse = 2,
  kByte = 3,
  kI16 = 4,
  kI32 = 5,
  kI64 = 6,
  kDouble = 7,
  kBinary = 8,
  kList = 9,
  kSet = 10,
  kMap = 11,
  kStruct = 12,
};

constexpr int kDepthMax = 8;

class ThriftReader {
 public:
  explicit ThriftReader(std::string_view bytes) : bytes_(bytes) {}

  std::string_view rest() const { return bytes_; }

  // Calls read(field id, type) for each field of a struct; it must read or Skip the value.
  template <typename F>
  bool ReadStruct(F read) {
    int32_t id = 0;
    for (;;) {
      uint8_t head;
      if (!ReadByte(&head)) return false;
      const uint8_t type = head & 15;
      if (type == kStop) return true;
      int32_t long_id;
      if (head >> 4 != 0) {
        id += head >> 4;
      } else if (ReadInt(&long_id)) {
        id = long_id;
      } else {
        return false;
      }
      // Thrift numbers fields with 16 bits.
      if (id < INT16_MIN || id > INT16_MAX || !read(id, type)) return false;
    }
  }

  bool ReadInt(int32_t* value) {
    uint64_t number;
    if (!ReadVarint(&bytes_, &number)) return false;
    *value = static_cast<int32_t>(number >> 1 ^ (~(number & 1) + 1));
    return true;
  }

  bool Skip(uint8_t type, int depth = 0) {
    uint64_t number;
    switch (type) {
      case kTrue:
      case kFalse: return true;
      case kByte: return Drop(1);
      case kI16:
      case kI32:
      case kI64: return ReadVarint(&bytes_, &number);
      case kDouble: return Drop(8);
      case kBinary: return ReadVarint(&bytes_, &number) && Drop(number);
      case kList:
      case kSet: return depth < kDepthMax && SkipList(depth);
      case kStruct:
        return depth < kDepthMax &&
               ReadStruct([&](int32_t, uint8_t field) { return Skip(field, depth + 1); });
      default: return false;  // no map stands in a page header
    }
  }

 private:
  bool ReadByte(uint8_t* byte) {
    if (bytes_.empty()) return false;
    *byte = static_cast<uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return true;
  }
  bool Drop(uint64_t size) {
    if (size > bytes_.size()) return false;
    bytes_.remove_prefix(size);
    return true;
  }
  bool SkipList(int depth) {
    uint8_t head;
    if (!ReadByte(&head)) return false;
    uint64_t count = head >> 4;
    if (count == 15 && !ReadVarint(&bytes_, &count)) return false;
    if (count > bytes_.size()) return false;
    for (; count > 0; --count) {
      if (!Skip(head & 15, depth + 1)) return false;
    }
    return true;
  }

  std::string_view bytes_;
};

// DataPageHeader and DictionaryPageHeader agree in their first two fields.
bool ReadInner(ThriftReader* reader, PageHeader* header) {
  return reader->ReadStruct([&](int32_t id, uint8_t type) {
    if (type != kI32) return reader->Skip(type);
    int32_t value;
    if (!reader->ReadInt(&value)) return false;
    if (id == 1) header->value_count = value;
    if (id == 2) header->encoding = value;
    if (id == 3) header->definition_level_encoding = value;
    return true;
  });
}

}  // namespace

bool ReadPageHeader(std::string_view* bytes, PageHeader* header) {
  constexpr int32_t kDataPageField = 5;
  constexpr int32_t kDictionaryPageField = 7;
  ThriftReader reader(*bytes);
  const bool ok = reader.ReadStruct([&](int32_t id, uint8_t type) {
    if (type == kStruct && (id == kDataPageField || id == kDictionaryPageField)) {
      return ReadInner(&reader, header);
    }
    if (type != kI32) return reader.Skip(type);
    int32_t value;
    if (!reader.ReadInt(&value)) return false;
    if (id == 1) header->type = value;
    if (id == 2) header->uncompressed_size = value;
    if (id == 3) header->compressed_size = value;
    if (id == 4) {
      header->has_crc = true;
      header->crc = static_cast<uint32_t>(value);
    }
    return true;
  });
  *bytes = reader.rest();
  return ok;
}

std::string PageHeaderBytes(const PageHeader& header) {
  // The upper half of the byte before a value is the step to its field's number.
  constexpr char kStepIsOne = 1 << 4;
  std::string out;
  const auto number = [&out](int32_t value) {
    out.push_back(kStepIsOne | kI32);
    AppendVarint(static_cast<uint32_t>(value) << 1 ^ static_cast<uint32_t>(value >> 31), &out);
  };
  number(header.type);
  number(header.uncompressed_size);
  number(header.compressed_size);
  number(static_cast<int32_t>(header.crc));
  const bool data = header.type == static_cast<int32_t>(PageType::kData);
  out.push_back(static_cast<char>((data ? 1 : 3) << 4 | kStruct));
  number(header.value_count);
  number(header.encoding);
  if (data) {
    number(static_cast<int32_t>(PageEncoding::kRle));  // of definition levels
    number(static_cast<int32_t>(PageEncoding::kRle));  // of repetition levels, which there are none
  } else {
    out.push_back(kStepIsOne | kFalse);  // not sorted
  }
  out.append(2, kStop);
  return out;
}

}  // namespace weft::block
