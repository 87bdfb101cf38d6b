#include "base/metrics.h"

#include <cmath>
#include <cstdio>

namespace weft {
namespace {

// A label value: backslash, quote and line feed are escaped (text format 0.0.4).
void AppendLabelValue(std::string* out, std::string_view value) {
  for (const char c : value) {
    if (c == '\n') {
      *out += "\\n";
    } else {
      if (c == '\\' || c == '"') *out += '\\';
      *out += c;
    }
  }
}

void AppendHelp(std::string* out, std::string_view help) {
  for (const char c : help) {
    if (c == '\n') {
      *out += "\\n";
    } else {
      if (c == '\\') *out += '\\';
      *out += c;
    }
  }
}

void AppendLabels(std::string* out, const MetricLabels& labels) {
  if (labels.empty()) return;
  char separator = '{';
  for (const auto& [key, value] : labels) {
    *out += separator;
    *out += key;
    *out += "=\"";
    AppendLabelValue(out, value);
    *out += '"';
    separator = ',';
  }
  *out += '}';
}

std::string FormatDouble(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", v);
  return text;
}

// What rendering needs of a series. Series are never removed, so the pointers stay good.
struct SeriesCopy {
  const MetricLabels* labels;
  const Counter* counter;
  const Gauge* gauge;
  std::function<double()> read;
};

struct FamilyCopy {
  std::string name;
  std::string help;
  bool is_counter = false;
  std::vector<SeriesCopy> series;
};

std::string FormatValue(const SeriesCopy& series) {
  if (series.counter != nullptr) return std::to_string(series.counter->value());
  if (series.read) return FormatDouble(series.read());
  return std::to_string(series.gauge->value());
}

void AppendFamily(std::string* out, const FamilyCopy& family) {
  *out += "# HELP " + family.name + " ";
  AppendHelp(out, family.help);
  *out += "\n# TYPE " + family.name + (family.is_counter ? " counter\n" : " gauge\n");
  for (const SeriesCopy& series : family.series) {
    *out += family.name;
    AppendLabels(out, *series.labels);
    *out += ' ' + FormatValue(series) + '\n';
  }
}

}  // namespace

MetricRegistry::Series& MetricRegistry::FindOrAdd(std::string_view name, std::string_view help,
                                                  bool is_counter, MetricLabels labels) {
  auto it = families_.find(name);
  if (it == families_.end()) {
    it = families_.emplace(std::string(name), Family{}).first;
    it->second.help = help;
    it->second.is_counter = is_counter;
  }
  for (const auto& series : it->second.series) {
    if (series->labels == labels) return *series;
  }
  auto& added = it->second.series.emplace_back(std::make_unique<Series>());
  added->labels = std::move(labels);
  return *added;
}

Counter& MetricRegistry::GetCounter(std::string_view name, std::string_view help,
                                    MetricLabels labels) {
  const std::lock_guard lock(mutex_);
  Series& series = FindOrAdd(name, help, true, std::move(labels));
  if (!series.counter) series.counter = std::make_unique<Counter>();
  return *series.counter;
}

Gauge& MetricRegistry::GetGauge(std::string_view name, std::string_view help, MetricLabels labels) {
  const std::lock_guard lock(mutex_);
  Series& series = FindOrAdd(name, help, false, std::move(labels));
  if (!series.gauge) series.gauge = std::make_unique<Gauge>();
  return *series.gauge;
}

void MetricRegistry::AddGaugeFunction(std::string_view name, std::string_view help,
                                      MetricLabels labels, std::function<double()> read) {
  const std::lock_guard lock(mutex_);
  FindOrAdd(name, help, false, std::move(labels)).read = std::move(read);
}

uint64_t MetricRegistry::SumCounter(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto it = families_.find(name);
  uint64_t sum = 0;
  if (it == families_.end()) return sum;
  for (const auto& series : it->second.series) {
    if (series->counter) sum += series->counter->value();
  }
  return sum;
}

std::string MetricRegistry::RenderPrometheus() const {
  // Gauge functions belong to other rooms and may take their own locks, or ask for a metric: they
  // are copied under our lock and called without it.
  std::vector<FamilyCopy> families;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, family] : families_) {
      FamilyCopy& copy =
          families.emplace_back(FamilyCopy{name, family.help, family.is_counter, {}});
      for (const auto& series : family.series) {
        copy.series.push_back(
            {&series->labels, series->counter.get(), series->gauge.get(), series->read});
      }
    }
  }
  std::string out;
  for (const FamilyCopy& family : families) AppendFamily(&out, family);
  return out;
}

}  // namespace weft
