#include "compact/retention.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace weft::compact {
namespace {

using store::BlockPtr;
using store::BlockVector;

constexpr int64_t kNow = 1'000'000;

BlockPtr MakeBlock(const std::string& tenant, uint32_t number, int64_t age_ns, uint64_t bytes) {
  auto block = std::make_shared<store::CatalogBlock>();
  block->name = {tenant, std::to_string(number)};
  block->meta.last_start_ns = static_cast<uint64_t>(kNow - age_ns);
  block->total_bytes = bytes;
  return block;
}

// Two tenants, newest first.
std::vector<std::shared_ptr<const BlockVector>> TwoTenants() {
  return {
      std::make_shared<BlockVector>(BlockVector{
          MakeBlock("a", 1, 10, 100), MakeBlock("a", 2, 200, 100), MakeBlock("a", 3, 5000, 100)}),
      std::make_shared<BlockVector>(BlockVector{MakeBlock("b", 4, 300, 100)})};
}

std::string Names(const std::vector<Expired>& expired) {
  std::string names;
  for (const Expired& e : expired) {
    names += (names.empty() ? "" : " ") + e.block->name.id + ":" + std::string(e.reason);
  }
  return names;
}

TEST(RetentionTest, NothingGoesWithoutARule) {
  EXPECT_EQ(Names(ExpiredBlocks(TwoTenants(), {}, kNow, 0)), "");
}

TEST(RetentionTest, ByAge) {
  EXPECT_EQ(Names(ExpiredBlocks(TwoTenants(), {.age_ns = 1000}, kNow, 0)), "3:age");
  EXPECT_EQ(Names(ExpiredBlocks(TwoTenants(), {.age_ns = 100}, kNow, 0)), "2:age 3:age 4:age");
  EXPECT_EQ(Names(ExpiredBlocks(TwoTenants(), {.age_ns = kNow * 2}, kNow, 0)), "");
}

TEST(RetentionTest, ByBytesOfEachTenant) {
  EXPECT_EQ(Names(ExpiredBlocks(TwoTenants(), {.tenant_bytes = 250}, kNow, 0)), "3:bytes");
  EXPECT_EQ(Names(ExpiredBlocks(TwoTenants(), {.tenant_bytes = 300}, kNow, 0)), "");
}

TEST(RetentionTest, ByFreeDiskTheOldestOfAll) {
  EXPECT_EQ(Names(ExpiredBlocks(TwoTenants(), {.disk_free_bytes = 1000}, kNow, 850)),
            "3:disk 4:disk");
  EXPECT_EQ(Names(ExpiredBlocks(TwoTenants(), {.disk_free_bytes = 1000}, kNow, 1000)), "");
  // What goes by age frees space too.
  EXPECT_EQ(
      Names(ExpiredBlocks(TwoTenants(), {.age_ns = 1000, .disk_free_bytes = 1000}, kNow, 900)),
      "3:age");
}

}  // namespace
}  // namespace weft::compact
