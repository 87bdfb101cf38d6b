#include "base/folder.h"

#include <gtest/gtest.h>

#include "base/env_fake.h"

namespace weft {
namespace {

TEST(FolderTest, ParentsOfPaths) {
  EXPECT_EQ(ParentFolder("a/b/c"), "a/b");
  EXPECT_EQ(ParentFolder("a"), ".");
  EXPECT_EQ(ParentFolder("/a"), "/");
}

TEST(FolderTest, AMadeFolderSurvivesAPowerCut) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    FakeEnv env(seed);
    ASSERT_TRUE(env.CreateFolder("a").ok());
    ASSERT_TRUE(env.SyncFolder(".").ok());
    ASSERT_TRUE(MakeDurableFolder(env, "a/b/c").ok());
    env.PowerCycle();
    EXPECT_TRUE(env.Exists("a/b/c")) << seed;
  }
}

TEST(FolderTest, AFolderThatExistsAlreadyIsMadeDurable) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    FakeEnv env(seed);
    ASSERT_TRUE(env.CreateFolder("a").ok());  // and then the process is killed
    ASSERT_TRUE(MakeDurableFolder(env, "a").ok());
    env.PowerCycle();
    EXPECT_TRUE(env.Exists("a")) << seed;
  }
}

}  // namespace
}  // namespace weft
