// DatagramServer: UDP datagrams, handed one by one to a handler on a thread of its own.
//
// UDP knows no back-pressure: what comes while the handler is busy waits in the socket's buffer,
// and what finds no place there the system drops. That is counted (weft_udp_datagrams_lost_total).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/metrics.h"

namespace weft::net {

struct DatagramServerOptions {
  std::string name = "udp";              // label of its metrics
  MetricRegistry* metrics = nullptr;     // may be null; must outlive the server
  uint32_t datagram_bytes_max = 65'507;  // the largest of UDP; what is longer is cut
  // Asked of the system, which may give less (net.core.rmem_max).
  uint32_t socket_buffer_bytes = 4 << 20;
};

class DatagramServer {
 public:
  using Handler = std::function<void(std::string_view datagram)>;

  // Listens on `address` ("127.0.0.1:6831"; port 0 picks a free one) until Stop().
  // kInvalidArgument for an address that can't be read, kIo when it can't be bound.
  static Result<std::unique_ptr<DatagramServer>> Start(const std::string& address,
                                                       const DatagramServerOptions& options,
                                                       Handler handler);
  ~DatagramServer();  // Stop()
  DatagramServer(const DatagramServer&) = delete;
  DatagramServer& operator=(const DatagramServer&) = delete;

  std::string bound_address() const;
  // Hands on what has arrived already, then ends the thread: afterwards the handler does not run.
  // May be called more than once; not from the handler.
  void Stop();

 private:
  class Impl;
  explicit DatagramServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::net
