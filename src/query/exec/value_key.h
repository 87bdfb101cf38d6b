// Values as keys of a hash table: values of different types are different keys.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <absl/hash/hash.h>

#include "query/plan/arithmetic.h"
#include "query/plan/value.h"

namespace weft::query::exec {

struct ValueKey {
  plan::Value value;

  bool operator==(const ValueKey& o) const {
    return value.type == o.value.type && value.number == o.value.number && bits() == o.bits() &&
           value.text == o.value.text;
  }
  template <typename H>
  friend H AbslHashValue(H h, const ValueKey& k) {
    return H::combine(std::move(h), static_cast<int>(k.value.type), k.value.number, k.bits(),
                      k.value.text);
  }

 private:
  // A NaN equals itself here.
  uint64_t bits() const { return std::bit_cast<uint64_t>(value.real); }
};

// The same for tables that are asked with a Scalar: only what is new to the table is copied.
struct ScalarKeyHash {
  using is_transparent = void;
  size_t operator()(const plan::Scalar& v) const {
    if (v.type == plan::Value::Type::kString) return absl::HashOf(v.text);
    return absl::HashOf(static_cast<int>(v.type), v.number, std::bit_cast<uint64_t>(v.real));
  }
  size_t operator()(const ValueKey& k) const { return (*this)(plan::Scalar::Of(k.value)); }
};
struct ScalarKeyEqual {
  using is_transparent = void;
  bool operator()(const plan::Scalar& a, const plan::Scalar& b) const {
    return a.type == b.type && a.number == b.number &&
           std::bit_cast<uint64_t>(a.real) == std::bit_cast<uint64_t>(b.real) && a.text == b.text;
  }
  bool operator()(const ValueKey& a, const plan::Scalar& b) const {
    return (*this)(plan::Scalar::Of(a.value), b);
  }
  bool operator()(const ValueKey& a, const ValueKey& b) const { return a == b; }
};

// Of combinations of values.
struct ValuesHash {
  size_t operator()(const std::vector<plan::Value>& values) const {
    size_t hash = values.size();
    for (const plan::Value& v : values)
      hash = absl::HashOf(hash, ScalarKeyHash()(plan::Scalar::Of(v)));
    return hash;
  }
};
struct ValuesEqual {
  bool operator()(const std::vector<plan::Value>& a, const std::vector<plan::Value>& b) const {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const plan::Value& x, const plan::Value& y) {
                        return ScalarKeyEqual()(plan::Scalar::Of(x), plan::Scalar::Of(y));
                      });
  }
};

}  // namespace weft::query::exec
