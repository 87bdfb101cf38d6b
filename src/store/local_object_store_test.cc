#include "store/local_object_store.h"

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "store/object_store_cases.h"

namespace weft::store {
namespace {

TEST(ObjectNameTest, NoNameLeavesTheStore) {
  for (const char* name : {"a", "a/b/c", "..a", "a..", ".hidden", "team-A_1.eu*!'()/x"}) {
    EXPECT_TRUE(CheckObjectName(name).ok()) << name;
  }
  for (const char* name : {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "../a", "a/..", "a~b",
                           "a b", "a\\b", "a\nb", "caf\xc3\xa9"}) {
    EXPECT_EQ(CheckObjectName(name).code(), ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_FALSE(CheckObjectName(std::string_view("a\0b", 3)).ok());
  EXPECT_FALSE(CheckObjectName(std::string(201, 'x')).ok());
}

StoreUnderTest MakeStore() {
  auto env = std::make_shared<FakeEnv>(1);
  auto store = std::make_shared<LocalObjectStore>(*env, "blocks");
  return {env, store};
}

INSTANTIATE_TEST_SUITE_P(Local, ObjectStoreCases, ::testing::Values(MakeStore));

TEST(LocalObjectStoreTest, WhatIsPutIsThereAfterAPowerCut) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    FakeEnv env(seed);
    LocalObjectStore store(env, "data/blocks");
    const std::vector<NamedBytes> objects{{"t/b/one", "1"}, {"t/b/two", "22"}, {"t/three", "333"}};
    ASSERT_TRUE(store.Put(objects).ok());
    env.PowerCycle();
    for (const NamedBytes& object : objects) {
      const auto bytes = store.Get(object.name);
      ASSERT_TRUE(bytes.ok()) << seed << bytes.error().message();
      EXPECT_EQ(*bytes, object.bytes);
    }
  }
}

TEST(LocalObjectStoreTest, AnObjectIsTheOldOrTheNewOneNeverAPart) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    FakeEnv env(seed);
    LocalObjectStore store(env, "blocks");
    ASSERT_TRUE(store.Put("t/meta", "old").ok());
    env.CutPowerAfter(seed % 12);
    const std::vector<NamedBytes> objects{{"t/meta", "new bytes"}, {"t/other", "other bytes"}};
    const Error error = store.Put(objects);
    env.PowerCycle();
    const auto meta = store.Get("t/meta");
    ASSERT_TRUE(meta.ok()) << seed;
    EXPECT_TRUE(*meta == "new bytes" || (*meta == "old" && !error.ok())) << seed << *meta;
    const auto other = store.Get("t/other");
    EXPECT_TRUE(other.ok() ? *other == "other bytes" : !error.ok()) << seed;
  }
}

TEST(LocalObjectStoreTest, ListsWhatLiesInAFolderAndNoTemporaries) {
  FakeEnv env(1);
  LocalObjectStore store(env, "blocks");
  EXPECT_TRUE(store.List("")->folders.empty());
  ASSERT_TRUE(store.Put("t/b/f", "12345").ok());
  ASSERT_TRUE(store.Put("t/g", "1").ok());
  env.Plant("blocks/t/f~123", "left by a crash");
  const auto listing = store.List("t");
  ASSERT_TRUE(listing.ok());
  EXPECT_EQ(listing->folders, std::vector<std::string>{"b"});
  ASSERT_EQ(listing->objects.size(), 1u);
  EXPECT_EQ(listing->objects[0].name, "g");
  EXPECT_EQ(store.List("t/b")->objects[0].size_bytes, 5u);
  EXPECT_FALSE(store.List("..").ok());
}

TEST(LocalObjectStoreTest, AFailedPutLeavesNoTemporaryBehind) {
  FakeEnv env(1);
  LocalObjectStore store(env, "blocks");
  ASSERT_TRUE(store.Put("t/f", "old").ok());
  env.SetDiskBytes(10);
  EXPECT_EQ(store.Put("t/f", std::string(100, 'x')).code(), ErrorCode::kUnavailable);
  EXPECT_EQ(env.Files(), std::vector<std::string>{"blocks/t/f"});
  EXPECT_EQ(*store.Get("t/f"), "old");
}

TEST(LocalObjectStoreTest, ADeleteThatIsRepeatedAfterAFailureIsDurable) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    FakeEnv env(seed);
    LocalObjectStore store(env, "blocks");
    ASSERT_TRUE(store.Put("shop/1", "one").ok());
    env.FailFolderSyncs(1);
    EXPECT_FALSE(store.Delete("shop/1").ok());
    EXPECT_TRUE(store.Delete("shop/1").ok());
    env.PowerCycle();
    EXPECT_EQ(store.Get("shop/1").error().code(), ErrorCode::kNotFound) << "seed " << seed;
  }
}

TEST(LocalObjectStoreTest, DeletedIsDeleted) {
  FakeEnv env(5);
  LocalObjectStore store(env, "blocks");
  ASSERT_TRUE(store.Put("t/b/f", "x").ok());
  ASSERT_TRUE(store.Put("t/b/g", "x").ok());
  EXPECT_TRUE(store.Delete("t/b/f").ok());
  EXPECT_TRUE(store.Delete("t/b/f").ok());
  env.PowerCycle();
  EXPECT_EQ(store.Open("t/b/f").error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(store.DeleteFolder("t/b").ok());
  EXPECT_TRUE(store.List("t")->folders.empty());
  EXPECT_FALSE(store.DeleteFolder("").ok()) << "not the whole store";
}

}  // namespace
}  // namespace weft::store
