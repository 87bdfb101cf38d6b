#include "bench/request_queue.h"

#include <utility>

namespace weft::bench {

void RequestQueue::Add(demo::ExportRequest request) {
  bytes_ += request.body.size();
  requests_.push_back(std::move(request));
  changed_.NotifyAll();
}

void RequestQueue::Put(std::vector<demo::ExportRequest>* requests) {
  MutexLock lock(mutex_);
  for (demo::ExportRequest& request : *requests) {
    while (!HasRoom()) changed_.Wait(mutex_);
    Add(std::move(request));
  }
  requests->clear();
}

uint64_t RequestQueue::PutOrDrop(std::vector<demo::ExportRequest>* requests) {
  MutexLock lock(mutex_);
  uint64_t dropped = 0;
  for (demo::ExportRequest& request : *requests) {
    if (HasRoom()) {
      Add(std::move(request));
    } else {
      dropped += request.span_count;
    }
  }
  requests->clear();
  return dropped;
}

void RequestQueue::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  changed_.NotifyAll();
}

bool RequestQueue::Take(demo::ExportRequest* request) {
  MutexLock lock(mutex_);
  while (requests_.empty() && !closed_) changed_.Wait(mutex_);
  if (requests_.empty()) return false;
  *request = std::move(requests_.front());
  requests_.pop_front();
  bytes_ -= request->body.size();
  changed_.NotifyAll();
  return true;
}

}  // namespace weft::bench
