// Wal: the write-ahead log. Records of bytes become durable in segment files before anyone is told
// "accepted", and come back after a crash. It never knows what a record means.
//
// Group commit: the log's own thread takes everything that is queued, writes it in one piece, syncs
// once, and then calls everyone's `done`; meanwhile the next group collects. Segments are numbered,
// and a number is never used again: each new one is higher than every file there is and than the
// time in ms since 1970; the highest file stays until a higher one is durable.
//
// What happens when things fail is told in docs/durability.md, what a segment looks like in
// docs/wal-format.md and wal/format.h. Thread rule: every method may be called from any thread,
// except where it says otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/error.h"
#include "base/metrics.h"

namespace weft::wal {

// Names a record for ever: `done` and replay give the same position.
struct RecordPosition {
  uint64_t segment = 0;
  uint32_t record = 0;  // index in the segment, from 0

  auto operator<=>(const RecordPosition&) const = default;
};

// A stretch of a segment that is not what was written.
struct Damage {
  uint64_t segment = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  uint32_t records = 0;  // known to be lost in it; at least that many
  // Whether it lies beyond what is known to have been synced: a write that the crash interrupted
  // looks the same, and then nothing in it was ever acknowledged. (False: the disk broke its word.)
  bool maybe_interrupted = false;
  std::string message;
};

// Takes what Open() finds. All calls come from the thread that calls Open(), oldest record first.
class ReplayHandler {
 public:
  virtual ~ReplayHandler() = default;
  // The views are valid during the call. An error ends the replay and is what Open() returns.
  virtual Error OnRecord(RecordPosition position, std::string_view tenant,
                         std::string_view payload) = 0;
  // Already logged and counted. What follows it is replayed as usual.
  virtual void OnDamage(const Damage& damage) = 0;
  // Every few MiB and at the end.
  virtual void OnProgress(uint64_t bytes_done, uint64_t bytes_total) = 0;
};

struct SegmentInfo {
  uint64_t number = 0;
  uint64_t bytes = 0;
  uint32_t records = 0;
};

struct Options {
  std::string folder;                 // made when missing; holds nothing else
  uint64_t segment_bytes = 64 << 20;  // a new segment begins before a record that would pass it
  // True: `done` after fsync. False: `done` after write; synced once a second, so that a crash of
  // the process loses nothing and a power cut loses up to that second.
  bool sync = true;
  // How long a group waits for company before it is written. 0: not at all (groups still form while
  // the one before is synced).
  uint32_t group_wait_us = 0;
  uint64_t group_bytes_max = 8 << 20;
  uint64_t queue_bytes_max = 64 << 20;  // queued and not yet durable; beyond it Append refuses
  // Records are refused while less than this is free, so that blocks can still be written and the
  // log released. 0: no reserve.
  uint64_t disk_reserve_bytes = 64 << 20;
  // False: no thread of its own; the owner calls CommitQueued() (a simulation in one thread).
  bool own_thread = true;
};

class Wal {
 public:
  // Replays what is there, then is ready for Append. Fails when the folder can't be read or
  // written, when a segment is of a newer version, and when the handler fails. `env`, `metrics`
  // must outlive the log; `handler` is used only during the call.
  static Result<std::unique_ptr<Wal>> Open(Env& env, Options options, MetricRegistry& metrics,
                                           ReplayHandler& handler);
  virtual ~Wal() = default;

  // Called once: Ok when the record is durable (see Options::sync), with its position. Otherwise it
  // is not acknowledged, though it may come back at replay when a sync failed: kIo (the disk
  // failed), kUnavailable with a retry time (disk or queue full, stopping), kTooLarge. Must be
  // quick and not block: the next group waits for it.
  using Done = std::function<void(Error, RecordPosition)>;

  // Queues a record; at most 1 GiB, a tenant of at most 64 KiB. `done` comes from the log's thread,
  // in order of Append; refusals of a full queue, of a record too large and after Stop() come from
  // the calling thread before this returns.
  virtual void Append(std::string tenant, std::string payload, Done done) = 0;

  // The segment is not needed any more: deletes it, durably (one folder sync). Out of order is
  // fine. kInvalidArgument for the current segment (Rotate() first); Ok for one that is not there.
  virtual Error ReleaseSegment(uint64_t segment) = 0;

  // The segment that the next record goes to, unless it is full.
  virtual uint64_t current_segment() const = 0;
  // Closes the current segment when it holds records; returns the number of the current segment
  // then. Records queued before may still have gone to the old one; none that is `done` later than
  // this returns does. From `done` it must not be called.
  virtual uint64_t Rotate() = 0;

  // All that are there, oldest first, the current one last. A segment that was there at Open()
  // stays until it is released, also when all its records were damaged.
  virtual std::vector<SegmentInfo> segments() const = 0;

  // Makes what is queued durable, calls its `done`s, ends the thread. Append refuses from here on.
  // A second call does nothing.
  virtual void Stop() = 0;

  // Only with own_thread = false: commits one group in the calling thread; false when nothing was
  // queued.
  virtual bool CommitQueued() = 0;
};

}  // namespace weft::wal
