// A batch's process stands behind its spans (field 2 after field 1): it is looked for first. Spans
// that bring their own process mostly bring the same one: its bytes are remembered.

#include <limits>
#include <string>

#include "receive/jaeger/decode.h"
#include "receive/jaeger/span_writer.h"
#include "receive/wire_reader.h"

namespace weft::receive::jaeger {
namespace {

using model::Attribute;
using model::SpanBatch;
using model::SpanId;
using model::TraceId;
using model::ValueType;

// jaeger.api_v2.ValueType and SpanRefType
enum TagType : uint64_t { kText = 0, kTruth = 1, kWhole = 2, kReal = 3, kBinary = 4 };
constexpr uint64_t kFollowsFrom = 1;

TraceId ReadTraceId(std::string_view bytes) {
  if (bytes.size() == 16) return TraceId::FromBytes(bytes.data());
  if (bytes.size() == 8) return {0, model::LoadBigEndian64(bytes.data())};
  return {};
}

SpanId ReadSpanId(std::string_view bytes) {
  return bytes.size() == 8 ? SpanId::FromBytes(bytes.data()) : SpanId{};
}

class ProtoRequest {
 public:
  ProtoRequest(const DecodeLimits& limits, SpanBatch* batch, RejectedSpans* rejected)
      : builder_(limits, batch), writer_(&builder_, rejected) {}

  Error Request(std::string_view bytes);

 private:
  bool ReadBatch(std::string_view bytes);
  bool ReadProcess(std::string_view bytes, uint32_t* resource);
  bool ReadSpan(std::string_view bytes, uint32_t resource);
  bool SpanField(WireReader* reader, uint32_t* resource);
  bool ReadReference(std::string_view bytes);
  bool ReadLog(std::string_view bytes);
  bool ReadTag(std::string_view bytes, std::vector<Attribute>* out);
  // Of a google.protobuf.Timestamp or Duration; negative ones are 0.
  static bool ReadNanos(std::string_view bytes, uint64_t* out);
  bool TakeElement() {
    too_many_ |= !builder_.TakeElement();
    return !too_many_;
  }

  BatchBuilder builder_;
  SpanWriter writer_;
  Process process_;
  Span span_;
  std::string_view last_process_;  // its bytes
  uint32_t last_resource_ = 0;
  bool has_last_process_ = false;
  bool too_many_ = false;
};

Error ProtoRequest::Request(std::string_view bytes) {
  WireReader reader(bytes);
  bool ok = true;
  while (ok && reader.Next()) {
    if (reader.tag() == BytesTag(1)) {
      ok = ReadBatch(reader.Bytes());
    } else {
      reader.Skip();
    }
  }
  if (too_many_) return TooManyElements(builder_.limits());
  if (ok && reader.ok()) return Error::Ok();
  return {ErrorCode::kInvalidArgument, "the message is not a jaeger.api_v2.PostSpansRequest"};
}

bool ProtoRequest::ReadBatch(std::string_view bytes) {
  std::string_view process;
  WireReader ahead(bytes);
  while (ahead.Next()) {
    if (ahead.tag() == BytesTag(2)) {
      process = ahead.Bytes();
    } else {
      ahead.Skip();
    }
  }
  uint32_t resource = 0;
  if (!ahead.ok() || !ReadProcess(process, &resource)) return false;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.tag() != BytesTag(1)) {
      reader.Skip();
    } else if (!ReadSpan(reader.Bytes(), resource)) {
      return false;
    }
  }
  return reader.ok();
}

bool ProtoRequest::ReadProcess(std::string_view bytes, uint32_t* resource) {
  if (!has_last_process_ || bytes != last_process_) {
    process_.service = 0;
    process_.tags.clear();
    builder_.BeginAttributes();
    WireReader reader(bytes);
    while (reader.Next()) {
      switch (reader.tag()) {
        case BytesTag(1): process_.service = builder_.Text(reader.Bytes()); break;
        case BytesTag(2):
          if (!ReadTag(reader.Bytes(), &process_.tags)) return false;
          break;
        default: reader.Skip();
      }
    }
    if (!reader.ok()) return false;
    last_process_ = bytes;
    last_resource_ = writer_.Resource(process_);
    has_last_process_ = true;
  }
  *resource = last_resource_;
  return true;
}

bool ProtoRequest::ReadSpan(std::string_view bytes, uint32_t resource) {
  span_.Clear();
  builder_.BeginAttributes();
  WireReader reader(bytes);
  while (reader.Next()) {
    if (!SpanField(&reader, &resource)) return false;
  }
  if (!reader.ok()) return false;
  writer_.Add(span_, resource);
  return true;
}

