#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "base/env.h"

namespace weft {
namespace {

class EnvPosixTest : public testing::Test {
 protected:
  EnvPosixTest() {
    folder_ = testing::TempDir() + "weft_env_" + std::to_string(env_.RandomU64());
    EXPECT_TRUE(env_.CreateFolder(folder_ + "/a/b").ok());
  }
  ~EnvPosixTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  Env& env_ = Env::Posix();
  std::string folder_;
};

TEST_F(EnvPosixTest, WhatIsAppendedIsRead) {
  auto file = env_.NewWritableFile(Path("f"));
  ASSERT_TRUE(file.ok()) << file.error().message();
  EXPECT_TRUE((*file)->Append("hello ").ok());
  EXPECT_TRUE((*file)->Append("world").ok());
  EXPECT_EQ((*file)->size_bytes(), 11u);
  EXPECT_TRUE((*file)->Sync().ok());
  EXPECT_TRUE((*file)->Close().ok());
  EXPECT_EQ(*env_.ReadWholeFile(Path("f")), "hello world");

  const auto reader = env_.NewReadableFile(Path("f"));
  ASSERT_TRUE(reader.ok());
  char text[5];
  EXPECT_TRUE((*reader)->ReadAt(6, 5, text).ok());
  EXPECT_EQ(std::string(text, 5), "world");
  EXPECT_EQ((*reader)->ReadAt(7, 5, text).code(), ErrorCode::kCorrupt);
}

TEST_F(EnvPosixTest, AFileIsCreatedOnce) {
  ASSERT_TRUE(env_.NewWritableFile(Path("f")).ok());
  EXPECT_EQ(env_.NewWritableFile(Path("f")).error().code(), ErrorCode::kIo);
  EXPECT_EQ(env_.NewReadableFile(Path("absent")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(env_.NewReadableFile(Path("a")).error().code(), ErrorCode::kIo);
}

TEST_F(EnvPosixTest, ReplaceLeavesOneFileWithTheNewBytes) {
  ASSERT_TRUE(env_.ReplaceFile(Path("a/f"), "old").ok());
  ASSERT_TRUE(env_.ReplaceFile(Path("a/f"), "new").ok());
  EXPECT_EQ(*env_.ReadWholeFile(Path("a/f")), "new");
  const auto entries = env_.ListFolder(Path("a"));
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_TRUE((*entries)[0].is_directory);
  EXPECT_EQ((*entries)[1].name, "f");
  EXPECT_EQ((*entries)[1].size_bytes, 3u);
}

TEST_F(EnvPosixTest, FoldersAndFilesComeAndGo) {
  EXPECT_TRUE(env_.CreateFolder(Path("a/b")).ok());  // again
  EXPECT_EQ(env_.ListFolder(Path("none")).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(env_.ReplaceFile(Path("f"), "12345").ok());
  EXPECT_TRUE(env_.TruncateFile(Path("f"), 2).ok());
  EXPECT_EQ(*env_.ReadWholeFile(Path("f")), "12");
  EXPECT_TRUE(env_.RenamePath(Path("f"), Path("g")).ok());
  EXPECT_TRUE(env_.SyncFolder(folder_).ok());
  EXPECT_FALSE(env_.Exists(Path("f")));
  EXPECT_TRUE(env_.RemoveFile(Path("g")).ok());
  EXPECT_EQ(env_.RemoveFile(Path("g")).code(), ErrorCode::kNotFound);
  EXPECT_TRUE(env_.RemoveTree(Path("a")).ok());
  EXPECT_FALSE(env_.Exists(Path("a")));
  EXPECT_GT(*env_.FreeDiskBytes(folder_), 0u);
}

TEST_F(EnvPosixTest, ALockIsHeldOnceAndReleased) {
  auto lock = env_.LockFile(Path("lock"));
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(env_.LockFile(Path("lock")).error().code(), ErrorCode::kUnavailable);
  lock.value().reset();
  EXPECT_TRUE(env_.LockFile(Path("lock")).ok());
}

TEST_F(EnvPosixTest, RandomNumbersDiffer) {
  std::set<uint64_t> seen;
  for (int i = 0; i < 100; ++i) seen.insert(env_.RandomU64());
  EXPECT_EQ(seen.size(), 100u);
  const int64_t before_ns = env_.MonotonicNs();
  EXPECT_LE(before_ns, env_.MonotonicNs());
  EXPECT_GT(env_.NowNs(), 1'600'000'000'000'000'000);
}

}  // namespace
}  // namespace weft
