#include "store/range_request.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/mutex.h"

namespace weft::store {
namespace {

constexpr size_t kLength = 4;

// A store that answers when it is told to.
struct RangeRequestTest : public ::testing::Test {
  // `hedges` requests may be made twice by now; each takes a millisecond as a rule.
  void Learn(int hedges) {
    for (int i = 0; i < 20 * hedges; ++i) pace.Note(kLength, 1'000'000);
  }
  std::shared_ptr<RangeRequest> Prepare() {
    return std::make_shared<RangeRequest>(
        [this](uint64_t, size_t, RangeDone done) {
          const MutexLock lock(mutex);
          asked.push_back(std::move(done));
          changed.NotifyAll();
        },
        0, kLength, &pace);
  }
  void Begin(RangeRequest* request) {
    request->Begin([this](const Result<std::string>&) { ++arrived; });
  }
  std::shared_ptr<RangeRequest> Ask() {
    auto request = Prepare();
    Begin(request.get());
    return request;
  }
  // The answer to the n-th request, once it has been made.
  void Answer(size_t n, Result<std::string> bytes) {
    RangeDone done;
    {
      const MutexLock lock(mutex);
      while (asked.size() <= n) changed.Wait(mutex);
      done = asked[n];
    }
    done(std::move(bytes));
  }
  size_t Asked() {
    const MutexLock lock(mutex);
    return asked.size();
  }

  MetricRegistry metrics;
  RequestPace pace{metrics.GetCounter("hedged", "", {})};
  Mutex mutex;
  CondVar changed;
  std::vector<RangeDone> asked;
  std::atomic<int> arrived{0};
};

TEST_F(RangeRequestTest, WhatIsSlowIsAskedForASecondTime) {
  Learn(1);
  const auto request = Ask();
  // Only the second one is ever answered.
  std::thread service([this] { Answer(1, std::string("late")); });
  const auto bytes = request->Wait();
  service.join();
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(**bytes, "late");
  EXPECT_TRUE(request->hedged());
  Answer(0, std::string("first"));
  EXPECT_EQ(**request->Wait(), "late") << "what comes after is of no use";
  EXPECT_EQ(arrived, 1);
  EXPECT_EQ(metrics.SumCounter("hedged"), 1u);
}

TEST_F(RangeRequestTest, ManyWhoWaitAskASecondTimeOnce) {
  Learn(8);
  const auto request = Ask();
  std::vector<std::thread> waiting;
  for (int i = 0; i < 4; ++i) waiting.emplace_back([&] { EXPECT_TRUE(request->Wait().ok()); });
  Answer(1, std::string("late"));
  for (std::thread& thread : waiting) thread.join();
  EXPECT_EQ(Asked(), 2u);
}

TEST_F(RangeRequestTest, NothingIsAskedTwiceWhileThePaceIsNotKnownOrTooOften) {
  {
    const auto request = Ask();
    std::thread service([this] { Answer(0, std::string("only")); });
    EXPECT_TRUE(request->Wait().ok());
    service.join();
    EXPECT_FALSE(request->hedged());
  }
  Learn(1);
  for (int i = 0; i < 2; ++i) {
    const size_t first = Asked();
    const auto request = Ask();
    std::thread service([&, i] {
      if (i == 0) Answer(first + 1, std::string("second"));
      // By now it would have been asked for twice if it could be.
      if (i == 1) std::this_thread::sleep_for(std::chrono::milliseconds(30));
      Answer(first, std::string("first"));
    });
    EXPECT_TRUE(request->Wait().ok());
    service.join();
    EXPECT_EQ(request->hedged(), i == 0) << "one request in twenty";
  }
}

TEST_F(RangeRequestTest, OneThatFailsLeavesTheOtherItsChance) {
  Learn(2);
  const auto request = Ask();
  std::thread service([this] {
    Answer(1, Error(ErrorCode::kUnavailable, "503"));
    Answer(0, std::string("good"));
  });
  const auto bytes = request->Wait();
  service.join();
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(**bytes, "good");
}

// Another reader finds a request in the cache before the one that makes it has begun. Taking that
// for a slow one made it twice at once, and called back what was not set yet.
TEST_F(RangeRequestTest, WhoWaitsBeforeItBeginsDoesNotMakeIt) {
  Learn(1);
  const auto request = Prepare();
  std::thread early([&] { EXPECT_EQ(**request->Wait(), "good"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));  // it waits by now, as a rule
  EXPECT_EQ(Asked(), 0u);
  Begin(request.get());
  Answer(0, std::string("good"));
  early.join();
  EXPECT_EQ(arrived, 1);
}

TEST_F(RangeRequestTest, AFailureIsToldToAll) {
  const auto request = Ask();
  std::thread other([&] { EXPECT_EQ(request->Wait().error().message(), "503"); });
  Answer(0, Error(ErrorCode::kUnavailable, "503"));
  EXPECT_EQ(request->Wait().error().code(), ErrorCode::kUnavailable);
  other.join();
  EXPECT_EQ(arrived, 1);
}

}  // namespace
}  // namespace weft::store
