// weft_otlp_load: the sender behind bench/run. Prints "ready" when the first byte could go out,
// waits for a line on standard input, works, and prints one line of JSON (before it one for each
// window of acknowledged spans, when told to).
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "base/env.h"
#include "bench/baseline.h"
#include "bench/load_options.h"
#include "bench/otlp_connection.h"
#include "bench/request_queue.h"
#include "bench/samples.h"
#include "bench/traffic.h"

namespace weft::bench {
namespace {

constexpr int64_t kRetryWaitMs = 50;
constexpr int kAttemptsMax = 1200;  // a minute

struct SendCounts {
  explicit SendCounts(uint64_t spans_of_window) : window(spans_of_window) {}

  const uint64_t window;  // a line is printed whenever so many more are acknowledged; 0: none
  std::atomic<uint64_t> spans{0};  // acknowledged
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> retries{0};   // refused and to be sent again
  std::atomic<uint64_t> failures{0};  // requests that were given up
  std::atomic<uint64_t> dropped{0};   // spans that were never sent: the queue was full

  void Acknowledge(const demo::ExportRequest& request) {
    bytes += request.body.size();
    const uint64_t before = spans.fetch_add(request.span_count);
    const uint64_t now = before + request.span_count;
    if (window == 0 || before / window == now / window) return;
    std::printf("{\"acknowledged\": %llu}\n", static_cast<unsigned long long>(now));
    std::fflush(stdout);
  }
};

std::unique_ptr<OtlpConnection> Connect(const LoadOptions& options) {
  return options.protocol == "grpc" ? ConnectGrpc(options.address) : ConnectHttp(options.address);
}

void SendOne(OtlpConnection& connection, const demo::ExportRequest& request, SendCounts* counts) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const Error error = connection.Send(request.body);
    if (error.ok()) {
      counts->Acknowledge(request);
      return;
    }
    if (error.code() != ErrorCode::kUnavailable) {
      std::cerr << error.message() << "\n";
      break;
    }
    ++counts->retries;
    std::this_thread::sleep_for(std::chrono::milliseconds(kRetryWaitMs));
  }
  ++counts->failures;
}

double Seconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

void WaitForGo() {
  std::cout << "ready" << std::endl;
  std::string line;
  std::getline(std::cin, line);
}

int Report(const SendCounts& counts, double seconds) {
  std::printf(
      "{\"spans\": %llu, \"bytes\": %llu, \"seconds\": %.6f, \"retries\": %llu, \"failures\": "
      "%llu, \"dropped\": %llu}\n",
      static_cast<unsigned long long>(counts.spans), static_cast<unsigned long long>(counts.bytes),
      seconds, static_cast<unsigned long long>(counts.retries),
      static_cast<unsigned long long>(counts.failures),
      static_cast<unsigned long long>(counts.dropped));
  return counts.failures == 0 ? 0 : 1;
}

bool Wrote(const SampleCollector& samples, const std::string& path) {
  const Error error = samples.Write(path);
  if (!error.ok()) std::cerr << error.message() << "\n";
  return error.ok();
}

