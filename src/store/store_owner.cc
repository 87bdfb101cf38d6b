#include "store/store_owner.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/checksum.h"
#include "base/log.h"
#include "store/byte_codec.h"

namespace weft::store {
namespace {

constexpr std::string_view kMagic = "WEFTOWN1";
constexpr size_t kChecksumBytes = 4;

}  // namespace

std::string NewInstanceId(Env& env) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx",
                static_cast<unsigned long long>(env.RandomU64()),
                static_cast<unsigned long long>(env.RandomU64()));
  return text;
}

bool IsInstanceId(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

StoreOwner::StoreOwner(Env& env, ObjectStore& objects, StoreOwnerOptions options, Wait wait)
    : env_(env), objects_(objects), options_(std::move(options)), wait_(std::move(wait)) {}

Result<StoreOwner::Record> StoreOwner::Read() const {
  WEFT_ASSIGN_OR_RETURN(const std::string bytes, objects_.Get(kOwnerObject));
  Record record;
  if (bytes.size() < kMagic.size() + kChecksumBytes || !bytes.starts_with(kMagic)) return record;
  const std::string_view body = std::string_view(bytes).substr(0, bytes.size() - kChecksumBytes);
  if (ByteReader(std::string_view(bytes).substr(body.size())).Fixed32() != Crc32c(body)) {
    return record;
  }
  ByteReader in(body.substr(kMagic.size()));
  record.instance = std::string(in.Sized());
  record.description = std::string(in.Sized());
  record.beat = in.Fixed64();
  record.released = in.Varint() != 0;
  return in.ok() ? record : Record{};
}

Error StoreOwner::Write(bool released) {
  ByteWriter out;
  out.Raw(kMagic);
  out.Sized(options_.instance);
  out.Sized(options_.description);
  // Of one size, so that a reader who asks for the size first never gets a part.
  out.Fixed64(++beat_);
  out.Varint(released ? 1 : 0);
  out.Fixed32(Crc32c(out.bytes()));
  // What it may do counts from before the write: others may see it that early.
  const int64_t begin_ns = env_.MonotonicNs();
  WEFT_RETURN_IF_ERROR(objects_.Put(kOwnerObject, out.bytes()));
  held_until_ns_ = released ? 0 : begin_ns + options_.hold_ns;
  return Error::Ok();
}

Error StoreOwner::WatchOther(const Record& first) {
  LogInfo("another server has written to this store: watching whether it still does",
          {{"server", first.description}, {"seconds", options_.gone_after_ns / 1'000'000'000}});
  const int64_t until_ns = env_.MonotonicNs() + options_.gone_after_ns;
  while (env_.MonotonicNs() < until_ns) {
    wait_(std::min(options_.settle_ns, until_ns - env_.MonotonicNs()));
    const auto now = Read();
    if (now.error().code() == ErrorCode::kNotFound) continue;
    if (!now.ok()) return now.error();
    if (now->released || now->instance == options_.instance) return Error::Ok();
    if (*now == first) continue;
    return Error(ErrorCode::kUnavailable,
                 "another server writes to this store: " + now->description +
                     "; stop it, give this one another prefix, or start it with --read-only");
  }
  LogWarn("the server that wrote to this store is gone: taking it over",
          {{"server", first.description}});
  return Error::Ok();
}

Error StoreOwner::Take() {
  auto found = Read();
  if (found.error().code() == ErrorCode::kNotFound) {
    // Azure shows none for the moment in which one is replaced.
    wait_(options_.settle_ns);
    found = Read();
  }
  if (found.ok()) {
    beat_ = found->beat;
    if (!found->released && found->instance != options_.instance) {
      WEFT_RETURN_IF_ERROR(WatchOther(*found));
    } else if (found->instance == options_.instance) {
      return Write(false);
    }
  } else if (found.error().code() != ErrorCode::kNotFound) {
    return found.error();
  }
  WEFT_RETURN_IF_ERROR(Write(false));
  held_until_ns_ = 0;
  wait_(options_.settle_ns);
  WEFT_ASSIGN_OR_RETURN(const Record now, Read());
  if (now.instance != options_.instance) {
    return Error(
        ErrorCode::kUnavailable,
        "another server began to write to this store at the same moment: " + now.description);
  }
  return Write(false);
}

Error StoreOwner::Beat() {
  const auto now = Read();
  if (now.error().code() == ErrorCode::kNotFound) return Write(false);  // removed by hand
  if (!now.ok()) return now.error();
  if (now->instance == options_.instance) return Write(false);
  if (now->instance.empty()) {
    return Error(ErrorCode::kCorrupt, "what says who writes to the store can't be read");
  }
  lost_ = true;
  return Error(ErrorCode::kCancelled,
               "another server has taken over this store: " + now->description);
}

Error StoreOwner::Release() {
  WEFT_RETURN_IF_ERROR(CheckHeld());
  return Write(true);
}

Error StoreOwner::CheckHeld() const {
  if (lost_) return Error(ErrorCode::kUnavailable, "another server has taken over this store");
  if (env_.MonotonicNs() < held_until_ns_) return Error::Ok();
  return Error(ErrorCode::kUnavailable,
               "the store did not answer for so long that another server may take it over; "
               "writing goes on when it answers");
}

}  // namespace weft::store
