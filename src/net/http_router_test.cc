#include "net/http_router.h"

#include <gtest/gtest.h>

#include "net/url.h"

namespace weft::net {
namespace {

class HttpRouterTest : public testing::Test {
 protected:
  void Add(const char* method, const char* pattern) {
    const std::string name = std::string(method) + " " + pattern;
    router_.Add(method, pattern, [this, name](HttpRequest request, const HttpRespond&) {
      called_ = name;
      parameters_ = request.path_parameters;
    });
  }
  // The pattern that answers, or the status of the refusal.
  std::string Ask(const char* method, std::string_view target) {
    HttpRequest request;
    request.method = method;
    EXPECT_TRUE(ParseTarget(target, &request).ok());
    const HttpBodyPlan plan = router_.OnHead(request);
    if (plan.refusal) {
      allow_ = plan.refusal->headers.Get("Allow");
      return std::to_string(plan.refusal->status);
    }
    router_.OnRequest(std::move(request), {});
    return called_;
  }

  HttpRouter router_;
  std::string called_;
  std::string allow_;
  HttpParameters parameters_;
};

TEST_F(HttpRouterTest, LiteralsWinOverNamesOverTheRest) {
  Add("GET", "/{path...}");
  Add("GET", "/api/traces/{id}");
  Add("GET", "/api/traces/search");
  EXPECT_EQ(Ask("GET", "/api/traces/search?q=1"), "GET /api/traces/search");
  EXPECT_EQ(Ask("GET", "/api/traces/abc"), "GET /api/traces/{id}");
  EXPECT_EQ(parameters_, (HttpParameters{{"id", "abc"}}));
  EXPECT_EQ(Ask("GET", "/api/traces"), "GET /{path...}");
  EXPECT_EQ(parameters_, (HttpParameters{{"path", "api/traces"}}));
  EXPECT_EQ(Ask("GET", "/"), "GET /{path...}");
  EXPECT_EQ(parameters_, (HttpParameters{{"path", ""}}));
}

TEST_F(HttpRouterTest, SegmentsAreDecodedAfterSplitting) {
  Add("GET", "/v/{key}/values");
  EXPECT_EQ(Ask("GET", "/v/http%2Froute%20x/values"), "GET /v/{key}/values");
  EXPECT_EQ(parameters_, (HttpParameters{{"key", "http/route x"}}));
  EXPECT_EQ(Ask("GET", "/v//values"), "404");
  EXPECT_EQ(Ask("GET", "/v/a/values/"), "404");
}

TEST_F(HttpRouterTest, OtherMethodsAreToldWhatIsAllowed) {
  Add("GET", "/thing");
  Add("DELETE", "/thing");
  Add("POST", "/only-post");
  Add("GET", "/{path...}");
  EXPECT_EQ(Ask("PUT", "/thing"), "405");
  EXPECT_EQ(allow_, "DELETE, GET, HEAD");
  EXPECT_EQ(Ask("GET", "/only-post"), "405") << "the rest does not hide it";
  EXPECT_EQ(allow_, "POST");
  EXPECT_EQ(Ask("HEAD", "/thing"), "GET /thing");
}

TEST_F(HttpRouterTest, UnknownPathIs404) {
  Add("GET", "/thing");
  EXPECT_EQ(Ask("GET", "/"), "404");
  EXPECT_EQ(Ask("GET", "/thing/more"), "404");
  EXPECT_EQ(Ask("POST", "/nothing"), "404");
}

}  // namespace
}  // namespace weft::net
