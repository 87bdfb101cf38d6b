#include "base/error.h"

#include <memory>

#include <gtest/gtest.h>

namespace weft {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Error(ErrorCode::kInvalidArgument, "odd", 7);
  return n / 2;
}

Result<int> Quarter(int n) {
  WEFT_ASSIGN_OR_RETURN(const int half, Half(n));
  return Half(half);
}

Error Check(int n) {
  WEFT_RETURN_IF_ERROR(Half(n).error());
  return Error::Ok();
}

TEST(ErrorTest, AResultIsAValueOrAnError) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_TRUE(Quarter(8).error().ok());
  EXPECT_EQ(Quarter(6).error().message(), "odd");
  EXPECT_EQ(Quarter(6).error().retry_after_ms(), 7u);
  EXPECT_EQ(Check(3).code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(Check(4).ok());
}

TEST(ErrorTest, ContextStandsBeforeTheMessageAndKeepsTheRest) {
  const Error e = Error(ErrorCode::kUnavailable, "disk full", 500).WithContext("segment 3");
  EXPECT_EQ(e.message(), "segment 3: disk full");
  EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(e.retry_after_ms(), 500u);
  EXPECT_TRUE(Error::Ok().WithContext("x").message().empty());
}

TEST(ErrorTest, AResultMovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> r(std::make_unique<int>(4));
  const std::unique_ptr<int> moved = std::move(r).value();
  EXPECT_EQ(*moved, 4);
}

}  // namespace
}  // namespace weft
