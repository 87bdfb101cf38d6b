#include "base/log.h"

#include <cmath>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(LogTest, TextQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(FormatLogEvent(LogFormat::kText, "segment closed",
                           {{"segment", 7u}, {"path", "a/b"}, {"error", "no \"space\" left"}}),
            R"(segment closed segment=7 path=a/b error="no \"space\" left")");
  EXPECT_EQ(FormatLogEvent(LogFormat::kText, "x", {{"empty", ""}, {"on", true}, {"n", -3}}),
            R"(x empty="" on=true n=-3)");
}

TEST(LogTest, JsonIsJsonWhateverTheValues) {
  EXPECT_EQ(FormatLogEvent(LogFormat::kJson, "e", {{"a", "x\ny\x01\\"}, {"b", 1.5}, {"c", NAN}}),
            R"("event":"e","a":"x\ny\u0001\\","b":1.5,"c":null)");
}

TEST(LogTest, AnEventIsOneLine) {
  EXPECT_EQ(FormatLogEvent(LogFormat::kText, "two\nlines", {{"v", "a\nb"}}),
            "two\\nlines v=\"a\\nb\"");
}

TEST(LogTest, LinesBelowTheLevelAreNotWritten) {
  SetUpLog(LogLevel::kWarn, LogFormat::kJson);
  testing::internal::CaptureStderr();
  LogInfo("quiet");
  LogWarn("loud", {{"percent", "{} %v"}});
  const std::string written = testing::internal::GetCapturedStderr();
  SetUpLog(LogLevel::kInfo, LogFormat::kText);
  EXPECT_EQ(written.find("quiet"), std::string::npos);
  EXPECT_NE(written.find(R"("level":"warning","event":"loud","percent":"{} %v"})"),
            std::string::npos)
      << written;
}

TEST(LogTest, NamesAreParsedOrRefused) {
  EXPECT_EQ(*ParseLogLevel("warn"), LogLevel::kWarn);
  EXPECT_EQ(*ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_EQ(ParseLogLevel("loud").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ParseLogFormat("xml").error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace weft
