#include "query/lang/nearest_name.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace weft::query::lang {
namespace {

constexpr size_t kLengthMax = 64;
using Row = std::array<int, kLengthMax + 1>;

// Half edits to make one byte of the other.
int ReplaceCost(char a, char b) {
  if (a == b) return 0;
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return lower(a) == lower(b) ? 1 : 2;
}

// Optimal string alignment distance, in half edits.
int Distance(std::string_view a, std::string_view b) {
  Row before{}, above{}, row{};
  for (size_t j = 0; j <= b.size(); ++j) above[j] = static_cast<int>(2 * j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(2 * i);
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] =
          std::min({above[j] + 2, row[j - 1] + 2, above[j - 1] + ReplaceCost(a[i - 1], b[j - 1])});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 2);
    }
    before = above;
    above = row;
  }
  return above[b.size()];
}

}  // namespace

std::string_view NearestName(std::string_view name, std::span<const std::string_view> candidates) {
  if (name.empty() || name.size() > kLengthMax) return {};
  std::string_view best;
  int best_distance =
      std::min(5, static_cast<int>(name.size()));  // up to two edits, one in short names
  for (std::string_view candidate : candidates) {
    if (candidate.size() > kLengthMax) continue;
    const int distance = Distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view name, std::span<const std::string_view> candidates) {
  const std::string_view best = NearestName(name, candidates);
  return best.empty() ? std::string() : "; did you mean `" + std::string(best) + "`?";
}

}  // namespace weft::query::lang
