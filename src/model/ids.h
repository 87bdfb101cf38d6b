// Trace and span ids as values: big-endian numbers, so that comparing ids, their hex texts and
// their bytes gives the same order.
#pragma once

#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace weft::model {

inline uint64_t LoadBigEndian64(const void* bytes) {
  uint64_t v;
  std::memcpy(&v, bytes, sizeof v);
  return __builtin_bswap64(v);
}
inline void StoreBigEndian64(uint64_t v, void* bytes) {
  v = __builtin_bswap64(v);
  std::memcpy(bytes, &v, sizeof v);
}

// Finalizer of splitmix64: spreads an id over all 64 bits.
inline uint64_t MixBits(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// 128 bits; shorter ids are left-padded with zeros. All zeros is invalid (W3C Trace Context level 1
// §3.2.2.3).
struct TraceId {
  uint64_t high = 0;
  uint64_t low = 0;

  static TraceId FromBytes(const void* sixteen_bytes) {
    return {LoadBigEndian64(sixteen_bytes),
            LoadBigEndian64(static_cast<const char*>(sixteen_bytes) + 8)};
  }
  void ToBytes(void* sixteen_bytes) const {
    StoreBigEndian64(high, sixteen_bytes);
    StoreBigEndian64(low, static_cast<char*>(sixteen_bytes) + 8);
  }
  // 1 to 32 hex digits in any case, left-padded; nothing for anything else.
  static std::optional<TraceId> FromHex(std::string_view hex);
  std::string ToHex() const;  // 32 lower-case digits

  bool valid() const { return (high | low) != 0; }
  uint64_t Hash() const { return MixBits(low ^ MixBits(high)); }
  auto operator<=>(const TraceId&) const = default;
};

// 64 bits as a big-endian number; 0 means none.
struct SpanId {
  uint64_t value = 0;

  static SpanId FromBytes(const void* eight_bytes) { return {LoadBigEndian64(eight_bytes)}; }
  void ToBytes(void* eight_bytes) const { StoreBigEndian64(value, eight_bytes); }
  // 1 to 16 hex digits in any case, left-padded; nothing for anything else.
  static std::optional<SpanId> FromHex(std::string_view hex);
  std::string ToHex() const;  // 16 lower-case digits

  bool valid() const { return value != 0; }
  auto operator<=>(const SpanId&) const = default;
};

struct TraceIdHash {
  size_t operator()(const TraceId& id) const { return id.Hash(); }
};

}  // namespace weft::model
