#include "demo/demo.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "base/env.h"
#include "base/log.h"
#include "demo/otlp_sender.h"
#include "demo/shop_feed.h"

namespace weft::demo {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kTickNs = 100'000'000;
constexpr uint64_t kHistoryStepNs = 10 * kSecondNs;
constexpr uint64_t kLastSendingNs = 2 * kSecondNs;
// A demo is watched: shorter than an SDK's default of 5 s.
constexpr uint64_t kBatchDelayNs = kSecondNs;
// Nobody waits for the single spans of the past: fewer and fuller requests.
constexpr uint64_t kHistoryBatchDelayNs = 60 * kSecondNs;

class Demo {
 public:
  Demo(const DemoOptions& options, Env& env)
      : options_(options),
        env_(env),
        begin_ns_(static_cast<uint64_t>(env.NowNs())),
        feed_(FeedOptions(options, begin_ns_)),
        sender_(MakeHttpAttempt(options.otlp_http, options.tenant), {}) {}

  int Run() {
    SendHistory();
    feed_.SetBatchDelay(kBatchDelayNs);
    while (!IsOver()) {
      PlayUntil(static_cast<uint64_t>(env_.NowNs()));
      Sleep(kTickNs);
    }
    return Finish();
  }

 private:
  static ShopFeedOptions FeedOptions(const DemoOptions& options, uint64_t begin_ns) {
    ShopFeedOptions feed;
    feed.seed = options.seed;
    feed.first_ns = begin_ns - options.history_seconds * kSecondNs;
    feed.requests_per_second = options.requests_per_second;
    feed.batch.delay_ns = kHistoryBatchDelayNs;
    return feed;
  }

  void SendHistory() {
    if (options_.history_seconds == 0) return;
    LogInfo("sending the past first", {{"seconds", options_.history_seconds}});
    uint64_t at_ns = begin_ns_ - options_.history_seconds * kSecondNs;
    while (at_ns < begin_ns_ && !IsOver()) {
      at_ns = std::min(at_ns + kHistoryStepNs, begin_ns_);
      PlayUntil(at_ns);
      // A receiver that is away or slow must not cost the past its spans.
      while (!sender_.idle() && !IsOver()) {
        Sleep(kTickNs);
        sender_.Pump(env_.MonotonicNs());
      }
    }
    LogInfo("the past is sent; now the present", {{"spans", sender_.counts().sent_spans}});
  }

  void PlayUntil(uint64_t now_ns) {
    feed_.Advance(now_ns, &requests_);
    sender_.Enqueue(&requests_);
    sender_.Pump(env_.MonotonicNs());
  }

  bool IsOver() const {
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) return true;
    const uint64_t now_ns = static_cast<uint64_t>(env_.NowNs());
    return options_.seconds != 0 && now_ns >= begin_ns_ + options_.seconds * kSecondNs;
  }

  // Spans that have ended go out; requests still under way stay unfinished, as when processes are
  // killed.
  int Finish() {
    const int64_t deadline_ns = env_.MonotonicNs() + static_cast<int64_t>(kLastSendingNs);
    feed_.Stop(static_cast<uint64_t>(env_.NowNs()), &requests_);
    sender_.Enqueue(&requests_);
    sender_.Pump(env_.MonotonicNs());
    while (!sender_.idle() && env_.MonotonicNs() < deadline_ns) {
      Sleep(kTickNs);
      sender_.Pump(env_.MonotonicNs());
    }
    const SenderCounts& counts = sender_.counts();
    LogInfo("the demo ends", {{"spans_sent", counts.sent_spans},
                              {"spans_refused", counts.refused_spans},
                              {"spans_given_up", counts.dropped_spans}});
    return counts.sent_spans == 0 ? 1 : 0;
  }

  static void Sleep(uint64_t ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }

  const DemoOptions& options_;
  Env& env_;
  const uint64_t begin_ns_;
  ShopFeed feed_;
  OtlpSender sender_;
  std::vector<ExportRequest> requests_;
};

}  // namespace

int RunDemo(const DemoOptions& options) {
  if (!(options.requests_per_second > 0 && options.requests_per_second <= 100'000)) {
    LogError("the rate must lie between 0 and 100000 requests a second",
             {{"rate", options.requests_per_second}});
    return 1;
  }
  LogInfo("the shop opens",
          {{"receiver", options.otlp_http}, {"requests_per_second", options.requests_per_second}});
  return Demo(options, Env::Posix()).Run();
}

}  // namespace weft::demo
