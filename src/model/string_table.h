// A dictionary of distinct byte strings, each known by a small number.
//
// Codes are dense, given in order of first use; code 0 is always the empty string. Views returned
// stay valid until the next Intern() or Clear(). Not thread-safe while it grows; any number of
// threads may read one that has stopped growing.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace weft::model {

using Code = uint32_t;

class StringTable {
 public:
  StringTable();

  // The code of `s`, new or known. At most 2^29 - 1 strings and 4 GiB of bytes.
  Code Intern(std::string_view s) { return InternHashed(s, Hash(s)); }
  // The same with Hash(s) already at hand.
  Code InternHashed(std::string_view s, uint32_t hash);
  // The code of `s`, or kMissing.
  Code Find(std::string_view s) const;

  std::string_view operator[](Code code) const {
    const uint32_t begin = code == 0 ? 0 : ends_[code - 1];
    return {bytes_.data() + begin, ends_[code] - begin};
  }
  uint32_t hash(Code code) const { return hashes_[code]; }

  uint32_t size() const { return static_cast<uint32_t>(ends_.size()); }
  // Memory held.
  size_t bytes() const {
    return bytes_.capacity() + 4 * (ends_.capacity() + hashes_.capacity() + slots_.capacity());
  }
  // Back to just the empty string; keeps the memory.
  void Clear();
  void Reserve(uint32_t strings, size_t bytes);

  static uint32_t Hash(std::string_view s);
  static constexpr Code kMissing = 0xffffffff;

 private:
  void Grow();

  std::vector<char> bytes_;
  std::vector<uint32_t> ends_;    // end of string i in bytes_
  std::vector<uint32_t> hashes_;  // Hash of string i
  std::vector<uint32_t> slots_;   // open addressing, linear probing: code + 1, or 0
};

}  // namespace weft::model