// Everything is made beforehand; the connections share the list.
int SendAtOnce(const LoadOptions& options) {
  const Traffic traffic =
      MakeTraffic(options.spans, options.seed, static_cast<uint64_t>(Env::Posix().NowNs()));
  if (!options.samples.empty()) {
    SampleCollector samples;
    for (const demo::ExportRequest& request : traffic.requests) samples.Add(request);
    if (!Wrote(samples, options.samples)) return 1;
  }
  WaitForGo();
  SendCounts counts(options.window);
  std::atomic<size_t> next{0};
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  threads.reserve(options.connections);
  for (uint32_t i = 0; i < options.connections; ++i) {
    threads.emplace_back([&] {
      auto connection = Connect(options);
      for (size_t at = next++; at < traffic.requests.size(); at = next++)
        SendOne(*connection, traffic.requests[at], &counts);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return Report(counts, Seconds(begin));
}

// How many bytes of requests may wait for a connection.
constexpr uint64_t kWaitingBytesMax = 16 << 20;
constexpr double kForever = std::numeric_limits<double>::infinity();

// Connections that send what stands in the queue until it is closed.
std::vector<std::thread> StartConnections(const LoadOptions& options, RequestQueue* queue,
                                          SendCounts* counts) {
  std::vector<std::thread> threads;
  threads.reserve(options.connections);
  for (uint32_t i = 0; i < options.connections; ++i) {
    threads.emplace_back([&options, queue, counts] {
      auto connection = Connect(options);
      demo::ExportRequest request;
      while (queue->Take(&request)) SendOne(*connection, request, counts);
    });
  }
  return threads;
}

// Waits until so many spans should have been made.
void KeepPace(uint64_t made, double rate, std::chrono::steady_clock::time_point begin) {
  std::this_thread::sleep_until(
      begin + std::chrono::duration_cast<std::chrono::nanoseconds>(
                  std::chrono::duration<double>(static_cast<double>(made) / rate)));
}

// Spans are made while they are sent, of the same virtual time as those that are made beforehand:
// as fast as the receiver takes them or, with a rate, so many a second, and then what finds no room
// because the receiver does not keep up is dropped and counted.
int SendOnTheFly(const LoadOptions& options) {
  WaitForGo();
  TrafficMaker maker(options.spans, options.seed, static_cast<uint64_t>(Env::Posix().NowNs()));
  SendCounts counts(options.window);
  RequestQueue queue(kWaitingBytesMax);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> threads = StartConnections(options, &queue, &counts);
  std::vector<demo::ExportRequest> requests;
  SampleCollector samples;
  const double seconds_max = options.seconds > 0 ? options.seconds : kForever;
  while (Seconds(begin) < seconds_max && maker.MakeSome(&requests)) {
    if (!options.samples.empty()) {
      for (const demo::ExportRequest& request : requests) samples.Add(request);
    }
    if (options.rate > 0) {
      counts.dropped += queue.PutOrDrop(&requests);
      KeepPace(maker.made(), options.rate, begin);
    } else {
      queue.Put(&requests);
    }
  }
  queue.Close();
  for (std::thread& thread : threads) thread.join();
  if (!options.samples.empty() && !Wrote(samples, options.samples)) return 1;
  return Report(counts, Seconds(begin));
}

// Spans are made as time passes, as live traffic is. What finds no room because the receiver does
// not keep up is dropped and counted.
int SendAtRate(const LoadOptions& options) {
  Env& env = Env::Posix();
  WaitForGo();
  demo::ShopFeed feed =
      MakeLiveFeed(options.rate, options.seed, static_cast<uint64_t>(env.NowNs()));
  SendCounts counts(options.window);
  RequestQueue queue(kWaitingBytesMax);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> threads = StartConnections(options, &queue, &counts);
  const double seconds = static_cast<double>(options.spans) / options.rate;
  std::vector<demo::ExportRequest> requests;
  while (Seconds(begin) < seconds) {
    feed.Advance(static_cast<uint64_t>(env.NowNs()), &requests);
    counts.dropped += queue.PutOrDrop(&requests);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  feed.Stop(static_cast<uint64_t>(env.NowNs()), &requests);
  queue.Put(&requests);
  queue.Close();
  for (std::thread& thread : threads) thread.join();
  return Report(counts, Seconds(begin));
}

// CPU time of this thread: others may be busy on the machine.
double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <typename Work>
double BestCpuNsPerSpan(uint64_t spans, Work work) {
  double best = 1e300;
  for (int round = 0; round < 3; ++round) {
    const double before = CpuSeconds();
    work();
    best = std::min(best, CpuSeconds() - before);
  }
  return best * 1e9 / static_cast<double>(spans);
}

int MeasureBaseline(const LoadOptions& options) {
  const Traffic traffic =
      MakeTraffic(options.spans, options.seed, static_cast<uint64_t>(Env::Posix().NowNs()));
  const WalkCounts counts = WalkFields(traffic);
  const WalkCounts hashed = WalkAndHash(traffic);
  uint64_t digest = 0;
  const double hash_ns =
      BestCpuNsPerSpan(counts.spans, [&] { digest += WalkAndHash(traffic).digest; });
  const auto spans = static_cast<double>(counts.spans);
  std::printf(
      "{\"spans\": %llu, \"bytesPerSpan\": %.1f, \"attributesPerSpan\": %.2f, \"spansPerTrace\": "
      "%.2f, \"walkAndHashNs\": %.1f, "
      "\"digest\": \"%llx\"}\n",
      static_cast<unsigned long long>(counts.spans), static_cast<double>(traffic.bytes) / spans,
      static_cast<double>(counts.attributes) / spans, spans / static_cast<double>(counts.traces),
      hash_ns, static_cast<unsigned long long>(digest ^ hashed.digest));
  return 0;
}

int Main(int argc, char** argv) {
  const LoadCommand command = ReadCommandLine(argc, argv);
  if (command.mode == LoadMode::kBaseline) return MeasureBaseline(command.options);
  if (command.options.on_the_fly) return SendOnTheFly(command.options);
  return command.options.rate > 0 ? SendAtRate(command.options) : SendAtOnce(command.options);
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) { return weft::bench::Main(argc, argv); }
