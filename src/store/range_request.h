// RangeRequest: bytes of an object on their way from another machine, for any number of readers.
//
// A request that takes much longer than others of its size is made a second time ("hedged"), and
// whichever comes first is taken: a few slow answers among thousands are what a user waits for.
// Whoever waits makes the second one; at most one request in twenty is.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/metrics.h"
#include "base/mutex.h"

namespace weft::store {

using RangeDone = std::function<void(Result<std::string>)>;
// Begins to read `length` bytes at `offset`; calls `done` once, from any thread, perhaps before it
// returns. Failures that may pass were tried again by then.
using RangeStart = std::function<void(uint64_t offset, size_t length, RangeDone done)>;

// How long requests of a store take. Any thread.
class RequestPace {
 public:
  // `hedges` counts requests that were made a second time; it must outlive this.
  explicit RequestPace(Counter& hedges) : hedges_(hedges) {}

  // Until so many of a size have been seen, none is made twice.
  static constexpr size_t kSamplesMin = 16;

  void Note(size_t length, int64_t took_ns) WEFT_EXCLUDES(mutex_);
  // How long to wait for a request before another one is made: twice what 19 of 20 take, and never
  // less than 5 ms. Nothing while that is not known.
  std::optional<int64_t> Patience(size_t length) const WEFT_EXCLUDES(mutex_);
  // Whether one may be made twice now; if so it counts.
  bool TakeHedge() WEFT_EXCLUDES(mutex_);

 private:
  static constexpr size_t kSizes = 4;
  static constexpr size_t kSamples = 64;
  struct Recent {
    std::array<int64_t, kSamples> took_ns{};
    size_t count = 0;  // of all times
  };

  Counter& hedges_;
  mutable Mutex mutex_;
  std::array<Recent, kSizes> recent_ WEFT_GUARDED_BY(mutex_);
  uint32_t credit_ WEFT_GUARDED_BY(mutex_) = 0;  // twentieths of a second request
};

// Any thread.
class RangeRequest : public std::enable_shared_from_this<RangeRequest> {
 public:
  // Called once, before anybody who waits goes on, with the outcome.
  using Arrived = std::function<void(const Result<std::string>&)>;

  // `pace` must live until every start has called back.
  RangeRequest(RangeStart start, uint64_t offset, size_t length, RequestPace* pace)
      : start_(std::move(start)), offset_(offset), length_(length), pace_(pace) {}

  uint64_t offset() const { return offset_; }
  size_t length() const { return length_; }

  // Once. Others may wait before it is called.
  void Begin(Arrived arrived) WEFT_EXCLUDES(mutex_);
  // The bytes; makes the request a second time when it is slow. Valid as long as this is.
  Result<const std::string*> Wait() WEFT_EXCLUDES(mutex_);
  // Whether it was made twice.
  bool hedged() const WEFT_EXCLUDES(mutex_);

 private:
  void Try();
  bool IsDone() const WEFT_EXCLUDES(mutex_);
  bool IsSlow() WEFT_EXCLUDES(mutex_);
  void Take(Result<std::string> outcome, int64_t began_ns) WEFT_EXCLUDES(mutex_);

  const RangeStart start_;
  const uint64_t offset_;
  const size_t length_;
  RequestPace* const pace_;
  Arrived arrived_;  // set before the first try

  mutable Mutex mutex_;
  CondVar changed_;
  int64_t began_ns_ WEFT_GUARDED_BY(mutex_) = 0;
  uint32_t tries_ WEFT_GUARDED_BY(mutex_) = 0;  // 0: it has not begun
  uint32_t failures_ WEFT_GUARDED_BY(mutex_) = 0;
  bool found_slow_ WEFT_GUARDED_BY(mutex_) = false;
  bool decided_ WEFT_GUARDED_BY(mutex_) = false;  // the outcome is known, `arrived` runs
  bool done_ WEFT_GUARDED_BY(mutex_) = false;
  std::optional<Result<std::string>> outcome_;  // written once, before done_
};

}  // namespace weft::store
