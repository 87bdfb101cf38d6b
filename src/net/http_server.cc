#include "net/http_server.h"

#include <future>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "base/mutex.h"
#include "net/address.h"
#include "net/http_connection.h"

namespace weft::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kAcceptPause = std::chrono::milliseconds(100);

Error CannotListen(const std::string& address, const boost::system::error_code& error) {
  return Error(ErrorCode::kIo,
               "cannot listen on " + address + ": " + error.message() +
                   (error == asio::error::address_in_use
                        ? "; another program has the port, stop it or choose another address"
                        : ""));
}

// An empty host means every interface: IPv6 with IPv4 inside where the machine has it.
Result<tcp::endpoint> Resolve(asio::io_context& io, const std::string& text) {
  WEFT_ASSIGN_OR_RETURN(const HostPort address, ParseHostPort(text));
  if (address.host.empty()) return tcp::endpoint(tcp::v4(), address.port);
  boost::system::error_code error;
  tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) return CannotListen(text, error);
  return found.begin()->endpoint();
}

}  // namespace

HttpBodyPlan HttpHandler::OnHead(const HttpRequestHead&) { return {}; }

HttpResponse HttpHandler::OnRefused(const HttpRequestHead&, int status, const Error& error) {
  HttpResponse response = HttpResponse::FromError(error);
  response.status = status;
  return response;
}

HttpMetrics::HttpMetrics(MetricRegistry* registry, const std::string& server_name)
    : registry_(registry), server_name_(server_name) {
  if (registry == nullptr) return;
  const MetricLabels labels = {{"server", server_name}};
  open_ = &registry->GetGauge("weft_http_connections", "Open HTTP connections", labels);
  turned_away_ = &registry->GetCounter("weft_http_connections_refused_total",
                                       "Connections refused because too many were open", labels);
  bytes_in_ = &registry->GetCounter("weft_http_request_body_bytes_total",
                                    "Bytes of request bodies as received", labels);
  bytes_out_ =
      &registry->GetCounter("weft_http_response_bytes_total", "Bytes of responses as sent", labels);
}

void HttpMetrics::CountOpen(int64_t difference) {
  if (open_ != nullptr) open_->Add(difference);
}

void HttpMetrics::CountTurnedAway() {
  if (turned_away_ != nullptr) turned_away_->Add();
}

void HttpMetrics::CountRequest(int status, uint64_t bytes_in, uint64_t bytes_out) {
  if (registry_ == nullptr || status < 0 || status >= static_cast<int>(requests_.size())) return;
  std::atomic<Counter*>& slot = requests_[static_cast<size_t>(status)];
  Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter =
        &registry_->GetCounter("weft_http_requests_total", "HTTP requests answered, by status",
                               {{"server", server_name_}, {"code", std::to_string(status)}});
    slot.store(counter, std::memory_order_release);
  }
  counter->Add();
  bytes_in_->Add(bytes_in);
  bytes_out_->Add(bytes_out);
}

HttpServerState::HttpServerState(const HttpServerOptions& options_in,
                                 std::shared_ptr<HttpHandler> handler_in)
    : options(options_in),
      handler(std::move(handler_in)),
      budget(std::make_shared<ByteBudget>(options_in.in_flight_bytes_max)),
      metrics(options_in.metrics, options_in.name),
      io(options_in.io_threads) {
  if (options.handler_threads > 0) {
    handler_pool =
        std::make_unique<asio::thread_pool>(static_cast<size_t>(options.handler_threads));
  }
}

// The listening socket and the threads. Lives as long as the server; the connections' state lives
// longer where it must.
class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
 public:
  Impl(const HttpServerOptions& options, std::shared_ptr<HttpHandler> handler)
      : state_(std::make_shared<HttpServerState>(options, std::move(handler))),
        work_(asio::make_work_guard(state_->io)),
        acceptor_(asio::any_io_executor(asio::make_strand(state_->io))),
        pause_(acceptor_.get_executor()) {}

  Error Listen(const std::string& address);
  void Run();
  void Stop(uint32_t grace_ms);
  std::string bound_address() const { return bound_address_; }

 private:
  void Accept();
  void OnAccepted(const boost::system::error_code& error, tcp::socket socket);
  void Admit(tcp::socket socket);
  std::shared_ptr<HttpConnection> Connect(tcp::socket* socket);
  void CloseAcceptor();
  void CloseConnections(uint32_t grace_ms);
  void TellConnections(void (HttpConnection::*action)()) WEFT_REQUIRES(state_->mutex);

  const std::shared_ptr<HttpServerState> state_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::string bound_address_;
  std::vector<std::thread> threads_;
  Mutex stop_mutex_;
  bool stop_done_ WEFT_GUARDED_BY(stop_mutex_) = false;
};

