#include "api/worker_pool.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>

#include <gtest/gtest.h>

namespace weft::api {
namespace {

// Jobs that begin when they may and end when they are told to.
class Jobs {
 public:
  WorkerPool::Job Make() {
    return [this] {
      ++begun_;
      released_.wait();
      ++ended_;
    };
  }
  void WaitForBegun(int count) const {
    while (begun_ < count) std::this_thread::yield();
  }
  bool StaysAt(int count) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return begun_ == count;
  }
  void Release() { release_.set_value(); }
  int ended() const { return ended_; }

 private:
  std::promise<void> release_;
  std::shared_future<void> released_ = release_.get_future().share();
  std::atomic<int> begun_ = 0;
  std::atomic<int> ended_ = 0;
};

TEST(WorkerPool, RefusesAGroupWhoseQueueIsFull) {
  Jobs jobs;
  WorkerPool pool(1, 2);
  ASSERT_TRUE(pool.TryRun("a", jobs.Make()));
  jobs.WaitForBegun(1);  // the only thread is busy, the queue empty
  EXPECT_TRUE(pool.TryRun("a", jobs.Make()));
  EXPECT_TRUE(pool.TryRun("a", jobs.Make()));
  EXPECT_FALSE(pool.TryRun("a", jobs.Make()));
  EXPECT_TRUE(pool.TryRun("b", jobs.Make()));
  EXPECT_EQ(pool.queued(), 3u);
  jobs.Release();
  pool.Stop();
  EXPECT_EQ(jobs.ended(), 4);
}

TEST(WorkerPool, RefusesEverybodyWhenTooManyGroupsWait) {
  Jobs jobs;
  WorkerPool pool(1, 1);
  ASSERT_TRUE(pool.TryRun("busy", jobs.Make()));
  jobs.WaitForBegun(1);
  for (size_t i = 0; i < WorkerPool::kGroupsQueued; ++i) {
    EXPECT_TRUE(pool.TryRun(std::to_string(i), jobs.Make()));
  }
  EXPECT_FALSE(pool.TryRun("one more", jobs.Make()));
  jobs.Release();
}

TEST(WorkerPool, KeepsItsLastThreadForAGroupThatHasNone) {
  Jobs of_a, of_b;
  WorkerPool pool(3, 100);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.TryRun("a", of_a.Make()));
  of_a.WaitForBegun(2);
  EXPECT_TRUE(of_a.StaysAt(2));
  ASSERT_TRUE(pool.TryRun("b", of_b.Make()));
  of_b.WaitForBegun(1);
  EXPECT_TRUE(of_a.StaysAt(2));
  of_b.Release();
  of_a.Release();
  pool.Stop();
  EXPECT_EQ(of_a.ended(), 3);
}

TEST(WorkerPool, GroupsTakeTurnsOnOneThread) {
  Jobs gate;
  std::string order;
  WorkerPool pool(1, 100);
  ASSERT_TRUE(pool.TryRun("z", gate.Make()));
  gate.WaitForBegun(1);
  for (const char* group : {"b", "b", "a", "c", "a"}) {
    ASSERT_TRUE(pool.TryRun(group, [&order, group] { order += group; }));
  }
  gate.Release();
  pool.Stop();
  EXPECT_EQ(order, "bbaca");  // nobody has any running: as they came
}

TEST(WorkerPool, StoppingRunsWhatIsQueuedAndTakesNoMore) {
  std::atomic<int> ran = 0;
  WorkerPool pool(2, 100);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(pool.TryRun("a", [&] { ++ran; }));
  pool.Stop();
  EXPECT_EQ(ran, 50);
  EXPECT_FALSE(pool.TryRun("a", [&] { ++ran; }));
  pool.Stop();  // twice is fine
}

}  // namespace
}  // namespace weft::api
