#include "api/worker_pool.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

namespace weft::api {
namespace {

TEST(WorkerPool, RefusesWhenItsQueueIsFull) {
  WorkerPool pool(1, 2);
  std::promise<void> started;
  std::promise<void> release;
  std::atomic<int> ran = 0;
  ASSERT_TRUE(pool.TryRun([&] {
    started.set_value();
    release.get_future().wait();
    ++ran;
  }));
  started.get_future().wait();  // the only thread is busy, the queue empty
  EXPECT_TRUE(pool.TryRun([&] { ++ran; }));
  EXPECT_TRUE(pool.TryRun([&] { ++ran; }));
  EXPECT_FALSE(pool.TryRun([&] { ran += 100; }));
  EXPECT_EQ(pool.queued(), 2u);
  release.set_value();
  pool.Stop();
  EXPECT_EQ(ran, 3);
}

TEST(WorkerPool, StoppingRunsWhatIsQueuedAndTakesNoMore) {
  std::atomic<int> ran = 0;
  WorkerPool pool(2, 100);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(pool.TryRun([&] { ++ran; }));
  pool.Stop();
  EXPECT_EQ(ran, 50);
  EXPECT_FALSE(pool.TryRun([&] { ++ran; }));
  pool.Stop();  // twice is fine
}

}  // namespace
}  // namespace weft::api
