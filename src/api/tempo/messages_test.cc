#include "api/tempo/messages.h"

#include <string>

#include <gtest/gtest.h>

#include "base/utf8.h"
#include "tempo.pb.h"

namespace weft::api::tempo {
namespace {

TEST(TempoMessages, AnEmptyListIsWritten) {
  tempopb::SearchTagsResponse names;
  EXPECT_EQ(AnswerMessage(AnswerForm::kJson, names, "tagNames").body, R"({"tagNames":[]})");
  names.mutable_metrics();
  EXPECT_EQ(AnswerMessage(AnswerForm::kJson, names, "tagNames").body,
            R"({"tagNames":[],"metrics":{}})");
  names.add_tagnames("a");
  EXPECT_EQ(AnswerMessage(AnswerForm::kJson, names, "tagNames").body,
            R"({"tagNames":["a"],"metrics":{}})");
  EXPECT_EQ(AnswerMessage(AnswerForm::kProtobuf, names, "tagNames").body,
            std::string("\x0a\x01\x61\x12\x00", 5));
}

// Senders may send any bytes: a name that is not UTF-8 must not cost the whole answer.
TEST(TempoMessages, WhatIsNotUtf8IsReplaced) {
  EXPECT_EQ(Utf8("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(Utf8(std::string_view("a\0b", 3)), std::string_view("a\0b", 3));
  EXPECT_EQ(Utf8("a\xff"
                 "b\xe2\x82"),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd\xef\xbf\xbd");
  tempopb::SearchTagsResponse names;
  names.add_tagnames(Utf8("\xc0\xaf"));
  EXPECT_EQ(AnswerMessage(AnswerForm::kJson, names, "tagNames").status, 200);
}

}  // namespace
}  // namespace weft::api::tempo
