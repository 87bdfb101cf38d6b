#include "store/arrow_object_store.h"

#include <chrono>
#include <optional>
#include <utility>

#include <arrow/filesystem/filesystem.h>
#include <arrow/filesystem/mockfs.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/arrow_error.h"
#include "store/object_store_cases.h"

namespace weft::store {
namespace {

using ::testing::HasSubstr;

// A bucket in memory that needs no folders, as the services don't, and can be told to fail.
class FakeService : public arrow::fs::SubTreeFileSystem {
 public:
  FakeService()
      : SubTreeFileSystem("", std::make_shared<arrow::fs::internal::MockFileSystem>(
                                  std::chrono::system_clock::now())) {
    EXPECT_TRUE(CreateDir("bucket").ok());
  }

  arrow::Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutputStream(
      const std::string& path,
      const std::shared_ptr<const arrow::KeyValueMetadata>& metadata) override {
    if (failure_) return *failure_;
    ARROW_RETURN_NOT_OK(CreateDir(path.substr(0, path.rfind('/')), true));
    return SubTreeFileSystem::OpenOutputStream(path, metadata);
  }

  arrow::Result<arrow::fs::FileInfo> GetFileInfo(const std::string& path) override {
    ++head_count_;
    if (failure_) return *failure_;
    return SubTreeFileSystem::GetFileInfo(path);
  }
  using SubTreeFileSystem::GetFileInfo;

  void Fail(arrow::Status failure) { failure_ = std::move(failure); }
  int head_count() const { return head_count_; }

