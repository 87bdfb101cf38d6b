#include "demo/shop_feed.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace weft::demo {
namespace {

constexpr uint64_t kFlushEveryNs = 100'000'000;
constexpr double kWaveSeconds = 300;

}  // namespace

ShopFeed::ShopFeed(const ShopFeedOptions& options)
    : options_(options),
      shop_({options.seed, {options.first_ns, options.timeline_speed}}, *this),
      exporter_(shop_.fleet(), options.batch),
      next_request_ns_(options.first_ns),
      next_flush_ns_(options.first_ns + kFlushEveryNs) {}

void ShopFeed::OnSpanEnd(const FinishedSpan& span) {
  if (free_messages_.empty()) {
    free_messages_.push_back(static_cast<uint32_t>(messages_.size()));
    messages_.emplace_back();
  }
  const uint32_t message = free_messages_.back();
  free_messages_.pop_back();
  messages_[message].assign(span.message);
  waiting_.push_back({span.end_ns, played_spans_++, span.instance, message, span.library});
  std::push_heap(waiting_.begin(), waiting_.end(), EndsLater);
}

void ShopFeed::Release(uint64_t now_ns, std::vector<ExportRequest>* out) {
  while (!waiting_.empty() && waiting_.front().end_ns <= now_ns) {
    std::pop_heap(waiting_.begin(), waiting_.end(), EndsLater);
    const Waiting& ended = waiting_.back();
    exporter_.Add({ended.instance, ended.library, ended.end_ns, messages_[ended.message]}, out);
    free_messages_.push_back(ended.message);
    waiting_.pop_back();
  }
}

uint64_t ShopFeed::NextGapNs(uint64_t now_ns) {
  const double second = static_cast<double>(now_ns - options_.first_ns) * 1e-9;
  const double wave =
      1 + options_.wave_height * std::sin(second / kWaveSeconds * 2 * std::numbers::pi);
  return static_cast<uint64_t>(
             shop_.random().Exponential(1e9 / (options_.requests_per_second * wave))) +
         1;
}

void ShopFeed::Advance(uint64_t now_ns, std::vector<ExportRequest>* out) {
  while (std::min(next_request_ns_, next_flush_ns_) <= now_ns) {
    if (next_request_ns_ <= next_flush_ns_) {
      shop_.PlayRequest(next_request_ns_);
      next_request_ns_ += NextGapNs(next_request_ns_);
    } else {
      Release(next_flush_ns_, out);
      exporter_.FlushDue(next_flush_ns_, out);
      next_flush_ns_ += kFlushEveryNs;
    }
  }
  Release(now_ns, out);
}

void ShopFeed::Stop(uint64_t now_ns, std::vector<ExportRequest>* out) {
  Advance(now_ns, out);
  exporter_.FlushAll(out);
}

void ShopFeed::Drain(std::vector<ExportRequest>* out) {
  Release(std::numeric_limits<uint64_t>::max(), out);
  exporter_.FlushAll(out);
}

}  // namespace weft::demo
