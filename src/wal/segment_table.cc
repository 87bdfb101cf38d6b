#include "wal/segment_table.h"

#include <algorithm>

#include "base/log.h"

namespace weft::wal {

SegmentTable::SegmentTable(Env& env, std::string folder, MetricRegistry& metrics)
    : env_(env),
      folder_(std::move(folder)),
      segments_gauge_(metrics.GetGauge("weft_wal_segments", "Segment files of the log.")),
      bytes_gauge_(metrics.GetGauge("weft_wal_bytes", "Bytes of the log's segment files.")) {}

void SegmentTable::AddFound(SegmentId id, uint64_t bytes, uint32_t records) {
  const MutexLock lock(mutex_);
  last_number_ = std::max(last_number_, id.number);
  entries_[id.number] = Entry{id, bytes, records, false, false};
  UpdateGauges();
}

void SegmentTable::AddOpen(SegmentId id) {
  const MutexLock release_lock(release_mutex_);
  {
    const MutexLock lock(mutex_);
    entries_[id.number] = Entry{id, 0, 0, true, false};
    UpdateGauges();
  }
  DeleteEmptied();
}

void SegmentTable::Update(uint64_t number, uint64_t bytes, uint32_t records) {
  const MutexLock lock(mutex_);
  Entry& entry = entries_[number];
  entry.bytes = bytes;
  entry.records = records;
  UpdateGauges();
}

void SegmentTable::Close(uint64_t number) {
  const MutexLock lock(mutex_);
  entries_[number].open = false;
}

Error SegmentTable::Release(uint64_t number) {
  const MutexLock release_lock(release_mutex_);
  Entry entry;
  bool highest = false;
  {
    const MutexLock lock(mutex_);
    const auto it = entries_.find(number);
    if (it == entries_.end() || it->second.emptied) return Error::Ok();
    if (it->second.open) {
      return Error(ErrorCode::kInvalidArgument,
                   "segment " + std::to_string(number) + " is being written; rotate first");
    }
    entry = it->second;
    highest = std::next(it) == entries_.end();
  }
  if (!highest) return Delete(entry.id);
  WEFT_RETURN_IF_ERROR(env_.TruncateFile(PathOf(entry.id), 0));
  const MutexLock lock(mutex_);
  Entry& emptied = entries_[number];
  emptied.bytes = 0;
  emptied.records = 0;
  emptied.emptied = true;
  UpdateGauges();
  return Error::Ok();
}

Error SegmentTable::Delete(SegmentId id) {
  Error error = env_.RemoveFile(PathOf(id));
  if (!error.ok() && error.code() != ErrorCode::kNotFound) return error;
  // A segment that came back after a power cut would be replayed a second time.
  WEFT_RETURN_IF_ERROR(env_.SyncFolder(folder_));
  const MutexLock lock(mutex_);
  entries_.erase(id.number);
  UpdateGauges();
  return Error::Ok();
}

void SegmentTable::DeleteEmptied() {
  std::vector<SegmentId> emptied;
  {
    const MutexLock lock(mutex_);
    for (const auto& [number, entry] : entries_) {
      if (entry.emptied) emptied.push_back(entry.id);
    }
  }
  for (const SegmentId id : emptied) {
    if (const Error error = Delete(id); !error.ok()) {
      // It holds nothing; the next start deletes it.
      LogWarn("an empty wal segment could not be deleted", {{"error", error.message()}});
    }
  }
}

uint64_t SegmentTable::TakeNumber(int64_t now_ns) {
  const MutexLock lock(mutex_);
  const auto now_ms = static_cast<uint64_t>(std::max<int64_t>(now_ns, 0) / 1'000'000);
  last_number_ = std::max(last_number_ + 1, now_ms);
  return last_number_;
}

uint64_t SegmentTable::last_number() const {
  const MutexLock lock(mutex_);
  return last_number_;
}

std::vector<SegmentInfo> SegmentTable::List() const {
  const MutexLock lock(mutex_);
  std::vector<SegmentInfo> list;
  for (const auto& [number, entry] : entries_) {
    if (!entry.emptied) list.push_back({number, entry.bytes, entry.records});
  }
  return list;
}

void SegmentTable::UpdateGauges() {
  uint64_t bytes = 0;
  for (const auto& [number, entry] : entries_) bytes += entry.bytes;
  segments_gauge_.Set(static_cast<int64_t>(entries_.size()));
  bytes_gauge_.Set(static_cast<int64_t>(bytes));
}

}  // namespace weft::wal
