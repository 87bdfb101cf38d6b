#include "generate/remote_writer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "model/tenant.h"
#include "net/http_client.h"

namespace weft::generate {
namespace {

constexpr int64_t kPauseNs = 1'000'000'000;
constexpr int64_t kPauseMaxNs = 30'000'000'000;
// Short enough for a stop of the server to wait for.
constexpr uint32_t kTimeoutMs = 10'000;
constexpr std::string_view kScheme = "http://";

struct Target {
  std::string address;  // host:port
  std::string path;
};

Target TargetOf(const std::string& url) {
  const std::string_view rest = std::string_view(url).substr(kScheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string address(rest.substr(0, slash));
  if (address.find(':', address.find(']') == address.npos ? 0 : address.find(']')) ==
      address.npos) {
    address += ":80";
  }
  return {std::move(address), slash == rest.size() ? "/" : std::string(rest.substr(slash))};
}

bool MayRetry(int status) { return status == 429 || status >= 500; }

}  // namespace

Result<RemoteWriteOptions> MakeRemoteWriteOptions(const std::string& url,
                                                  const std::vector<std::string>& headers) {
  RemoteWriteOptions options;
  if (!url.starts_with(kScheme) || url.size() == kScheme.size() || url[kScheme.size()] == '/') {
    return Error(
        ErrorCode::kInvalidArgument,
        "'" + url + "' is not http://host:port/path (weft has no TLS: put a proxy between)");
  }
  options.url = url;
  for (const std::string& header : headers) {
    const size_t colon = header.find(':');
    if (colon == 0 || colon == header.npos || header.find_first_of("\r\n") != header.npos) {
      return Error(ErrorCode::kInvalidArgument, "'" + header + "' is not a header, Name: value");
    }
    const size_t value = header.find_first_not_of(' ', colon + 1);
    options.headers.Add(header.substr(0, colon), value == header.npos ? "" : header.substr(value));
  }
  return options;
}

RemoteWriter::Post HttpPost(const RemoteWriteOptions& options) {
  const Target target = TargetOf(options.url);
  const auto client = std::make_shared<net::HttpClient>(
      target.address,
      net::HttpClientOptions{.request_timeout_ms = kTimeoutMs, .response_bytes_max = 1 << 20});
  return [client, path = target.path, headers = options.headers](const model::TenantId& tenant,
                                                                 const std::string& body) {
    net::HttpHeaders all;
    all.Add("Content-Encoding", "snappy");
    all.Add("X-Prometheus-Remote-Write-Version", "0.1.0");
    all.Add(model::kTenantHeader, tenant);
    for (const auto& [name, value] : headers.fields()) all.Set(name, value);
    return client->Send("POST", path, body, "application/x-protobuf", all);
  };
}

RemoteWriter::RemoteWriter(const Env& env, MetricRegistry& metrics,
                           const RemoteWriteOptions& options, const SeriesStore& store, Post post)
    : env_(env),
      options_(options),
      store_(store),
      post_(std::move(post)),
      metrics_(metrics),
      sent_(metrics.GetCounter("weft_generator_remote_write_samples_total",
                               "Samples that a receiver of remote write has taken.")),
      failed_(metrics.GetCounter("weft_generator_remote_write_failures_total",
                                 "Attempts at remote write that have failed.")) {}

RemoteWriter::~RemoteWriter() { Stop(); }

void RemoteWriter::Start() {
  thread_ = std::thread([this] { Run(); });
}

void RemoteWriter::Stop() {
  {
    const MutexLock lock(mutex_);
    stop_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

bool RemoteWriter::Wait(int64_t until_ns) {
  const MutexLock lock(mutex_);
  while (!stop_) {
    const int64_t left_ns = until_ns - env_.MonotonicNs();
    if (left_ns <= 0) return true;
    changed_.WaitFor(mutex_, left_ns);
  }
  return false;
}

void RemoteWriter::Run() {
  int64_t collect_ns = env_.MonotonicNs() + options_.interval_ns;
  int64_t send_ns = collect_ns;
  while (Wait(queue_.empty() ? collect_ns : std::min(collect_ns, send_ns))) {
    if (env_.MonotonicNs() >= collect_ns) {
      Collect();
      collect_ns += options_.interval_ns;
    }
    if (!queue_.empty() && env_.MonotonicNs() >= send_ns) send_ns = env_.MonotonicNs() + SendOne();
  }
  Collect();
  for (bool sent = true; sent && !queue_.empty();) sent = SendOne() == 0;
}

void RemoteWriter::Collect() {
  const int64_t now_ms = env_.NowNs() / 1'000'000;
  // Also tenants whose last series has just gone.
  for (const model::TenantId& tenant : store_.Tenants()) encoders_[tenant];
  for (auto& [tenant, encoder] : encoders_) {
    for (WriteRequest& request : encoder.Encode(store_, tenant, now_ms)) {
      queue_bytes_ += request.body.size();
      queue_.push_back({tenant, std::move(request)});
    }
  }
  while (queue_bytes_ > options_.queue_bytes_max && !queue_.empty()) Drop("queue_full");
}

void RemoteWriter::Drop(std::string_view reason) {
  metrics_
      .GetCounter("weft_generator_remote_write_dropped_samples_total",
                  "Samples that were not sent, by reason.", {{"reason", std::string(reason)}})
      .Add(queue_.front().request.samples);
  queue_bytes_ -= queue_.front().request.body.size();
  queue_.pop_front();
}

int64_t RemoteWriter::SendOne() {
  if (queue_.empty()) return 0;
  const Queued& first = queue_.front();
  const auto answer = post_(first.tenant, first.request.body);
  if (answer.ok() && answer->status >= 200 && answer->status < 300) {
    sent_.Add(first.request.samples);
    queue_bytes_ -= first.request.body.size();
    queue_.pop_front();
    pause_ns_ = 0;
    return 0;
  }
  failed_.Add();
  const std::string why =
      answer.ok() ? "status " + std::to_string(answer->status) : answer.error().message();
  if (answer.ok() && !MayRetry(answer->status)) {
    LogWarn("remote write: the receiver refuses samples, which are dropped",
            {{"status", answer->status}, {"body", answer->body.substr(0, 200)}});
    Drop("refused");
    return 0;
  }
  pause_ns_ = std::clamp(2 * pause_ns_, kPauseNs, kPauseMaxNs);
  LogWarn("remote write failed; trying again",
          {{"why", why}, {"seconds", pause_ns_ / kPauseNs}, {"queued_requests", queue_.size()}});
  return pause_ns_;
}

}  // namespace weft::generate
