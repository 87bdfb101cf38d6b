#include "net/http_body.h"

#include <algorithm>
#include <utility>

namespace weft::net {
namespace {

constexpr uint64_t kAdmitStepBytes = 1 << 20;
// What a request with a known length gets reserved at once. Not more: the length is only a claim.
constexpr uint64_t kReserveBytesMax = 64 << 10;

HttpRefusal Refuse(int status, ErrorCode code, std::string message, uint32_t retry_after_ms = 0) {
  return {status, Error(code, std::move(message), retry_after_ms)};
}

HttpRefusal FromError(Error error) { return {HttpStatusOf(error.code()), std::move(error)}; }

HttpRefusal TooLargeOnWire(uint64_t limit) {
  return Refuse(413, ErrorCode::kTooLarge,
                "the body is larger than " + std::to_string(limit) + " bytes");
}

}  // namespace

bool ByteBudget::Take(uint64_t bytes) {
  const uint64_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
  if (before + bytes <= bytes_max_) return true;
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

BudgetShare& BudgetShare::operator=(BudgetShare&& other) noexcept {
  if (this != &other) {
    Release();
    budget_ = std::move(other.budget_);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

bool BudgetShare::GrowTo(uint64_t bytes) {
  if (bytes <= bytes_ || !budget_) return true;
  if (!budget_->Take(bytes - bytes_)) return false;
  bytes_ = bytes;
  return true;
}

void BudgetShare::AddAnyway(uint64_t bytes) {
  if (!budget_) return;
  budget_->TakeAnyway(bytes);
  bytes_ += bytes;
}

void BudgetShare::Release() {
  if (budget_ && bytes_ != 0) budget_->Release(bytes_);
  bytes_ = 0;
}

HttpRefusal HttpBodyAssembler::Begin(const HttpRequestHead& head, HttpBodyPlan plan) {
  plan_ = std::move(plan);
  if (plan_.body_bytes_max == 0 || plan_.body_bytes_max > options_.body_bytes_max) {
    plan_.body_bytes_max = options_.body_bytes_max;
  }
  const auto coding = plan_.decompress ? ParseContentCoding(head.headers.Get("Content-Encoding"))
                                       : ContentCoding::kIdentity;
  if (!coding) {
    return Refuse(415, ErrorCode::kUnsupported,
                  "Content-Encoding '" + std::string(head.headers.Get("Content-Encoding")) +
                      "' is not known; send identity, gzip, zstd or deflate");
  }
  const uint64_t announced = head.content_length.value_or(0);
  if (announced > options_.wire_body_bytes_max) return TooLargeOnWire(options_.wire_body_bytes_max);
  if (*coding == ContentCoding::kIdentity && announced > plan_.body_bytes_max)
    return TooLargeOnWire(plan_.body_bytes_max);
  decompressor_ = Decompressor::Make(*coding, plan_.body_bytes_max);
  if (!head.content_length && plan_.admit) {
    if (Error error = plan_.admit(0); !error.ok()) return FromError(std::move(error));
  }
  body_.reserve(std::min(announced, kReserveBytesMax));
  return Account();
}

HttpRefusal HttpBodyAssembler::Add(std::string_view piece) {
  wire_bytes_ += piece.size();
  if (wire_bytes_ > options_.wire_body_bytes_max)
    return TooLargeOnWire(options_.wire_body_bytes_max);
  if (Error error = decompressor_->Add(piece, &body_); !error.ok())
    return FromError(std::move(error));
  return Account();
}

HttpRefusal HttpBodyAssembler::Account() {
  if (!share_.GrowTo(body_.capacity())) {
    return Refuse(503, ErrorCode::kUnavailable, "too many bytes are being received at this moment",
                  1000);
  }
  if (plan_.admit && body_.size() >= admitted_bytes_ + kAdmitStepBytes) {
    admitted_bytes_ = body_.size();
    if (Error error = plan_.admit(body_.size()); !error.ok()) return FromError(std::move(error));
  }
  return {};
}

HttpRefusal HttpBodyAssembler::Finish() {
  if (Error error = decompressor_->Finish(); !error.ok()) return FromError(std::move(error));
  decompressor_.reset();
  return {};
}

}  // namespace weft::net
