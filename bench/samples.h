// Ids and values from the workload for queries to ask for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <protozero/pbf_reader.hpp>

#include "base/error.h"
#include "bench/traffic.h"

namespace weft::bench {

// Collects some of the requests that it is shown, spread evenly over all. One thread.
class SampleCollector {
 public:
  void Add(const demo::ExportRequest& request);
  // Writes {"traceIds": [...], "requestIds": [...]} with 500 to 1,000 of each, where there are so
  // many: trace ids in hex, and values of the span attribute guid:x-request-id, each of which one
  // span of all carries.
  Error Write(const std::string& path) const;

 private:
  struct Sample {
    std::string trace_id;
    std::string request_id;
  };
  void AddSpan(protozero::pbf_reader span);
  void Add(Sample sample);

  std::vector<Sample> samples_;
  uint64_t every_ = 1;
  uint64_t seen_ = 0;
};

}  // namespace weft::bench
