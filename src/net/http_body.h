// HttpBodyAssembler: the body of one request as it arrives, decompressed, within its limits.
//
// One thread at a time. Between the server's connection code and HttpBodyPlan; tests use it without
// a socket.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/compression.h"
#include "net/http_server.h"

namespace weft::net {

// Bytes held by all connections of a server, against one limit. Any thread.
class ByteBudget {
 public:
  explicit ByteBudget(uint64_t bytes_max) : bytes_max_(bytes_max) {}
  // False, and nothing taken, when it would exceed the limit.
  bool Take(uint64_t bytes);
  // Taken whatever the limit says: what is held already has to be counted.
  void TakeAnyway(uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void Release(uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const uint64_t bytes_max_;
  std::atomic<uint64_t> used_{0};
};

// A part of a budget that is given back when this is destroyed. Move-only.
class BudgetShare {
 public:
  BudgetShare() = default;
  explicit BudgetShare(std::shared_ptr<ByteBudget> budget) : budget_(std::move(budget)) {}
  BudgetShare(BudgetShare&& other) noexcept
      : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}
  BudgetShare& operator=(BudgetShare&& other) noexcept;
  ~BudgetShare() { Release(); }

  // Grows the share to `bytes`; false when the budget has no more.
  bool GrowTo(uint64_t bytes);
  void AddAnyway(uint64_t bytes);
  void Release();

 private:
  std::shared_ptr<ByteBudget> budget_;
  uint64_t bytes_ = 0;
};

// Why the server refuses a request; status 0: it does not.
struct HttpRefusal {
  int status = 0;
  Error error;
  explicit operator bool() const { return status != 0; }
};

class HttpBodyAssembler {
 public:
  HttpBodyAssembler(const HttpServerOptions& options, std::shared_ptr<ByteBudget> budget)
      : options_(options), share_(std::move(budget)) {}

  // Reads the plan and the head: Content-Encoding and Content-Length may be refused before a byte
  // has come.
  HttpRefusal Begin(const HttpRequestHead& head, HttpBodyPlan plan);
  HttpRefusal Add(std::string_view piece);
  HttpRefusal Finish();

  uint64_t wire_bytes() const { return wire_bytes_; }
  std::string TakeBody() { return std::move(body_); }
  // The account of the body's memory, to be kept until the request is answered.
  BudgetShare TakeShare() { return std::move(share_); }

 private:
  HttpRefusal Account();

  const HttpServerOptions& options_;
  BudgetShare share_;
  HttpBodyPlan plan_;
  std::unique_ptr<Decompressor> decompressor_;
  std::string body_;
  uint64_t wire_bytes_ = 0;
  uint64_t admitted_bytes_ = 0;
};

}  // namespace weft::net
