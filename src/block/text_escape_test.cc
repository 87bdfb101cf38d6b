#include "block/text_escape.h"

#include <string>

#include <gtest/gtest.h>

#include "block/block_fixture.h"

namespace weft::block {
namespace {

std::string Stored(const std::string& text) {
  std::string out;
  return AppendEscapedText(text, &out) ? out : text;
}

std::string Original(const std::string& stored) {
  std::string out;
  return AppendUnescapedText(stored, &out) ? out : stored;
}

TEST(TextEscape, LeavesValidTextAlone) {
  for (const std::string text : {"", "plain", "caf\xc3\xa9", "\xf0\x9f\xa7\xb5", "\xed\x9f\xbf"}) {
    std::string out;
    EXPECT_FALSE(AppendEscapedText(text, &out)) << text;
    EXPECT_EQ(out, "");
    EXPECT_FALSE(AppendUnescapedText(text, &out)) << text;
  }
}

TEST(TextEscape, ShowsBytesThatAreNoText) {
  EXPECT_EQ(Stored("a\xff"),
            "a\xef\xbf\xbd"
            "ff");
  EXPECT_EQ(Stored("\xef\xbf\xbd"), "\xef\xbf\xbd\xef\xbf\xbd");
  // Overlong, a surrogate, beyond U+10FFFF, cut off.
  EXPECT_EQ(Stored("\xc0\x80"),
            "\xef\xbf\xbd"
            "c0\xef\xbf\xbd"
            "80");
  EXPECT_EQ(Stored("\xed\xa0\x80"),
            "\xef\xbf\xbd"
            "ed\xef\xbf\xbd"
            "a0\xef\xbf\xbd"
            "80");
  EXPECT_EQ(Stored("\xf4\x90\x80\x80").size(), 4 * 5u);
  EXPECT_EQ(Stored("\xe2\x82").size(), 2 * 5u);
}

TEST(TextEscape, GivesBackEveryByte) {
  SeededRandom random(5);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (uint64_t n = random.Below(12); n > 0; --n) {
      if (random.OneIn(4)) {
        text += "\xef\xbf\xbd";
      } else if (random.OneIn(3)) {
        text += random.OneIn(2) ? "ff" : "\xe2\x82\xac";
      } else {
        text.push_back(static_cast<char>(random.Below(256)));
      }
    }
    ASSERT_EQ(Original(Stored(text)), text);
  }
}

}  // namespace
}  // namespace weft::block
