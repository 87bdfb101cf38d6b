// `weft query 'TRACEQL'`: searches for traces, counts spans, or asks what traces were waiting for.
#pragma once

#include <cstdint>
#include <string>

#include "app/commands/console.h"
#include "app/commands/question.h"

namespace weft::app::commands {

struct QueryOptions {
  ServerChoice server;
  std::string query = "{}";
  // Traces (with `all`, of one page), groups of critical paths, or lines of metrics.
  uint32_t limit = 20;
  TimeFlags times;
  bool json = false;     // one trace a line; also when standard output is no terminal
  bool all = false;      // every page
  bool explain = false;  // what the server did, after each page
};

// 0 when the answer is complete, 1 when it is not or the server refuses, 2 when the options or the
// query are wrong.
int RunQuery(const QueryOptions& options, const Console& console = Console::OfProcess());

// The line of `query` that an error points at, with carets below its place. `line` and `column` are
// from 1, `length` is in bytes of the query.
std::string UnderlineQuery(std::string_view query, uint64_t line, uint64_t column, uint64_t length);

// Prints a refusal of a query with its place. The exit code.
int PrintRefusal(const std::string& query, const net::HttpResponse& response,
                 const Console& console);

}  // namespace weft::app::commands
