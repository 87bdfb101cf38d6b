// ByteTunnel: whatever comes on one connection goes out on another, both ways.
//
// Internal to the HTTP server, which gives connections that speak HTTP/2 to the gRPC server of the
// same process. Everything runs on the executor of the near socket.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

namespace weft::net {

class ByteTunnel : public std::enable_shared_from_this<ByteTunnel> {
 public:
  // `near` is a socket of `owner`, which is held until nothing is under way any more. `on_moved` is
  // called when something has come, `on_end` once, when either side has ended or the far one can't
  // be reached, perhaps from Start().
  ByteTunnel(std::shared_ptr<void> owner, boost::asio::ip::tcp::socket* near,
             std::function<void()> on_moved, std::function<void()> on_end);

  // Connects to `address` ("127.0.0.1:4317", an address in numbers), sends `first`, and goes on.
  void Start(const std::string& address, std::string first);
  // Closes the far side; calls nothing afterwards. The near one is its owner's to close.
  void Close();

 private:
  using Socket = boost::asio::ip::tcp::socket;
  static constexpr size_t kBufferBytes = 16 << 10;
  struct Direction {
    Socket* from = nullptr;
    Socket* to = nullptr;
    std::array<char, kBufferBytes> buffer;
  };

  void Read(Direction* direction);
  void Write(Direction* direction, size_t bytes);
  void End();

  const std::shared_ptr<void> owner_;
  Socket* const near_;
  Socket far_;
  std::function<void()> on_moved_;
  std::function<void()> on_end_;
  std::string first_;
  Direction out_;
  Direction back_;
  bool closed_ = false;
};

}  // namespace weft::net
