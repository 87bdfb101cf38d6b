#include "app/commands/console.h"

#include <gtest/gtest.h>

namespace weft::app::commands {
namespace {

TEST(Printable, TakesTheTeethOutOfControlCharacters) {
  EXPECT_EQ(Printable("GET /\x1b]0;owned\x07"), "GET /\xef\xbf\xbd]0;owned\xef\xbf\xbd");
  EXPECT_EQ(Printable("a\nb\r\x7f\xc2\x9b"),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(Printable("bad \xff utf8"), "bad \xef\xbf\xbd utf8");
  EXPECT_EQ(Printable("\xe2\x80\xae"
                      "txt"),
            "\xef\xbf\xbdtxt");
  EXPECT_EQ(Printable("naïve 日本 😀"), "naïve 日本 😀");
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth(""), 0u);
  EXPECT_EQ(DisplayWidth("naïve"), 5u);
  EXPECT_EQ(DisplayWidth("日本"), 4u);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1u);
}

TEST(Fit, PadsOrCutsToTheWidth) {
  EXPECT_EQ(Fit("ab", 4), "ab  ");
  EXPECT_EQ(Fit("ab", 4, true), "  ab");
  EXPECT_EQ(Fit("abcdef", 4), "abc…");
  EXPECT_EQ(Fit("日本語", 4), "日… ");
  EXPECT_EQ(DisplayWidth(Fit("日本語", 4)), 4u);
  EXPECT_EQ(Fit("abc", 0), "");
}

TEST(Paint, PlainStreamsGetPlainText) {
  Stream stream;
  EXPECT_EQ(stream.Paint(Colour::kRed, "x"), "x");
  stream.colours = true;
  EXPECT_EQ(stream.Paint(Colour::kRed, "x"), "\x1b[31mx\x1b[0m");
}

}  // namespace
}  // namespace weft::app::commands
