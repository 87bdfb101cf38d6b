// The queue in front of the log, and the thread that empties it: see wal.h.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/env.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "wal/segment_table.h"
#include "wal/segment_writer.h"
#include "wal/wal.h"

namespace weft::wal {

class GroupCommitWal : public Wal {
 public:
  GroupCommitWal(Env& env, Options options, MetricRegistry& metrics);
  ~GroupCommitWal() override;

  // Replays, and begins a segment. Called once, before anything else.
  Error Start(ReplayHandler& handler);

  void Append(std::string tenant, std::string payload, Done done) override;
  Error ReleaseSegment(uint64_t segment) override { return table_.Release(segment); }
  uint64_t current_segment() const override { return table_.last_number(); }
  uint64_t Rotate() override;
  std::vector<SegmentInfo> segments() const override { return table_.List(); }
  void Stop() override;
  bool CommitQueued() override;

 private:
  struct Pending {
    std::string tenant;
    std::string payload;
    Done done;

    uint64_t bytes() const { return tenant.size() + payload.size(); }
  };
  using Group = std::vector<Pending>;

  void Run();
  // Waits for work; false when there is none and there will be none.
  bool WaitForWork() WEFT_EXCLUDES(mutex_);
  void WaitForCompany() WEFT_REQUIRES(mutex_);
  Group TakeGroup() WEFT_EXCLUDES(mutex_);
  void CommitGroup(Group group);
  // Writes as many of group[begin...] as fit in one segment; returns the end of what is done with.
  size_t CommitSome(Group& group, size_t begin);
  void ServeRotation() WEFT_EXCLUDES(mutex_);
  void SyncSometimes();
  Error Refusal(const Pending& record) const WEFT_REQUIRES(mutex_);
  void CountRefusal(const Error& error);

  Env& env_;
  const Options options_;
  MetricRegistry& metrics_;
  SegmentTable table_;
  Gauge& queue_gauge_;

  // Of the thread that commits.
  SegmentWriter writer_;
  std::vector<RecordPosition> positions_;
  int64_t last_sync_ns_ = 0;

  mutable Mutex mutex_;
  CondVar work_;
  CondVar rotated_;
  std::deque<Pending> queue_ WEFT_GUARDED_BY(mutex_);
  uint64_t queue_bytes_ WEFT_GUARDED_BY(mutex_) = 0;  // queued or being committed
  uint64_t rotations_wanted_ WEFT_GUARDED_BY(mutex_) = 0;
  uint64_t rotations_done_ WEFT_GUARDED_BY(mutex_) = 0;
  bool waiting_ WEFT_GUARDED_BY(mutex_) = false;
  bool stopping_ WEFT_GUARDED_BY(mutex_) = false;
  bool ended_ WEFT_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace weft::wal