 private:
  std::optional<arrow::Status> failure_;
  int head_count_ = 0;
};

StoreUnderTest MakeStore() {
  auto metrics = std::make_shared<MetricRegistry>();
  auto service = std::make_shared<FakeService>();
  auto store = std::make_shared<ArrowObjectStore>(service, "bucket/prefix", *metrics);
  return {metrics, store};
}

INSTANTIATE_TEST_SUITE_P(Arrow, ObjectStoreCases, ::testing::Values(MakeStore));

struct ArrowObjectStoreTest : public ::testing::Test {
  MetricRegistry metrics;
  std::shared_ptr<FakeService> service = std::make_shared<FakeService>();
  ArrowObjectStore store{service, "bucket/prefix", metrics};
};

TEST_F(ArrowObjectStoreTest, AnEmptyObjectCountsAsNone) {
  EXPECT_EQ(store.Put("t/empty", "").code(), ErrorCode::kInvalidArgument);
  ASSERT_TRUE(
      (*service->arrow::fs::FileSystem::OpenOutputStream("bucket/prefix/t/empty"))->Close().ok());
  EXPECT_EQ(store.Get("t/empty").error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(store.List("t")->objects.empty());
}

TEST_F(ArrowObjectStoreTest, DoesNotAskForASizeThatIsKnown) {
  ASSERT_TRUE(store.Put("t/f", "bytes").ok());
  EXPECT_EQ(*store.GetSized("t/f", 5), "bytes");
  EXPECT_EQ(service->head_count(), 0);
}

TEST_F(ArrowObjectStoreTest, GetSeesWhatAnotherProcessHasPutThere) {
  ArrowObjectStore other(service, "bucket/prefix", metrics);
  ASSERT_TRUE(store.Put("t/f", "one").ok());
  EXPECT_EQ(*store.Get("t/f"), "one");
  EXPECT_EQ(*store.GetSized("t/f", 3), "one");
  ASSERT_TRUE(other.Put("t/f", "two").ok());
  EXPECT_EQ(*store.Get("t/f"), "two");
  ASSERT_TRUE(other.Put("t/f", "three").ok());
  EXPECT_EQ(*store.GetSized("t/f", 5), "three") << "another size is another object";
}

TEST_F(ArrowObjectStoreTest, CountsRequestsBytesAndFailures) {
  ASSERT_TRUE(store.Put("t/f", "bytes").ok());
  EXPECT_EQ(*store.Get("t/f"), "bytes");
  EXPECT_FALSE(store.Get("t/none").ok());
  service->Fail(arrow::Status::IOError("AWS Error SLOW_DOWN during PutObject operation"));
  EXPECT_FALSE(store.Put("t/g", "more").ok());
  const std::string text = metrics.RenderPrometheus();
  EXPECT_THAT(text, HasSubstr("weft_store_requests_total{op=\"put\"} 2"));
  EXPECT_THAT(text, HasSubstr("weft_store_requests_total{op=\"head\"} 2"));
  EXPECT_THAT(text, HasSubstr("weft_store_requests_total{op=\"get\"} 1"));
  EXPECT_THAT(text, HasSubstr("weft_store_request_bytes_total{op=\"put\"} 5"));
  EXPECT_THAT(text, HasSubstr("weft_store_request_bytes_total{op=\"get\"} 5"));
  EXPECT_THAT(text, HasSubstr("weft_store_request_failures_total{op=\"put\"} 1"));
  EXPECT_THAT(text, HasSubstr("weft_store_request_failures_total{op=\"head\"} 0"));
}

TEST_F(ArrowObjectStoreTest, SaysWhenThereIsNoBucket) {
  EXPECT_TRUE(store.CheckBucket().ok());
  const ArrowObjectStore other(service, "elsewhere/prefix", metrics);
  EXPECT_THAT(other.CheckBucket().message(), HasSubstr("make it first"));
}

TEST(ArrowErrorTest, SaysWhatToDoAndWhetherItMayPass) {
  const std::string during = " during GetObject operation: said the service";
  const auto code = [&](const std::string& words) {
    return ErrorOfStore("When reading: " + words + during, "b/x").code();
  };
  EXPECT_EQ(code("AWS Error NO_SUCH_KEY"), ErrorCode::kNotFound);
  EXPECT_EQ(code("AWS Error NO_SUCH_BUCKET"), ErrorCode::kIo) << "not that of an object";
  EXPECT_EQ(code("AWS Error ACCESS_DENIED"), ErrorCode::kIo);
  EXPECT_EQ(code("AWS Error SLOW_DOWN"), ErrorCode::kUnavailable);
  EXPECT_EQ(code("AWS Error UNKNOWN (HTTP status 503)"), ErrorCode::kUnavailable);
  EXPECT_EQ(code("AWS Error NETWORK_CONNECTION"), ErrorCode::kUnavailable);
  EXPECT_EQ(code("google::cloud::Status(NOT_FOUND: none)"), ErrorCode::kNotFound);
  EXPECT_EQ(code("google::cloud::Status(UNAVAILABLE: later)"), ErrorCode::kUnavailable);
  EXPECT_EQ(code("Azure Error: [BlobNotFound] 404"), ErrorCode::kNotFound);
  EXPECT_EQ(code("Azure Error: [ServerBusy] 503"), ErrorCode::kUnavailable);
  EXPECT_EQ(code("something new"), ErrorCode::kIo);
  EXPECT_GT(ErrorOfStore("AWS Error SLOW_DOWN", "").retry_after_ms(), 0u);
  EXPECT_THAT(ErrorOfStore("AWS Error ACCESS_DENIED", "").message(), HasSubstr("credentials"));
}

TEST(ArrowErrorTest, ANameInTheMessageDecidesNothing) {
  EXPECT_EQ(ErrorOfStore("reading 'b/NO_SUCH_KEY/f': HTTP status 500", "b/NO_SUCH_KEY/f").code(),
            ErrorCode::kUnavailable);
}

TEST(ArrowErrorTest, IsOneShortLine) {
  const std::string text(5000, 'x');
  const std::string message = ErrorOfStore(text, "").message();
  EXPECT_LT(message.size(), 600u);
  EXPECT_EQ(ErrorOfStore("one\ntwo", "").message().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace weft::store
