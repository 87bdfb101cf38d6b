#include "app/server_file.h"

#include <unistd.h>

namespace weft::app {

// Addresses are host:port and need no escaping.
Error WriteServerFile(Env& env, const std::string& data_folder, const ServerAddresses& addresses) {
  const std::string text = "{\"http\":\"" + addresses.http + "\",\"otlp_grpc\":\"" +
                           addresses.otlp_grpc + "\",\"otlp_http\":\"" + addresses.otlp_http +
                           "\",\"store\":\"" + addresses.store +
                           "\",\"pid\":" + std::to_string(getpid()) + "}\n";
  return env.ReplaceFile(data_folder + "/server.json", text);
}

void RemoveServerFile(Env& env, const std::string& data_folder) {
  (void)env.RemoveFile(data_folder + "/server.json")
      .ok();  // a stale file only costs a clearer message later
}

}  // namespace weft::app
