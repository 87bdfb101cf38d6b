// Reads all segments of a folder in order. Called once, while the log opens.
#pragma once

#include <vector>

#include "base/env.h"
#include "base/metrics.h"
#include "wal/format.h"
#include "wal/segment_table.h"
#include "wal/wal.h"

namespace weft::wal {

// Makes the folder when it is missing, delivers every record to the handler, cuts torn tails, and
// enters the segments into the table. Returns the segments that have nothing in them.
Result<std::vector<SegmentId>> ReplaySegments(Env& env, SegmentTable& table,
                                              MetricRegistry& metrics, ReplayHandler& handler);

// To be called when a higher segment is durable. Failures are logged: the next start tries again.
void DeleteEmptySegments(SegmentTable& table, const std::vector<SegmentId>& segments);

}  // namespace weft::wal
