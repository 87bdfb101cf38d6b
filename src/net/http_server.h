// An HTTP/1.1 server: keep-alive, pipelining with answers in order, chunked bodies, Expect:
// 100-continue, HEAD, HTTP/1.0, decompressed requests, gzip answers. Memory and time are bounded
// for every connection (HttpServerOptions).
//
// Threads: handlers are called on the server's threads, several at once; a handler that computes
// for long or waits belongs on `handler_threads`. A response may be given on any thread, also after
// the server is gone (it is then dropped).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/metrics.h"
#include "net/http_message.h"

namespace weft::net {

// Gives the answer; to be called once. A second call does nothing; when all copies are destroyed
// without a call, the client gets 500.
using HttpRespond = std::function<void(HttpResponse)>;

// What to do with a body, decided when only the head of the request has been read.
struct HttpBodyPlan {
  // When set: answered at once, the body is not read.
  std::optional<HttpResponse> refusal;
  // After decompression; 0: the server's limit, which is never exceeded.
  uint64_t body_bytes_max = 0;
  // Undo Content-Encoding (identity, gzip, deflate, zstd; any other is refused with 415). Else the
  // body is given as it came.
  bool decompress = true;
  // When set: asked each time the decompressed body has grown past another MiB, and before the
  // first byte of a body without a length; an error refuses the request. Called on a server thread.
  std::function<Error(uint64_t bytes_so_far)> admit;
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  // Called for every well-formed head, before the body is read (and before 100 Continue is sent).
  virtual HttpBodyPlan OnHead(const HttpRequestHead& head);
  // Called with the whole request.
  virtual void OnRequest(HttpRequest request, HttpRespond respond) = 0;
  // The answer when the server itself refuses a request: body too large (413), too slow (408), not
  // decompressible (400), unknown Content-Encoding (415), too much in flight (503), refused by
  // HttpBodyPlan::admit; also when the head can't be read (400, 408, 431), and then `head` is
  // empty. Default: HttpResponse::FromError with this status.
  virtual HttpResponse OnRefused(const HttpRequestHead& head, int status, const Error& error);
};

struct HttpServerOptions {
  std::string name = "http";          // label of its metrics
  MetricRegistry* metrics = nullptr;  // may be null; must outlive the server
  int io_threads = 1;
  int handler_threads = 0;             // OnRequest runs on its own threads; 0: on the I/O threads
  uint32_t connections_max = 4096;     // further ones get 503 and are closed
  uint32_t head_bytes_max = 64 << 10;  // request line and header fields: else 431
  uint64_t wire_body_bytes_max = 64 << 20;
  uint64_t body_bytes_max = 256 << 20;  // after decompression
  uint64_t in_flight_bytes_max =
      1024ULL << 20;  // bodies of all connections, being read or not yet answered: else 503
  uint32_t pipelined_max = 16;         // requests of one connection that are handled at once
  uint32_t idle_timeout_ms = 120'000;  // between requests
  uint32_t head_timeout_ms = 10'000;   // from the first byte to the end of the header fields
  uint32_t body_timeout_ms = 30'000;   // for the body, plus 1 s for every 16 KiB received
  uint32_t write_timeout_ms = 30'000;  // for each 256 KiB written
  uint32_t gzip_bytes_min = 1024;      // smaller answers are not compressed
  // Where connections that begin with the preface of HTTP/2 (RFC 9113 §3.4) go on: the address of a
  // server on this machine, in numbers; empty while there is none. Called on the I/O threads. Null:
  // they are refused.
  std::function<std::string()> http2_address;
  uint32_t http2_idle_timeout_ms = 600'000;  // without a byte in either direction
};

class HttpServer {
 public:
  // Listens on `address` ("127.0.0.1:3200", "[::1]:3200", ":3200" for all interfaces; port 0 picks
  // a free one) and serves until Stop(). kInvalidArgument for an address that can't be read, kIo
  // when it can't be bound.
  static Result<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                   const HttpServerOptions& options,
                                                   std::shared_ptr<HttpHandler> handler);
  ~HttpServer();  // Stop(0)
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "127.0.0.1:43121": with the port that was picked.
  std::string bound_address() const;
  // Stops accepting, closes idle connections, lets running requests finish for up to `grace_ms`,
  // then closes the rest and joins the threads: afterwards no handler runs. May be called more than
  // once; not from a handler.
  void Stop(uint32_t grace_ms = 5'000);

 private:
  class Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace weft::net
