// The process of a batch stands before its spans when Jaeger's clients write it. When it does not,
// it is looked for ahead.

#include <bit>
#include <limits>
#include <string>

#include "receive/jaeger/decode.h"
#include "receive/jaeger/span_writer.h"

namespace weft::receive::jaeger {
namespace {

using model::Attribute;
using model::SpanBatch;
using model::ValueType;

// jaeger.thrift: TagType and SpanRefType
enum TagType : int32_t { kText = 0, kReal = 1, kTruth = 2, kWhole = 3, kBinary = 4 };
constexpr int32_t kFollowsFrom = 1;

constexpr uint32_t kStructElement = ThriftTag(0, ThriftType::kStruct);

uint64_t NanosOf(int64_t us) {
  if (us <= 0) return 0;
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  const auto value = static_cast<uint64_t>(us);
  return value > kMax / 1000 ? kMax : value * 1000;
}

class ThriftBatch {
 public:
  ThriftBatch(std::string_view bytes, ThriftProtocol protocol, const DecodeLimits& limits,
              SpanBatch* batch, RejectedSpans* rejected)
      : reader_(bytes, protocol), builder_(limits, batch), writer_(&builder_, rejected) {}

  Error Bare();
  Error Call();

 private:
  void ReadBatch();
  void FindProcess();
  void ReadProcess(ThriftReader* reader);
  void ReadSpans();
  void ReadSpan();
  void SpanField(uint32_t tag);
  void ReadReference();
  void ReadLog();
  void ReadTags(ThriftReader* reader, std::vector<Attribute>* out);
  void ReadTag(ThriftReader* reader, std::vector<Attribute>* out);
  template <typename Read>
  void Structs(ThriftReader* reader, Read read);
  Error Ended(const char* what) const;

