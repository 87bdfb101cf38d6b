#include "app/commands/import_sender.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include <protozero/pbf_reader.hpp>

#include "app/commands/json_fields.h"
#include "model/tenant.h"

namespace weft::app::commands {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr uint32_t kFirstPauseMs = 250;
constexpr uint32_t kLongestPauseMs = 15'000;

std::string_view ContentType(ImportEncoding encoding) {
  return encoding == ImportEncoding::kJson ? "application/json" : "application/x-protobuf";
}

bool IsBusy(int status) { return status == 429 || status == 502 || status == 503 || status == 504; }

// Retry-After in seconds; a date is not understood and counts as absent.
uint32_t RetryAfterMs(const net::HttpResponse& response) {
  const std::string_view text = response.headers.Get("Retry-After");
  uint32_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::min<uint32_t>(seconds, 3600) * 1000;
}

// {"partialSuccess":{"rejectedSpans":"3","errorMessage":"..."}} or {"code":3,"message":"..."}.
void ReadJson(std::string_view body, ImportSender::Answer* answer) {
  const auto value = ParseJson(body);
  if (!value) return;
  answer->message = TextOf(&*value, "message");
  const boost::json::value* partial = MemberOf(&*value, "partialSuccess");
  if (partial == nullptr) return;
  answer->message = TextOf(partial, "errorMessage");
  answer->rejected_spans = NumberOf(partial, "rejectedSpans");
}

void ReadPartialSuccess(protozero::pbf_reader partial, ImportSender::Answer* answer) {
  while (partial.next()) {
    if (partial.tag() == 1) {
      answer->rejected_spans = static_cast<uint64_t>(partial.get_int64());
    } else if (partial.tag() == 2) {
      answer->message = partial.get_string();
    } else {
      partial.skip();
    }
  }
}

// ExportTraceServiceResponse (partial_success 1), or google.rpc.Status (message 2).
void ReadProtobuf(std::string_view body, ImportSender::Answer* answer) {
  try {
    protozero::pbf_reader reader(body.data(), body.size());
    while (reader.next()) {
      if (answer->accepted && reader.tag() == 1) {
        ReadPartialSuccess(reader.get_message(), answer);
      } else if (!answer->accepted && reader.tag() == 2) {
        answer->message = reader.get_string();
      } else {
        reader.skip();
      }
    }
  } catch (const protozero::exception&) {
    // An answer that can't be read says nothing more than its status.
  }
}

ImportSender::Answer ReadAnswer(const net::HttpResponse& response) {
  ImportSender::Answer answer;
  answer.accepted = response.status / 100 == 2;
  const bool is_json = response.content_type.starts_with("application/json");
  is_json ? ReadJson(response.body, &answer) : ReadProtobuf(response.body, &answer);
  if (!answer.accepted && answer.message.empty())
    answer.message = "status " + std::to_string(response.status);
  return answer;
}

}  // namespace

ImportSender::ImportSender(Options options, Env& env)
    : options_(std::move(options)), env_(env), client_(options_.address) {}

Error ImportSender::Wait(uint32_t attempt, uint32_t retry_after_ms, std::string_view why) {
  uint32_t pause_ms = std::min(kFirstPauseMs << std::min<uint32_t>(attempt, 10), kLongestPauseMs);
  pause_ms = pause_ms / 2 + static_cast<uint32_t>(env_.RandomU64() % (pause_ms / 2 + 1));
  if (retry_after_ms > 0) pause_ms = retry_after_ms;
  if (options_.on_wait)
    options_.on_wait(std::string(why) + "; again in " + std::to_string(pause_ms) + " ms");
  const int64_t until_ns = env_.MonotonicNs() + pause_ms * kMs;
  while (env_.MonotonicNs() < until_ns) {
    if (options_.interrupted != nullptr && options_.interrupted->load())
      return Error(ErrorCode::kCancelled, "interrupted");
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min<uint32_t>(pause_ms, 20)));
  }
  return Error::Ok();
}

Result<ImportSender::Answer> ImportSender::Send(ImportEncoding encoding, std::string_view body) {
  net::HttpHeaders headers;
  if (!options_.tenant.empty()) headers.Add(model::kTenantHeader, options_.tenant);
  const int64_t give_up_ns = env_.MonotonicNs() + options_.give_up_after_ns;
  for (uint32_t attempt = 0;; ++attempt) {
    const auto response = client_.Send("POST", "/v1/traces", body, ContentType(encoding), headers);
    std::string why;
    uint32_t retry_after_ms = 0;
    if (response.ok() && !IsBusy(response->status)) {
      Answer answer = ReadAnswer(*response);
      if (answer.accepted || response->status == 400 || response->status == 413) return answer;
      return Error(ErrorCode::kInvalidArgument,
                   options_.address + " does not take OTLP at /v1/traces: " + answer.message);
    }
    if (response.ok()) {
      why = "the server is busy (" + std::to_string(response->status) + ")";
      retry_after_ms = RetryAfterMs(*response);
    } else {
      const ErrorCode code = response.error().code();
      if (code != ErrorCode::kUnavailable && code != ErrorCode::kCancelled) return response.error();
      why = response.error().message();
    }
    if (env_.MonotonicNs() >= give_up_ns) return Error(ErrorCode::kUnavailable, "given up: " + why);
    WEFT_RETURN_IF_ERROR(Wait(attempt, retry_after_ms, why));
  }
}

std::string JoinRecords(const std::vector<ImportRecord>& records) {
  const bool is_json = !records.empty() && records[0].encoding == ImportEncoding::kJson;
  std::string body = is_json ? "{\"resourceSpans\":[" : "";
  for (size_t i = 0; i < records.size(); ++i) {
    if (is_json && i > 0) body.push_back(',');
    body += records[i].bytes;
  }
  if (is_json) body += "]}";
  return body;
}

}  // namespace weft::app::commands
