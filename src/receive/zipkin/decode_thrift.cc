#include <bit>
#include <string>

#include "receive/thrift_reader.h"
#include "receive/zipkin/address.h"
#include "receive/zipkin/decode.h"
#include "receive/zipkin/span_writer.h"
#include "receive/zipkin/v1_span.h"

namespace weft::receive::zipkin {
namespace {

using model::SpanBatch;

// zipkincore.AnnotationType
enum AnnotationType : int32_t { kBool = 0, kBytes = 1, kI16 = 2, kI32 = 3, kI64 = 4, kDouble = 5 };

uint64_t Unsigned(int64_t value) { return value < 0 ? 0 : static_cast<uint64_t>(value); }

// Numbers stand in the value as big-endian bytes.
std::string ValueText(int32_t type, std::string_view bytes) {
  uint64_t number = 0;
  if (bytes.size() <= 8) {
    for (const char c : bytes) number = number << 8 | static_cast<uint8_t>(c);
  }
  if (type == kBool && bytes.size() == 1) return number != 0 ? "true" : "false";
  if (type == kI16 && bytes.size() == 2) return std::to_string(static_cast<int16_t>(number));
  if (type == kI32 && bytes.size() == 4) return std::to_string(static_cast<int32_t>(number));
  if (type == kI64 && bytes.size() == 8) return std::to_string(static_cast<int64_t>(number));
  if (type == kDouble && bytes.size() == 8) return std::to_string(std::bit_cast<double>(number));
  return std::string(bytes);
}

class ThriftSpans {
 public:
  ThriftSpans(std::string_view body, const DecodeLimits& limits, SpanBatch* batch,
              RejectedSpans* rejected)
      : reader_(body, ThriftProtocol::kBinary),
        builder_(limits, batch),
        writer_(&builder_, rejected),
        converter_(&batch->strings) {}

  Error Request();

 private:
  void ReadSpan();
  void SpanField(uint32_t tag);
  void Annotation();
  void Binary();
  Endpoint Host();
  bool TakeElement() {
    too_many_ |= !builder_.TakeElement();
    return !too_many_;
  }

  ThriftReader reader_;
  BatchBuilder builder_;
  SpanWriter writer_;
  V1Converter converter_;
  V1Span span_;
  bool too_many_ = false;
};

Error ThriftSpans::Request() {
  const bool ok = reader_.List([this](uint32_t tag) {
    if (tag == ThriftTag(0, ThriftType::kStruct) && !too_many_) {
      ReadSpan();
    } else {
      reader_.Skip(tag);
    }
  });
  if (too_many_) return TooManyElements(builder_.limits());
  if (ok && reader_.at_end()) return Error::Ok();
  return {ErrorCode::kInvalidArgument,
          "the body is not a list of zipkincore.Span in Thrift's binary protocol"};
}

void ThriftSpans::ReadSpan() {
  span_.Clear();
  if (!reader_.Struct([this](uint32_t tag) { SpanField(tag); }) || too_many_) return;
  if (!span_.ids.span_id.valid()) span_.ids.fault = RejectReason::kInvalidSpanId;
  if (!span_.ids.trace_id.valid()) span_.ids.fault = RejectReason::kInvalidTraceId;
  for (const Span& side : converter_.Convert(span_)) too_many_ |= !writer_.Add(side);
}

void ThriftSpans::SpanField(uint32_t tag) {
  const auto id = [this] { return static_cast<uint64_t>(reader_.I64()); };
  const auto each = [this](auto read) {
    reader_.List([this, read](uint32_t element) {
      if (element == ThriftTag(0, ThriftType::kStruct) && TakeElement()) {
        read();
      } else {
        reader_.Skip(element);
      }
    });
  };
  switch (tag) {
    case ThriftTag(1, ThriftType::kI64): span_.ids.trace_id.low = id(); break;
    case ThriftTag(3, ThriftType::kString): span_.name = builder_.Text(reader_.Bytes()); break;
    case ThriftTag(4, ThriftType::kI64): span_.ids.span_id = {id()}; break;
    case ThriftTag(5, ThriftType::kI64): span_.ids.parent_id = {id()}; break;
    case ThriftTag(6, ThriftType::kList): each([this] { Annotation(); }); break;
    case ThriftTag(8, ThriftType::kList): each([this] { Binary(); }); break;
    case ThriftTag(9, ThriftType::kBool): span_.debug = reader_.Bool(); break;
    case ThriftTag(10, ThriftType::kI64): span_.time_us = Unsigned(reader_.I64()); break;
    case ThriftTag(11, ThriftType::kI64): span_.duration_us = Unsigned(reader_.I64()); break;
    case ThriftTag(12, ThriftType::kI64): span_.ids.trace_id.high = id(); break;
    default: reader_.Skip(tag);
  }
}

void ThriftSpans::Annotation() {
  V1Annotation annotation;
  reader_.Struct([&](uint32_t tag) {
    switch (tag) {
      case ThriftTag(1, ThriftType::kI64): annotation.time_us = Unsigned(reader_.I64()); break;
      case ThriftTag(2, ThriftType::kString):
        annotation.value = builder_.Text(reader_.Bytes());
        break;
      case ThriftTag(3, ThriftType::kStruct): annotation.host = Host(); break;
      default: reader_.Skip(tag);
    }
  });
  span_.annotations.push_back(annotation);
}

void ThriftSpans::Binary() {
  V1BinaryAnnotation binary;
  std::string_view value;
  int32_t type = 0;
  reader_.Struct([&](uint32_t tag) {
    switch (tag) {
      case ThriftTag(1, ThriftType::kString): binary.key = builder_.Text(reader_.Bytes()); break;
      case ThriftTag(2, ThriftType::kString): value = reader_.Bytes(); break;
      case ThriftTag(3, ThriftType::kI32): type = reader_.I32(); break;
      case ThriftTag(4, ThriftType::kStruct): binary.host = Host(); break;
      default: reader_.Skip(tag);
    }
  });
  const std::string text = ValueText(type, value);
  binary.is_true = type == kBool && text == "true";
  binary.value = builder_.Text(text);
  span_.binary_annotations.push_back(binary);
}

Endpoint ThriftSpans::Host() {
  Endpoint host;
  reader_.Struct([&](uint32_t tag) {
    switch (tag) {
      case ThriftTag(1, ThriftType::kI32): {
        const auto address = static_cast<uint32_t>(reader_.I32());
        const uint32_t bytes = __builtin_bswap32(address);
        // 0.0.0.0 stands for no address.
        if (address != 0) {
          host.ipv4 =
              builder_.Text(AddressText({reinterpret_cast<const char*>(&bytes), sizeof bytes}));
        }
        break;
      }
      case ThriftTag(2, ThriftType::kI16): host.port = static_cast<uint16_t>(reader_.I16()); break;
      case ThriftTag(3, ThriftType::kString): host.service = builder_.Text(reader_.Bytes()); break;
      case ThriftTag(4, ThriftType::kString):
        host.ipv6 = builder_.Text(AddressText(reader_.Bytes()));
        break;
      default: reader_.Skip(tag);
    }
  });
  return host;
}

}  // namespace

Error DecodeThriftV1(std::string_view body, const DecodeLimits& limits, SpanBatch* batch,
                     RejectedSpans* rejected) {
  if (body.empty()) return Error::Ok();
  return ThriftSpans(body, limits, batch, rejected).Request();
}

}  // namespace weft::receive::zipkin
