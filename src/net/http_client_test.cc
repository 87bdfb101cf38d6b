#include "net/http_client.h"

#include <gtest/gtest.h>

#include "net/http_router.h"
#include "net/http_server.h"

namespace weft::net {
namespace {

class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() : router_(std::make_shared<HttpRouter>()) {
    router_->Add("POST", "/echo", [](HttpRequest request, HttpRespond respond) {
      respond(HttpResponse::Text(200, request.method + " " + request.body));
    });
    router_->Add("GET", "/never",
                 [this](HttpRequest, HttpRespond respond) { held_ = std::move(respond); });
    router_->Add("GET", "/large", [](HttpRequest, HttpRespond respond) {
      respond(HttpResponse::Text(200, std::string(100'000, 'x')));
    });
  }
  ~HttpClientTest() override { server_.reset(); }
  void Start(const std::string& address = "127.0.0.1:0", HttpServerOptions options = {}) {
    auto server = HttpServer::Start(address, options, router_);
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_ = std::move(*server);
  }

  std::shared_ptr<HttpRouter> router_;
  HttpRespond held_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpClientTest, SendsAndReceives) {
  Start();
  HttpClient client("http://" + server_->bound_address() + "/");
  EXPECT_EQ(client.Post("/echo", "weft", "text/plain")->body, "POST weft");
  EXPECT_EQ(client.Post("/echo", "", "text/plain")->body, "POST ");
  EXPECT_EQ(client.Get("/nothing")->status, 404);
}

TEST_F(HttpClientTest, ConnectsAgainAfterTheServerHasClosed) {
  Start();
  const std::string address = server_->bound_address();
  HttpClient client(address);
  ASSERT_EQ(client.Post("/echo", "1", "text/plain")->status, 200);
  server_->Stop(0);
  EXPECT_EQ(client.Get("/echo").error().code(), ErrorCode::kUnavailable);
  Start(address);
  EXPECT_EQ(client.Post("/echo", "2", "text/plain")->body, "POST 2");
}

TEST_F(HttpClientTest, HearsARefusalWhileItIsStillSending) {
  HttpServerOptions options;
  options.wire_body_bytes_max = 1000;
  Start("127.0.0.1:0", options);
  HttpClient client(server_->bound_address());
  const auto response = client.Post("/echo", std::string(50 << 20, 'x'), "text/plain");
  ASSERT_TRUE(response.ok()) << response.error().message();
  EXPECT_EQ(response->status, 413);
}

TEST_F(HttpClientTest, GivesUpAfterItsTimeout) {
  Start();
  HttpClientOptions options;
  options.request_timeout_ms = 50;
  HttpClient client(server_->bound_address(), options);
  EXPECT_EQ(client.Get("/never").error().code(), ErrorCode::kCancelled);
}

TEST_F(HttpClientTest, BoundsTheAnswer) {
  Start();
  HttpClientOptions options;
  options.response_bytes_max = 1000;
  HttpClient client(server_->bound_address(), options);
  EXPECT_EQ(client.Get("/large").error().code(), ErrorCode::kTooLarge);
  options.accept_gzip = true;
  HttpClient packed(server_->bound_address(), options);
  EXPECT_EQ(packed.Get("/large").error().code(), ErrorCode::kTooLarge) << "also when it is packed";
}

TEST_F(HttpClientTest, NoServerAndNoAddress) {
  Start();
  HttpClient client(server_->bound_address());
  server_->Stop(0);
  EXPECT_EQ(client.Get("/").error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(HttpClient("nonsense").Get("/").error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace weft::net
