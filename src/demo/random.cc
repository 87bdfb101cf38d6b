#include "demo/random.h"

#include <cmath>

namespace weft::demo {

uint64_t Mix(uint64_t key) {
  key += 0x9e3779b97f4a7c15;
  key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9;
  key = (key ^ (key >> 27)) * 0x94d049bb133111eb;
  return key ^ (key >> 31);
}

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    word = Mix(seed);
  }
}

uint64_t Random::U64() {
  const auto rotate = [](uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
  const uint64_t result = rotate(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotate(state_[3], 45);
  return result;
}

// Marsaglia's polar method: two values per round, one kept for the next call.
double Random::Normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  double u, v, s;
  do {
    u = 2 * Unit() - 1;
    v = 2 * Unit() - 1;
    s = u * u + v * v;
  } while (s >= 1 || s == 0);
  const double scale = std::sqrt(-2 * std::log(s) / s);
  spare_normal_ = v * scale;
  has_spare_ = true;
  return u * scale;
}

double Random::LogNormal(double median, double sigma) {
  return median * std::exp(sigma * Normal());
}

double Random::Exponential(double mean) { return -mean * std::log1p(-Unit()); }

std::string Random::Uuid() {
  static constexpr char kHex[] = "0123456789abcdef";
  uint64_t high = (U64() & ~0xf000ULL) | 0x4000ULL;                        // version 4
  uint64_t low = (U64() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;  // RFC 9562 variant
  std::string text(36, '-');
  for (int i = 0, at = 0; i < 32; ++i) {
    if (at == 8 || at == 13 || at == 18 || at == 23) ++at;
    uint64_t& word = i < 16 ? high : low;
    text[at++] = kHex[word >> 60];
    word <<= 4;
  }
  return text;
}

Zipf::Zipf(size_t n, double exponent) : cumulative_(n), guide_(n + 1) {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) {
    sum += std::pow(static_cast<double>(i + 1), -exponent);
    cumulative_[i] = sum;
  }
  for (double& c : cumulative_) c /= sum;
  size_t at = 0;
  for (size_t i = 0; i <= n; ++i) {
    while (at + 1 < n && cumulative_[at] * static_cast<double>(n + 1) < static_cast<double>(i))
      ++at;
    guide_[i] = static_cast<uint32_t>(at);
  }
}

size_t Zipf::Draw(Random& random) const {
  const double u = random.Unit();
  size_t i = guide_[static_cast<size_t>(u * static_cast<double>(guide_.size()))];
  while (i + 1 < cumulative_.size() && cumulative_[i] < u) ++i;
  return i;
}

}  // namespace weft::demo
