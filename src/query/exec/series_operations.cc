#include "query/exec/series_operations.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "query/exec/first_values.h"
#include "query/exec/span_describer.h"

namespace weft::query::exec {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Negative where a comes first.
int Compare(const FoundValue& a, const FoundValue& b) {
  if (const int names = a.name.compare(b.name); names != 0) return names;
  const auto key = [](const FoundValue& v) { return std::tie(v.type, v.number, v.real); };
  if (key(a) != key(b)) return key(a) < key(b) ? -1 : 1;
  return a.text.compare(b.text);
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

// For each step the `count` lines that are first keep their values; lines that keep none have no
// steps left.
void KeepFirst(const plan::SeriesStage& stage, std::vector<MetricLine>* lines) {
  const size_t steps = lines->empty() ? 0 : lines->front().values.size();
  const bool greatest = stage.kind == plan::SeriesStage::Kind::kTop;
  std::vector<FirstValues> first(steps, FirstValues(stage.count, greatest));
  // What a value has to pass, as lines come in their order; NaN while anything passes.
  std::vector<double> least(steps, kNone);
  for (size_t i = 0; i < lines->size(); ++i) {
    const std::vector<double>& values = (*lines)[i].values;
    for (size_t step = 0; step < steps; ++step) {
      const double value = values[step];
      if (greatest ? value <= least[step] : value >= least[step]) continue;
      if (!std::isnan(value)) least[step] = first[step].Offer(value, i);
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

bool LabelsBefore(const std::vector<FoundValue>& a, const std::vector<FoundValue>& b) {
  if (a.size() != b.size()) return a.size() < b.size();
  for (size_t i = 0; i < a.size(); ++i) {
    if (const int order = Compare(a[i], b[i]); order != 0) return order < 0;
  }
  return false;
}

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
