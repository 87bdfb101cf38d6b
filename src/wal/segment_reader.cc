#include "wal/segment_reader.h"

#include <algorithm>

namespace weft::wal {
namespace {

constexpr uint64_t kWindowBytes = 4 << 20;
// What is given up at a time where the disk refuses to read.
constexpr uint64_t kUnreadableBytes = 4096;
// More stretches of damage than these are told as one.
constexpr size_t kDamagesMax = 1000;

}  // namespace

SegmentReader::SegmentReader(const ReadableFile& file, SegmentId expected, ReplayHandler& handler)
    : file_(file), handler_(handler), codec_(expected.salt) {
  scan_.id = expected;
  scan_.size_bytes = file.size_bytes();
}

Result<SegmentScan> SegmentReader::Scan() {
  WEFT_RETURN_IF_ERROR(ReadHeader());
  while (!done_) {
    WEFT_RETURN_IF_ERROR(Step());
    if (progress_ && offset_ - reported_bytes_ >= kWindowBytes) {
      reported_bytes_ = offset_;
      progress_(offset_);
    }
  }
  ReportDamage();
  return scan_;
}

Error SegmentReader::ReadHeader() {
  const auto header = DecodeSegmentHeader(Peek(0, kSegmentHeaderBytes));
  if (header && header->version > kFormatVersion) {
    return Error(ErrorCode::kUnsupported,
                 "it was written by a newer weft (format " + std::to_string(header->version) +
                     ", this one knows up to " + std::to_string(kFormatVersion) + ")");
  }
  offset_ = kSegmentHeaderBytes;
  if (header && header->id == scan_.id) {
    scan_.valid_bytes = kSegmentHeaderBytes;
  } else if (scan_.size_bytes < kSegmentHeaderBytes) {
    // A file that was being created.
    offset_ = 0;
    EndTail();
  } else if (header) {
    NoteDamage(0, kSegmentHeaderBytes, 0, "the header is of another segment");
  } else {
    NoteDamage(0, kSegmentHeaderBytes, 0, "the segment's header is damaged");
  }
  return Error::Ok();
}

Error SegmentReader::Step() {
  if (offset_ == scan_.size_bytes) {
    done_ = true;
    return Error::Ok();
  }
  const auto header = codec_.DecodeHeader(Peek(offset_, kRecordHeaderBytes));
  if (header) return OnRecordHeader(*header);
  const uint64_t from = offset_;
  ++offset_;
  Resynchronise();
  if (offset_ == scan_.size_bytes) {
    offset_ = from;
    EndTail();
  } else {
    NoteDamage(from, offset_, 0, "no record begins here");
  }
  return Error::Ok();
}

Error SegmentReader::OnRecordHeader(const RecordHeader& header) {
  synced_bytes_ = std::max(synced_bytes_, header.synced_bytes);
  const uint64_t body = offset_ + kRecordHeaderBytes;
  if (header.index < next_index_) {
    NoteDamage(offset_, body, 0, "a record's number is lower than the one before");
    offset_ = body;
    return Error::Ok();
  }
  if (header.index > next_index_) {
    NoteDamage(offset_, offset_, header.index - next_index_, "records are missing");
    next_index_ = header.index;
  }
  if ((header.flags & kRecordEnd) != 0) {
    // Whatever follows was never part of it.
    scan_.closed = true;
    scan_.valid_bytes = body;
    done_ = true;
    return Error::Ok();
  }
  const std::string_view bytes = Peek(body, header.body_bytes);
  if (codec_.IsIntact(header, bytes)) return Deliver(header, bytes);
  if (body + header.body_bytes >= scan_.size_bytes) {
    EndTail();
    return Error::Ok();
  }
  NoteDamage(offset_, body + header.body_bytes, 1, "a record's checksum does not match its bytes");
  next_index_ = header.index + 1;
  offset_ = body + header.body_bytes;
  return Error::Ok();
}

Error SegmentReader::Deliver(const RecordHeader& header, std::string_view body) {
  WEFT_RETURN_IF_ERROR(handler_.OnRecord({scan_.id.number, header.index},
                                         body.substr(0, header.tenant_bytes),
                                         body.substr(header.tenant_bytes)));
  ++scan_.records;
  next_index_ = header.index + 1;
  offset_ += kRecordHeaderBytes + header.body_bytes;
  scan_.valid_bytes = offset_;
  return Error::Ok();
}

void SegmentReader::Resynchronise() {
  while (offset_ < scan_.size_bytes) {
    uint64_t length = std::min(kWindowBytes, scan_.size_bytes - offset_);
    // What is in memory already is looked at first: many small stretches of damage stay cheap.
    const uint64_t held = HeldAfter(offset_);
    if (held >= kRecordHeaderBytes) length = std::min(length, held);
    std::string_view bytes = Peek(offset_, length);
    if (bytes.empty()) {
      length = std::min(kUnreadableBytes - offset_ % kUnreadableBytes, length);
      bytes = Peek(offset_, length);
    }
    if (bytes.empty()) {
      offset_ += length;
      continue;
    }
    const size_t found = codec_.FindHeader(bytes, 0);
    if (found != std::string_view::npos) {
      offset_ += found;
      return;
    }
    const bool last = offset_ + length == scan_.size_bytes;
    // A header may lie across the end of what was looked at.
    offset_ += last || length < kRecordHeaderBytes ? length : length - (kRecordHeaderBytes - 1);
  }
}

void SegmentReader::EndTail() {
  // Only what lies beyond every known sync may be a write that was interrupted.
  const uint64_t size = scan_.size_bytes;
  // What can't be read now is not what a crash tore: it is told, and not cut.
  const bool unreadable = unreadable_until_ > offset_;
  const uint64_t vouched = unreadable ? size : std::clamp(synced_bytes_, offset_, size);
  if (vouched > offset_) {
    NoteDamage(offset_, vouched, 1, "the end of the segment is damaged");
  }
  scan_.torn_bytes = size - vouched;
  offset_ = size;
  done_ = true;
}

void SegmentReader::NoteDamage(uint64_t from, uint64_t to, uint32_t records, std::string message) {
  const bool continues =
      !damages_.empty() &&
      (damages_.back().offset + damages_.back().bytes == from || damages_.size() >= kDamagesMax);
  if (continues) {
    damages_.back().bytes += to - from;
    damages_.back().records += records;
    return;
  }
  damages_.push_back({scan_.id.number, from, to - from, records, false, std::move(message)});
}

void SegmentReader::ReportDamage() {
  for (Damage& damage : damages_) {
    damage.maybe_interrupted = !scan_.closed && damage.offset >= synced_bytes_;
    handler_.OnDamage(damage);
  }
}

uint64_t SegmentReader::HeldAfter(uint64_t offset) const {
  const uint64_t end = buffer_offset_ + buffer_.size();
  return offset >= buffer_offset_ && offset < end ? end - offset : 0;
}

std::string_view SegmentReader::Peek(uint64_t offset, uint64_t length) {
  if (offset > scan_.size_bytes || length > scan_.size_bytes - offset) return {};
  if (HeldAfter(offset) < length && !Load(offset, length)) return {};
  return length == 0 ? std::string_view()
                     : std::string_view(buffer_).substr(offset - buffer_offset_, length);
}

bool SegmentReader::Load(uint64_t offset, uint64_t length) {
  const uint64_t window = std::max(length, std::min(kWindowBytes, scan_.size_bytes - offset));
  for (const uint64_t wanted : {window, length}) {
    buffer_.resize(wanted);
    buffer_offset_ = offset;
    if (file_.ReadAt(offset, wanted, buffer_.data()).ok()) return true;
  }
  buffer_.clear();
  unreadable_until_ = std::max(unreadable_until_, offset + length);
  return false;
}

}  // namespace weft::wal
