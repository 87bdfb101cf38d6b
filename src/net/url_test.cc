#include "net/url.h"

#include <gtest/gtest.h>

#include "net/address.h"

namespace weft::net {
namespace {

TEST(UrlTest, PercentDecoding) {
  EXPECT_EQ(PercentDecode("a%20b%2Fc%C3%a9"), "a b/cé");
  EXPECT_EQ(PercentDecode("a+b"), "a+b");
  EXPECT_EQ(PercentDecode("a+b", true), "a b");
  EXPECT_EQ(PercentDecode("%00")->size(), 1u);
  EXPECT_EQ(PercentDecode("%"), std::nullopt);
  EXPECT_EQ(PercentDecode("%4"), std::nullopt);
  EXPECT_EQ(PercentDecode("%4g"), std::nullopt);
}

TEST(UrlTest, EncodedTextDecodesToItself) {
  const std::string text = "{ span.http.route = \"/a/{id}\" && duration > 1s } é\n";
  EXPECT_EQ(PercentDecode(PercentEncode(text)), text);
  EXPECT_EQ(PercentEncode("a-b_c.d~e/"), "a-b_c.d~e%2F");
}

TEST(UrlTest, QueriesKeepOrderAndRepetition) {
  const auto query = ParseQuery("q=%7B%7D&limit=20&q=x+y&flag&&empty=");
  ASSERT_TRUE(query);
  const HttpParameters expected = {
      {"q", "{}"}, {"limit", "20"}, {"q", "x y"}, {"flag", ""}, {"empty", ""}};
  EXPECT_EQ(*query, expected);
  EXPECT_EQ(FindParameter(*query, "q"), "{}");
  EXPECT_EQ(FindParameter(*query, "flag"), "");
  EXPECT_EQ(FindParameter(*query, "none"), std::nullopt);
  EXPECT_EQ(ParseQuery("a=%zz"), std::nullopt);
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "a&";
  EXPECT_EQ(ParseQuery(many), std::nullopt);
}

TEST(UrlTest, TargetsInOriginAndAbsoluteForm) {
  HttpRequestHead head;
  ASSERT_TRUE(ParseTarget("/api/v1/search?q=%7B%7D", &head).ok());
  EXPECT_EQ(head.path, "/api/v1/search");
  EXPECT_EQ(head.Query("q"), "{}");
  ASSERT_TRUE(ParseTarget("http://host:3200/a%2Fb?x=1", &head).ok());
  EXPECT_EQ(head.path, "/a/b");
  EXPECT_EQ(RawPath(head.target), "/a%2Fb");
  ASSERT_TRUE(ParseTarget("http://host:3200", &head).ok());
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query.size(), 0u);
  EXPECT_TRUE(ParseTarget("*", &head).ok());
  EXPECT_FALSE(ParseTarget("relative", &head).ok());
  EXPECT_FALSE(ParseTarget("/%", &head).ok());
}

TEST(AddressTest, HostAndPort) {
  EXPECT_EQ(ParseHostPort("127.0.0.1:4318")->host, "127.0.0.1");
  EXPECT_EQ(ParseHostPort("[::1]:80")->host, "::1");
  EXPECT_EQ(ParseHostPort(":0")->host, "");
  EXPECT_EQ(ParseHostPort("localhost:65535")->port, 65535);
  for (const char* text : {"", "4318", "host", "host:", "host:x", "host:65536", "::1:80", "a b:1",
                           "host:-1", "http://host:1", "host:1 ", "[a[:]:1", "[]:1", "[host]:1"}) {
    EXPECT_EQ(ParseHostPort(text).error().code(), ErrorCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(FormatHostPort({"::1", 80}), "[::1]:80");
  EXPECT_EQ(FormatHostPort({"127.0.0.1", 80}), "127.0.0.1:80");
}

}  // namespace
}  // namespace weft::net
