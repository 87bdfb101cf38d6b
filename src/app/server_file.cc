#include "app/server_file.h"

#include <unistd.h>

namespace weft::app {

// Addresses are host:port and need no escaping.
Error WriteServerFile(Env& env, const std::string& data_folder, const ServerAddresses& addresses) {
  const auto member = [](const char* name, const std::string& value) {
    return "\"" + std::string(name) + "\":\"" + value + "\",";
  };
  const std::string text =
      "{" + member("http", addresses.http) + member("otlp_grpc", addresses.otlp_grpc) +
      member("otlp_http", addresses.otlp_http) + member("zipkin_http", addresses.zipkin_http) +
      member("jaeger_http", addresses.jaeger_http) + member("jaeger_grpc", addresses.jaeger_grpc) +
      member("jaeger_compact", addresses.jaeger_compact) +
      member("jaeger_binary", addresses.jaeger_binary) + member("store", addresses.store) +
      "\"pid\":" + std::to_string(getpid()) + "}\n";
  return env.ReplaceFile(data_folder + "/server.json", text);
}

void RemoveServerFile(Env& env, const std::string& data_folder) {
  (void)env.RemoveFile(data_folder + "/server.json")
      .ok();  // a stale file only costs a clearer message later
}

}  // namespace weft::app
