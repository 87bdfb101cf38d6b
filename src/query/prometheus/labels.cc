#include "query/prometheus/labels.h"

#include <algorithm>

#include "query/lang/promql/tree.h"

namespace weft::query::prometheus {

void Normalize(Labels* labels) {
  std::erase_if(*labels, [](const auto& label) { return label.second.empty(); });
  std::ranges::sort(*labels);
}

std::string_view ValueOf(const Labels& labels, std::string_view name) {
  const auto found = std::ranges::find(labels, name, &Labels::value_type::first);
  return found == labels.end() ? std::string_view() : std::string_view(found->second);
}

void SetLabel(Labels* labels, std::string_view name, std::string_view value) {
  const auto at = std::ranges::lower_bound(*labels, name, {}, &Labels::value_type::first);
  const bool found = at != labels->end() && at->first == name;
  if (value.empty()) {
    if (found) labels->erase(at);
  } else if (found) {
    at->second = value;
  } else {
    labels->emplace(at, std::string(name), std::string(value));
  }
}

std::string Print(const Labels& labels) {
  std::string out(ValueOf(labels, lang::promql::kNameLabel));
  const bool named = !out.empty();
  if (named && labels.size() == 1) return out;
  out += "{";
  const char* comma = "";
  for (const auto& [name, value] : labels) {
    if (name == lang::promql::kNameLabel) continue;
    out += comma + name + "=\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out += "\"";
    comma = ", ";
  }
  return out + "}";
}

LabelSet LabelTable::Intern(Labels labels) {
  std::string key;
  for (const auto& [name, value] : labels) {
    key += std::to_string(name.size()) + ':' + std::to_string(value.size()) + ':' + name + value;
  }
  const size_t bytes = 2 * key.size() + 64 * labels.size() + 128;
  const auto [found, is_new] =
      numbers_.try_emplace(std::move(key), static_cast<LabelSet>(sets_.size()));
  if (is_new) {
    sets_.push_back(std::make_unique<const Labels>(std::move(labels)));
    bytes_ += bytes;
  }
  return found->second;
}

}  // namespace weft::query::prometheus
