#include "base/fair_share.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/env_fake.h"

namespace weft {
namespace {

constexpr int64_t kMs = 1'000'000;

// Queries on threads of their own, of which with one turn one at a time works; a piece of work
// takes 1 ms of the fake clock.
class Contest {
 public:
  explicit Contest(int64_t patience_free_ms) : left_(patience_free_ms) {}

  // How many pieces each query got to do until the time was up.
  std::vector<int64_t> Run(const std::vector<std::string>& tenants) {
    std::vector<std::atomic<int64_t>> done(tenants.size());
    std::vector<std::thread> threads;
    FairShare::Work gate_query(&share_, "gate");
    {
      const FairShare::Turn gate(&gate_query);  // so that all begin together
      for (size_t i = 0; i < tenants.size(); ++i) {
        threads.emplace_back([&, i] { Work(tenants[i], &done[i]); });
      }
      while (share_.waiting() < tenants.size()) std::this_thread::yield();
    }
    for (std::thread& thread : threads) thread.join();
    return {done.begin(), done.end()};
  }

 private:
  void Work(const std::string& tenant, std::atomic<int64_t>* done) {
    FairShare::Work query(&share_, tenant);
    const FairShare::Turn turn(&query);
    while (left_.fetch_sub(1) > 0) {
      env_.AdvanceNs(kMs);
      ++*done;
      FairShare::Offer();
    }
  }

  FakeEnv env_{1};
  FairShare share_{env_, 1};
  std::atomic<int64_t> left_;
};

TEST(FairShare, QueriesOfATenantGetTheSameTime) {
  const auto done = Contest(90).Run({"a", "a", "a"});
  for (const int64_t pieces : done) EXPECT_NEAR(static_cast<double>(pieces), 30, 2);
}

TEST(FairShare, TenantsGetTheSameTimeHoweverMuchTheyAsk) {
  const auto done = Contest(90).Run({"a", "a", "a", "a", "b"});
  EXPECT_NEAR(static_cast<double>(done[4]), 45, 3);
}

TEST(FairShare, ASmallQueryGoesBeforeALongOne) {
  FakeEnv env(1);
  FairShare share(env, 1);
  FairShare::Work large(&share, "a");
  std::atomic<bool> small_done = false;
  std::thread small;
  {
    const FairShare::Turn turn(&large);
    env.AdvanceNs(5000 * kMs);
    FairShare::Offer();  // nobody waits: it goes on
    small = std::thread([&] {
      FairShare::Work query(&share, "a");
      const FairShare::Turn its(&query);
      small_done = true;
    });
    while (share.waiting() == 0) std::this_thread::yield();
    EXPECT_FALSE(small_done);
    FairShare::Offer();
    EXPECT_TRUE(small_done);
  }
  small.join();
}

TEST(FairShare, NobodyWaitsForEver) {
  FakeEnv env(1);
  FairShare share(env, 1);
  FairShare::Work large(&share, "a");
  {
    const FairShare::Turn turn(&large);
    env.AdvanceNs(5000 * kMs);
  }
  FairShare::Work fresh(&share, "a");
  std::atomic<bool> large_went_on = false;
  std::thread waiter;
  {
    const FairShare::Turn turn(&fresh);
    waiter = std::thread([&] {
      const FairShare::Turn its(&large);
      large_went_on = true;
    });
    while (share.waiting() == 0) std::this_thread::yield();
    env.AdvanceNs(FairShare::kPatienceNs / 2);
    FairShare::Offer();
    EXPECT_FALSE(large_went_on);
    env.AdvanceNs(FairShare::kPatienceNs / 2);
    FairShare::Offer();
    EXPECT_TRUE(large_went_on);
  }
  waiter.join();
}

TEST(FairShare, ATenantHasNoClaimToTimeInWhichItAskedNothing) {
  FakeEnv env(1);
  FairShare share(env, 1);
  FairShare::Work old(&share, "a");
  {
    const FairShare::Turn turn(&old);
    env.AdvanceNs(1000 * kMs);
  }
  const FairShare::Work late(&share, "b");
  EXPECT_TRUE(FairShare::IsBehind(&late, &old));  // by its query, which is new
  {
    const FairShare::Turn turn(&old);
    env.AdvanceNs(1);
  }
  FairShare::Work second(&share, "b");
  {
    const FairShare::Turn turn(&second);
    env.AdvanceNs(2);
  }
  EXPECT_TRUE(FairShare::IsBehind(&old, &late));
}

TEST(FairShare, APauseLetsOthersWork) {
  FakeEnv env(1);
  FairShare share(env, 1);
  FairShare::Work query(&share, "a");
  const FairShare::Turn turn(&query);
  const FairShare::Pause pause;
  std::thread([&] {
    FairShare::Work other(&share, "b");
    const FairShare::Turn its(&other);
  }).join();
}

TEST(FairShare, WithoutATurnThereIsNothingToOffer) {
  FairShare::Offer();
  const FairShare::Pause pause;
  const FairShare::Turn turn(nullptr);
  EXPECT_EQ(FairShare::Current(), nullptr);
}

}  // namespace
}  // namespace weft
