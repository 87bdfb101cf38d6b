#include "model/string_table.h"

#include <algorithm>
#include <cstring>

#include <xxhash.h>

namespace weft::model {

StringTable::StringTable() {
  slots_.assign(64, 0);
  Intern("");
}

uint32_t StringTable::Hash(std::string_view s) {
  return static_cast<uint32_t>(XXH3_64bits(s.data(), s.size()));
}

Code StringTable::InternHashed(std::string_view s, uint32_t hash) {
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    const uint32_t slot = slots_[i];
    if (slot == 0) {
      const Code code = size();
      bytes_.insert(bytes_.end(), s.begin(), s.end());
      ends_.push_back(static_cast<uint32_t>(bytes_.size()));
      hashes_.push_back(hash);
      slots_[i] = code + 1;
      if (2 * ends_.size() > slots_.size()) Grow();
      return code;
    }
    if (hashes_[slot - 1] == hash && (*this)[slot - 1] == s) return slot - 1;
  }
}

Code StringTable::Find(std::string_view s) const {
  const uint32_t hash = Hash(s);
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    const uint32_t slot = slots_[i];
    if (slot == 0) return kMissing;
    if (hashes_[slot - 1] == hash && (*this)[slot - 1] == s) return slot - 1;
  }
}

void StringTable::Grow() {
  slots_.assign(slots_.size() * 2, 0);
  const size_t mask = slots_.size() - 1;
  for (uint32_t code = 0; code < size(); ++code) {
    size_t i = hashes_[code] & mask;
    while (slots_[i] != 0) i = (i + 1) & mask;
    slots_[i] = code + 1;
  }
}

void StringTable::Clear() {
  bytes_.clear();
  ends_.clear();
  hashes_.clear();
  std::fill(slots_.begin(), slots_.end(), 0);
  Intern("");
}

void StringTable::Reserve(uint32_t strings, size_t bytes) {
  bytes_.reserve(bytes);
  ends_.reserve(strings);
  hashes_.reserve(strings);
  while (slots_.size() < 2 * static_cast<size_t>(strings)) Grow();
}

}  // namespace weft::model
