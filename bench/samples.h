// Ids and values from the workload for queries to ask for.
#pragma once

#include <string>

#include "base/error.h"
#include "bench/traffic.h"

namespace weft::bench {

// Writes {"traceIds": [...], "requestIds": [...]} with up to 500 of each, spread evenly: trace ids
// in hex, and values of the span attribute guid:x-request-id, each of which one span of all
// carries.
Error WriteSamples(const Traffic& traffic, const std::string& path);

}  // namespace weft::bench
