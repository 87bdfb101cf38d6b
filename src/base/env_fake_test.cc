#include "base/env_fake.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

// Creates d/f with a durable name, appends `synced`, syncs, appends `unsynced`.
std::unique_ptr<WritableFile> MakeFile(FakeEnv& env, std::string_view synced,
                                       std::string_view unsynced) {
  EXPECT_TRUE(env.CreateFolder("d").ok());
  EXPECT_TRUE(env.SyncFolder("").ok());
  auto file = env.NewWritableFile("d/f");
  EXPECT_TRUE(file.ok());
  EXPECT_TRUE(env.SyncFolder("d").ok());
  EXPECT_TRUE((*file)->Append(synced).ok());
  EXPECT_TRUE((*file)->Sync().ok());
  EXPECT_TRUE((*file)->Append(unsynced).ok());
  return std::move(file).value();
}

TEST(FakeEnvTest, APowerCutKeepsWhatWasSyncedAndMayTearTheRest) {
  bool whole = false;
  bool none = false;
  bool part = false;
  bool zeros = false;
  for (uint64_t seed = 1; seed < 200; ++seed) {
    FakeEnv env(seed);
    const std::string tail(2000, 'x');
    const auto file = MakeFile(env, "durable", tail);
    env.PowerCycle();
    const auto bytes = env.ReadWholeFile("d/f");
    ASSERT_TRUE(bytes.ok());
    ASSERT_TRUE(bytes->starts_with("durable"));
    whole |= *bytes == "durable" + tail;
    none |= *bytes == "durable";
    part |= bytes->size() > 7 && bytes->size() < 2007;
    zeros |= bytes->find('\0') != std::string::npos;
    EXPECT_FALSE(file->Append("x").ok()) << "a handle of the old life";
  }
  EXPECT_TRUE(whole && none && part && zeros);
}

TEST(FakeEnvTest, ANameIsDurableOnlyAfterItsFolderIsSynced) {
  int kept = 0;
  for (uint64_t seed = 1; seed < 100; ++seed) {
    FakeEnv env(seed);
    ASSERT_TRUE(env.CreateFolder("d").ok());
    ASSERT_TRUE(env.SyncFolder("").ok());
    ASSERT_TRUE((*env.NewWritableFile("d/f"))->Sync().ok());
    env.PowerCycle();
    ASSERT_TRUE(env.Exists("d"));
    kept += env.Exists("d/f") ? 1 : 0;
  }
  EXPECT_GT(kept, 20);
  EXPECT_LT(kept, 80);
}

TEST(FakeEnvTest, AFailedSyncOfAFolderLeavesItsNamesToTheNextOne) {
  int kept = 0;
  for (uint64_t seed = 1; seed < 100; ++seed) {
    FakeEnv env(seed);
    env.FailFolderSyncs(1);
    ASSERT_TRUE((*env.NewWritableFile("f"))->Sync().ok());
    EXPECT_EQ(env.SyncFolder("").code(), ErrorCode::kIo);
    const bool again = seed % 2 == 0;
    EXPECT_EQ(again && env.SyncFolder("").ok(), again);
    env.PowerCycle();
    EXPECT_TRUE(!again || env.Exists("f"));
    kept += env.Exists("f") ? 1 : 0;
  }
  EXPECT_LT(kept, 95);
}

TEST(FakeEnvTest, ReplaceGivesTheOldOrTheNewBytes) {
  for (uint64_t seed = 1; seed < 100; ++seed) {
    FakeEnv env(seed);
    ASSERT_TRUE(env.ReplaceFile("f", "old").ok());
    env.CutPowerAfter(seed % 6);
    const Error error = env.ReplaceFile("f", "new");
    env.PowerCycle();
    const auto bytes = env.ReadWholeFile("f");
    ASSERT_TRUE(bytes.ok());
    EXPECT_TRUE(*bytes == "new" || (!error.ok() && *bytes == "old")) << seed << *bytes;
  }
}

TEST(FakeEnvTest, AFailedSyncLosesWhatItCovered) {
  int lost = 0;
  for (uint64_t seed = 1; seed < 50; ++seed) {
    FakeEnv env(seed);
    const auto file = MakeFile(env, "ok", "gone");
    env.FailSyncs(1);
    EXPECT_EQ(file->Sync().code(), ErrorCode::kIo);
    EXPECT_TRUE(file->Sync().ok()) << "and a second try says ok, as Linux does";
    lost += *env.ReadWholeFile("d/f") != "okgone" ? 1 : 0;
  }
  EXPECT_GT(lost, 10);
}

TEST(FakeEnvTest, AFullDiskRefusesAndTakesAgain) {
  FakeEnv env(1);
  const auto file = MakeFile(env, "12345", "");
  env.SetDiskBytes(8);
  EXPECT_EQ(*env.FreeDiskBytes("d"), 3u);
  EXPECT_EQ(file->Append("123456").code(), ErrorCode::kUnavailable);
  env.SetDiskBytes(100);
  EXPECT_TRUE(file->Append("6").ok());
}

TEST(FakeEnvTest, AfterThePowerCutNothingChanges) {
  FakeEnv env(1);
  env.CutPowerAfter(1);
  EXPECT_TRUE(env.CreateFolder("a").ok());
  EXPECT_EQ(env.CreateFolder("b").code(), ErrorCode::kIo);
  EXPECT_EQ(env.change_count(), 1u);
  env.PowerCycle();
  EXPECT_TRUE(env.CreateFolder("b").ok());
}

TEST(FakeEnvTest, FoldersMoveWithWhatIsInThem) {
  FakeEnv env(3);
  env.Plant("a/b/f", "bytes");
  ASSERT_TRUE(env.RenamePath("a/b", "a/c").ok());
  EXPECT_EQ(*env.ReadWholeFile("a/c/f"), "bytes");
  EXPECT_FALSE(env.Exists("a/b"));
  EXPECT_FALSE(env.Exists("a/b/f"));
  ASSERT_TRUE(env.SyncFolder("a").ok());
  env.PowerCycle();
  EXPECT_EQ(env.Files(), std::vector<std::string>{"a/c/f"});
}

TEST(FakeEnvTest, TheSameSeedIsTheSameWorld) {
  FakeEnv a(7);
  FakeEnv b(7);
  EXPECT_EQ(a.RandomU64(), b.RandomU64());
  EXPECT_EQ(a.NowNs(), b.NowNs());
  a.AdvanceNs(5);
  EXPECT_EQ(a.MonotonicNs(), b.MonotonicNs() + 5);
}

TEST(FakeEnvTest, LocksAreHeldOnce) {
  FakeEnv env(1);
  auto lock = env.LockFile("lock");
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(env.LockFile("lock").error().code(), ErrorCode::kUnavailable);
  lock.value().reset();
  EXPECT_TRUE(env.LockFile("lock").ok());
}

}  // namespace
}  // namespace weft
