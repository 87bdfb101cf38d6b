// `weft trace ID`: shows one trace.
#pragma once

#include <string>

#include "app/commands/console.h"
#include "app/commands/server_address.h"

namespace weft::app::commands {

struct TraceOptions {
  ServerChoice server;
  std::string id;     // hex digits
  bool json = false;  // the columns that the UI reads
  bool otlp = false;  // OTLP/JSON
};

// 0 when the trace was shown, 1 when there is none or the server refuses, 2 when the options are
// wrong.
int RunTrace(const TraceOptions& options, const Console& console = Console::OfProcess());

// The waterfall of a trace, given as TraceColumns (proto/openapi.yaml): one line a span, as a tree,
// with its bar on the time line of the trace. kCorrupt when the JSON is not of that shape.
Result<std::string> DrawWaterfall(std::string_view columns_json, const Stream& stream);

}  // namespace weft::app::commands
