// SpanSink: the waist between those who receive spans and whoever keeps them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "model/span_batch.h"

namespace weft::model {

// Who sent it: "default" when the sender names no one. 1 to 150 of [A-Za-z0-9!-_.*'()] as Grafana's
// products allow; checked by receivers.
using TenantId = std::string;

class SpanSink {
 public:
  virtual ~SpanSink() = default;

  // Called before a body is read: ok when `announced_bytes` more may be taken in now; else
  // kUnavailable or kResourceExhausted with a retry time. Cheap; any thread.
  virtual Error Admit(const TenantId& tenant, uint64_t announced_bytes) = 0;

  // Takes the batch. `done` is called exactly once, on any thread, maybe before Push returns: Ok
  // when every span is durable and can be found by a query, otherwise none of them will count as
  // accepted. Any thread. An empty batch is ok at once.
  using Done = std::function<void(Error)>;
  virtual void Push(const TenantId& tenant, std::unique_ptr<SpanBatch> batch, Done done) = 0;
};

}  // namespace weft::model
