// Reads one segment from front to back, past whatever is damaged.
//
// 1. At an intact record header whose body is intact: a record.
// 2. At an intact header with a damaged body: damage, and on after the body.
// 3. At anything else: look for the next intact header; what lies between is damage.
// 4. No header any more: the rest is the tail. Beyond what is known to have been synced it is torn
// (a write that a crash
//    interrupted: nothing in it was acknowledged, or it can't be told), else damage.
//
// "Known to have been synced" comes from the records themselves: each carries how much of the
// segment was durable when it was written. Bytes that the disk refuses to read are damage like any
// other, in the tail too. Memory: 4 MiB or the largest record.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "wal/format.h"
#include "wal/wal.h"

namespace weft::wal {

struct SegmentScan {
  SegmentId id;
  uint64_t size_bytes = 0;
  uint64_t valid_bytes = 0;  // up to the end of the last intact record
  uint64_t torn_bytes = 0;   // after that; not damage
  uint32_t records = 0;      // delivered
  bool closed = false;       // with an end record
};

class SegmentReader {
 public:
  // `expected` is what the file's name says; it is believed where the header is damaged.
  SegmentReader(const ReadableFile& file, SegmentId expected, ReplayHandler& handler);

  // Delivers everything to the handler. kUnsupported when the segment is of a newer version;
  // otherwise only the handler's errors.
  Result<SegmentScan> Scan();
  // Called with the number of bytes passed, every few MiB.
  void set_progress(std::function<void(uint64_t)> progress) { progress_ = std::move(progress); }

 private:
  Error ReadHeader();
  // Handles what lies at offset_ and moves on; sets done_ at the end.
  Error Step();
  Error OnRecordHeader(const RecordHeader& header);
  Error Deliver(const RecordHeader& header, std::string_view body);
  // Moves offset_ to the next intact header, or to the end.
  void Resynchronise();
  void NoteDamage(uint64_t from, uint64_t to, uint32_t records, std::string message);
  void ReportDamage();
  void EndTail();
  // The bytes [offset, offset + length), empty when the file is shorter or they can't be read.
  std::string_view Peek(uint64_t offset, uint64_t length);
  uint64_t HeldAfter(uint64_t offset) const;
  bool Load(uint64_t offset, uint64_t length);

  const ReadableFile& file_;
  ReplayHandler& handler_;
  RecordCodec codec_;
  SegmentScan scan_;
  std::function<void(uint64_t)> progress_;
  uint64_t reported_bytes_ = 0;

  uint64_t offset_ = 0;
  bool done_ = false;
  uint32_t next_index_ = 0;
  uint64_t synced_bytes_ = 0;    // the most that any record vouches for
  std::vector<Damage> damages_;  // held back until the segment is read, and synced_bytes_ known

  std::string buffer_;
  uint64_t buffer_offset_ = 0;
  uint64_t unreadable_until_ = 0;  // the end of the last read that the disk refused
};

}  // namespace weft::wal
