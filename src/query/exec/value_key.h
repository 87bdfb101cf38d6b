// Values as keys of a hash table: values of different types are different keys.
#pragma once

#include <bit>
#include <cstdint>
#include <utility>

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

}  // namespace weft::query::exec
