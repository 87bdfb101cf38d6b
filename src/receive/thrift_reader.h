// ThriftReader: one pass over Apache Thrift's binary or compact protocol, without copies,
// exceptions or generated code (thrift-binary-protocol.md and thrift-compact-protocol.md of the
// Thrift specification).
//
//   ThriftReader reader(bytes, ThriftProtocol::kBinary);
//   reader.Struct([&](uint32_t tag) {
//     switch (tag) {
//       case ThriftTag(5, ThriftType::kString): name = reader.Bytes(); break;
//       default: reader.Skip(tag);
//     }
//   });
//   if (!reader.ok()) malformed;
//
// A tag joins the number and the type of a field, so a field of an unexpected type falls to
// `default` and is skipped like an unknown one. For each tag exactly one read or Skip() follows.
// Reads after a failure give zeros; nothing is allocated, whatever a length claims; structures are
// nested at most kDepthMax deep. Bytes() points into the input. A copy of a reader reads ahead.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft::receive {

enum class ThriftProtocol : uint8_t { kBinary, kCompact };

// The numbers of the binary protocol, for both.
enum class ThriftType : uint8_t {
  kStop = 0,
  kBool = 2,
  kByte = 3,
  kDouble = 4,
  kI16 = 6,
  kI32 = 8,
  kI64 = 10,
  kString = 11,
  kStruct = 12,
  kMap = 13,
  kSet = 14,
  kList = 15,
};

constexpr uint32_t ThriftTag(int16_t id, ThriftType type) {
  return static_cast<uint32_t>(static_cast<uint16_t>(id)) << 8 | static_cast<uint32_t>(type);
}

class ThriftReader {
 public:
  static constexpr uint32_t kDepthMax = 32;

  ThriftReader(std::string_view bytes, ThriftProtocol protocol)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), protocol_(protocol) {}

  bool ok() const { return ok_; }
  // Whether everything was read.
  bool at_end() const { return at_ == end_; }

  // Calls each(tag) for the fields of a struct.
  template <typename Each>
  bool Struct(Each each);
  // The same for the fields that are left of the struct that is being read.
  template <typename Each>
  bool Fields(Each each);
  // Calls each(tag) for the elements of a list or set; their tags are ThriftTag(0, type).
  template <typename Each>
  bool List(Each each);
  // The envelope of a call; `type` is 1 for calls, 4 for those that want no answer.
  bool Message(std::string_view* name, uint32_t* type);

  bool Bool();
  int16_t I16() { return static_cast<int16_t>(Integer(2)); }
  int32_t I32() { return static_cast<int32_t>(Integer(4)); }
  int64_t I64() { return Integer(8); }
  double Double();
  std::string_view Bytes();
  void Skip(uint32_t tag) { SkipType(static_cast<ThriftType>(tag & 0xff)); }

 private:
  // One struct or container deeper, as long as it lives.
  class Depth {
   public:
    explicit Depth(ThriftReader* reader) : reader_(*reader) {
      if (++reader_.depth_ > kDepthMax) reader_.Fail();
    }
    ~Depth() { --reader_.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;

   private:
    ThriftReader& reader_;
  };

  bool Fail() {
    ok_ = false;
    at_ = end_;
    return false;
  }
  uint64_t Left() const { return static_cast<uint64_t>(end_ - at_); }
  uint8_t Byte();
  uint64_t BigEndian(uint32_t bytes);
  uint64_t Varint();
  int64_t Integer(uint32_t bytes);
  uint64_t Size();
  // False at the end of the struct.
  bool NextField(uint32_t* tag);
  bool ListHeader(uint32_t* element_tag, uint64_t* count);
  void SkipType(ThriftType type);
  void SkipMap();
  ThriftType CompactType(uint32_t number);

  const char* at_;
  const char* end_;
  const ThriftProtocol protocol_;
  bool ok_ = true;
  uint32_t depth_ = 0;
  int16_t last_field_ = 0;  // of the struct being read
  // A bool field's value stands in its type (compact): 1 or 2, or 0 when there is none waiting.
  uint8_t bool_in_type_ = 0;
};

template <typename Each>
bool ThriftReader::Struct(Each each) {
  const Depth depth(this);
  const int16_t outer = last_field_;
  last_field_ = 0;
  Fields(each);
  last_field_ = outer;
  return ok_;
}

template <typename Each>
bool ThriftReader::Fields(Each each) {
  uint32_t tag = 0;
  while (ok_ && NextField(&tag)) each(tag);
  return ok_;
}

template <typename Each>
bool ThriftReader::List(Each each) {
  const Depth depth(this);
  uint32_t tag = 0;
  uint64_t count = 0;
  if (!ListHeader(&tag, &count)) return false;
  for (; ok_ && count > 0; --count) each(tag);
  return ok_;
}

}  // namespace weft::receive