bool ProtoRequest::SpanField(WireReader* reader, uint32_t* resource) {
  switch (reader->tag()) {
    case BytesTag(1): span_.trace_id = ReadTraceId(reader->Bytes()); return true;
    case BytesTag(2): span_.span_id = ReadSpanId(reader->Bytes()); return true;
    case BytesTag(3): span_.name = builder_.Text(reader->Bytes()); return true;
    case BytesTag(4): return ReadReference(reader->Bytes());
    case VarintTag(5): span_.flags = static_cast<uint32_t>(reader->Varint()); return true;
    case BytesTag(6): return ReadNanos(reader->Bytes(), &span_.start_ns);
    case BytesTag(7): return ReadNanos(reader->Bytes(), &span_.duration_ns);
    case BytesTag(8): return ReadTag(reader->Bytes(), &span_.tags);
    case BytesTag(9): return ReadLog(reader->Bytes());
    case BytesTag(10): return ReadProcess(reader->Bytes(), resource);
    case BytesTag(12):
      if (!TakeElement()) return false;
      span_.warnings.push_back(builder_.Text(reader->Bytes()));
      return true;
    default: reader->Skip(); return true;
  }
}

bool ProtoRequest::ReadReference(std::string_view bytes) {
  if (!TakeElement()) return false;
  Reference reference;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1): reference.trace_id = ReadTraceId(reader.Bytes()); break;
      case BytesTag(2): reference.span_id = ReadSpanId(reader.Bytes()); break;
      case VarintTag(3): reference.follows_from = reader.Varint() == kFollowsFrom; break;
      default: reader.Skip();
    }
  }
  span_.references.push_back(reference);
  return reader.ok();
}

bool ProtoRequest::ReadLog(std::string_view bytes) {
  if (!TakeElement()) return false;
  Log log;
  builder_.BeginAttributes();
  WireReader reader(bytes);
  bool ok = true;
  while (ok && reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1): ok = ReadNanos(reader.Bytes(), &log.time_ns); break;
      case BytesTag(2): ok = ReadTag(reader.Bytes(), &span_.fields); break;
      default: reader.Skip();
    }
  }
  log.field_end = static_cast<uint32_t>(span_.fields.size());
  span_.logs.push_back(log);
  return ok && reader.ok();
}

bool ProtoRequest::ReadTag(std::string_view bytes, std::vector<Attribute>* out) {
  if (!TakeElement()) return false;
  std::string_view key;
  std::string_view text;
  std::string_view binary;
  uint64_t type = kText;
  uint64_t real_bits = 0;
  uint64_t truth = 0;
  uint64_t whole = 0;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.tag()) {
      case BytesTag(1): key = reader.Bytes(); break;
      case VarintTag(2): type = reader.Varint(); break;
      case BytesTag(3): text = reader.Bytes(); break;
      case VarintTag(4): truth = reader.Varint(); break;
      case VarintTag(5): whole = reader.Varint(); break;
      case Fixed64Tag(6): real_bits = reader.Fixed64(); break;
      case BytesTag(7): binary = reader.Bytes(); break;
      default: reader.Skip();
    }
  }
  Attribute tag;
  tag.key = builder_.Key(key);
  switch (type) {
    case kTruth: tag = {tag.key, ValueType::kBool, truth != 0 ? uint64_t{1} : 0}; break;
    case kWhole: tag = {tag.key, ValueType::kInt, whole}; break;
    case kReal: tag = {tag.key, ValueType::kDouble, real_bits}; break;
    case kBinary: tag = {tag.key, ValueType::kBytes, builder_.Text(binary)}; break;
    default: tag = {tag.key, ValueType::kString, builder_.ValueOf(tag.key, text)};
  }
  out->push_back(tag);
  return reader.ok();
}

bool ProtoRequest::ReadNanos(std::string_view bytes, uint64_t* out) {
  constexpr uint64_t kSecond = 1'000'000'000;
  constexpr uint64_t kSecondsMax = std::numeric_limits<uint64_t>::max() / kSecond - 1;
  int64_t seconds = 0;
  int64_t nanos = 0;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.tag()) {
      case VarintTag(1): seconds = static_cast<int64_t>(reader.Varint()); break;
      case VarintTag(2): nanos = static_cast<int64_t>(reader.Varint()); break;
      default: reader.Skip();
    }
  }
  const uint64_t whole = seconds < 0 ? 0 : std::min<uint64_t>(seconds, kSecondsMax) * kSecond;
  const bool proper = nanos > 0 && nanos < static_cast<int64_t>(kSecond);
  *out = seconds < 0 ? 0 : whole + (proper ? static_cast<uint64_t>(nanos) : 0);
  return reader.ok();
}

}  // namespace

Error DecodeProto(std::string_view bytes, const DecodeLimits& limits, SpanBatch* batch,
                  RejectedSpans* rejected) {
  return ProtoRequest(limits, batch, rejected).Request(bytes);
}

}  // namespace weft::receive::jaeger
