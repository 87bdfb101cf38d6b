// The server's own metrics: counters and gauges with labels, and their Prometheus text.
//
// A metric is registered once (by the room that owns it, in its constructor) and then updated
// without a lock. Any thread may update, read and render. Names follow Prometheus:
// weft_<noun>_<unit>[_total].
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void Set(int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void Add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

class MetricRegistry {
 public:
  // The metric with this name and these labels, made at first use; valid as long as the registry.
  // Cheap enough for cold paths only: keep the reference. `help` of the first call wins.
  Counter& GetCounter(std::string_view name, std::string_view help, MetricLabels labels = {});
  Gauge& GetGauge(std::string_view name, std::string_view help, MetricLabels labels = {});
  // A gauge that is computed when the metrics are read.
  void AddGaugeFunction(std::string_view name, std::string_view help, MetricLabels labels,
                        std::function<double()> read);

  // Sum over all label sets of a counter; 0 when there is none.
  uint64_t SumCounter(std::string_view name) const;

  // Prometheus text exposition format 0.0.4, families sorted by name.
  std::string RenderPrometheus() const;

 private:
  struct Series {
    MetricLabels labels;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::function<double()> read;
  };
  struct Family {
    std::string help;
    bool is_counter = false;
    std::vector<std::unique_ptr<Series>> series;
  };
  Series& FindOrAdd(std::string_view name, std::string_view help, bool is_counter,
                    MetricLabels labels);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;  // guarded by mutex_
};

}  // namespace weft
