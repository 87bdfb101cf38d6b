// Writes records to the current segment, and closes it when it is full, when it is asked to, or
// when the disk fails. One thread at a time.
//
// After a failed sync nothing since the last good one is trusted: the segment is cut back to what
// was acknowledged (as far as the disk still obeys) and closed; the next record begins a new one.
// After a failed write the same, because part of the write may stand there.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/metrics.h"
#include "wal/format.h"
#include "wal/segment_table.h"
#include "wal/wal.h"

namespace weft::wal {

class SegmentWriter {
 public:
  SegmentWriter(Env& env, const Options& options, SegmentTable& table, MetricRegistry& metrics);

  // Makes sure that a segment is open that has room for a record of this size, and that the disk
  // has.
  Error Prepare(uint64_t body_bytes);
  // Whether one more record fits into the open segment.
  bool Fits(uint64_t body_bytes) const;
  // Adds a record to the next Commit(); its position holds if that succeeds. After Prepare() for
  // the first of a group, Fits() for the others.
  RecordPosition Add(std::string_view tenant, std::string_view payload);
  // Writes what was added, and syncs it when the options say so.
  Error Commit();
  // Without Options::sync: syncs what was written since. On failure what was acknowledged may be
  // lost, and that is logged.
  void SyncWritten();
  bool has_unsynced() const { return file_ != nullptr && written_bytes_ > synced_bytes_; }

  // Closes the segment, when it holds records, and begins the next.
  Error Rotate();
  // Closes the segment for good.
  void Close();

 private:
  Error CheckReserve();
  Error Create();
  Error WriteHeader();
  void CloseSegment();
  void Abandon(const Error& why);
  Error Sync();
  void NoteDisk(const Error& error);

  Env& env_;
  const Options& options_;
  SegmentTable& table_;
  Counter& bytes_counter_;
  Counter& records_counter_;
  Counter& syncs_counter_;
  Counter& sync_failures_counter_;
  Gauge& disk_full_gauge_;

  std::unique_ptr<WritableFile> file_;  // null: none could be made, or none yet
  SegmentId id_;
  std::unique_ptr<RecordCodec> codec_;
  std::string buffer_;  // records added since the last commit
  uint32_t buffer_records_ = 0;
  uint32_t records_ = 0;             // committed, in this segment
  uint64_t written_bytes_ = 0;       // of this segment
  uint64_t acknowledged_bytes_ = 0;  // of this segment
  uint64_t synced_bytes_ = 0;        // of this segment
  bool disk_full_ = false;
};

}  // namespace weft::wal
