#include "api/running_queries.h"

#include <gtest/gtest.h>

#include "base/env_fake.h"

namespace weft::api {
namespace {

TEST(RunningQueries, ListsWhatATenantWaitsForUntilItIsAnswered) {
  FakeEnv env(1);
  RunningQueries running(env);
  const auto first = running.Begin("shop", "/api/v1/search", "");
  env.AdvanceNs(5);
  auto second = running.Begin("shop", "/api/search", "mine");
  const auto other = running.Begin("bank", "/api/search", "");
  first->SetText("{ name = \"x\" }");
  second->SetRunning();
  const auto listed = running.List("shop");
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].id, first->id());
  EXPECT_EQ(listed[0].text, "{ name = \"x\" }");
  EXPECT_TRUE(listed[0].waiting);
  EXPECT_EQ(listed[1].id, "mine");
  EXPECT_EQ(listed[1].begin_ns, listed[0].begin_ns + 5);
  EXPECT_FALSE(listed[1].waiting);
  EXPECT_NE(first->id(), other->id());
  second.reset();
  EXPECT_EQ(running.List("shop").size(), 1u);
}

TEST(RunningQueries, CancelsThoseOfTheTenantWithTheId) {
  FakeEnv env(1);
  RunningQueries running(env);
  const auto a = running.Begin("shop", "/a", "board");
  const auto b = running.Begin("shop", "/b", "board");
  const auto c = running.Begin("shop", "/c", "");
  const auto other = running.Begin("bank", "/d", "board");
  EXPECT_EQ(running.Cancel("shop", "board"), 2u);
  EXPECT_TRUE(a->cancelled());
  EXPECT_TRUE(b->cancelled());
  EXPECT_FALSE(c->cancelled());
  EXPECT_FALSE(other->cancelled());
  EXPECT_EQ(running.Cancel("shop", "nothing"), 0u);
}

TEST(RunningQueries, KeepsTheBeginningOfALongText) {
  FakeEnv env(1);
  RunningQueries running(env);
  const auto entry = running.Begin("shop", "/a", "");
  entry->SetText(std::string(100'000, 'x'));
  EXPECT_EQ(running.List("shop")[0].text.size(), 4096u);
}

TEST(RunningQueries, KnowsAnId) {
  EXPECT_TRUE(IsQueryId("board-7_x.Y"));
  EXPECT_TRUE(IsQueryId(std::string(64, 'a')));
  EXPECT_FALSE(IsQueryId(""));
  EXPECT_FALSE(IsQueryId(std::string(65, 'a')));
  EXPECT_FALSE(IsQueryId("a b"));
  EXPECT_FALSE(IsQueryId("a/b"));
}

}  // namespace
}  // namespace weft::api
