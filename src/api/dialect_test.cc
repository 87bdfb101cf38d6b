#include "api/dialect.h"

#include <gtest/gtest.h>

namespace weft::api {
namespace {

using query::lang::traceql::Dialect;

TEST(Dialect, OfTheTenant) {
  EXPECT_EQ(DialectOf("shop", {}), Dialect::kWeft);
  EXPECT_EQ(DialectOf("shop", {"other", "shop"}), Dialect::kTempo);
  EXPECT_EQ(DialectOf("sho", {"shop"}), Dialect::kWeft);
  EXPECT_EQ(DialectOf("a|b", {"a", "b"}), Dialect::kTempo);
  EXPECT_EQ(DialectOf("a|b", {"a"}), Dialect::kWeft);
  EXPECT_EQ(DialectOf("a|b", {"*"}), Dialect::kTempo);
}

TEST(Dialect, TheRequestSaysMore) {
  net::HttpRequest request;
  const std::vector<std::string> all{"*"};
  EXPECT_EQ(ReadDialect(request, "shop", all).value(), Dialect::kTempo);
  request.headers.Set("X-Weft-Compat", "weft");
  EXPECT_EQ(ReadDialect(request, "shop", all).value(), Dialect::kWeft);
  request.query.emplace_back("compat", "tempo");
  EXPECT_EQ(ReadDialect(request, "shop", {}).value(), Dialect::kTempo);
  request.query[0].second = "jaeger";
  EXPECT_EQ(ReadDialect(request, "shop", {}).error().message(),
            "compat: expected tempo or weft, found \"jaeger\"");
}

}  // namespace
}  // namespace weft::api
