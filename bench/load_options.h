// What the load generator is asked to do.
#pragma once

#include <cstdint>
#include <string>

namespace weft::bench {

struct LoadOptions {
  uint64_t spans = 1'000'000;
  uint64_t seed = 1;
  double rate =
      0;  // spans a second; 0: everything made beforehand, then as fast as the server takes it
  bool on_the_fly = false;        // with rate 0: made while they are sent, in little memory
  double seconds = 0;             // with on_the_fly: when to stop at the latest; 0: no limit
  uint64_t window = 0;            // prints a line for each so many spans that are acknowledged
  std::string protocol = "http";  // or "grpc"
  std::string address;            // host:port
  uint32_t connections = 2;
  std::string samples;  // file for ids and values that queries can ask for; empty: none
};

enum class LoadMode { kSend, kBaseline };

struct LoadCommand {
  LoadMode mode = LoadMode::kSend;
  LoadOptions options;
};

// Reads the command line; ends the process with a message when it makes no sense.
LoadCommand ReadCommandLine(int argc, char** argv);

}  // namespace weft::bench
