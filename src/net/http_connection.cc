#include "net/http_connection.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

#include "net/address.h"
#include "net/url.h"

namespace weft::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr size_t kFirstReadBytes = 8 << 10;
constexpr size_t kPieceBytes = 64 << 10;
constexpr size_t kWriteBytes = 256 << 10;
// A refused body that is no longer than this is skipped, so that the connection can be kept.
constexpr uint64_t kSkipBytesMax = 256 << 10;
constexpr uint64_t kSlowestBodyBytesPerSecond = 16 << 10;
constexpr uint32_t kLingerMs = 3000;
// No method of HTTP/1 is called so.
constexpr std::string_view kHttp2Begin = "PRI * HTTP/2.0\r\n";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

std::string PeerText(const asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return {};
  return FormatHostPort({endpoint.address().to_string(), endpoint.port()});
}

int64_t UnixSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

// Held by every copy of the HttpRespond given to a handler.
class HttpConnection::Responder {
 public:
  Responder(std::shared_ptr<HttpConnection> connection, std::shared_ptr<Exchange> exchange)
      : connection_(std::move(connection)), exchange_(std::move(exchange)) {}
  ~Responder() {
    if (!done_)
      Give(HttpResponse::FromError(
          Error(ErrorCode::kInternal, "the request was left without an answer")));
  }
  void Give(HttpResponse response) {
    if (!done_.exchange(true)) connection_->Respond(exchange_, std::move(response));
  }

 private:
  std::shared_ptr<HttpConnection> connection_;
  std::shared_ptr<Exchange> exchange_;
  std::atomic<bool> done_{false};
};

HttpConnection::HttpConnection(std::shared_ptr<HttpServerState> server,
                               asio::ip::tcp::socket socket)
    : server_(std::move(server)),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      peer_(PeerText(socket_)),
      buffer_(server_->options.head_bytes_max + kWriteBytes) {}

void HttpConnection::Start() {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->ReadNext(); });
}

void HttpConnection::Drain() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->draining_ = true;
    if (self->exchanges_.empty() && self->read_state_ == ReadState::kIdle) self->Close();
  });
}

void HttpConnection::Abort() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->Close(); });
}

// --- Reader

void HttpConnection::ReadNext() {
  if (closed_ || read_state_ == ReadState::kEnded) return;
  read_state_ = ReadState::kIdle;
  if (draining_) {
    EndReading();
    if (exchanges_.empty()) Close();
    return;
  }
  read_paused_ = exchanges_.size() >= server_->options.pipelined_max;
  if (read_paused_) return SetReadDeadline(std::nullopt);
  parser_.emplace();
  parser_->header_limit(server_->options.head_bytes_max);
  parser_->body_limit(boost::none);  // HttpBodyAssembler has the limits
  if (buffer_.size() > 0) return ReadHead();
  buffer_.shrink_to_fit();
  // While answers are due, the client may be silent for as long as they take.
  SetReadDeadline(exchanges_.empty() ? std::optional(server_->options.idle_timeout_ms)
                                     : std::nullopt);
  ReadFirstBytes();
}

void HttpConnection::ReadFirstBytes() {
  socket_.async_read_some(
      buffer_.prepare(kFirstReadBytes),
      [self = shared_from_this()](ErrorCodeOf error, size_t n) { self->OnFirstBytes(error, n); });
}

