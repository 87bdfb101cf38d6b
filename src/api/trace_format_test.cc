#include "api/trace_format.h"

#include <gtest/gtest.h>

namespace weft::api {
namespace {

TEST(ChooseTraceFormat, TakesTheFormOfTheHighestWeight) {
  EXPECT_EQ(ChooseTraceFormat(""), TraceFormat::kOtlpJson);
  EXPECT_EQ(ChooseTraceFormat("*/*"), TraceFormat::kOtlpJson);
  EXPECT_EQ(ChooseTraceFormat("application/x-protobuf"), TraceFormat::kOtlpProtobuf);
  EXPECT_EQ(ChooseTraceFormat("application/vnd.weft.columns+json, */*;q=0.1"),
            TraceFormat::kColumns);
  EXPECT_EQ(ChooseTraceFormat("application/json;q=0.5,application/protobuf ; q=0.9"),
            TraceFormat::kOtlpProtobuf);
  EXPECT_EQ(ChooseTraceFormat("application/x-protobuf;q=0, application/json"),
            TraceFormat::kOtlpJson);
  EXPECT_EQ(ChooseTraceFormat("text/html,application/xhtml+xml,*/*;q=0.8"), TraceFormat::kOtlpJson);
}

TEST(ChooseTraceFormat, SurvivesNonsense) {
  for (const char* accept :
       {",,,", ";;q=", "application/json;q=abc", ";", "application/json;q=1e999"}) {
    EXPECT_EQ(ChooseTraceFormat(accept), TraceFormat::kOtlpJson) << accept;
  }
}

}  // namespace
}  // namespace weft::api
