// The parser as a whole; what queries answer is in test/corpus/traceql.
#include <gtest/gtest.h>

#include "query/lang/traceql/compile.h"
#include "query/lang/traceql/literal_text.h"

namespace weft::query::lang::traceql {
namespace {

std::string Repeat(std::string_view s, size_t n) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += s;
  return out;
}

std::string Canonical(std::string_view text) {
  const auto tree = Parse(text);
  return tree.ok() ? Print(**tree) : tree.error().ToString();
}

// The whole language comes back from its canonical form as the same tree.
class RoundTrip : public testing::TestWithParam<const char*> {};

TEST_P(RoundTrip, PrintsWhatParsesToTheSameTree) {
  const auto tree = Parse(GetParam());
  ASSERT_TRUE(tree.ok()) << tree.error().ToString();
  const std::string printed = Print(**tree);
  const auto again = Parse(printed);
  ASSERT_TRUE(again.ok()) << printed << ": " << again.error().ToString();
  EXPECT_TRUE(SameTree(**tree, **again)) << printed;
  EXPECT_EQ(Print(**again), printed);
}

INSTANTIATE_TEST_SUITE_P(
    Language, RoundTrip,
    testing::Values(
        "{}", "{ true }", "{ span.a = 1 && .b != \"x\" || !(name =~ \"y.*\") }",
        "{ .a = 1 || .b = 2 && .c = 3 }", "{ .a = 1 || (.b = 2 && .c = 3) }", "{ .a.b = 1 } ",
        "{ -span.a ^ 2 ^ 3 = 1 }", "{ (-span.a) ^ 2 = 1 }", "{ -(span.a + 1) = 1 }",
        "{ !.a * .b = .c }", "{ (!.a) = .b }", "{ - -5 = 5 }", "{ -minInt = 1 }",
        "{ .a = -9223372036854775808 }", "{ (.a + .b) * .c - .d / (.e % .f) = 1 }",
        "{ .a - (.b - .c) = 1 }", "{ (.a = 1) = (.b = 2) }", "{ ((.a)) = ((1)) }",
        "{ duration > 1h30m && duration < 90061001001001ns }",
        "{ .a = 0s || .a = -5ms || .a = 1.5s || .a = 2.0 || .a = 1e300 || .a = .5 }",
        "{ span.\"a b\".c = `raw \\n` }", "{ .\"1st\" = \"\\u00e9\\x01\\n\\\"\" }",
        "{ .\"q\\\"\\\\\" = nil }", "{ status = error && kind = server }",
        "{ trace:rootName = \"x\" && span:childCount = 1 && event:timeSinceStart > 1s }",
        "{ parent.a = 1 }", "{ parent.span.a = parent.resource.b }",
        "{ .a = minInt || .a = maxInt }", "{} && {} || {}", "{} >> ({} > {}) << {}",
        "{} !> {} !>> {} !< {} !<< {} !~ {} ~ {}", "{} &> {} &>> {} &< {} &<< {} &~ {}",
        "({} | count() > 2) && ({ status = error } | count() = 1)",
        "{} | avg(duration) > 50ms | by(name) | coalesce()",
        "{} | select(span.a, name, .\"b c\") | { .a = 1 }",
        "{} | max(span.a + 1) - min(duration) * 2 > 1", "by(resource.service.name) | { .a = 1 }",
        "count() > 2", "5 < count()", "({} | count()) + 1 > 2", "(count() > 2)",
        "({} | by(name)) | count() > 1", "{} | rate()", "{} | rate() by (name, span.a) | topk(3)",
        "{} | quantile_over_time(duration, .5, .99) by (name) > 50ms",
        "{} | histogram_over_time(duration)", "{} | compare({ status = error }, 10, 1, 2)",
        "{} | critical_path()", "{} | by(name) | critical_path() | by(name, .x, kind)",
        "{} | what_if({ name = \"x\" && kind = server }, factor=0.5)",
        "{ .a } > { .b } | what_if({}, factor=2)", "{} | what_if(name=\"x\", factor=-1)",
        "{} | what_if(service=\"x\", factor=1e3)", "({} | rate()) / ({} | rate()) * 2 > 0.5",
        "{} | count_over_time() | topk(3) | bottomk(2) >= 1",
        "{} >> {} | rate() with (sample=0.1, most_recent=true)", "{} with (a=true) with (b=\"x\")",
        "{} | avg_over_time(span.a) = 1"));

TEST(Print, IsCanonical) {
  EXPECT_EQ(Canonical("{.a=1&&.b>2ms}"), "{ .a = 1 && .b > 2ms }");
  EXPECT_EQ(Canonical("{ .a || .b && .c }"), "{ (.a || .b) && .c }");
  EXPECT_EQ(Canonical("{ (.a && .b) && (.c && .d) }"), "{ .a && .b && .c && .d }");
  EXPECT_EQ(Canonical("{ trace:duration > 1500ms }"), "{ traceDuration > 1500ms }");
  EXPECT_EQ(Canonical("{ span.\"foo\" = 60m }"), "{ span.foo = 1h }");
  EXPECT_EQ(Canonical("{}>>{}>{}"), "({} >> {}) > {}");
  EXPECT_EQ(Canonical("{}|what_if(service=\"x\",factor=.5)"),
            "{} | what_if({ resource.service.name = \"x\" }, factor=0.5)");
}

TEST(Parse, RefusesWhatIsTooDeep) {
  for (const char* pair : {"()", "!(", "-("}) {
    const std::string open = pair[0] == '(' ? "(" : pair;
    const auto result = Parse("{ " + Repeat(open, 10000) + "true" + Repeat(")", 10000) + " }");
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().error.code(), ErrorCode::kTooLarge);
    EXPECT_EQ(result.error().error.message(), "nested too deeply: more than 250 levels");
  }
  EXPECT_EQ(Parse(Repeat("(", 10000)).error().error.code(), ErrorCode::kTooLarge);
  EXPECT_EQ(Parse("{ " + Repeat("- ", 10000) + "1 }").error().error.code(), ErrorCode::kTooLarge);
  EXPECT_EQ(Parse("{ 1 = " + Repeat("1 + ", 10000) + "1 }").error().error.code(),
            ErrorCode::kTooLarge);
  EXPECT_EQ(Parse("{ 1 = " + Repeat("1 ^ ", 10000) + "1 }").error().error.code(),
            ErrorCode::kTooLarge);
  EXPECT_EQ(Parse("{}" + Repeat(" >> {}", 10000)).error().error.code(), ErrorCode::kTooLarge);
}

