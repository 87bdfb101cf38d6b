#include "query/exec/series_operations.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "query/exec/span_describer.h"

namespace weft::query::exec {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

auto KeyOf(const FoundValue& label) {
  return std::tie(label.name, label.type, label.number, label.real, label.text);
}

bool LabelsBefore(const std::vector<FoundValue>& a, const std::vector<FoundValue>& b) {
  if (a.size() != b.size()) return a.size() < b.size();
  return std::lexicographical_compare(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const FoundValue& x, const FoundValue& y) { return KeyOf(x) < KeyOf(y); });
}

struct LabelOrder {
  bool operator()(const std::vector<FoundValue>& a, const std::vector<FoundValue>& b) const {
    return LabelsBefore(a, b);
  }
};

bool HasNoLabels(const std::vector<FoundValue>& labels) {
  return labels.empty() || (labels.size() == 1 && labels[0].name == "__name__");
}

std::vector<FoundValue> WithoutName(const std::vector<FoundValue>& labels) {
  return HasNoLabels(labels) ? std::vector<FoundValue>() : labels;
}

bool Holds(plan::Compare op, double a, double b) {
  switch (op) {
    case plan::Compare::kEqual: return a == b;
    case plan::Compare::kNotEqual: return a != b;
    case plan::Compare::kLess: return a < b;
    case plan::Compare::kLessEqual: return a <= b;
    case plan::Compare::kGreater: return a > b;
    case plan::Compare::kGreaterEqual: return a >= b;
  }
  return false;
}

// The `count` values that come first of those offered; among equals those that were offered first.
class FirstValues {
 public:
  struct Entry {
    double value;
    size_t line;
  };

  FirstValues(size_t count, bool greatest) : count_(count), before_{greatest} {}

  void Offer(double value, size_t line) {
    const Entry entry{value, line};
    if (kept_.size() == count_) {
      if (count_ == 0 || !before_(entry, kept_.front())) return;
      std::pop_heap(kept_.begin(), kept_.end(), before_);
      kept_.pop_back();
    }
    kept_.push_back(entry);
    std::push_heap(kept_.begin(), kept_.end(), before_);
  }

  const std::vector<Entry>& kept() const { return kept_; }

 private:
  struct Before {
    bool greatest;
    bool operator()(const Entry& a, const Entry& b) const {
      if (a.value != b.value) return greatest ? a.value > b.value : a.value < b.value;
      return a.line < b.line;
    }
  };

  size_t count_;
  Before before_;
  std::vector<Entry> kept_;  // a heap, the last of them in front
};

// For each step the `count` lines that are first keep their values; lines that keep none have no
// steps left.
void KeepFirst(const plan::SeriesStage& stage, std::vector<MetricLine>* lines) {
  const size_t steps = lines->empty() ? 0 : lines->front().values.size();
  const bool greatest = stage.kind == plan::SeriesStage::Kind::kTop;
  std::vector<FirstValues> first(steps, FirstValues(stage.count, greatest));
  for (size_t i = 0; i < lines->size(); ++i) {
    const std::vector<double>& values = (*lines)[i].values;
    for (size_t step = 0; step < steps; ++step) {
      if (!std::isnan(values[step])) first[step].Offer(values[step], i);
    }
  }
  std::vector<bool> keeps(lines->size(), false);
  for (const FirstValues& of_step : first) {
    for (const FirstValues::Entry& entry : of_step.kept()) keeps[entry.line] = true;
  }
  for (size_t i = 0; i < lines->size(); ++i) (*lines)[i].values.assign(keeps[i] ? steps : 0, kNone);
  for (size_t step = 0; step < steps; ++step) {
    for (const FirstValues::Entry& entry : first[step].kept())
      (*lines)[entry.line].values[step] = entry.value;
  }
}

double Compute(plan::Expression::Op op, double a, double b) {
  double out = kNone;
  switch (op) {
    case plan::Expression::Op::kAdd: out = a + b; break;
    case plan::Expression::Op::kSubtract: out = a - b; break;
    case plan::Expression::Op::kMultiply: out = a * b; break;
    default: out = b == 0 ? kNone : a / b;
  }
  return std::isfinite(out) ? out : kNone;
}

MetricLine Compute(plan::Expression::Op op, const MetricLine& a, const MetricLine& b,
                   std::vector<FoundValue> labels) {
  MetricLine out{std::move(labels), {}, {}};
  for (size_t i = 0; i < a.values.size(); ++i) {
    out.values.push_back(Compute(op, a.values[i], b.values[i]));
  }
  return out;
}

void DropEmpty(std::vector<MetricLine>* lines) {
  std::erase_if(*lines, [](const MetricLine& line) {
    return std::all_of(line.values.begin(), line.values.end(),
                       [](double value) { return std::isnan(value); });
  });
}

}  // namespace

void SortLines(std::vector<MetricLine>* lines) {
  std::stable_sort(lines->begin(), lines->end(), [](const MetricLine& a, const MetricLine& b) {
    return LabelsBefore(a.labels, b.labels);
  });
}

void ApplyStage(const plan::SeriesStage& stage, std::vector<MetricLine>* lines) {
  if (stage.kind == plan::SeriesStage::Kind::kCompare) {
    for (MetricLine& line : *lines) {
      for (double& value : line.values) {
        if (!Holds(stage.compare, value, stage.number)) value = kNone;
      }
    }
  } else {
    KeepFirst(stage, lines);
  }
  DropEmpty(lines);
}

std::vector<MetricLine> JoinLines(plan::Expression::Op op, const std::vector<MetricLine>& a,
                                  const std::vector<MetricLine>& b, const std::string& name) {
  const FoundValue label =
      ToFoundValue("__name__", plan::Scalar::String(name), plan::Meaning::kPlain);
  const bool a_alone = a.size() == 1 && HasNoLabels(a[0].labels);
  const bool b_alone = b.size() == 1 && HasNoLabels(b[0].labels);
  const auto labelled = [&](std::vector<FoundValue> labels) {
    if (labels.empty()) labels.push_back(label);
    return labels;
  };
  std::vector<MetricLine> out;
  if (a_alone || b_alone) {
    const std::vector<MetricLine>& many = a_alone ? b : a;
    for (const MetricLine& line : many) {
      const std::vector<FoundValue> labels = labelled(WithoutName(line.labels));
      out.push_back(a_alone ? Compute(op, a[0], line, labels) : Compute(op, line, b[0], labels));
    }
  } else {
    std::map<std::vector<FoundValue>, const MetricLine*, LabelOrder> others;
    for (const MetricLine& line : b) others.emplace(WithoutName(line.labels), &line);
    for (const MetricLine& line : a) {
      const auto found = others.find(WithoutName(line.labels));
      if (found == others.end()) continue;
      out.push_back(Compute(op, line, *found->second, labelled(found->first)));
    }
  }
  DropEmpty(&out);
  return out;
}

}  // namespace weft::query::exec
