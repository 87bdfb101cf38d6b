#include "net/datagram_server.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"

namespace weft::net {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;

// Datagrams that had arrived when the server was stopped, at most.
constexpr int kLastDatagramsMax = 10'000;

Error CannotListen(const std::string& address, const boost::system::error_code& error) {
  return {ErrorCode::kIo, "cannot listen on " + address + " (UDP): " + error.message() +
                              (error == asio::error::address_in_use
                                   ? "; another program has the port, stop it or choose another "
                                     "address"
                                   : "")};
}

}  // namespace

class DatagramServer::Impl {
 public:
  Impl(const DatagramServerOptions& options, Handler handler)
      : handler_(std::move(handler)), buffer_(options.datagram_bytes_max) {
    if (options.metrics == nullptr) return;
    const MetricLabels labels = {{"server", options.name}};
    received_ = &options.metrics->GetCounter("weft_udp_datagrams_total",
                                             "Datagrams received, by server", labels);
    lost_ = &options.metrics->GetCounter(
        "weft_udp_datagrams_lost_total",
        "Datagrams that the system dropped because nobody took them in time, by server", labels);
  }
  ~Impl() {
    Stop();
    if (stop_event_ >= 0) close(stop_event_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Error Listen(const std::string& address, uint32_t socket_buffer_bytes);
  void Stop();
  const std::string& bound_address() const { return bound_address_; }

 private:
  void Run();
  // False when nothing is there to read.
  bool ReadOne();
  void CountLost(msghdr* message);

  const Handler handler_;
  std::vector<char> buffer_;
  asio::io_context io_;
  udp::socket socket_{io_};
  std::string bound_address_;
  int stop_event_ = -1;
  std::thread thread_;
  Counter* received_ = nullptr;
  Counter* lost_ = nullptr;
  uint32_t lost_before_ = 0;  // as the system counts, wrapping
};

Error DatagramServer::Impl::Listen(const std::string& address, uint32_t socket_buffer_bytes) {
  WEFT_ASSIGN_OR_RETURN(const HostPort to, ParseHostPort(address));
  boost::system::error_code error;
  udp::endpoint endpoint(udp::v4(), to.port);
  if (!to.host.empty()) {
    udp::resolver resolver(io_);
    const auto found =
        resolver.resolve(to.host, std::to_string(to.port),
                         udp::resolver::passive | udp::resolver::numeric_service, error);
    if (error || found.empty()) return CannotListen(address, error);
    endpoint = found.begin()->endpoint();
  }
  socket_.open(endpoint.protocol(), error);
  if (!error) socket_.bind(endpoint, error);
  if (error) return CannotListen(address, error);
  // Both are wishes.
  socket_.set_option(asio::socket_base::receive_buffer_size(static_cast<int>(socket_buffer_bytes)),
                     error);
  const int on = 1;
  (void)setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  const udp::endpoint bound = socket_.local_endpoint(error);
  stop_event_ = eventfd(0, EFD_CLOEXEC);
  if (error || stop_event_ < 0) return CannotListen(address, error);
  bound_address_ = FormatHostPort({bound.address().to_string(), bound.port()});
  thread_ = std::thread([this] { Run(); });
  return Error::Ok();
}

void DatagramServer::Impl::Run() {
  std::array<pollfd, 2> events = {{{socket_.native_handle(), POLLIN, 0}, {stop_event_, POLLIN, 0}}};
  while (true) {
    if (poll(events.data(), events.size(), -1) < 0 && errno != EINTR) return;
    if ((events[1].revents & POLLIN) != 0) break;
    ReadOne();
  }
  for (int i = 0; i < kLastDatagramsMax && ReadOne(); ++i) {
  }
}

bool DatagramServer::Impl::ReadOne() {
  iovec part{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(uint32_t))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = recvmsg(socket_.native_handle(), &message, MSG_DONTWAIT);
  if (size < 0) return false;
  CountLost(&message);
  if (received_ != nullptr) received_->Add();
  handler_({buffer_.data(), static_cast<size_t>(size)});
  return true;
}

void DatagramServer::Impl::CountLost(msghdr* message) {
  for (cmsghdr* at = CMSG_FIRSTHDR(message); at != nullptr; at = CMSG_NXTHDR(message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SO_RXQ_OVFL) continue;
    uint32_t lost = 0;
    std::memcpy(&lost, CMSG_DATA(at), sizeof lost);
    if (lost_ != nullptr) lost_->Add(lost - lost_before_);
    lost_before_ = lost;
  }
}

void DatagramServer::Impl::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  // An eventfd takes it until its count is near 2^64.
  (void)!write(stop_event_, &one, sizeof one);
  thread_.join();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

Result<std::unique_ptr<DatagramServer>> DatagramServer::Start(const std::string& address,
                                                              const DatagramServerOptions& options,
                                                              Handler handler) {
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  WEFT_RETURN_IF_ERROR(impl->Listen(address, options.socket_buffer_bytes));
  return std::unique_ptr<DatagramServer>(new DatagramServer(std::move(impl)));
}

DatagramServer::DatagramServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DatagramServer::~DatagramServer() = default;
std::string DatagramServer::bound_address() const { return impl_->bound_address(); }
void DatagramServer::Stop() { impl_->Stop(); }

}  // namespace weft::net