void HttpConnection::OnFirstBytes(ErrorCodeOf error, size_t bytes) {
  if (closed_) return;
  if (error) return OnReadFailed(error);
  buffer_.commit(bytes);
  if (!began_ && server_->options.http2_address) {
    const std::string_view got(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    if (got.starts_with(kHttp2Begin)) return StartTunnel();
    if (kHttp2Begin.starts_with(got)) return ReadFirstBytes();
  }
  began_ = true;
  ReadHead();
}

void HttpConnection::StartTunnel() {
  const std::string address = server_->options.http2_address();
  if (address.empty()) return Close();
  const auto moved = [this] { SetReadDeadline(server_->options.http2_idle_timeout_ms); };
  tunnel_ = std::make_shared<ByteTunnel>(shared_from_this(), &socket_, moved, [this] { Close(); });
  moved();
  std::string first(static_cast<const char*>(buffer_.data().data()), buffer_.size());
  buffer_.consume(buffer_.size());
  // Close() lets go of tunnel_, perhaps before Start() has returned.
  const std::shared_ptr<ByteTunnel> tunnel = tunnel_;
  tunnel->Start(address, std::move(first));
}

void HttpConnection::ReadHead() {
  read_state_ = ReadState::kHead;
  SetReadDeadline(server_->options.head_timeout_ms);
  http::async_read_header(
      socket_, buffer_, *parser_,
      [self = shared_from_this()](ErrorCodeOf error, size_t) { self->OnHead(error); });
}

void HttpConnection::OnHead(ErrorCodeOf error) {
  if (closed_ || read_state_ == ReadState::kEnded) return;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return RefuseUnparsed(431, "the request line and header fields exceed " +
                                   std::to_string(server_->options.head_bytes_max) + " bytes");
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message)
    return OnReadFailed(asio::error::eof);
  if (error && error.category() == http::make_error_code(http::error::bad_method).category()) {
    return RefuseUnparsed(400, "this is not an HTTP/1.1 request: " + error.message());
  }
  if (error) return OnReadFailed(error);
  reading_ = std::make_unique<Reading>(server_->options, server_->budget);
  if (HttpRefusal refusal = TakeHead()) return RefuseWhileReading(Refused(refusal));
  DecideOnBody();
}

HttpRefusal HttpConnection::TakeHead() {
  const auto& message = parser_->get();
  HttpRequestHead& head = reading_->head;
  head.method = std::string_view(message.method_string().data(), message.method_string().size());
  head.peer = peer_;
  for (const auto& field : message) {
    head.headers.Add({field.name_string().data(), field.name_string().size()},
                     {field.value().data(), field.value().size()});
  }
  if (const auto length = parser_->content_length(); length) head.content_length = *length;
  if (!parser_->chunked() && !head.content_length) head.content_length = 0;
  HttpAnswerTraits& traits = reading_->traits;
  traits.is_head = head.method == "HEAD";
  traits.is_http10 = message.version() < 11;
  traits.keep_alive = parser_->keep_alive();
  traits.accepts_gzip = AcceptsGzip(head.headers.Get("Accept-Encoding"));
  const std::string_view coding = head.headers.Get("Transfer-Encoding");
  if (!coding.empty() && !EqualsIgnoringCase(coding, "chunked")) {
    return {501, Error(ErrorCode::kUnsupported, "no Transfer-Encoding but chunked is supported")};
  }
  const std::string_view expect = head.headers.Get("Expect");
  reading_->expects_continue = EqualsIgnoringCase(expect, "100-continue") && !traits.is_http10;
  if (!expect.empty() && !EqualsIgnoringCase(expect, "100-continue")) {
    return {417, Error(ErrorCode::kUnsupported, "no expectation but 100-continue is supported")};
  }
  const std::string_view target(message.target().data(), message.target().size());
  if (Error error = ParseTarget(target, &head); !error.ok()) return {400, std::move(error)};
  return {};
}

void HttpConnection::DecideOnBody() {
  HttpBodyPlan plan;
  try {
    plan = server_->handler->OnHead(reading_->head);
  } catch (const std::exception& failure) {  // of a library below the handler
    plan.refusal = HttpResponse::FromError(Error(ErrorCode::kInternal, failure.what()));
  }
  if (plan.refusal) return RefuseWhileReading(std::move(*plan.refusal));
  if (HttpRefusal refusal = reading_->body.Begin(reading_->head, std::move(plan))) {
    return RefuseWhileReading(Refused(refusal));
  }
  if (parser_->is_done()) return FinishRequest();
  if (reading_->expects_continue) return SendContinue();
  reading_->body_start = Clock::now();
  ReadBody();
}

void HttpConnection::ReadBody() {
  read_state_ = ReadState::kBody;
  const uint64_t earned_ms = reading_->body.wire_bytes() * 1000 / kSlowestBodyBytesPerSecond;
  read_deadline_ = reading_->body_start +
                   std::chrono::milliseconds(server_->options.body_timeout_ms + earned_ms);
  ArmTimer();
  if (!reading_->piece) reading_->piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  auto& body = parser_->get().body();
  body.data = reading_->piece.get();
  body.size = kPieceBytes;
  http::async_read_some(
      socket_, buffer_, *parser_,
      [self = shared_from_this()](ErrorCodeOf error, size_t) { self->OnBody(error); });
}

