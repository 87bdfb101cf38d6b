#include "app/commands/doctor_command.h"

#include <gtest/gtest.h>

#include "app/commands/json_fields.h"

namespace weft::app::commands {
namespace {

TEST(DescribeFinding, SaysWhoWhatHowOftenAndWhatToDo) {
  Stream stream;
  stream.width = 60;
  const auto finding = ParseJson(R"({"kind":"context_lost","client":"checkout","server":"email",
    "culprit":"callee","count":2536,"of":2657,"clientTraceId":"0a","serverTraceId":"0b",
    "what":"email begins traces of its own when checkout calls it.","advice":"see\u001b[31m that it reads the header"})");
  EXPECT_EQ(DescribeFinding(*finding, 1, stream),
            "1. checkout -> email: the trace context is lost, 2,536 of 2,657 calls (95.4 %)\n"
            "   email begins traces of its own when checkout calls it.\n"
            "   Do: see\xef\xbf\xbd[31m that it reads the header.\n"
            "   Example: weft trace 0a goes on as weft trace 0b\n");
}

TEST(DescribeFinding, ClocksAndSpansWithoutACaller) {
  Stream stream;
  stream.width = 60;
  const auto skew = ParseJson(R"({"kind":"clock_skew","client":"a","server":"b","count":1,"of":4,
    "offsetNs":"-340000000","host":"n1","serverTraceId":"0b","clientTraceId":"0b",
    "what":"The clocks of a and b disagree.","advice":"set the clock of n1"})");
  EXPECT_EQ(DescribeFinding(*skew, 2, stream),
            "2. a -> b: clocks disagree, 1 of 4 calls (25.0 %)\n"
            "   b's clock is 340 ms behind. The clocks of a and b\n"
            "   disagree.\n"
            "   Do: set the clock of n1.\n"
            "   Example: weft trace 0b\n");
  const auto orphans =
      ParseJson(R"({"kind":"parent_missing","server":"","count":3,"what":"x","advice":"y"})");
  EXPECT_EQ(DescribeFinding(*orphans, 3, stream),
            "3. (no service.name): spans are lost, 3 spans\n   x\n   Do: y.\n");
}

}  // namespace
}  // namespace weft::app::commands
