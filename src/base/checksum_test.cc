#include "base/checksum.h"

#include <numeric>
#include <string>

#include <gtest/gtest.h>

namespace weft {
namespace {

// Test vectors of RFC 3720, B.4.
TEST(ChecksumTest, GivesTheValuesOfTheStandard) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string ascending(32, '\0');
  std::iota(ascending.begin(), ascending.end(), '\0');
  EXPECT_EQ(Crc32c(ascending), 0x46dd794eu);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(""), 0u);
}

TEST(ChecksumTest, ExtendingIsTheChecksumOfTheWhole) {
  const std::string text = "the weft is the thread that one request draws across the services";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string_view view = text;
    EXPECT_EQ(Crc32cExtend(Crc32c(view.substr(0, cut)), view.substr(cut)), Crc32c(text)) << cut;
  }
}

TEST(ChecksumTest, EachFlippedBitChangesIt) {
  std::string text(97, 'w');
  const uint32_t before = Crc32c(text);
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    text[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    EXPECT_NE(Crc32c(text), before) << bit;
    text[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  }
}

}  // namespace
}  // namespace weft