void HttpConnection::OnBody(ErrorCodeOf error) {
  if (closed_ || read_state_ == ReadState::kEnded) return;
  if (error == http::error::need_buffer) error = {};
  if (error == http::error::partial_message) return OnReadFailed(asio::error::eof);
  if (error && error.category() == http::make_error_code(http::error::bad_method).category()) {
    reading_->traits.keep_alive = false;
    return RefuseWhileReading(
        Refused({400, Error(ErrorCode::kInvalidArgument, "the chunked body is malformed")}));
  }
  if (error) return OnReadFailed(error);
  if (HttpRefusal refusal = TakeBodyPiece()) return RefuseWhileReading(Refused(refusal));
  if (!parser_->is_done()) return ReadBody();
  FinishRequest();
}

HttpRefusal HttpConnection::TakeBodyPiece() {
  if (reading_->refusal) return {};
  const size_t bytes = kPieceBytes - parser_->get().body().size;
  return reading_->body.Add({reading_->piece.get(), bytes});
}

void HttpConnection::FinishRequest() {
  if (!reading_->refusal) {
    if (HttpRefusal refusal = reading_->body.Finish()) reading_->refusal = Refused(refusal);
  }
  const bool last = !reading_->traits.keep_alive;
  if (reading_->refusal) {
    HttpResponse response = std::move(*reading_->refusal);
    SetResponse(Enqueue(), std::move(response));
  } else {
    Dispatch();
  }
  if (last) {
    EndReading();
  } else {
    ReadNext();
  }
}

void HttpConnection::Dispatch() {
  HttpRequest request;
  static_cast<HttpRequestHead&>(request) = std::move(reading_->head);
  request.body = reading_->body.TakeBody();
  const std::shared_ptr<Exchange> exchange = Enqueue();
  request.gone = exchange->gone;
  auto responder = std::make_shared<Responder>(shared_from_this(), exchange);
  auto run = [handler = server_->handler, responder](HttpRequest taken) {
    try {
      handler->OnRequest(std::move(taken), [responder](HttpResponse response) {
        responder->Give(std::move(response));
      });
    } catch (const std::exception& failure) {  // of a library below the handler
      responder->Give(HttpResponse::FromError(Error(ErrorCode::kInternal, failure.what())));
    }
  };
  if (!server_->handler_pool) return run(std::move(request));
  asio::post(
      *server_->handler_pool,
      [run = std::move(run), request = std::move(request)]() mutable { run(std::move(request)); });
}

// A short rest of the body is skipped; a long one, or one that the client holds back, ends the
// connection.
void HttpConnection::RefuseWhileReading(HttpResponse response) {
  Reading& reading = *reading_;
  const bool awaits_continue = reading.expects_continue && read_state_ == ReadState::kHead;
  const bool short_rest = reading.head.content_length.value_or(kSkipBytesMax + 1) <= kSkipBytesMax;
  if (!parser_->is_done() && (awaits_continue || !short_rest)) reading.traits.keep_alive = false;
  CompressAnswer(reading.traits, server_->options.gzip_bytes_min, &response);
  if (!parser_->is_done() && reading.traits.keep_alive) {
    if (read_state_ == ReadState::kHead) reading.body_start = Clock::now();
    reading.refusal = std::move(response);
    return ReadBody();
  }
  const bool last = !reading.traits.keep_alive;
  SetResponse(Enqueue(), std::move(response));
  if (last) {
    EndReading();
  } else {
    ReadNext();
  }
}

void HttpConnection::RefuseUnparsed(int status, std::string message) {
  reading_ = std::make_unique<Reading>(server_->options, server_->budget);
  HttpResponse response = Refused({status, Error(ErrorCode::kInvalidArgument, std::move(message))});
  SetResponse(Enqueue(), std::move(response));
  EndReading();
}

