#include "store/store_owner.h"

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "base/log.h"
#include "store/local_object_store.h"

namespace weft::store {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class StoreOwnerTest : public testing::Test {
 protected:
  StoreOwnerTest() : objects_(env_, "store") { SetUpLog(LogLevel::kOff, LogFormat::kText); }
  ~StoreOwnerTest() override { SetUpLog(LogLevel::kInfo, LogFormat::kText); }

  // A process of the data folder `instance`; `meanwhile` happens while it waits.
  StoreOwner Process(const std::string& instance, std::function<void()> meanwhile = [] {}) {
    StoreOwnerOptions options;
    options.instance = instance;
    options.description = "server " + instance;
    return {env_, objects_, options, [this, meanwhile](int64_t ns) {
              env_.AdvanceNs(ns);
              waited_ns_ += ns;
              meanwhile();
            }};
  }

  FakeEnv env_{1};
  LocalObjectStore objects_;
  int64_t waited_ns_ = 0;
};

TEST_F(StoreOwnerTest, ASecondWriterIsRefusedAndToldWho) {
  StoreOwner first = Process("a");
  ASSERT_TRUE(first.Take().ok());
  EXPECT_TRUE(first.CheckHeld().ok());
  int seconds = 0;
  StoreOwner second = Process("b", [&] {
    if (++seconds % 5 != 0) return;
    EXPECT_TRUE(first.Beat().ok());
  });
  const Error refused = second.Take();
  EXPECT_EQ(refused.code(), ErrorCode::kUnavailable);
  EXPECT_NE(refused.message().find("server a; stop it"), std::string::npos) << refused.message();
  EXPECT_FALSE(second.CheckHeld().ok());
  EXPECT_TRUE(first.CheckHeld().ok());
}

TEST_F(StoreOwnerTest, WhoIsGoneIsReplacedAndFindsOutWhenItWasNot) {
  StoreOwner first = Process("a");
  ASSERT_TRUE(first.Take().ok());
  OwnedObjectStore of_first(objects_, first);
  ASSERT_TRUE(of_first.Put("t/x", "1").ok());
  waited_ns_ = 0;
  StoreOwner second = Process("b");
  ASSERT_TRUE(second.Take().ok());
  EXPECT_GE(waited_ns_, 20 * kSecond);
  EXPECT_TRUE(second.CheckHeld().ok());
  // The first was only paused.
  EXPECT_FALSE(of_first.Put("t/x", "2").ok()) << "even before it knows why";
  EXPECT_EQ(first.Beat().code(), ErrorCode::kCancelled);
  EXPECT_FALSE(of_first.Put("t/x", "2").ok());
  EXPECT_FALSE(of_first.Delete("t/x").ok());
  EXPECT_FALSE(of_first.DeleteFolder("t").ok());
  EXPECT_EQ(*of_first.Get("t/x"), "1");
  EXPECT_FALSE(first.Release().ok()) << "it is not its own to give back";
  EXPECT_TRUE(second.Beat().ok());
}

TEST_F(StoreOwnerTest, ARestartOfTheSameDataFolderAndAReleasedStoreNeedNoWait) {
  {
    StoreOwner first = Process("a");
    ASSERT_TRUE(first.Take().ok());
  }
  waited_ns_ = 0;
  StoreOwner again = Process("a");
  ASSERT_TRUE(again.Take().ok());
  EXPECT_EQ(waited_ns_, 0);
  ASSERT_TRUE(again.Release().ok());
  EXPECT_FALSE(again.CheckHeld().ok());
  StoreOwner other = Process("b");
  ASSERT_TRUE(other.Take().ok());
  EXPECT_LE(waited_ns_, kSecond);
}

TEST_F(StoreOwnerTest, OfTwoThatTakeItAtOnceOneStays) {
  StoreOwner second = Process("b");
  StoreOwner first = Process("a", [&] { EXPECT_TRUE(second.Take().ok()); });
  EXPECT_EQ(first.Take().code(), ErrorCode::kUnavailable);
  EXPECT_FALSE(first.CheckHeld().ok());
}

TEST_F(StoreOwnerTest, WhoCanNotBeatMayNotWriteLongBeforeItIsTakenForGone) {
  StoreOwner owner = Process("a");
  ASSERT_TRUE(owner.Take().ok());
  env_.AdvanceNs(11 * kSecond);
  EXPECT_TRUE(owner.CheckHeld().ok());
  env_.AdvanceNs(2 * kSecond);
  EXPECT_EQ(owner.CheckHeld().code(), ErrorCode::kUnavailable);
  ASSERT_TRUE(owner.Beat().ok()) << "it is still its own";
  EXPECT_TRUE(owner.CheckHeld().ok());
}

TEST_F(StoreOwnerTest, AnObjectThatIsBeingReplacedIsNotTakenForNone) {
  StoreOwner first = Process("a");
  ASSERT_TRUE(first.Take().ok());
  ASSERT_TRUE(objects_.Delete(kOwnerObject).ok());  // as Azure shows it for a moment
  StoreOwner second = Process("b", [&] { EXPECT_TRUE(first.Beat().ok()); });
  EXPECT_EQ(second.Take().code(), ErrorCode::kUnavailable);
  EXPECT_TRUE(first.CheckHeld().ok());
}

TEST_F(StoreOwnerTest, AnIdentityIsTellable) {
  EXPECT_TRUE(IsInstanceId(NewInstanceId(env_)));
  EXPECT_NE(NewInstanceId(env_), NewInstanceId(env_));
  for (const char* text : {"", "x", "0123456789abcdef0123456789abcdeF"}) {
    EXPECT_FALSE(IsInstanceId(text)) << text;
  }
}

TEST_F(StoreOwnerTest, NonsenseInItsPlaceBelongsToNobody) {
  ASSERT_TRUE(objects_.Put(kOwnerObject, "what is this?").ok());
  StoreOwner owner = Process("a");
  EXPECT_TRUE(owner.Take().ok());
  EXPECT_GE(waited_ns_, 20 * kSecond) << "it may be of a later version";
}

}  // namespace
}  // namespace weft::store
