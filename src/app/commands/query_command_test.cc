#include "app/commands/query_command.h"

#include <gtest/gtest.h>

#include "app/commands/json_fields.h"
#include "app/commands/trace_command.h"

namespace weft::app::commands {
namespace {

TEST(UnderlineQuery, PutsCaretsBelowThePlace) {
  EXPECT_EQ(UnderlineQuery("{ nmae = 1 }", 1, 3, 4),
            "  { nmae = 1 }\n"
            "    ^^^^\n");
  EXPECT_EQ(UnderlineQuery("{", 1, 2, 0), "  {\n   ^\n");
}

TEST(UnderlineQuery, FindsTheLineAndCountsCharactersNotBytes) {
  EXPECT_EQ(UnderlineQuery("{ a\n  é = x }", 2, 7, 1), "    é = x }\n        ^\n");
  EXPECT_EQ(UnderlineQuery("one line", 5, 1, 1), "");
  EXPECT_EQ(UnderlineQuery("short", 1, 900, 900), "  short\n       ^\n");
}

TEST(JsonFields, NumbersComeInTwoForms) {
  const auto value = ParseJson(R"({"a":5,"b":"18446744073709551615","c":"-7","d":[],"e":"x"})");
  EXPECT_EQ(NumberOf(&*value, "a"), 5u);
  EXPECT_EQ(NumberOf(&*value, "b"), 18446744073709551615u);
  EXPECT_EQ(static_cast<int64_t>(NumberOf(&*value, "c")), -7);
  EXPECT_EQ(NumberOf(&*value, "d"), 0u);
  EXPECT_EQ(NumberOf(&*value, "e"), 0u);
  EXPECT_EQ(NumberOf(nullptr, "a"), 0u);
  EXPECT_FALSE(ParseJson("{"));
}

// Two services; the second child of the root failed, and has a child.
constexpr std::string_view kTrace = R"({
  "traceId":"0000000000000000000000000000abcd","startNs":"1700000000000000000","endNs":"1700000000100000000",
  "flags":["orphans"],"dictionary":["","shop","pay","GET /","query","charge\u001b[31m","card refused","log"],
  "resources":[{"service":1,"attributes":[]},{"service":2,"attributes":[]}],"scopes":[],
  "spans":{"id":["01","02","03","04","05"],"parent":[-1,0,0,2,-1],"subtreeSize":[3,0,1,0,0],
    "start":[0,10000000,50000000,60000000,90000000],"duration":[100000000,20000000,50000000,1000,10000000],
    "name":[3,4,5,7,4],"status":[0,0,2,0,0],"statusMessage":[0,0,6,0,0],"resource":[0,0,1,1,0],"marks":[0,0,0,0,1]}})";

TEST(DrawWaterfall, ShowsTheTreeTheTimesAndTheErrors) {
  Stream stream;
  stream.width = 84;
  const auto text = DrawWaterfall(kTrace, stream);
  ASSERT_TRUE(text.ok()) << text.error().message();
  EXPECT_EQ(
      *text,
      "trace 0000000000000000000000000000abcd  2023-11-14T22:13:20.000Z  100 ms  5 spans  orphans\n"
      "shop: GET /                                     100 ms ━━━━━━━━━━━━━━━━━━━━━━━━━━━━\n"
      "├─ shop: query                                 20.0 ms   ━━━━━━\n"
      "└─ pay: charge\xef\xbf\xbd[31m                            50.0 ms               "
      "━━━━━━━━━━━━━━  error: card refused\n"
      "   └─ pay: log                                 1.00 us                 ━\n"
      "shop: query                                    10.0 ms                          ━━━  (its "
      "parent is missing)\n");
}

TEST(DrawWaterfall, RefusesWhatIsNoTrace) {
  for (const char* text : {"", "[]", "{\"spans\":{\"id\":[1]}}"})
    EXPECT_FALSE(DrawWaterfall(text, {}).ok()) << text;
  std::string wrong(kTrace);
  wrong.replace(wrong.find("[-1,0,0,2,-1]"), 13, "[-1,9,0,2,-1]");  // a parent below its child
  EXPECT_FALSE(DrawWaterfall(wrong, {}).ok());
  EXPECT_TRUE(DrawWaterfall(R"({"spans":{"id":[]}})", {}).ok());
}

}  // namespace
}  // namespace weft::app::commands
