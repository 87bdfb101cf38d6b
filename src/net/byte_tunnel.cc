#include "net/byte_tunnel.h"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "net/address.h"

namespace weft::net {

namespace asio = boost::asio;
using ErrorCodeOf = boost::system::error_code;

ByteTunnel::ByteTunnel(std::shared_ptr<void> owner, Socket* near, std::function<void()> on_moved,
                       std::function<void()> on_end)
    : owner_(std::move(owner)),
      near_(near),
      far_(near->get_executor()),
      on_moved_(std::move(on_moved)),
      on_end_(std::move(on_end)) {
  out_.from = back_.to = near_;
  out_.to = back_.from = &far_;
}

void ByteTunnel::Start(const std::string& address, std::string first) {
  first_ = std::move(first);
  const auto to = ParseHostPort(address);
  ErrorCodeOf error;
  const auto host = to.ok() ? asio::ip::make_address(to->host, error) : asio::ip::address();
  if (!to.ok() || error) return End();
  far_.async_connect({host, to->port}, [self = shared_from_this()](ErrorCodeOf failed) {
    if (self->closed_) return;
    if (failed) return self->End();
    ErrorCodeOf ignored;
    self->far_.set_option(asio::ip::tcp::no_delay(true), ignored);
    self->Read(&self->back_);
    asio::async_write(self->far_, asio::buffer(self->first_), [self](ErrorCodeOf unsent, size_t) {
      if (self->closed_) return;
      if (unsent) return self->End();
      self->Read(&self->out_);
    });
  });
}

void ByteTunnel::Read(Direction* direction) {
  direction->from->async_read_some(
      asio::buffer(direction->buffer),
      [self = shared_from_this(), direction](ErrorCodeOf error, size_t bytes) {
        if (self->closed_) return;
        if (error) return self->End();
        self->on_moved_();
        self->Write(direction, bytes);
      });
}

void ByteTunnel::Write(Direction* direction, size_t bytes) {
  asio::async_write(*direction->to, asio::buffer(direction->buffer.data(), bytes),
                    [self = shared_from_this(), direction](ErrorCodeOf error, size_t) {
                      if (self->closed_) return;
                      if (error) return self->End();
                      self->Read(direction);
                    });
}

void ByteTunnel::End() {
  const auto on_end = std::move(on_end_);
  Close();
  if (on_end) on_end();
}

void ByteTunnel::Close() {
  if (closed_) return;
  closed_ = true;
  ErrorCodeOf ignored;
  far_.close(ignored);
  on_moved_ = nullptr;
  on_end_ = nullptr;
}

}  // namespace weft::net
