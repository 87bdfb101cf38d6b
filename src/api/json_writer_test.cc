#include "api/json_writer.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace weft::api {
namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  AppendJsonEscaped(text, &out);
  return out;
}

template <typename F>
std::string Written(F write) {
  std::string out;
  JsonWriter json(&out);
  write(json);
  return out;
}

TEST(JsonWriter, PlacesCommasBetweenValuesOnly) {
  const std::string text = Written([](JsonWriter& json) {
    json.BeginObject();
    json.Field("a", "x");
    json.Key("b"), json.BeginArray();
    json.Int(-1), json.BeginObject(), json.EndObject(), json.Null(), json.Bool(true);
    json.EndArray();
    json.Key("c"), json.BeginArray(), json.EndArray();
    json.EndObject();
  });
  EXPECT_EQ(text, R"({"a":"x","b":[-1,{},null,true],"c":[]})");
}

TEST(JsonWriter, EscapesWhatJsonForbids) {
  EXPECT_EQ(Escaped("say \"hi\" \\ there\n\r\t"), R"(say \"hi\" \\ there\n\r\t)");
  EXPECT_EQ(Escaped(std::string_view("\0\x1f\x7f", 3)), "\\u0000\\u001f\x7f");
}

TEST(JsonWriter, KeepsGoodUtf8) {
  for (const char* text : {"é", "€", "😀", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80"})
    EXPECT_EQ(Escaped(text), text);
}

TEST(JsonWriter, ReplacesBrokenUtf8) {
  EXPECT_EQ(Escaped("a\xff"
                    "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(Escaped("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");                  // overlong
  EXPECT_EQ(Escaped("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // a surrogate
  EXPECT_EQ(Escaped("\xe2\x82"), "\xef\xbf\xbd");  // cut short: one error
  EXPECT_EQ(Escaped("\xf0\x9f\x98z"), "\xef\xbf\xbdz");
  EXPECT_EQ(Escaped("\xf4\x90\x80\x80").substr(0, 3), "\xef\xbf\xbd");  // above U+10FFFF
}

TEST(JsonWriter, NumbersBeyondTwoToTheFiftyThreeAreStrings) {
  EXPECT_EQ(Written([](JsonWriter& j) { j.SafeInt(int64_t{1} << 53); }), "9007199254740992");
  EXPECT_EQ(Written([](JsonWriter& j) { j.SafeInt((int64_t{1} << 53) + 1); }),
            "\"9007199254740993\"");
  EXPECT_EQ(Written([](JsonWriter& j) { j.SafeInt(-(int64_t{1} << 53)); }), "-9007199254740992");
  EXPECT_EQ(Written([](JsonWriter& j) { j.SafeInt(std::numeric_limits<int64_t>::min()); }),
            "\"-9223372036854775808\"");
  EXPECT_EQ(Written([](JsonWriter& j) { j.SafeUint(~uint64_t{0}); }), "\"18446744073709551615\"");
  EXPECT_EQ(Written([](JsonWriter& j) { j.Uint64Text(7); }), "\"7\"");
  EXPECT_EQ(Written([](JsonWriter& j) { j.Int64Text(-7); }), "\"-7\"");
}

TEST(JsonWriter, DoublesReadBack) {
  for (const double value : {0.1, 1e300, -2.5e-7, 3.0}) {
    EXPECT_EQ(std::stod(Written([&](JsonWriter& j) { j.Double(value); })), value);
  }
  EXPECT_EQ(Written([](JsonWriter& j) { j.Double(std::nan("")); }), "\"NaN\"");
  EXPECT_EQ(Written([](JsonWriter& j) { j.Double(-INFINITY); }), "\"-Infinity\"");
}

TEST(JsonWriter, Base64IsPadded) {
  const auto base64 = [](std::string_view bytes) {
    return Written([&](JsonWriter& j) { j.Base64(bytes); });
  };
  EXPECT_EQ(base64(""), "\"\"");
  EXPECT_EQ(base64("f"), "\"Zg==\"");
  EXPECT_EQ(base64("fo"), "\"Zm8=\"");
  EXPECT_EQ(base64("foo"), "\"Zm9v\"");
  EXPECT_EQ(base64("\xff\xfe\xfd\xfc"), "\"//79/A==\"");
}

}  // namespace
}  // namespace weft::api
