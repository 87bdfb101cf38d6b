#include "net/http_answer.h"

#include <gtest/gtest.h>

#include "net/compression.h"

namespace weft::net {
namespace {

HttpAnswerTraits Modern() {
  HttpAnswerTraits traits;
  traits.keep_alive = true;
  traits.accepts_gzip = true;
  return traits;
}

TEST(HttpAnswerTest, HeadIsWrittenWithLengthTypeAndDate) {
  EXPECT_EQ(SerializeAnswerHead(Modern(), HttpResponse::Text(200, "hello"), "now"),
            "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 5\r\n\r\n");
}

TEST(HttpAnswerTest, FieldsCannotBeForged) {
  HttpResponse response = HttpResponse::Text(200, "");
  response.headers.Set("X-Echo", "a\r\nSet-Cookie: stolen=1\n");
  response.headers.Set("Content-Length", "99");
  response.headers.Set("transfer-encoding", "chunked");
  const std::string head = SerializeAnswerHead(Modern(), response, "now");
  EXPECT_NE(head.find("X-Echo: a  Set-Cookie: stolen=1 \r\n"), std::string::npos);
  EXPECT_NE(head.find("Content-Length: 0\r\n"), std::string::npos);
  EXPECT_EQ(head.find("99"), std::string::npos);
  EXPECT_EQ(head.find("chunked"), std::string::npos);
}

TEST(HttpAnswerTest, NoContentHasNoLength) {
  HttpResponse response;
  response.status = 204;
  EXPECT_EQ(SerializeAnswerHead(Modern(), response, "now").find("Content-Length"),
            std::string::npos);
}

TEST(HttpAnswerTest, CompressionIsForLargeTextualBodiesOnly) {
  const std::string text(5000, 'x');
  HttpResponse large = HttpResponse::Json(200, text);
  CompressAnswer(Modern(), 1024, &large);
  EXPECT_EQ(large.headers.Get("Content-Encoding"), "gzip");
  EXPECT_EQ(large.headers.Get("Vary"), "Accept-Encoding");
  EXPECT_EQ(Decompress(ContentCoding::kGzip, large.payload(), 5000).value(), text);

  HttpResponse shared = HttpResponse::Json(200, "");
  shared.shared_body = std::make_shared<const std::string>(text);
  CompressAnswer(Modern(), 1024, &shared);
  EXPECT_LT(shared.payload().size(), 500u);

  HttpResponse vendor = HttpResponse::Json(200, text);
  vendor.content_type = "application/vnd.grafana.llm+json";
  CompressAnswer(Modern(), 1024, &vendor);
  EXPECT_EQ(vendor.headers.Get("Content-Encoding"), "gzip");

  HttpResponse small = HttpResponse::Json(200, "{}");
  CompressAnswer(Modern(), 1024, &small);
  EXPECT_EQ(small.body, "{}");

  HttpResponse image = HttpResponse::Json(200, text);
  image.content_type = "image/png";
  CompressAnswer(Modern(), 1024, &image);
  EXPECT_EQ(image.body, text);

  HttpResponse packed = HttpResponse::Json(200, text);
  packed.headers.Set("Content-Encoding", "br");
  CompressAnswer(Modern(), 1024, &packed);
  EXPECT_EQ(packed.body, text);
}

TEST(HttpAnswerTest, CachesAreToldThatTheFormDependsOnTheClient) {
  HttpResponse plain = HttpResponse::Json(200, std::string(5000, 'x'));
  CompressAnswer({}, 1024, &plain);
  EXPECT_EQ(plain.headers.Get("Vary"), "Accept-Encoding");
  EXPECT_FALSE(plain.headers.Has("Content-Encoding"));
}

TEST(HttpAnswerTest, DatesAreInTheFormOfTheStandard) {
  EXPECT_EQ(HttpDate(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(HttpMessageTest, ErrorsHaveTheShapeOfTheApi) {
  const HttpResponse response =
      HttpResponse::FromError(Error(ErrorCode::kResourceExhausted, "too \"fast\"\n", 1500));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.headers.Get("retry-after"), "2");
  EXPECT_EQ(response.body,
            R"({"error":{"code":"too_many_requests","message":"too \"fast\"\u000a"}})");
  EXPECT_NE(HttpResponse::FromError(Error(ErrorCode::kCorrupt, "")).body.find("\"internal\""),
            std::string::npos);
}

TEST(HttpMessageTest, HeadersAreFoundInAnyCase) {
  HttpHeaders headers;
  headers.Add("X-Scope-OrgID", "a");
  headers.Add("x-scope-orgid", "b");
  EXPECT_EQ(headers.Get("X-SCOPE-ORGID"), "a");
  headers.Set("x-Scope-orgid", "c");
  EXPECT_EQ(headers.fields().size(), 1u);
  headers.Remove("X-SCOPE-orgID");
  EXPECT_FALSE(headers.Has("x-scope-orgid"));
}

}  // namespace
}  // namespace weft::net