HttpResponse HttpConnection::Refused(const HttpRefusal& refusal) {
  HttpResponse response;
  try {
    response = server_->handler->OnRefused(reading_->head, refusal.status, refusal.error);
  } catch (const std::exception& failure) {
    response = HttpResponse::FromError(Error(ErrorCode::kInternal, failure.what()));
  }
  if (refusal.status == 415) response.headers.Set("Accept-Encoding", "gzip, deflate, zstd");
  return response;
}

void HttpConnection::EndReading() {
  read_state_ = ReadState::kEnded;
  SetReadDeadline(std::nullopt);
  reading_.reset();
  Discard();
}

void HttpConnection::Discard() {
  if (closed_ || discarding_ || stream_ended_) return;
  discarding_ = true;
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(kFirstReadBytes),
                          [self = shared_from_this()](ErrorCodeOf error, size_t) {
                            self->discarding_ = false;
                            if (self->closed_) return;
                            if (error) return self->OnReadFailed(error);
                            self->Discard();
                          });
}

// The client has closed, or half closed: what it asked for before is still answered, if it is there
// to hear.
void HttpConnection::OnReadFailed(ErrorCodeOf error) {
  read_state_ = ReadState::kEnded;
  stream_ended_ = true;
  reading_.reset();
  SetReadDeadline(std::nullopt);
  for (const auto& exchange : exchanges_) exchange->gone->store(true, std::memory_order_relaxed);
  if (error != asio::error::eof || exchanges_.empty() || lingering_) Close();
}

void HttpConnection::OnReadTimeout() {
  if (read_state_ == ReadState::kIdle || read_state_ == ReadState::kEnded) return Close();
  const bool in_head = read_state_ == ReadState::kHead;
  if (in_head) reading_ = std::make_unique<Reading>(server_->options, server_->budget);
  const std::string part = in_head ? "header fields" : "body";
  HttpResponse response =
      Refused({408, Error(ErrorCode::kCancelled,
                          "the " + part + " of the request took too long to arrive")});
  reading_->traits.keep_alive = false;
  SetResponse(Enqueue(), std::move(response));
  // A read is still outstanding: no second one for discarding.
  read_state_ = ReadState::kEnded;
  stream_ended_ = true;
  SetReadDeadline(std::nullopt);
}

// --- Writer

std::shared_ptr<HttpConnection::Exchange> HttpConnection::Enqueue() {
  auto exchange = std::make_shared<Exchange>();
  exchange->traits = reading_->traits;
  exchange->wire_bytes = reading_->body.wire_bytes();
  exchange->share = reading_->body.TakeShare();
  exchanges_.push_back(exchange);
  return exchange;
}

void HttpConnection::Respond(const std::shared_ptr<Exchange>& exchange, HttpResponse response) {
  CompressAnswer(exchange->traits, server_->options.gzip_bytes_min, &response);
  const MutexLock lock(server_->mutex);
  if (server_->stopped) return;
  asio::post(socket_.get_executor(),
             [self = shared_from_this(), exchange, response = std::move(response)]() mutable {
               self->SetResponse(exchange, std::move(response));
             });
}

void HttpConnection::SetResponse(const std::shared_ptr<Exchange>& exchange, HttpResponse response) {
  if (closed_) return;
  exchange->share.AddAnyway(response.payload().size());
  exchange->response = std::move(response);
  WriteNext();
}

void HttpConnection::WriteNext() {
  if (writing_ || closed_) return;
  if (exchanges_.empty()) {
    if (continue_due_) SendContinue();
    return;
  }
  Exchange& front = *exchanges_.front();
  if (!front.response) return;
  if (draining_ && exchanges_.size() == 1) front.traits.keep_alive = false;
  writing_ = true;
  head_text_ = SerializeAnswerHead(front.traits, *front.response, HttpDate(UnixSeconds()));
  unwritten_head_ = head_text_;
  unwritten_body_ = front.traits.is_head ? std::string_view() : front.response->payload();
  // Counted before it is sent, so that a client who has the answer finds it counted.
  server_->metrics.CountRequest(front.response->status, front.wire_bytes,
                                unwritten_head_.size() + unwritten_body_.size());
  WritePiece();
}

