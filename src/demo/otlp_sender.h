// Sends export requests to an OTLP/HTTP receiver, in order, and holds a bounded number of them
// while that is away.
//
// One thread at a time; Pump blocks for as long as the receiver takes to answer.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "demo/batch_exporter.h"

namespace weft::demo {

// What became of one attempt to hand a request over.
struct SendOutcome {
  enum Kind : uint8_t {
    kTaken,    // stored
    kRefused,  // never again: the receiver will not take it
    kLater,    // try again after retry_after_ms (0: as the sender thinks)
  };
  Kind kind = kTaken;
  uint32_t retry_after_ms = 0;
  std::string reason;  // for people, of kRefused and kLater
};

// One attempt: POST of an ExportTraceServiceRequest.
using SendAttempt = std::function<SendOutcome(std::string_view body)>;

// Attempts over one keep-alive connection to "host:port" or "http://host:port", path /v1/traces.
// `tenant` empty: the receiver's default.
SendAttempt MakeHttpAttempt(const std::string& address, const std::string& tenant);

struct SenderOptions {
  size_t queued_requests_max = 2'000;  // beyond that the oldest are dropped, and counted
  uint32_t backoff_first_ms = 500;
  uint32_t backoff_max_ms = 15'000;
};

struct SenderCounts {
  uint64_t sent_spans = 0;
  uint64_t refused_spans = 0;
  uint64_t dropped_spans = 0;  // given up because the receiver stayed away
};

class OtlpSender {
 public:
  OtlpSender(SendAttempt attempt, const SenderOptions& options);

  // Moves the requests into the queue and leaves `requests` empty.
  void Enqueue(std::vector<ExportRequest>* requests);
  // Sends what is queued, in order, until the queue is empty or the receiver wants to be left
  // alone. `now_ns` is a monotonic time. Logs once when the receiver goes away and once when it is
  // back.
  void Pump(int64_t now_ns);

  bool idle() const { return queue_.empty(); }
  // The first moment at which Pump can do anything; 0 for at once.
  int64_t next_attempt_ns() const { return next_attempt_ns_; }
  const SenderCounts& counts() const { return counts_; }

 private:
  void BackOff(const SendOutcome& outcome, int64_t now_ns);
  void NoteRecovery();

  SendAttempt attempt_;
  SenderOptions options_;
  std::deque<ExportRequest> queue_;
  SenderCounts counts_;
  uint32_t backoff_ms_ = 0;  // 0: the receiver is there
  uint64_t dropped_while_away_ = 0;
  int64_t next_attempt_ns_ = 0;
};

}  // namespace weft::demo
