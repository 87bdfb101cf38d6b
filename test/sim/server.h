// One life of a server's data path: log, live traces, blocks and compaction, without its sockets.
//
// The world (files, objects) outlives it. Used by one thread. Given faults in a fixed order it does
// the same things in the same order: its threads hand work to each other and never race for a file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/metrics.h"
#include "compact/compactor.h"
#include "deletion/deleter.h"
#include "live/live_traces.h"
#include "live/testing_batches.h"
#include "store/block_store.h"
#include "store/object_store.h"

namespace weft::sim {

inline constexpr char kTenant[] = "default";
inline constexpr char kOtherTenant[] = "other";
// Every trace is of one tenant.
inline const char* TenantOf(uint64_t trace) { return trace % 4 == 3 ? kOtherTenant : kTenant; }

struct ServerOptions {
  uint64_t segment_bytes = 4096;
  uint64_t disk_reserve_bytes = 0;
  uint64_t memory_bytes_max = 1u << 30;
  uint32_t fan_in = 3;
  uint64_t merged_spans_max = 1000;
  int64_t build_retry_ns = 1'000'000;  // of the real clock
  int64_t retention_age_ns = 0;        // 0: nothing expires
  // Blocks for which snapshots of the catalog and trace tables are written.
  uint32_t catalog_blocks_min = 2;
};

class Server {
 public:
  // `env` and `objects` must outlive it.
  Server(Env& env, store::ObjectStore& objects, ServerOptions options)
      : env_(env), objects_(objects), options_(options) {}
  ~Server();

  Error Start();
  // Spans of one tenant. Waits for the answer.
  Error Push(const std::vector<live::TestSpan>& spans);
  // Flush, unless it would wait for a builder that rests after a failure. With a long
  // build_retry_ns only a flush of new spans wakes it, so that histories repeat. False when nothing
  // was tried.
  bool TryFlush(Error* error);
  // One step of compaction. Ok when there was nothing to do.
  Error Compact();
  // Deletes one trace, or what a query selects; false when nothing was tried, as TryFlush.
  bool TryDelete(const query::exec::DeletionRequest& request, Error* error);
  // Ends it in order; what could not be written in blocks stays in the log.
  void Stop(bool flush);

  uint64_t Count(const char* name) const { return metrics_.SumCounter(name); }
  // received = stored + live + refused: the difference, 0 when it closes.
  int64_t CounterGap() const;
  // Whether a failed build is waiting.
  bool stuck() const { return stuck_; }

  const live::LiveTraces& live() const { return *live_; }
  live::LiveTraces& live() { return *live_; }
  const store::BlockStore& store() const { return *store_; }
  // Also of a server that did not start.
  bool has_damaged_blocks() const { return store_ && !store_->damaged().empty(); }

 private:
  Env& env_;
  store::ObjectStore& objects_;
  const ServerOptions options_;
  MetricRegistry metrics_;
  std::unique_ptr<store::BlockStore> store_;
  std::unique_ptr<live::LiveTraces> live_;
  std::unique_ptr<compact::Compactor> compactor_;
  std::unique_ptr<deletion::Deleter> deleter_;
  uint64_t accepted_spans_ = 0;
  bool stuck_ = false;
  bool fresh_spans_ = false;  // accepted since the last flush
};

}  // namespace weft::sim
