#include "app/commands/diff_command.h"

#include <gtest/gtest.h>

#include "app/commands/json_fields.h"

namespace weft::app::commands {
namespace {

constexpr const char* kDiff = R"({
  "base":{"traceId":"aa","rootService":"shop","rootName":"buy","spanCount":7,"errorSpanCount":0,"durationMs":100},
  "compare":{"traceId":"bb","rootService":"","rootName":"","spanCount":8,"errorSpanCount":1,"durationMs":400},
  "stats":{"durationDeltaMs":300,"modifiedSpans":1,"addedSpans":3,"removedSpans":1},
  "trust":{"matchedSpanRatio":0.8},
  "services":[
    {"service":"pay","base":{"spanCount":1,"errorSpanCount":0,"criticalPathMs":36},
     "compare":{"spanCount":1,"errorSpanCount":1,"criticalPathMs":336},"criticalPathDeltaMs":300},
    {"service":"shop","base":{"spanCount":3,"criticalPathMs":34},
     "compare":{"spanCount":4,"criticalPathMs":32},"criticalPathDeltaMs":-2}],
  "patch":{
    "resources":[{"service":"shop","spanPairs":3,"attributes":[{"key":"host\u001b[2J","compare":"h"},{"key":"n","base":1.5,"compare":2}]}],
    "scopes":[{"base":{"name":"lib","version":"1"},"compare":{"name":"lib","version":"2"},"spanPairs":1,"attributes":[]}],
    "spans":[
      {"change":"modified","service":"shop","name":"buy","fields":[
         {"field":"durationMs","base":100,"compare":400},{"field":"status","base":"unset","compare":"error"},
         {"field":"parent","base":null,"compare":{"service":"proxy","name":"forward"}},
         {"field":"events","base":[],"compare":["exception"]}],
       "attributes":[{"key":"http.status_code","base":200,"compare":500}]},
      {"change":"added","service":"mail","name":"send","status":"error","statusMessage":"no","compare":{"spanId":"1","parentSpanId":"9","durationMs":1}},
      {"change":"added","service":"mail","name":"connect","status":"unset","compare":{"spanId":"2","parentSpanId":"1","durationMs":1}},
      {"change":"added","service":"mail","name":"lookup","status":"unset","compare":{"spanId":"3","parentSpanId":"2","durationMs":1}},
      {"change":"removed","service":"","name":"old","status":"unset","base":{"spanId":"1","durationMs":2}}]}})";

TEST(DescribeDiff, BothTracesWhereTheTimeWentAndEverySpanThatDiffers) {
  Stream stream;
  EXPECT_EQ(DescribeDiff(*ParseJson(kDiff), 100, stream),
            "- aa  shop: buy  100 ms  7 spans\n"
            "+ bb  (no root)  400 ms  8 spans, 1 error\n"
            "300 ms longer; 80 % of the spans are in both, 1 changed, 3 added, 1 removed\n"
            "\n"
            "SERVICE   SPANS  ERRORS       CRITICAL PATH    CHANGE\n"
            "pay           1  0 -> 1   36.0 ms -> 336 ms   +300 ms\n"
            "shop     3 -> 4          34.0 ms -> 32.0 ms  -2.00 ms\n"
            "\n"
            "resource of shop, 3 spans\n"
            "  host\xef\xbf\xbd[2J  (none) -> h\n"
            "  n  1.5 -> 2\n"
            "\n"
            "library lib 1 -> lib 2, 1 span\n"
            "\n"
            "~ shop: buy\n"
            "    duration  100 ms -> 400 ms\n"
            "    status  unset -> error\n"
            "    called by  nobody -> proxy: forward\n"
            "    events  [] -> [\"exception\"]\n"
            "    http.status_code  200 -> 500\n"
            "+ mail: send  1.00 ms  error: no  and 2 below\n"
            "- old  2.00 ms\n");
}

TEST(DescribeDiff, AsManySpansAsAreWanted) {
  Stream stream;
  const std::string text = DescribeDiff(*ParseJson(kDiff), 1, stream);
  EXPECT_TRUE(text.ends_with("    http.status_code  200 -> 500\nand 2 more; --limit shows them\n"))
      << text;
}

TEST(DescribeDiff, WhatIsNoAnswerIsNoCrash) {
  Stream stream;
  for (const char* text : {"{}", "[]", "1", R"({"patch":{"spans":[1,{}]},"services":[1]})"})
    EXPECT_FALSE(DescribeDiff(*ParseJson(text), 10, stream).empty());
}

}  // namespace
}  // namespace weft::app::commands
