// Sets of labels as small numbers, so that series are compared, grouped and matched without looking
// at texts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

namespace weft::query::prometheus {

// By name, each name once, no value empty.
using Labels = std::vector<std::pair<std::string, std::string>>;

// Sorts, and leaves out labels without a value.
void Normalize(Labels* labels);
// "" where there is none.
std::string_view ValueOf(const Labels& labels, std::string_view name);
// Adds or replaces; an empty value removes.
void SetLabel(Labels* labels, std::string_view name, std::string_view value);
// {a="b", c="d"}, as Prometheus prints a series.
std::string Print(const Labels& labels);

using LabelSet = uint32_t;

// One thread.
class LabelTable {
 public:
  // The number of a normalized set; equal sets have one number.
  LabelSet Intern(Labels labels);
  const Labels& operator[](LabelSet set) const { return *sets_[set]; }
  size_t bytes() const { return bytes_; }

 private:
  absl::flat_hash_map<std::string, LabelSet> numbers_;
  std::vector<std::unique_ptr<const Labels>> sets_;
  size_t bytes_ = 0;
};

}  // namespace weft::query::prometheus
