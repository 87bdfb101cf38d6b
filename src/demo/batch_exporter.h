// Collects spans per instance and hands them out as OTLP export requests, the way that an SDK's
// batch processor does: when a batch is full or its oldest span has waited long enough. One request
// is one process's spans: one ResourceSpans, a ScopeSpans per library.
//
// One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "demo/active_span.h"
#include "demo/fleet.h"
#include "demo/wire.h"

namespace weft::demo {

struct ExportRequest {
  std::string body;  // encoded opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest
  uint32_t span_count = 0;
};

struct BatchOptions {
  uint32_t spans_max = 512;  // the default of the OpenTelemetry specification, as is the delay
  uint64_t delay_ns = 5'000'000'000;
};

class BatchExporter {
 public:
  // `fleet` must outlive it.
  BatchExporter(const Fleet& fleet, const BatchOptions& options);

  // Takes a span; appends the request that it completes, if it does.
  void Add(const FinishedSpan& span, std::vector<ExportRequest>* out);
  // Appends the requests whose delay has passed at `now_ns`; the end of a span counts as the time
  // that it was added.
  void FlushDue(uint64_t now_ns, std::vector<ExportRequest>* out);
  void FlushAll(std::vector<ExportRequest>* out);
  void SetDelay(uint64_t delay_ns) { options_.delay_ns = delay_ns; }

 private:
  struct Batch {
    std::array<WireBuffer, kLibraryCount> spans;  // ScopeSpans.spans fields by library
    uint32_t span_count = 0;
    uint64_t oldest_ns = 0;
  };
  void Flush(uint32_t instance, std::vector<ExportRequest>* out);

  const Fleet& fleet_;
  BatchOptions options_;
  std::vector<Batch> batches_;  // by instance
  WireBuffer scope_;
  WireBuffer scope_spans_;
  WireBuffer resource_spans_;
  WireBuffer request_;
};

}  // namespace weft::demo
