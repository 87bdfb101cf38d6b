// server.json in the data folder: where the running server listens.
#pragma once

#include <string>

#include "base/env.h"

namespace weft::app {

struct ServerAddresses {
  std::string http;
  std::string otlp_grpc;
  std::string otlp_http;
  std::string zipkin_http;  // of this and the next, empty when they are off
  std::string jaeger_http;
  std::string jaeger_grpc;
  std::string jaeger_compact;
  std::string jaeger_binary;
  std::string store;  // as the setting has it: empty, or a name without quotes or backslashes
};

// {"http":"127.0.0.1:3200","otlp_grpc":...,"pid":...}: the addresses by these names, the store and
// the process, replaced in one step.
Error WriteServerFile(Env& env, const std::string& data_folder, const ServerAddresses& addresses);
void RemoveServerFile(Env& env, const std::string& data_folder);

}  // namespace weft::app
