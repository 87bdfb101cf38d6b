// A set of rows: one bit each.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::query::exec {

// Bits beyond size() are always 0.
class Bitmap {
 public:
  Bitmap() = default;
  explicit Bitmap(uint32_t size, bool value = false)
      : size_(size), words_((size + 63) / 64, value ? ~uint64_t{0} : 0) {
    ClearTail();
  }

  uint32_t size() const { return size_; }
  bool Test(uint32_t i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }
  void Set(uint32_t i) { words_[i / 64] |= uint64_t{1} << (i % 64); }
  void Reset(uint32_t i) { words_[i / 64] &= ~(uint64_t{1} << (i % 64)); }

  bool Any() const {
    for (uint64_t w : words_) {
      if (w != 0) return true;
    }
    return false;
  }
  uint32_t Count() const {
    uint32_t n = 0;
    for (uint64_t w : words_) n += static_cast<uint32_t>(std::popcount(w));
    return n;
  }
  bool All() const { return Count() == size_; }

  // With a set of the same size.
  void And(const Bitmap& o) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= o.words_[i];
  }
  void AndNot(const Bitmap& o) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~o.words_[i];
  }
  void Or(const Bitmap& o) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= o.words_[i];
  }
  void Xor(const Bitmap& o) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] ^= o.words_[i];
  }
  // The same with words in Column::present's form, which may be fewer: missing ones are 0.
  void AndNotWords(const std::vector<uint64_t>& o) {
    for (size_t i = 0; i < words_.size() && i < o.size(); ++i) words_[i] &= ~o[i];
  }

  // Calls f(row) for each row of the set, ascending.
  template <typename F>
  void ForEach(F f) const {
    ForEachIn(0, size_, f);
  }
  // The same for the rows in [begin, end).
  template <typename F>
  void ForEachIn(uint32_t begin, uint32_t end, F f) const {
    for (uint32_t i = begin / 64; i < (end + 63) / 64; ++i) {
      uint64_t w = words_[i];
      if (i == begin / 64) w &= ~uint64_t{0} << (begin % 64);
      if (i == end / 64) w &= (uint64_t{1} << (end % 64)) - 1;
      for (; w != 0; w &= w - 1) f(i * 64 + static_cast<uint32_t>(std::countr_zero(w)));
    }
  }

  uint64_t* words() { return words_.data(); }
  const uint64_t* words() const { return words_.data(); }
  void ClearTail() {
    if (size_ % 64 != 0) words_.back() &= (uint64_t{1} << (size_ % 64)) - 1;
  }
  size_t bytes() const { return 8 * words_.capacity(); }

 private:
  uint32_t size_ = 0;
  std::vector<uint64_t> words_;
};

}  // namespace weft::query::exec