void HttpConnection::WritePiece() {
  write_deadline_ = Clock::now() + std::chrono::milliseconds(server_->options.write_timeout_ms);
  ArmTimer();
  const std::array<asio::const_buffer, 2> pieces = {
      asio::buffer(unwritten_head_.data(), unwritten_head_.size()),
      asio::buffer(unwritten_body_.data(), std::min(unwritten_body_.size(), kWriteBytes))};
  asio::async_write(socket_, pieces, [self = shared_from_this()](ErrorCodeOf error, size_t bytes) {
    if (self->closed_) return;
    if (error) return self->Close();
    self->OnWritten(bytes);
  });
}

void HttpConnection::OnWritten(size_t bytes) {
  unwritten_body_.remove_prefix(bytes - unwritten_head_.size());
  unwritten_head_ = {};
  if (!unwritten_body_.empty()) return WritePiece();
  write_deadline_ = kNever;
  writing_ = false;
  FinishAnswer();
}

void HttpConnection::FinishAnswer() {
  const std::shared_ptr<Exchange> done = std::move(exchanges_.front());
  exchanges_.pop_front();
  if (!done->traits.keep_alive) {
    if (stream_ended_) return Close();
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    lingering_ = true;
    if (read_state_ != ReadState::kEnded)
      return Close();  // draining: a read of the next request is outstanding
    return SetReadDeadline(kLingerMs);
  }
  if (stream_ended_ && exchanges_.empty()) return Close();
  if (read_paused_) ReadNext();
  if (exchanges_.empty() && read_state_ == ReadState::kIdle) {
    // Drain() came while this was being written, with a head that promised to go on.
    if (draining_) return Close();
    SetReadDeadline(server_->options.idle_timeout_ms);
  }
  WriteNext();
}

// 100 Continue belongs to the request being read: everything before it must have been answered.
void HttpConnection::SendContinue() {
  continue_due_ = writing_ || !exchanges_.empty();
  if (continue_due_) return SetReadDeadline(std::nullopt);
  writing_ = true;
  write_deadline_ = Clock::now() + std::chrono::milliseconds(server_->options.write_timeout_ms);
  ArmTimer();
  asio::async_write(socket_, asio::buffer(kContinue.data(), kContinue.size()),
                    [self = shared_from_this()](ErrorCodeOf error, size_t) {
                      if (self->closed_) return;
                      if (error) return self->Close();
                      self->write_deadline_ = kNever;
                      self->writing_ = false;
                      self->reading_->body_start = Clock::now();
                      self->ReadBody();
                    });
}

void HttpConnection::Close() {
  if (closed_) return;
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);  // first: a write in progress reads from the front exchange
  timer_.cancel();
  if (const auto tunnel = std::move(tunnel_)) tunnel->Close();
  for (const auto& exchange : exchanges_) exchange->gone->store(true, std::memory_order_relaxed);
  exchanges_.clear();
  server_->metrics.CountOpen(-1);
  const MutexLock lock(server_->mutex);
  server_->open.erase(this);
  if (server_->open.empty()) server_->all_closed.NotifyAll();
}

// --- Timer

void HttpConnection::SetReadDeadline(std::optional<uint32_t> timeout_ms) {
  read_deadline_ = timeout_ms ? Clock::now() + std::chrono::milliseconds(*timeout_ms) : kNever;
  ArmTimer();
}

// Deadlines move later far more often than earlier, so a timer that is set too early is left alone
// and looks again when it fires.
void HttpConnection::ArmTimer() {
  const Clock::time_point next = std::min(read_deadline_, write_deadline_);
  if (closed_ || timer_deadline_ <= next) return;
  timer_deadline_ = next;
  timer_.expires_at(next);
  timer_.async_wait([weak = weak_from_this()](ErrorCodeOf error) {
    const auto self = weak.lock();
    if (!error && self && !self->closed_) self->OnTimer();
  });
}

void HttpConnection::OnTimer() {
  timer_deadline_ = kNever;
  const Clock::time_point now = Clock::now();
  if (write_deadline_ <= now) return Close();
  if (read_deadline_ <= now) return OnReadTimeout();
  ArmTimer();
}

}  // namespace weft::net
