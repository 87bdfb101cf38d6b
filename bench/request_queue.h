// Export requests on their way from the feed that makes them to the connections that send them.
// Bounded in bytes, so that a receiver that is slower than the feed does not fill the sender's
// memory. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/mutex.h"
#include "demo/batch_exporter.h"

namespace weft::bench {

class RequestQueue {
 public:
  explicit RequestQueue(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // Waits until all of `requests` have found room; empties the list.
  void Put(std::vector<demo::ExportRequest>* requests) WEFT_EXCLUDES(mutex_);
  // Takes what there is room for and empties the list; -> the spans that were dropped, as an SDK
  // does whose queue is full.
  uint64_t PutOrDrop(std::vector<demo::ExportRequest>* requests) WEFT_EXCLUDES(mutex_);
  // No more will come.
  void Close() WEFT_EXCLUDES(mutex_);
  // Waits for a request; false when there is none and the queue is closed.
  bool Take(demo::ExportRequest* request) WEFT_EXCLUDES(mutex_);

 private:
  bool HasRoom() const WEFT_REQUIRES(mutex_) { return bytes_ < bytes_max_; }
  void Add(demo::ExportRequest request) WEFT_REQUIRES(mutex_);

  const uint64_t bytes_max_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<demo::ExportRequest> requests_ WEFT_GUARDED_BY(mutex_);
  uint64_t bytes_ WEFT_GUARDED_BY(mutex_) = 0;
  bool closed_ WEFT_GUARDED_BY(mutex_) = false;
};

}  // namespace weft::bench
