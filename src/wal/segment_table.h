// The segment files that exist: their sizes, and their deletion. Any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "wal/format.h"
#include "wal/wal.h"

namespace weft::wal {

class SegmentTable {
 public:
  SegmentTable(Env& env, std::string folder, MetricRegistry& metrics);

  std::string PathOf(SegmentId id) const { return folder_ + "/" + SegmentFileName(id); }
  const std::string& folder() const { return folder_; }

  // A segment that was found. It may be released.
  void AddFound(SegmentId id, uint64_t bytes, uint32_t records) WEFT_EXCLUDES(mutex_);
  // The segment that is written now: may not be released until it is closed. Deletes what waited
  // for a higher number.
  void AddOpen(SegmentId id) WEFT_EXCLUDES(mutex_);
  void Update(uint64_t number, uint64_t bytes, uint32_t records) WEFT_EXCLUDES(mutex_);
  void Close(uint64_t number) WEFT_EXCLUDES(mutex_);

  // See Wal::ReleaseSegment. The highest segment of all is emptied now and deleted when a higher
  // one is there, so that its number is never given again.
  Error Release(uint64_t number) WEFT_EXCLUDES(release_mutex_, mutex_);

  // Higher than every number that was ever given, or found, or that a clock at `now_ns` would give.
  uint64_t TakeNumber(int64_t now_ns) WEFT_EXCLUDES(mutex_);
  // The number given last.
  uint64_t last_number() const WEFT_EXCLUDES(mutex_);
  std::vector<SegmentInfo> List() const WEFT_EXCLUDES(mutex_);

 private:
  struct Entry {
    SegmentId id;
    uint64_t bytes = 0;
    uint32_t records = 0;
    bool open = false;
    bool emptied = false;  // released, and only there for its number
  };

  Error Delete(SegmentId id) WEFT_REQUIRES(release_mutex_);
  void DeleteEmptied() WEFT_REQUIRES(release_mutex_);
  void UpdateGauges() WEFT_REQUIRES(mutex_);

  Env& env_;
  const std::string folder_;
  Gauge& segments_gauge_;
  Gauge& bytes_gauge_;

  Mutex release_mutex_;  // one deletion at a time; taken before mutex_
  mutable Mutex mutex_;
  std::map<uint64_t, Entry> entries_ WEFT_GUARDED_BY(mutex_);
  uint64_t last_number_ WEFT_GUARDED_BY(mutex_) = 0;
};

}  // namespace weft::wal