TEST(Parse, TakesWhatIsDeepEnough) {
  EXPECT_TRUE(Parse("{ " + Repeat("(", 200) + "true" + Repeat(")", 200) + " }").ok());
  EXPECT_TRUE(Parse("{ 1 = " + Repeat("1 + ", 200) + "1 }").ok());
}

TEST(Parse, TakesLongChains) {
  const auto alternatives = Compile("{ .a = 1" + Repeat(" || .a = 2", 10000) + " }");
  ASSERT_TRUE(alternatives.ok());
  EXPECT_EQ(alternatives->filter()->operands.size(), 10001u);
  const auto filters = Compile("{ .a = 1 }" + Repeat(" | { .a = 2 }", 10000));
  ASSERT_TRUE(filters.ok());
  EXPECT_EQ(filters->filter()->operands.size(), 10001u);
}

// What each stage or operand costs is paid for each trace.
TEST(Parse, RefusesWhatCostsTooMuch) {
  EXPECT_TRUE(Compile("{}" + Repeat(" | by(name)", 99)).ok());
  for (const std::string& query :
       {"{}" + Repeat(" | by(name)", 100), "({}" + Repeat(" | by(name)", 100) + ") && {}",
        "{}" + Repeat(" && {}", 1000)}) {
    const auto refused = Compile(query);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().error.code(), ErrorCode::kTooLarge);
  }
  EXPECT_FALSE(CompileMetrics("{}" + Repeat(" | by(name)", 100) + " | rate()").ok());
}

TEST(Parse, RefusesWhatIsTooLong) {
  const auto result = Parse("{ .a = \"" + Repeat("x", kQueryBytesMax) + "\" }");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().error.code(), ErrorCode::kTooLarge);
  EXPECT_NE(result.error().error.message().find("at most 131072"), std::string::npos);
}

// A string of operators, quotes or comments of the greatest length must not take long: the test
// would time out.
TEST(Parse, IsLinearOnHostileText) {
  for (const char* piece : {"{", "/*", "\"", "!", "&&", "|", "a.", ".a ", "1h", "{}|", "by(", "(}",
                            "=", "\xff", "a:", "span.\""}) {
    const auto result = Parse(Repeat(piece, kQueryBytesMax / std::string_view(piece).size()));
    EXPECT_FALSE(result.ok()) << piece;
  }
}

TEST(ParseField, ReadsOneName) {
  EXPECT_EQ(plan::ToString(*CompileField("span.http.route")), "span.http.route");
  EXPECT_EQ(plan::ToString(*CompileField(" .a ")), ".a");
  EXPECT_EQ(plan::ToString(*CompileField("span:name")), "name");
  EXPECT_FALSE(CompileField("service.name").ok());
  EXPECT_FALSE(CompileField("name = 1").ok());
  EXPECT_FALSE(CompileField("").ok());
  EXPECT_FALSE(CompileField("true").ok());
  EXPECT_FALSE(CompileField("\"x\"").ok());
}

