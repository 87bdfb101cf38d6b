#include "store/open_object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/env_fake.h"

namespace weft::store {
namespace {

using ::testing::HasSubstr;

TEST(StoreNameTest, KnowsFoldersAndServices) {
  for (const char* text :
       {"", "/blocks", "file:///blocks", "s3://bucket", "s3://bucket/a/b?region=eu-central-1",
        "s3://bucket/p?endpoint_override=127.0.0.1:7070&scheme=http", "gs://bucket/p",
        "gs://anonymous@bucket/p", "abfs://account@127.0.0.1:10000/container/p?enable_tls=false",
        "abfss://container@account.dfs.core.windows.net/p"}) {
    EXPECT_TRUE(CheckStoreName(text).ok()) << text << ": " << CheckStoreName(text).message();
  }
  for (const char* text : {"bucket", "S3", "ftp://host/x", "file://host/x", "s3:/bucket",
                           "s3://a b", "s3://a\"b", "hdfs://x/y"}) {
    EXPECT_EQ(CheckStoreName(text).code(), ErrorCode::kInvalidArgument) << text;
  }
}

TEST(StoreNameTest, RefusesCredentialsAndDoesNotRepeatThem) {
  for (const char* text :
       {"s3://AKIA:hushhush@bucket/p", "abfs://account:hushhush@host/container",
        "abfs://container@account.dfs.core.windows.net/p?sv=2024&sig=hushhush",
        "abfs://c@a.dfs.core.windows.net?tenant_id=a&client_id=b&client_secret=hushhush",
        "s3://bucket/p?region=x&secret_key=hushhush"}) {
    const Error error = CheckStoreName(text);
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << text;
    EXPECT_EQ(error.message().find("hushhush"), std::string::npos);
    EXPECT_THAT(error.message(), HasSubstr("environment"));
  }
}

TEST(OpenObjectStoreTest, AFolderIsALocalStore) {
  EXPECT_EQ(FolderOfStore("", "data/blocks"), "data/blocks");
  EXPECT_EQ(FolderOfStore("file:///other/", "data/blocks"), "/other");
  EXPECT_EQ(FolderOfStore("/other", "data/blocks"), "/other");
  EXPECT_EQ(FolderOfStore("s3://bucket", "data/blocks"), "");
  FakeEnv env(1);
  MetricRegistry metrics;
  const auto store = OpenObjectStore(env, "", "data/blocks", metrics);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->Put("t/f", "x").ok());
  EXPECT_EQ(env.Files(), std::vector<std::string>{"data/blocks/t/f"});
}

}  // namespace
}  // namespace weft::store
