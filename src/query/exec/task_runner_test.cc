#include "query/exec/task_runner.h"

#include <atomic>
#include <numeric>

#include <gtest/gtest.h>

namespace weft::query::exec {
namespace {

TEST(TaskRunner, RunsEachTaskOnce) {
  for (size_t helpers : {0, 1, 3}) {
    TaskRunner runner(helpers);
    EXPECT_EQ(runner.width(), helpers + 1);
    for (size_t count : {0, 1, 2, 100}) {
      std::vector<std::atomic<int>> calls(count);
      runner.Run(count, [&](size_t i) { ++calls[i]; });
      for (const auto& c : calls) EXPECT_EQ(c.load(), 1);
    }
  }
}

TEST(TaskRunner, ServesManyCallers) {
  TaskRunner runner(2);
  std::atomic<size_t> sum{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) runner.Run(5, [&](size_t t) { sum += t; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum.load(), 4u * 200u * 10u);
}

TEST(TaskRunner, LetsATaskRunTasks) {
  TaskRunner runner(1);
  std::atomic<int> calls{0};
  runner.Run(3, [&](size_t) { runner.Run(3, [&](size_t) { ++calls; }); });
  EXPECT_EQ(calls.load(), 9);
}

}  // namespace
}  // namespace weft::query::exec
