// `weft demo`: a shop that sends its traces to an OTLP/HTTP receiver in real time.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace weft::demo {

struct DemoOptions {
  std::string otlp_http = "127.0.0.1:4318";  // "host:port" or "http://host:port"
  std::string tenant;                        // X-Scope-OrgID; empty: none
  double requests_per_second = 5;            // of people in the shop: about 14 spans each
  uint32_t seconds = 0;                      // how long to go on; 0: for ever
  uint32_t history_seconds = 900;  // the past to send first; incidents begin with it (docs/demo.md)
  uint64_t seed = 1;
  const std::atomic<bool>* stop = nullptr;  // ends the demo when it turns true; may be null
};

// Blocks until the time is over or `stop` is set; what has ended by then is sent, for two seconds
// at most. Logs what it does. The exit code: 0, or 1 when the options make no sense or no span
// could be sent at all.
int RunDemo(const DemoOptions& options);

}  // namespace weft::demo
