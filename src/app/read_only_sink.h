// The SpanSink of a server that only reads: refuses everything, and says where to send instead.
#pragma once

#include <memory>

#include "model/span_sink.h"

namespace weft::app {

class ReadOnlySink : public model::SpanSink {
 public:
  Error Admit(const model::TenantId&, uint64_t) override { return Refusal(); }
  void Push(const model::TenantId&, std::unique_ptr<model::SpanBatch>, Done done) override {
    done(Refusal());
  }

 private:
  // Not to be tried again: here it will never be taken.
  static Error Refusal() {
    return Error(ErrorCode::kUnsupported,
                 "this server only reads (--read-only): send spans to the server that writes to "
                 "its store");
  }
};

}  // namespace weft::app
