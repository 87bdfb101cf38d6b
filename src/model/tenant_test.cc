#include "model/tenant.h"

#include <string>

#include <gtest/gtest.h>

namespace weft::model {
namespace {

TEST(ParseTenant, NoNameIsTheDefaultTenant) {
  EXPECT_EQ(*ParseTenant(""), "default");
  EXPECT_EQ(*ParseTenant(" \t"), "default");
}

TEST(ParseTenant, KeepsANameAsItIs) {
  EXPECT_EQ(*ParseTenant("team-A_1.eu*!'()"), "team-A_1.eu*!'()");
  EXPECT_EQ(*ParseTenant("  shop "), "shop");
}

TEST(ParseTenant, RefusesWhatCouldLeaveItsFolder) {
  for (const char* name : {".", "..", "a/b", "../x", "a\\b"}) {
    const auto tenant = ParseTenant(name);
    ASSERT_FALSE(tenant.ok()) << name;
    EXPECT_EQ(tenant.error().code(), ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(ParseTenant(std::string_view("a\0b", 3)).ok());
}

TEST(ParseTenant, RefusesSeveralTenantsAndForeignLetters) {
  EXPECT_FALSE(ParseTenant("a|b").ok());
  EXPECT_FALSE(ParseTenant("a b").ok());
  EXPECT_FALSE(ParseTenant("caf\xc3\xa9").ok());
}

TEST(ParseTenant, LimitsTheLength) {
  EXPECT_EQ(ParseTenant(std::string(150, 'x'))->size(), 150u);
  EXPECT_FALSE(ParseTenant(std::string(151, 'x')).ok());
}

}  // namespace
}  // namespace weft::model
