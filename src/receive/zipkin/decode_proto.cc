#include "receive/wire_reader.h"
#include "receive/zipkin/address.h"
#include "receive/zipkin/decode.h"
#include "receive/zipkin/span_writer.h"

namespace weft::receive::zipkin {
namespace {

using model::SpanBatch;
using model::SpanId;
using model::SpanKind;
using model::TraceId;

// zipkin.proto3.Span.Kind
SpanKind KindOf(uint64_t number) {
  switch (number) {
    case 1: return SpanKind::kClient;
    case 2: return SpanKind::kServer;
    case 3: return SpanKind::kProducer;
    case 4: return SpanKind::kConsumer;
    default: return SpanKind::kUnspecified;
  }
}

TraceId ReadTraceId(std::string_view bytes) {
  if (bytes.size() == 16) return TraceId::FromBytes(bytes.data());
  if (bytes.size() == 8) return {0, model::LoadBigEndian64(bytes.data())};
  return {};
}

class ProtoSpans {
 public:
  ProtoSpans(const DecodeLimits& limits, SpanBatch* batch, RejectedSpans* rejected)
      : builder_(limits, batch), writer_(&builder_, rejected) {}

  Error Request(std::string_view bytes);

 private:
  bool ReadSpan(std::string_view bytes);
  bool ReadEndpoint(std::string_view bytes, Endpoint* out);
  bool ReadAnnotation(std::string_view bytes);
  bool ReadTag(std::string_view bytes);
  bool TakeElement() {
    too_many_ |= !builder_.TakeElement();
    return !too_many_;
  }

  BatchBuilder builder_;
  SpanWriter writer_;
  Span span_;
  bool too_many_ = false;
};

Error ProtoSpans::Request(std::string_view bytes) {
  WireReader reader(bytes);
  bool ok = true;
  while (ok && reader.Next()) {
    if (reader.tag() != BytesTag(1)) {
      reader.Skip();
      continue;
    }
    span_.Clear();
    ok = ReadSpan(reader.Bytes()) && reader.ok();
    if (!ok) break;
    if (!span_.ids.span_id.valid()) span_.ids.fault = RejectReason::kInvalidSpanId;
    if (!span_.ids.trace_id.valid()) span_.ids.fault = RejectReason::kInvalidTraceId;
    too_many_ |= !writer_.Add(span_);
    ok = !too_many_;
  }
  if (too_many_) return TooManyElements(builder_.limits());
  if (ok && reader.ok()) return Error::Ok();
  return {ErrorCode::kInvalidArgument, "the body is not a zipkin.proto3.ListOfSpans"};
}

bool ProtoSpans::ReadSpan(std::string_view bytes) {
  WireReader reader(bytes);
  bool ok = true;
  SpanIds& ids = span_.ids;
  while (ok && reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1): ids.trace_id = ReadTraceId(reader.Bytes()); break;
      case BytesTag(2): {
        const std::string_view id = reader.Bytes();
        if (id.size() == 8) ids.parent_id = SpanId::FromBytes(id.data());
        if (id.size() != 8 && !id.empty()) ids.fault = RejectReason::kInvalidParentId;
        break;
      }
      case BytesTag(3): {
        const std::string_view id = reader.Bytes();
        ids.span_id = id.size() == 8 ? SpanId::FromBytes(id.data()) : SpanId{};
        break;
      }
      case VarintTag(4): span_.kind = KindOf(reader.Varint()); break;
      case BytesTag(5): span_.name = builder_.Text(reader.Bytes()); break;
      case Fixed64Tag(6): span_.time_us = reader.Fixed64(); break;
      case VarintTag(7): span_.duration_us = reader.Varint(); break;
      case BytesTag(8): ok = ReadEndpoint(reader.Bytes(), &span_.local); break;
      case BytesTag(9): ok = ReadEndpoint(reader.Bytes(), &span_.remote); break;
      case BytesTag(10): ok = ReadAnnotation(reader.Bytes()); break;
      case BytesTag(11): ok = ReadTag(reader.Bytes()); break;
      case VarintTag(12): span_.debug = reader.Varint() != 0; break;
      case VarintTag(13): span_.shared = reader.Varint() != 0; break;
      default: reader.Skip();
    }
  }
  return ok && reader.ok();
}

bool ProtoSpans::ReadEndpoint(std::string_view bytes, Endpoint* out) {
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1): out->service = builder_.Text(reader.Bytes()); break;
      case BytesTag(2): out->ipv4 = builder_.Text(AddressText(reader.Bytes())); break;
      case BytesTag(3): out->ipv6 = builder_.Text(AddressText(reader.Bytes())); break;
      case VarintTag(4): out->port = static_cast<uint16_t>(reader.Varint()); break;
      default: reader.Skip();
    }
  }
  return reader.ok();
}

bool ProtoSpans::ReadAnnotation(std::string_view bytes) {
  if (!TakeElement()) return false;
  Annotation annotation;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.tag()) {
      case Fixed64Tag(1): annotation.time_us = reader.Fixed64(); break;
      case BytesTag(2): annotation.value = builder_.Text(reader.Bytes()); break;
      default: reader.Skip();
    }
  }
  span_.annotations.push_back(annotation);
  return reader.ok();
}

bool ProtoSpans::ReadTag(std::string_view bytes) {
  if (!TakeElement()) return false;
  std::string_view key;
  std::string_view value;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1): key = reader.Bytes(); break;
      case BytesTag(2): value = reader.Bytes(); break;
      default: reader.Skip();
    }
  }
  Tag tag;
  tag.key = builder_.Key(key);
  tag.value = builder_.ValueOf(tag.key, value);
  span_.tags.push_back(tag);
  return reader.ok();
}

}  // namespace

Error DecodeProto(std::string_view body, const DecodeLimits& limits, SpanBatch* batch,
                  RejectedSpans* rejected) {
  return ProtoSpans(limits, batch, rejected).Request(body);
}

}  // namespace weft::receive::zipkin
