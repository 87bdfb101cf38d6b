// Sends the series that are counted on arrival to a receiver of Prometheus' remote write 1.0.
//
// 1. At each interval the series of every tenant become requests, which wait in a queue.
// 2. Requests are sent one after the other. What the receiver may take later (no connection, 5xx,
// 429)
//    is tried again, with pauses that double; what it will never take (other 4xx) is dropped.
// 3. When the queue is full, the oldest requests are dropped: counters make good for them.
// What is dropped is counted.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/env.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "generate/series_store.h"
#include "generate/write_request.h"
#include "net/http_message.h"

namespace weft::generate {

struct RemoteWriteOptions {
  std::string url;  // http://host:port/path
  net::HttpHeaders headers;
  int64_t interval_ns = 15'000'000'000;
  uint64_t queue_bytes_max = 16 << 20;
};

// kInvalidArgument for a URL that is none, or not of http. Headers are "Name: value".
Result<RemoteWriteOptions> MakeRemoteWriteOptions(const std::string& url,
                                                  const std::vector<std::string>& headers);

class RemoteWriter {
 public:
  // Sends a body to the receiver for a tenant: its answer, whatever its status.
  using Post = std::function<Result<net::HttpResponse>(const model::TenantId&, const std::string&)>;

  // References outlive this. `post` is called on one thread at a time.
  RemoteWriter(const Env& env, MetricRegistry& metrics, const RemoteWriteOptions& options,
               const SeriesStore& store, Post post);
  ~RemoteWriter();  // Stop()
  RemoteWriter(const RemoteWriter&) = delete;
  RemoteWriter& operator=(const RemoteWriter&) = delete;

  // Begins to work on a thread of its own.
  void Start();
  // Collects once more, tries each request once and ends. May be called again.
  void Stop() WEFT_EXCLUDES(mutex_);

  // What the thread does; for tests that have none.
  void Collect();
  // Sends the first request of the queue, if there is one. Returns how long to wait before the
  // next.
  int64_t SendOne();
  size_t queued() const { return queue_.size(); }

 private:
  struct Queued {
    model::TenantId tenant;
    WriteRequest request;
  };

  void Run() WEFT_EXCLUDES(mutex_);
  bool Wait(int64_t until_ns) WEFT_EXCLUDES(mutex_);
  void Drop(std::string_view reason);

  const Env& env_;
  const RemoteWriteOptions options_;
  const SeriesStore& store_;
  const Post post_;
  MetricRegistry& metrics_;
  Counter& sent_;
  Counter& failed_;
  // Of the thread.
  std::map<model::TenantId, WriteEncoder> encoders_;
  std::deque<Queued> queue_;
  uint64_t queue_bytes_ = 0;
  int64_t pause_ns_ = 0;

  Mutex mutex_;
  CondVar changed_;
  bool stop_ WEFT_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// A Post that sends over HTTP, with one connection.
RemoteWriter::Post HttpPost(const RemoteWriteOptions& options);

}  // namespace weft::generate
