#include "demo/otlp_sender.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "base/log.h"
#include "net/http_client.h"

namespace weft::demo {
namespace {

constexpr uint32_t kRetryAfterMaxMs = 60'000;

uint32_t RetryAfterMs(const net::HttpResponse& response) {
  const std::string_view text = response.headers.Get("Retry-After");
  uint32_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::min<uint64_t>(uint64_t{seconds} * 1000, kRetryAfterMaxMs);
}

SendOutcome Judge(const net::HttpResponse& response) {
  if (response.status / 100 == 2) return {};
  const std::string reason = "HTTP status " + std::to_string(response.status);
  // The statuses that OTLP calls retryable.
  for (int status : {429, 502, 503, 504}) {
    if (response.status == status) return {SendOutcome::kLater, RetryAfterMs(response), reason};
  }
  return {SendOutcome::kRefused, 0, reason};
}

}  // namespace

SendAttempt MakeHttpAttempt(const std::string& address, const std::string& tenant) {
  net::HttpClientOptions options;
  options.request_timeout_ms = 15'000;
  auto client = std::make_shared<net::HttpClient>(address, options);
  net::HttpHeaders headers;
  if (!tenant.empty()) headers.Add("X-Scope-OrgID", tenant);
  return [client, headers](std::string_view body) -> SendOutcome {
    auto response = client->Send("POST", "/v1/traces", body, "application/x-protobuf", headers);
    if (response.ok()) return Judge(*response);
    return {SendOutcome::kLater, 0, response.error().message()};
  };
}

OtlpSender::OtlpSender(SendAttempt attempt, const SenderOptions& options)
    : attempt_(std::move(attempt)), options_(options) {}

void OtlpSender::Enqueue(std::vector<ExportRequest>* requests) {
  for (ExportRequest& request : *requests) queue_.push_back(std::move(request));
  requests->clear();
  while (queue_.size() > options_.queued_requests_max) {
    counts_.dropped_spans += queue_.front().span_count;
    dropped_while_away_ += queue_.front().span_count;
    queue_.pop_front();
  }
}

void OtlpSender::Pump(int64_t now_ns) {
  if (now_ns < next_attempt_ns_) return;
  while (!queue_.empty()) {
    const ExportRequest& request = queue_.front();
    const SendOutcome outcome = attempt_(request.body);
    if (outcome.kind == SendOutcome::kLater) return BackOff(outcome, now_ns);
    NoteRecovery();
    if (outcome.kind == SendOutcome::kTaken) {
      counts_.sent_spans += request.span_count;
    } else {
      counts_.refused_spans += request.span_count;
      LogWarn("the receiver refuses spans",
              {{"reason", outcome.reason}, {"spans", request.span_count}});
    }
    queue_.pop_front();
  }
}

void OtlpSender::BackOff(const SendOutcome& outcome, int64_t now_ns) {
  if (backoff_ms_ == 0) {
    LogWarn("the receiver is away; trying again until it is back", {{"reason", outcome.reason}});
    backoff_ms_ = options_.backoff_first_ms;
  } else {
    backoff_ms_ = std::min(backoff_ms_ * 2, options_.backoff_max_ms);
  }
  const uint32_t wait_ms = outcome.retry_after_ms != 0 ? outcome.retry_after_ms : backoff_ms_;
  next_attempt_ns_ = now_ns + int64_t{wait_ms} * 1'000'000;
}

void OtlpSender::NoteRecovery() {
  next_attempt_ns_ = 0;
  if (backoff_ms_ == 0) return;
  backoff_ms_ = 0;
  LogInfo("the receiver is back", {{"spans_given_up", std::exchange(dropped_while_away_, 0)}});
}

}  // namespace weft::demo
