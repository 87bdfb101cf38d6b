// One user's request on its way through the shop, in virtual time: the clock, the open spans and
// who is asking.
//
// A World is what all visits share; a Visit lives as long as one request. Both belong to one
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "demo/active_span.h"
#include "demo/fleet.h"
#include "demo/random.h"
#include "demo/timeline.h"

namespace weft::demo {

inline constexpr size_t kUserCount = 100'000;
inline constexpr size_t kProductCount = 600;

struct World {
  World(uint64_t seed, const TimelineOptions& timeline_options, FinishedSpanSink& finished_spans);

  Random random;
  Fleet fleet;
  Timeline timeline;
  Zipf users;
  Zipf products;
  FinishedSpanSink& sink;
  std::vector<std::unique_ptr<ActiveSpan>> spans;  // a stack: the first `open` are in use
  size_t open = 0;
};

// Who is asking. Properties of a user never change; a session and a request do.
struct Shopper {
  uint64_t number = 0;
  std::string user_id;
  std::string email;
  std::string address;  // IPv4
  std::string_view user_agent;
  std::string_view currency;
  std::string_view locale;
  std::string_view variant;  // of the running experiment
  std::string_view region;
  std::string_view tier;
  int64_t cohort = 0;  // week of the first order
  std::string session_id;
};

class Visit {
 public:
  Visit(World& world, uint64_t start_ns);

  World& world() { return world_; }
  Random& random() { return world_.random; }
  const Shopper& shopper() const { return shopper_; }
  uint64_t now_ns() const { return now_ns_; }
  // The instance that the innermost open span runs in; there must be one.
  const Instance& here() const { return world_.spans[world_.open - 1]->instance(); }
  ActiveSpan& innermost() { return *world_.spans[world_.open - 1]; }
  // Context of the innermost open span; without one, the visit's trace and no span.
  SpanContext current() const;
  // A trace id of its own, and no span.
  SpanContext NewTrace();
  const Instance& PickInstance(Service service);

  // Lets time pass: a log-normal amount.
  void Work(double median_us, double sigma = 0.35);
  void Wait(uint64_t ns) { now_ns_ += ns; }
  // Continues at another time, with no span open: for what happens after the answer. Returns the
  // time before.
  uint64_t JumpTo(uint64_t ns) { return std::exchange(now_ns_, ns); }

  // Runs the branches as if at the same time: the clock ends where the slowest did.
  template <typename... Branch>
  void AtOnce(Branch&&... branch) {
    const uint64_t begin_ns = now_ns_;
    uint64_t end_ns = begin_ns;
    (RunBranch(begin_ns, &end_ns, branch), ...);
    now_ns_ = end_ns;
  }

  // Text of a random product's id, popular ones more often.
  std::string PickProduct();

 private:
  friend class OpenSpan;

  template <typename Branch>
  void RunBranch(uint64_t begin_ns, uint64_t* end_ns, Branch& branch) {
    now_ns_ = begin_ns;
    branch();
    if (now_ns_ > *end_ns) *end_ns = now_ns_;
  }

  World& world_;
  uint64_t now_ns_;
  SpanContext trace_;
  Shopper shopper_;
};

// An open span; ends with its C++ scope, at the visit's time then. Spans of a visit are closed in
// reverse order.
class OpenSpan {
 public:
  // A child, in the same process, of the innermost open span.
  OpenSpan(Visit& visit, Library library, SpanKind kind, std::string_view name);
  // In `instance`, as a remote child of `parent`; a root when that has no span.
  OpenSpan(Visit& visit, const Instance& instance, Library library, SpanKind kind,
           std::string_view name, const SpanContext& parent);
  ~OpenSpan() { End(); }
  OpenSpan(const OpenSpan&) = delete;
  OpenSpan& operator=(const OpenSpan&) = delete;

  ActiveSpan& operator*() { return *span_; }
  ActiveSpan* operator->() { return span_; }
  // Ends it now rather than with the scope.
  void End();

 private:
  void Begin(const SpanStart& start, std::string_view name);

  Visit& visit_;
  ActiveSpan* span_ = nullptr;  // null once ended
};

}  // namespace weft::demo
