// HttpConnection: one client's connection. Internal to the server.
//
// 1. Reading and writing go on independently. The reader parses one request after another and hands
// each to the handler at once, until
//    `pipelined_max` are unanswered; so it also notices when the client goes away.
// 2. Each request is an Exchange in a queue. The writer sends the answer of the front one as soon
// as it is there.
// 3. When no further request will be read (Connection: close, a refused body, the end of the
// stream), the reader discards what still comes:
//    closing a socket with unread bytes would reset it, and the client would lose the answer that
//    is on its way.
// 4. One timer watches two deadlines, the reader's and the writer's.
//
// 5. A connection that begins as HTTP/2 does becomes a tunnel (byte_tunnel.h): it stays idle here,
//    with the tunnel's own deadline.
//
// Everything runs on the connection's strand; only Respond() is called from other threads.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "base/mutex.h"
#include "net/byte_tunnel.h"
#include "net/http_answer.h"
#include "net/http_body.h"
#include "net/http_server.h"

namespace weft::net {

class HttpConnection;

// Counters of one server; all null without a registry.
class HttpMetrics {
 public:
  HttpMetrics(MetricRegistry* registry, const std::string& server_name);
  void CountOpen(int64_t difference);
  void CountTurnedAway();
  void CountRequest(int status, uint64_t bytes_in, uint64_t bytes_out);

 private:
  MetricRegistry* registry_;
  std::string server_name_;
  Gauge* open_ = nullptr;
  Counter* turned_away_ = nullptr;
  Counter* bytes_in_ = nullptr;
  Counter* bytes_out_ = nullptr;
  std::array<std::atomic<Counter*>, 600> requests_{};  // by status
};

// What the connections of one server share. Outlives the server as long as an answer is due.
struct HttpServerState {
  HttpServerState(const HttpServerOptions& options_in, std::shared_ptr<HttpHandler> handler_in);

  const HttpServerOptions options;
  const std::shared_ptr<HttpHandler> handler;
  const std::shared_ptr<ByteBudget> budget;
  HttpMetrics metrics;
  boost::asio::io_context io;
  std::unique_ptr<boost::asio::thread_pool> handler_pool;  // null without handler_threads

  Mutex mutex;
  CondVar all_closed;
  std::unordered_map<HttpConnection*, std::weak_ptr<HttpConnection>> open WEFT_GUARDED_BY(mutex);
  bool draining WEFT_GUARDED_BY(mutex) = false;
  bool stopped WEFT_GUARDED_BY(mutex) = false;  // nothing is posted to `io` any more
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(std::shared_ptr<HttpServerState> server, boost::asio::ip::tcp::socket socket);

  void Start();
  // Closes once the requests already read are answered. Any thread.
  void Drain();
  // Closes at once. Any thread.
  void Abort();

 private:
  using Clock = std::chrono::steady_clock;
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
  using ErrorCodeOf = boost::system::error_code;

  // A request that was read, and its answer.
  struct Exchange {
    HttpAnswerTraits traits;
    std::shared_ptr<std::atomic<bool>> gone = std::make_shared<std::atomic<bool>>(false);
    std::optional<HttpResponse> response;
    BudgetShare share;
    uint64_t wire_bytes = 0;
  };
  // The request that is being read.
  struct Reading {
    Reading(const HttpServerOptions& options, std::shared_ptr<ByteBudget> budget)
        : body(options, std::move(budget)) {}
    HttpRequestHead head;
    HttpAnswerTraits traits;
    bool expects_continue = false;
    HttpBodyAssembler body;
    std::optional<HttpResponse> refusal;  // decided; the rest of the body is skipped
    Clock::time_point body_start;
    std::unique_ptr<char[]> piece;  // of the body, as it leaves the parser
  };
  class Responder;
  enum class ReadState { kIdle, kHead, kBody, kEnded };

  // Reader.
  void ReadNext();
  void OnFirstBytes(ErrorCodeOf error, size_t bytes);
  void ReadFirstBytes();
  void StartTunnel();
  void ReadHead();
  void OnHead(ErrorCodeOf error);
  HttpRefusal TakeHead();
  void DecideOnBody();
  void ReadBody();
  void OnBody(ErrorCodeOf error);
  HttpRefusal TakeBodyPiece();
  void FinishRequest();
  void Dispatch();
  void RefuseWhileReading(HttpResponse response);
  void RefuseUnparsed(int status, std::string message);
  void EndReading();
  void Discard();
  void OnReadFailed(ErrorCodeOf error);
  void OnReadTimeout();
  HttpResponse Refused(const HttpRefusal& refusal);

  // Writer.
  std::shared_ptr<Exchange> Enqueue();
  void Respond(const std::shared_ptr<Exchange>& exchange, HttpResponse response);
  void SetResponse(const std::shared_ptr<Exchange>& exchange, HttpResponse response);
  void WriteNext();
  void WritePiece();
  void OnWritten(size_t bytes);
  void FinishAnswer();
  void SendContinue();
  void Close();

  // Timer.
  void SetReadDeadline(std::optional<uint32_t> timeout_ms);
  void ArmTimer();
  void OnTimer();

  static constexpr Clock::time_point kNever = Clock::time_point::max();

  const std::shared_ptr<HttpServerState> server_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::string peer_;

  bool began_ = false;  // as HTTP/1
  std::shared_ptr<ByteTunnel> tunnel_;
  ReadState read_state_ = ReadState::kIdle;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::unique_ptr<Reading> reading_;
  bool read_paused_ = false;  // as many as allowed are unanswered
  bool discarding_ = false;
  bool stream_ended_ = false;  // the client sends no more
  bool draining_ = false;
  bool closed_ = false;

  std::deque<std::shared_ptr<Exchange>> exchanges_;
  bool writing_ = false;
  bool continue_due_ = false;  // 100 Continue waits for earlier answers
  bool lingering_ = false;     // all is written, the client's end is awaited
  std::string head_text_;
  std::string_view unwritten_head_;
  std::string_view unwritten_body_;

  Clock::time_point read_deadline_ = kNever;
  Clock::time_point write_deadline_ = kNever;
  Clock::time_point timer_deadline_ = kNever;  // what the timer is set to
};

}  // namespace weft::net