Error HttpServer::Impl::Listen(const std::string& address) {
  WEFT_ASSIGN_OR_RETURN(const tcp::endpoint endpoint, Resolve(state_->io, address));
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return CannotListen(address, error);
  const tcp::endpoint bound = acceptor_.local_endpoint(error);
  if (error) return CannotListen(address, error);
  bound_address_ = FormatHostPort({bound.address().to_string(), bound.port()});
  return Error::Ok();
}

void HttpServer::Impl::Run() {
  asio::post(acceptor_.get_executor(), [self = shared_from_this()] { self->Accept(); });
  for (int i = 0; i < std::max(1, state_->options.io_threads); ++i) {
    threads_.emplace_back([state = state_] { state->io.run(); });
  }
}

void HttpServer::Impl::Accept() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_accept(
      asio::any_io_executor(asio::make_strand(state_->io)),
      [self = shared_from_this()](const boost::system::error_code& error, tcp::socket socket) {
        self->OnAccepted(error, std::move(socket));
      });
}

void HttpServer::Impl::OnAccepted(const boost::system::error_code& error, tcp::socket socket) {
  if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
  if (!error) {
    Admit(std::move(socket));
    return Accept();
  }
  // Out of file descriptors, most likely: a busy loop would not bring any back.
  pause_.expires_after(kAcceptPause);
  pause_.async_wait([self = shared_from_this()](const boost::system::error_code& aborted) {
    if (!aborted) self->Accept();
  });
}

// Null, and the socket left alone, when there are as many connections as may be.
std::shared_ptr<HttpConnection> HttpServer::Impl::Connect(tcp::socket* socket) {
  const MutexLock lock(state_->mutex);
  if (state_->draining || state_->open.size() >= state_->options.connections_max) return nullptr;
  auto connection = std::make_shared<HttpConnection>(state_, std::move(*socket));
  state_->open.emplace(connection.get(), connection);
  return connection;
}

void HttpServer::Impl::Admit(tcp::socket socket) {
  if (const auto connection = Connect(&socket)) {
    state_->metrics.CountOpen(1);
    return connection->Start();
  }
  state_->metrics.CountTurnedAway();
  constexpr std::string_view kAnswer =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: "
      "close\r\n\r\n";
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(kAnswer.data(), kAnswer.size()), ignored);
}

void HttpServer::Impl::CloseAcceptor() {
  std::promise<void> closed;
  asio::post(acceptor_.get_executor(), [this, &closed] {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    closed.set_value();
  });
  closed.get_future().wait();
}

void HttpServer::Impl::CloseConnections(uint32_t grace_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(grace_ms);
  const MutexLock lock(state_->mutex);
  state_->draining = true;
  TellConnections(&HttpConnection::Drain);
  while (!state_->open.empty()) {
    const std::chrono::nanoseconds left = deadline - std::chrono::steady_clock::now();
    if (left.count() <= 0) break;
    state_->all_closed.WaitFor(state_->mutex, left.count());
  }
  TellConnections(&HttpConnection::Abort);
  while (!state_->open.empty()) state_->all_closed.Wait(state_->mutex);
}

void HttpServer::Impl::TellConnections(void (HttpConnection::*action)()) {
  for (const auto& [key, weak] : state_->open) {
    if (const auto connection = weak.lock()) ((*connection).*action)();
  }
}

void HttpServer::Impl::Stop(uint32_t grace_ms) {
  const MutexLock stop_lock(stop_mutex_);
  if (std::exchange(stop_done_, true)) return;
  if (threads_.empty()) return;
  CloseAcceptor();
  CloseConnections(grace_ms);
  if (state_->handler_pool) state_->handler_pool->join();
  {
    const MutexLock lock(state_->mutex);
    state_->stopped = true;
  }
  work_.reset();
  for (std::thread& thread : threads_) thread.join();
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address,
                                                      const HttpServerOptions& options,
                                                      std::shared_ptr<HttpHandler> handler) {
  auto impl = std::make_shared<Impl>(options, std::move(handler));
  WEFT_RETURN_IF_ERROR(impl->Listen(address));
  impl->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { Stop(0); }
std::string HttpServer::bound_address() const { return impl_->bound_address(); }
void HttpServer::Stop(uint32_t grace_ms) { impl_->Stop(grace_ms); }

}  // namespace weft::net
