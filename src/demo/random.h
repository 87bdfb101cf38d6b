// Seeded random numbers with the distributions that a shop is made of. The same seed gives the same
// numbers on every machine whose standard library has the same log and exp.
//
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weft::demo {

// xoshiro256** (Blackman and Vigna), seeded through SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed);

  uint64_t U64();
  // A number in [0, n); n > 0.
  uint64_t Below(uint64_t n) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(U64()) * n) >> 64);
  }
  // A number in [low, high].
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low + 1)));
  }
  // In [0, 1).
  double Unit() { return static_cast<double>(U64() >> 11) * 0x1.0p-53; }
  bool Chance(double probability) { return Unit() < probability; }

  // Mean 0, deviation 1.
  double Normal();
  // A log-normal value with this median; `sigma` is the deviation of its logarithm.
  double LogNormal(double median, double sigma);
  // An exponential value with this mean.
  double Exponential(double mean);

  // A random UUID (version 4) in its usual text form.
  std::string Uuid();

 private:
  uint64_t state_[4];
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

// Numbers 0 .. n-1 whose frequency falls as 1/(rank+1)^exponent.
class Zipf {
 public:
  Zipf(size_t n, double exponent);
  size_t Draw(Random& random) const;

 private:
  std::vector<double> cumulative_;
  std::vector<uint32_t>
      guide_;  // guide_[i]: first index whose cumulative share may exceed i / guide_.size()
};

// The i-th number of a stream that depends on nothing but `key`: properties of a user, a product, a
// pod.
uint64_t Mix(uint64_t key);

}  // namespace weft::demo
