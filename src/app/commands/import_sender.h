// Sends batches to a server over OTLP/HTTP until they are accepted, for as long as it makes sense.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "app/commands/import_reader.h"
#include "base/env.h"
#include "base/error.h"
#include "net/http_client.h"

namespace weft::app::commands {

class ImportSender {
 public:
  struct Options {
    std::string address;  // of OTLP/HTTP: "host:port" or "http://host:port"
    std::string tenant;
    int64_t give_up_after_ns = 300'000'000'000;      // without one success
    const std::atomic<bool>* interrupted = nullptr;  // when it turns true, waiting ends
    std::function<void(std::string_view)> on_wait;   // told why and how long it waits
  };
  struct Answer {
    bool accepted = false;
    uint64_t rejected_spans = 0;  // of an accepted batch: left out by the server
    std::string message;          // why, or what the server wants to say
  };

  ImportSender(Options options, Env& env);

  // An answer is accepted or refuses the content (400, 413): sending that again would not help.
  // Busy servers (429, 502, 503, 504) and lost connections are tried again, as long as Retry-After
  // says or with growing pauses. kUnavailable when that has gone on for too long, kCancelled when
  // interrupted, any other error when this is no server for it.
  Result<Answer> Send(ImportEncoding encoding, std::string_view body);

 private:
  // Whether to go on.
  Error Wait(uint32_t attempt, uint32_t retry_after_ms, std::string_view why);

  Options options_;
  Env& env_;
  net::HttpClient client_;
};

// Records of one encoding as the body of a request.
std::string JoinRecords(const std::vector<ImportRecord>& records);

}  // namespace weft::app::commands
