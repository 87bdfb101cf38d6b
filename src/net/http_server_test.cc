#include "net/http_server.h"

#include <atomic>
#include <chrono>
#include <future>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mutex.h"
#include "net/address.h"
#include "net/compression.h"
#include "net/http_client.h"
#include "net/http_router.h"

namespace weft::net {
namespace {

// A plain socket, for what a well-behaved client would not send.
class RawClient {
 public:
  explicit RawClient(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(ParseHostPort(address)->port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    const timeval timeout{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  }
  ~RawClient() { Close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  // Up to and with the end of the stream.
  std::string ReadAll() {
    return ReadUntil([](const std::string&) { return false; });
  }
  // Until `text` has been seen.
  std::string ReadTo(std::string_view text) {
    return ReadUntil(
        [text](const std::string& got) { return got.find(text) != std::string::npos; });
  }
  void HalfClose() { shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  template <typename Enough>
  std::string ReadUntil(Enough enough) {
    std::string got;
    char piece[4096];
    while (!enough(got)) {
      const ssize_t n = recv(fd_, piece, sizeof piece, 0);
      if (n <= 0) break;
      got.append(piece, static_cast<size_t>(n));
    }
    return got;
  }
  int fd_;
};

int CountOf(std::string_view text, std::string_view what) {
  int count = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; at += what.size())
    ++count;
  return count;
}

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() : router_(std::make_shared<HttpRouter>()) {
    router_->Add("GET", "/hello", [](HttpRequest, HttpRespond respond) {
      respond(HttpResponse::Text(200, "hello"));
    });
    router_->Add("POST", "/echo", [](HttpRequest request, HttpRespond respond) {
      respond(HttpResponse::Text(200, std::move(request.body)));
    });
    router_->Add("GET", "/big", [](HttpRequest, HttpRespond respond) {
      respond(HttpResponse::Text(200, std::string(3'000'000, 'x')));
    });
    router_->Add("GET", "/silent", [](HttpRequest, HttpRespond) {});
    router_->Add("GET", "/hold", [this](HttpRequest request, HttpRespond respond) {
      const MutexLock lock(mutex_);
      gone_.push_back(request.gone);
      held_.push_back(std::move(respond));
      arrived_.NotifyAll();
    });
  }

  void Start(HttpServerOptions options = {}) {
    options.metrics = &metrics_;
    auto server = HttpServer::Start("127.0.0.1:0", options, router_);
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_ = std::move(*server);
  }
  std::string Ask(std::string_view request) {
    RawClient client(server_->bound_address());
    client.Send(request);
    return client.ReadAll();
  }
  void WaitForHeld(size_t count) {
    const MutexLock lock(mutex_);
    while (held_.size() < count) arrived_.Wait(mutex_);
  }
  void Answer(size_t i, const std::string& text) {
    const MutexLock lock(mutex_);
    held_.at(i)(HttpResponse::Text(200, text));
  }
  bool Gone(size_t i) {
    const MutexLock lock(mutex_);
    return gone_.at(i)->load();
  }

  MetricRegistry metrics_;
  std::shared_ptr<HttpRouter> router_;
  std::unique_ptr<HttpServer> server_;
  Mutex mutex_;
  CondVar arrived_;
  std::vector<HttpRespond> held_ WEFT_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<const std::atomic<bool>>> gone_ WEFT_GUARDED_BY(mutex_);
};

TEST_F(HttpServerTest, AnswersOneRequestAfterAnotherOnOneConnection) {
  Start();
  HttpClient client(server_->bound_address());
  for (int i = 0; i < 3; ++i) {
    const auto response = client.Get("/hello");
    ASSERT_TRUE(response.ok()) << response.error().message();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "hello");
    EXPECT_EQ(response->content_type, "text/plain; charset=utf-8");
  }
  EXPECT_EQ(metrics_.SumCounter("weft_http_requests_total"), 3u);
}

TEST_F(HttpServerTest, PipelinedRequestsAreHandledAtOnceAndAnsweredInOrder) {
  Start();
  RawClient client(server_->bound_address());
  client.Send(
      "GET /hold HTTP/1.1\r\n\r\nGET /hold HTTP/1.1\r\n\r\nGET /hello HTTP/1.1\r\nConnection: "
      "close\r\n\r\n");
  WaitForHeld(2);
  Answer(1, "second");
  Answer(0, "first");
  const std::string got = client.ReadAll();
  EXPECT_LT(got.find("first"), got.find("second"));
  EXPECT_LT(got.find("second"), got.find("hello"));
  EXPECT_EQ(CountOf(got, "HTTP/1.1 200 OK"), 3);
}

TEST_F(HttpServerTest, PipeliningStopsAtItsLimitAndGoesOnAfterAnAnswer) {
  HttpServerOptions options;
  options.pipelined_max = 2;
  Start(options);
  RawClient client(server_->bound_address());
  client.Send("GET /hold HTTP/1.1\r\n\r\nGET /hold HTTP/1.1\r\n\r\nGET /hold HTTP/1.1\r\n\r\n");
  WaitForHeld(2);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  {
    const MutexLock lock(mutex_);
    EXPECT_EQ(held_.size(), 2u);
  }
  Answer(0, "a");
  WaitForHeld(3);
  Answer(1, "b");
  Answer(2, "last");
  EXPECT_EQ(CountOf(client.ReadTo("last"), "200 OK"), 3);
}

TEST_F(HttpServerTest, ChunkedBodiesWithTrailersArePutTogether) {
  Start();
  const std::string got =
      Ask("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
          "4\r\nwarp\r\n6;ext=1\r\n & wef\r\n1\r\nt\r\n0\r\nChecksum: none\r\n\r\n");
  EXPECT_TRUE(got.ends_with("warp & weft")) << got;
}

TEST_F(HttpServerTest, ExpectContinueIsAnsweredBeforeTheBodyIsSent) {
  Start();
  RawClient client(server_->bound_address());
  client.Send(
      "POST /echo HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: "
      "close\r\n\r\n");
  EXPECT_EQ(client.ReadTo("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("body");
  EXPECT_TRUE(client.ReadAll().ends_with("\r\n\r\nbody"));
}

TEST_F(HttpServerTest, HeadTellsTheLengthAndSendsNoBody) {
  Start();
  const std::string got = Ask("HEAD /hello HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_NE(got.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(got.ends_with("\r\n\r\n"));
}

TEST_F(HttpServerTest, Http10ClosesUnlessAskedToKeep) {
  Start();
  const std::string closed = Ask("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(closed.starts_with("HTTP/1.0 200 OK\r\n"));
  EXPECT_NE(closed.find("Connection: close"), std::string::npos);
  RawClient kept(server_->bound_address());
  kept.Send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(kept.ReadTo("hello").find("Connection: keep-alive"), std::string::npos);
  kept.Send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(kept.ReadAll().ends_with("hello"));
}

TEST_F(HttpServerTest, LargeAnswersAreCompressedForThoseWhoAcceptIt) {
  Start();
  HttpClientOptions options;
  options.accept_gzip = true;
  HttpClient packed(server_->bound_address(), options);
  EXPECT_EQ(packed.Get("/big")->body.size(), 3'000'000u);
  const std::string wire =
      Ask("GET /big HTTP/1.1\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
  EXPECT_LT(wire.size(), 100'000u);
  EXPECT_NE(wire.find("Content-Encoding: gzip"), std::string::npos);
  EXPECT_EQ(Ask("GET /big HTTP/1.1\r\nConnection: close\r\n\r\n").find("Content-Encoding"),
            std::string::npos);
}

TEST_F(HttpServerTest, CompressedRequestsArriveDecompressed) {
  Start();
  HttpClient client(server_->bound_address());
  const std::string text(500'000, 'w');
  for (const auto& [coding, name] :
       {std::pair(ContentCoding::kGzip, "gzip"), std::pair(ContentCoding::kZstd, "zstd"),
        std::pair(ContentCoding::kDeflate, "deflate")}) {
    HttpHeaders headers;
    headers.Set("Content-Encoding", name);
    const auto response =
        client.Send("POST", "/echo", Compress(coding, text), "text/plain", headers);
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(response->body, text) << name;
  }
}

TEST_F(HttpServerTest, UnknownContentEncodingIs415AndNamesTheKnownOnes) {
  Start();
  HttpHeaders headers;
  headers.Set("Content-Encoding", "br");
  HttpClient client(server_->bound_address());
  const auto response = client.Send("POST", "/echo", "x", "text/plain", headers);
  EXPECT_EQ(response->status, 415);
  EXPECT_EQ(response->headers.Get("Accept-Encoding"), "gzip, deflate, zstd");
  EXPECT_EQ(client.Get("/hello")->body, "hello") << "the connection goes on";
}

TEST_F(HttpServerTest, DecompressionBombIs413) {
  HttpServerOptions options;
  options.body_bytes_max = 1 << 20;
  Start(options);
  HttpHeaders headers;
  headers.Set("Content-Encoding", "gzip");
  HttpClient client(server_->bound_address());
  const std::string bomb = Compress(ContentCoding::kGzip, std::string(50 << 20, '\0'));
  EXPECT_EQ(client.Send("POST", "/echo", bomb, "text/plain", headers)->status, 413);
  EXPECT_EQ(client.Get("/hello")->status, 200);
}

TEST_F(HttpServerTest, TooLongBodyIsRefusedBeforeItIsRead) {
  HttpServerOptions options;
  options.wire_body_bytes_max = 1000;
  Start(options);
  RawClient client(server_->bound_address());
  client.Send("POST /echo HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\nx");
  const std::string got = client.ReadAll();
  EXPECT_TRUE(got.starts_with("HTTP/1.1 413 ")) << got;
  EXPECT_NE(got.find("\"code\":\"too_large\""), std::string::npos);
  // The same without an announcement.
  RawClient chunked(server_->bound_address());
  chunked.Send("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  chunked.Send("800\r\n" + std::string(0x800, 'x') + "\r\n");
  EXPECT_TRUE(chunked.ReadAll().starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, RefusedWithExpectContinueNeverAsksForTheBody) {
  HttpServerOptions options;
  options.wire_body_bytes_max = 1000;
  Start(options);
  const std::string got =
      Ask("POST /echo HTTP/1.1\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 413 ")) << got;
  EXPECT_EQ(got.find("100 Continue"), std::string::npos);
}

TEST_F(HttpServerTest, BytesInFlightAreBoundedOverAllConnections) {
  HttpServerOptions options;
  options.in_flight_bytes_max = 200'000;
  Start(options);
  HttpClient client(server_->bound_address());
  const auto refused = client.Post("/echo", std::string(300'000, 'x'), "text/plain");
  ASSERT_TRUE(refused.ok()) << refused.error().message();
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->headers.Get("Retry-After"), "1");
  EXPECT_EQ(client.Post("/echo", std::string(50'000, 'x'), "text/plain")->status, 200)
      << "the bytes were given back";
}

TEST_F(HttpServerTest, SlowHeadersAndSlowBodiesEndAtTheirTimeouts) {
  HttpServerOptions options;
  options.head_timeout_ms = 100;
  options.body_timeout_ms = 100;
  Start(options);
  EXPECT_TRUE(Ask("GET /hello HTT").starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(
      Ask("POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf").starts_with("HTTP/1.1 408 "));
}

TEST_F(HttpServerTest, IdleConnectionsAreClosed) {
  HttpServerOptions options;
  options.idle_timeout_ms = 100;
  Start(options);
  EXPECT_EQ(Ask(""), "");
  RawClient client(server_->bound_address());
  client.Send("GET /hello HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(client.ReadAll().ends_with("hello"));
}

TEST_F(HttpServerTest, GarbageIs400) {
  Start();
  EXPECT_TRUE(Ask("\x16\x03\x01\x02\x01garbage\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(Ask("GET  /two-spaces HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(Ask("GET /%zz HTTP/1.1\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(Ask("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
                  .starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(
      Ask("POST /echo HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
          .starts_with("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, HeaderLimitIs431) {
  HttpServerOptions options;
  options.head_bytes_max = 1000;
  Start(options);
  EXPECT_TRUE(Ask("GET /hello HTTP/1.1\r\nX: " + std::string(5000, 'x') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(Ask("GET /" + std::string(5000, 'x')).starts_with("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, ClientThatLeavesIsNoticed) {
  Start();
  {
    RawClient client(server_->bound_address());
    client.Send("GET /hold HTTP/1.1\r\n\r\n");
    WaitForHeld(1);
    EXPECT_FALSE(Gone(0));
  }
  for (int i = 0; i < 1000 && !Gone(0); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(Gone(0));
  Answer(0, "to no one");
}

TEST_F(HttpServerTest, HalfClosedClientStillGetsItsAnswer) {
  Start();
  RawClient client(server_->bound_address());
  client.Send("GET /hold HTTP/1.1\r\n\r\n");
  client.HalfClose();
  WaitForHeld(1);
  Answer(0, "late but here");
  EXPECT_TRUE(client.ReadAll().ends_with("late but here"));
}

TEST_F(HttpServerTest, HandlerThatForgetsToAnswerCosts500) {
  Start();
  EXPECT_TRUE(
      Ask("GET /silent HTTP/1.1\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 500 "));
}

TEST_F(HttpServerTest, HandlersMayRunOnTheirOwnThreads) {
  HttpServerOptions options;
  options.handler_threads = 2;
  Start(options);
  const auto io_thread = std::async(std::launch::async, [this] {
    return Ask("GET /hold HTTP/1.1\r\nConnection: close\r\n\r\n");
  });
  WaitForHeld(1);
  HttpClient client(server_->bound_address());
  EXPECT_EQ(client.Get("/hello")->body, "hello");
  Answer(0, "held");
}

TEST_F(HttpServerTest, TooManyConnectionsAreTurnedAway) {
  HttpServerOptions options;
  options.connections_max = 1;
  Start(options);
  HttpClient first(server_->bound_address());
  ASSERT_EQ(first.Get("/hello")->status, 200);
  EXPECT_TRUE(Ask("").starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(metrics_.SumCounter("weft_http_connections_refused_total"), 1u);
}

// Sends back what comes on its one connection, with "echo:" before it.
class EchoServer {
 public:
  EchoServer() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
    thread_ = std::thread([this] { Serve(); });
  }
  ~EchoServer() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  const std::string& address() const { return address_; }

 private:
  void Serve() const {
    const int client = accept(fd_, nullptr, nullptr);
    if (client < 0) return;
    send(client, "echo:", 5, MSG_NOSIGNAL);
    char piece[4096];
    for (ssize_t n; (n = recv(client, piece, sizeof piece, 0)) > 0;) {
      if (std::string_view(piece, static_cast<size_t>(n)).find("bye") != std::string_view::npos)
        break;
      send(client, piece, static_cast<size_t>(n), MSG_NOSIGNAL);
    }
    close(client);
  }
  int fd_;
  std::string address_;
  std::thread thread_;
};

TEST_F(HttpServerTest, ConnectionsOfHttp2GoOnElsewhere) {
  EchoServer echo;
  HttpServerOptions options;
  options.http2_address = [&echo] { return echo.address(); };
  Start(options);
  RawClient client(server_->bound_address());
  client.Send("PRI * HT");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // in two pieces, most likely
  client.Send("TP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_EQ(client.ReadTo("SM\r\n\r\n"), "echo:PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const std::string large(1 << 20, 'x');
  std::thread sender([&] { client.Send(large + "!"); });
  EXPECT_EQ(client.ReadTo("!").size(), large.size() + 1);
  sender.join();
  EXPECT_EQ(Ask("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").substr(0, 12),
            "HTTP/1.1 200");
  client.Send("bye");
  EXPECT_EQ(client.ReadAll(), "");  // the far end closes, and so does this one
}

TEST_F(HttpServerTest, StopClosesTunnels) {
  EchoServer echo;
  HttpServerOptions options;
  options.http2_address = [&echo] { return echo.address(); };
  Start(options);
  RawClient client(server_->bound_address());
  client.Send("PRI * HTTP/2.0\r\n\r\n");
  ASSERT_FALSE(client.ReadTo("2.0\r\n\r\n").empty());
  auto stopped = std::async(std::launch::async, [this] { server_->Stop(100'000); });
  EXPECT_EQ(stopped.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_EQ(client.ReadAll(), "");
}

TEST_F(HttpServerTest, Http2ThatGoesNowhereIsClosed) {
  HttpServerOptions options;
  std::atomic<const char*> address = "";
  options.http2_address = [&address] { return std::string(address); };
  Start(options);
  for (const char* nowhere : {"", "127.0.0.1:1", "localhost:x"}) {
    address = nowhere;
    RawClient client(server_->bound_address());
    client.Send("PRI * HTTP/2.0\r\n\r\n");
    EXPECT_EQ(client.ReadAll(), "") << nowhere;
  }
}

TEST_F(HttpServerTest, StopLetsRunningRequestsFinish) {
  Start();
  RawClient idle(server_->bound_address());
  RawClient client(server_->bound_address());
  client.Send("GET /hold HTTP/1.1\r\n\r\n");
  WaitForHeld(1);
  auto stopped = std::async(std::launch::async, [this] { server_->Stop(10'000); });
  EXPECT_EQ(idle.ReadAll(), "") << "an idle connection is closed at once";
  Answer(0, "finished");
  const std::string got = client.ReadAll();
  EXPECT_TRUE(got.ends_with("finished"));
  EXPECT_NE(got.find("Connection: close"), std::string::npos);
  stopped.get();
}

// Its head was written before Stop(), so it promised to keep the connection: which then stayed,
// idle, until the grace had passed.
TEST_F(HttpServerTest, StopDoesNotWaitForAConnectionWhoseAnswerWasBeingWritten) {
  router_->Add("GET", "/huge", [](const HttpRequest&, const HttpRespond& respond) {
    respond(HttpResponse::Text(200, std::string(40'000'000, 'x')));
  });
  Start();
  RawClient client(server_->bound_address());
  client.Send("GET /huge HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_FALSE(client.ReadTo("\r\n\r\n").empty());
  auto stopped = std::async(std::launch::async, [this] { server_->Stop(100'000); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_GT(client.ReadAll().size(), 39'000'000u);
  EXPECT_EQ(stopped.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  client.Close();
}

TEST_F(HttpServerTest, StopCutsWhatExceedsTheGraceAndLateAnswersAreHarmless) {
  Start();
  RawClient client(server_->bound_address());
  client.Send("GET /hold HTTP/1.1\r\n\r\n");
  WaitForHeld(1);
  server_->Stop(20);
  EXPECT_EQ(client.ReadAll(), "");
  server_.reset();
  Answer(0, "too late");
}

TEST_F(HttpServerTest, AddressInUseIsAClearError) {
  Start();
  const auto second = HttpServer::Start(server_->bound_address(), {}, router_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::kIo);
  EXPECT_NE(second.error().message().find(server_->bound_address()), std::string::npos);
  EXPECT_EQ(HttpServer::Start("nonsense", {}, router_).error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(HttpServerTest, HalfAndBrokenRequestsLeaveTheServerInOrder) {
  HttpServerOptions options;
  options.head_timeout_ms = 50;
  options.body_timeout_ms = 50;
  options.head_bytes_max = 2000;
  Start(options);
  const std::string pieces[] = {"GET /hello HTTP/1.1\r\n\r\n",
                                "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345",
                                "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                                "3\r\nabc\r\n",
                                "0\r\n\r\n",
                                "Content-Length: 99999999999999999999\r\n",
                                "\r\n\r\n",
                                "Content-Encoding: gzip\r\n",
                                std::string("\x1f\x8b\x08\0\0", 5),
                                "Expect: 100-continue\r\n",
                                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                "HEAD /big HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"};
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::string bytes;
    for (uint32_t n = 1 + random() % 6; n > 0; --n) bytes += pieces[random() % std::size(pieces)];
    for (uint32_t n = random() % 3; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    bytes.resize(random() % (bytes.size() + 1));
    RawClient client(server_->bound_address());
    const size_t half = bytes.size() / 2;
    if (!client.Send(std::string_view(bytes).substr(0, half))) continue;
    if (!client.Send(std::string_view(bytes).substr(half))) continue;
    if (round % 3 == 0) client.HalfClose();
    if (round % 3 == 1) client.ReadAll();
  }
  HttpClient client(server_->bound_address());
  EXPECT_EQ(client.Get("/hello")->body, "hello");
  server_->Stop(10);
  EXPECT_EQ(metrics_.GetGauge("weft_http_connections", "", {{"server", "http"}}).value(), 0);
}

// Refuses what its plan says, in its own words.
class PickyHandler : public HttpHandler {
 public:
  HttpBodyPlan OnHead(const HttpRequestHead& head) override {
    HttpBodyPlan plan;
    if (head.Query("refuse")) plan.refusal = HttpResponse::Text(429, "not now");
    plan.body_bytes_max = 3 << 20;
    plan.admit = [this](uint64_t bytes) {
      asked_.push_back(bytes);
      return bytes > (2 << 20) ? Error(ErrorCode::kResourceExhausted, "quota", 2500) : Error::Ok();
    };
    return plan;
  }
  void OnRequest(HttpRequest request, HttpRespond respond) override {
    respond(HttpResponse::Text(200, std::to_string(request.body.size())));
  }
  HttpResponse OnRefused(const HttpRequestHead&, int status, const Error& error) override {
    return HttpResponse::Text(status, "refused: " + error.message());
  }
  std::vector<uint64_t> asked_;
};

TEST(HttpHandlerTest, PlansDecideBeforeAndWhileTheBodyArrives) {
  const auto handler = std::make_shared<PickyHandler>();
  const auto server = HttpServer::Start("127.0.0.1:0", {}, handler);
  ASSERT_TRUE(server.ok());
  HttpClient client((*server)->bound_address());
  EXPECT_EQ(client.Post("/?refuse", "abc", "text/plain")->body, "not now");
  EXPECT_EQ(client.Post("/", std::string(100, 'x'), "text/plain")->body, "100");
  EXPECT_TRUE(handler->asked_.empty()) << "a short body with a length needs no further admission";
  EXPECT_EQ(client.Post("/", std::string(3 << 20, 'x'), "text/plain")->body, "refused: quota");
  EXPECT_GE(handler->asked_.size(), 2u);
  EXPECT_EQ(client.Post("/", std::string(4 << 20, 'x'), "text/plain")->status, 413);
}

}  // namespace
}  // namespace weft::net