std::string PlanOf(std::string_view text) {
  const auto plan = Compile(text);
  return plan.ok() ? plan::ToString(*plan->filter()) : plan.error().ToString();
}

TEST(Compile, LowersToPredicates) {
  EXPECT_EQ(PlanOf("{ 5ms < duration }"), ">(duration, 5000000)");
  EXPECT_EQ(PlanOf("{ .a = 1h / 60 + 1 }"), "=(.a, 60000000001)");
  EXPECT_EQ(PlanOf("{ span.a }"), "=(span.a, true)");
  EXPECT_EQ(PlanOf("{ .a = nil || .b != nil }"), "or(not(present(.a)), present(.b))");
  EXPECT_EQ(PlanOf("{ trace:id = \"ABC\" }"), "=(trace:id, \"00000000000000000000000000000abc\")");
  EXPECT_EQ(PlanOf("{ kind = server && status != ok }"), "and(=(kind, 2), !=(status, 1))");
  EXPECT_EQ(PlanOf("{ name =~ \"x\" }"), "=~(name, \"x\")");
  EXPECT_EQ(PlanOf("{ (.a = 1) != .b }"),
            "and(or(=(.b, true), =(.b, false)), not(same(=(.a, 1), =(.b, true))))");
}

TEST(Compile, KnowsWhatDependsOnTheWholeTrace) {
  EXPECT_FALSE(Compile("{ .a = 1 && trace:id = \"1\" }")->of_whole_traces());
  EXPECT_FALSE(Compile("{ .a = 1 } | { .b = 2 } | select(.c)")->of_whole_traces());
  EXPECT_TRUE(Compile("{ .a = 1 && traceDuration > 1s }")->of_whole_traces());
  EXPECT_TRUE(Compile("{ .a = 1 || !(1 < 2 * span:childCount) }")->of_whole_traces());
  EXPECT_TRUE(Compile("{ .a = 1 } > {}")->of_whole_traces());
  EXPECT_TRUE(Compile("{} | by(name)")->of_whole_traces());
}

std::string NecessaryOf(std::string_view query) {
  return plan::ToString(plan::NecessaryPredicate(*Compile(query)));
}

TEST(Compile, LooksForTheSpansThatAResultMustHave) {
  EXPECT_EQ(NecessaryOf("{ .a = 1 && traceDuration > 1s }"), "and(=(.a, 1), true)");
  EXPECT_EQ(NecessaryOf("{ .a = 1 && !(traceDuration > 1s) }"), "and(=(.a, 1), true)");
  EXPECT_EQ(NecessaryOf("{} >> { .a = 1 }"), "=(.a, 1)");
  EXPECT_EQ(NecessaryOf("{ .a = 1 } > { status = error } "), "=(.a, 1)");
  EXPECT_EQ(NecessaryOf("{ .a = 1 } !> { status = error } "), "=(status, 2)");
  EXPECT_EQ(NecessaryOf("{ .a = 1 } &> {}"), "=(.a, 1)");
  EXPECT_EQ(NecessaryOf("{ .a = 1 } && {}"), "=(.a, 1)");
  EXPECT_EQ(NecessaryOf("{ .a = 1 } || { .b = 1 }"), "or(=(.a, 1), =(.b, 1))");
  EXPECT_EQ(NecessaryOf("{} | count() > 2 | { .a = 1 } > {}"), "=(.a, 1)");
  EXPECT_EQ(NecessaryOf("({ .a = 1 } | count() = 1) && {}"), "=(.a, 1)");
  // Of none there are 0.
  EXPECT_EQ(NecessaryOf("({ .a = 1 } | count()) < ({ .b = 1 } | count())"), "true");
}

TEST(LiteralText, DurationsKeepTheirNanoseconds) {
  for (const int64_t ns :
       std::vector<int64_t>{0, 1, 999, 1000, 60'000'000'000, INT64_MAX, -1, INT64_MIN + 1}) {
    const std::string printed = PrintDuration(ns);
    std::string problem;
    const auto read = ReadNumber(std::string_view(printed).substr(ns < 0 ? 1 : 0), &problem);
    ASSERT_TRUE(read) << printed << ": " << problem;
    EXPECT_EQ(read->magnitude, static_cast<uint64_t>(ns < 0 ? -ns : ns)) << printed;
  }
}

}  // namespace
}  // namespace weft::query::lang::traceql