  ThriftReader reader_;
  BatchBuilder builder_;
  SpanWriter writer_;
  Process process_;
  bool has_process_ = false;
  Span span_;
  bool too_many_ = false;
};

Error ThriftBatch::Ended(const char* what) const {
  if (too_many_) return TooManyElements(builder_.limits());
  if (reader_.ok() && reader_.at_end()) return Error::Ok();
  return {ErrorCode::kInvalidArgument, what};
}

Error ThriftBatch::Bare() {
  ReadBatch();
  return Ended("the body is not a jaeger.thrift Batch in Thrift's binary protocol");
}

Error ThriftBatch::Call() {
  std::string_view method;
  uint32_t type = 0;
  constexpr const char* kNoCall = "the datagram is not a call of Agent.emitBatch in this protocol";
  if (!reader_.Message(&method, &type) || method != "emitBatch") {
    return {ErrorCode::kInvalidArgument, kNoCall};
  }
  reader_.Struct([this](uint32_t tag) {
    if (tag == ThriftTag(1, ThriftType::kStruct)) {
      ReadBatch();
    } else {
      reader_.Skip(tag);
    }
  });
  return Ended(kNoCall);
}

void ThriftBatch::ReadBatch() {
  reader_.Struct([this](uint32_t tag) {
    switch (tag) {
      case ThriftTag(1, ThriftType::kStruct):
        if (has_process_) {
          reader_.Skip(tag);
        } else {
          ReadProcess(&reader_);
        }
        break;
      case ThriftTag(2, ThriftType::kList):
        if (!has_process_) FindProcess();
        ReadSpans();
        break;
      default: reader_.Skip(tag);
    }
  });
}

void ThriftBatch::FindProcess() {
  ThriftReader ahead = reader_;
  ahead.Skip(ThriftTag(2, ThriftType::kList));
  ahead.Fields([&](uint32_t tag) {
    if (tag == ThriftTag(1, ThriftType::kStruct) && !has_process_) {
      ReadProcess(&ahead);
    } else {
      ahead.Skip(tag);
    }
  });
}

void ThriftBatch::ReadProcess(ThriftReader* reader) {
  has_process_ = true;
  reader->Struct([&](uint32_t tag) {
    switch (tag) {
      case ThriftTag(1, ThriftType::kString):
        process_.service = builder_.Text(reader->Bytes());
        break;
      case ThriftTag(2, ThriftType::kList): ReadTags(reader, &process_.tags); break;
      default: reader->Skip(tag);
    }
  });
}

// Elements beyond the limit are passed over: the request is refused.
template <typename Read>
void ThriftBatch::Structs(ThriftReader* reader, Read read) {
  reader->List([&](uint32_t tag) {
    if (tag == kStructElement && !too_many_) {
      read();
    } else {
      reader->Skip(tag);
    }
  });
}

void ThriftBatch::ReadSpans() {
  const uint32_t resource = writer_.Resource(process_);
  Structs(&reader_, [&] {
    ReadSpan();
    if (reader_.ok() && !too_many_) writer_.Add(span_, resource);
  });
}

void ThriftBatch::ReadSpan() {
  span_.Clear();
  reader_.Struct([this](uint32_t tag) { SpanField(tag); });
}

void ThriftBatch::SpanField(uint32_t tag) {
  const auto id = [this] { return static_cast<uint64_t>(reader_.I64()); };
  switch (tag) {
    case ThriftTag(1, ThriftType::kI64): span_.trace_id.low = id(); break;
    case ThriftTag(2, ThriftType::kI64): span_.trace_id.high = id(); break;
    case ThriftTag(3, ThriftType::kI64): span_.span_id = {id()}; break;
    case ThriftTag(4, ThriftType::kI64): span_.parent_id = {id()}; break;
    case ThriftTag(5, ThriftType::kString): span_.name = builder_.Text(reader_.Bytes()); break;
    case ThriftTag(6, ThriftType::kList): Structs(&reader_, [this] { ReadReference(); }); break;
    case ThriftTag(7, ThriftType::kI32): span_.flags = static_cast<uint32_t>(reader_.I32()); break;
    case ThriftTag(8, ThriftType::kI64): span_.start_ns = NanosOf(reader_.I64()); break;
    case ThriftTag(9, ThriftType::kI64): span_.duration_ns = NanosOf(reader_.I64()); break;
    case ThriftTag(10, ThriftType::kList):
      builder_.BeginAttributes();
      ReadTags(&reader_, &span_.tags);
      break;
    case ThriftTag(11, ThriftType::kList): Structs(&reader_, [this] { ReadLog(); }); break;
    default: reader_.Skip(tag);
  }
}

void ThriftBatch::ReadReference() {
  too_many_ |= !builder_.TakeElement();
  Reference reference;
  reader_.Struct([&](uint32_t tag) {
    switch (tag) {
      case ThriftTag(1, ThriftType::kI32):
        reference.follows_from = reader_.I32() == kFollowsFrom;
        break;
      case ThriftTag(2, ThriftType::kI64):
        reference.trace_id.low = static_cast<uint64_t>(reader_.I64());
        break;
      case ThriftTag(3, ThriftType::kI64):
        reference.trace_id.high = static_cast<uint64_t>(reader_.I64());
        break;
      case ThriftTag(4, ThriftType::kI64):
        reference.span_id = {static_cast<uint64_t>(reader_.I64())};
        break;
      default: reader_.Skip(tag);
    }
  });
  span_.references.push_back(reference);
}

void ThriftBatch::ReadLog() {
  too_many_ |= !builder_.TakeElement();
  Log log;
  builder_.BeginAttributes();
  reader_.Struct([&](uint32_t tag) {
    switch (tag) {
      case ThriftTag(1, ThriftType::kI64): log.time_ns = NanosOf(reader_.I64()); break;
      case ThriftTag(2, ThriftType::kList): ReadTags(&reader_, &span_.fields); break;
      default: reader_.Skip(tag);
    }
  });
  log.field_end = static_cast<uint32_t>(span_.fields.size());
  span_.logs.push_back(log);
}

void ThriftBatch::ReadTags(ThriftReader* reader, std::vector<Attribute>* out) {
  Structs(reader, [&] { ReadTag(reader, out); });
}

void ThriftBatch::ReadTag(ThriftReader* reader, std::vector<Attribute>* out) {
  too_many_ |= !builder_.TakeElement();
  std::string_view key;
  std::string_view text;
  std::string_view binary;
  int32_t type = kText;
  double real = 0;
  bool truth = false;
  int64_t whole = 0;
  reader->Struct([&](uint32_t tag) {
    switch (tag) {
      case ThriftTag(1, ThriftType::kString): key = reader->Bytes(); break;
      case ThriftTag(2, ThriftType::kI32): type = reader->I32(); break;
      case ThriftTag(3, ThriftType::kString): text = reader->Bytes(); break;
      case ThriftTag(4, ThriftType::kDouble): real = reader->Double(); break;
      case ThriftTag(5, ThriftType::kBool): truth = reader->Bool(); break;
      case ThriftTag(6, ThriftType::kI64): whole = reader->I64(); break;
      case ThriftTag(7, ThriftType::kString): binary = reader->Bytes(); break;
      default: reader->Skip(tag);
    }
  });
  Attribute tag;
  tag.key = builder_.Key(key);
  switch (type) {
    case kReal: tag = {tag.key, ValueType::kDouble, std::bit_cast<uint64_t>(real)}; break;
    case kTruth: tag = {tag.key, ValueType::kBool, truth ? uint64_t{1} : 0}; break;
    case kWhole: tag = {tag.key, ValueType::kInt, static_cast<uint64_t>(whole)}; break;
    case kBinary: tag = {tag.key, ValueType::kBytes, builder_.Text(binary)}; break;
    default: tag = {tag.key, ValueType::kString, builder_.ValueOf(tag.key, text)};
  }
  out->push_back(tag);
}

}  // namespace

Error DecodeThrift(std::string_view bytes, const DecodeLimits& limits, SpanBatch* batch,
                   RejectedSpans* rejected) {
  return ThriftBatch(bytes, ThriftProtocol::kBinary, limits, batch, rejected).Bare();
}

Error DecodeThriftCall(std::string_view bytes, ThriftProtocol protocol, const DecodeLimits& limits,
                       SpanBatch* batch, RejectedSpans* rejected) {
  return ThriftBatch(bytes, protocol, limits, batch, rejected).Call();
}

}  // namespace weft::receive::jaeger
