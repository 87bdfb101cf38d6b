#include "generate/exposition.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

namespace weft::generate {
namespace {

// `name="value",...` without braces.
std::string PrintLabels(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out.push_back(',');
    out += name + "=\"";
    for (const char c : value) {
      if (c == '\n') {
        out += "\\n";
        continue;
      }
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('"');
  }
  return out;
}

std::string PrintSeconds(uint64_t time_ns) {
  std::array<char, 40> text;
  const int size = std::snprintf(text.data(), text.size(), "%llu.%03llu",
                                 static_cast<unsigned long long>(time_ns / 1'000'000'000),
                                 static_cast<unsigned long long>(time_ns / 1'000'000 % 1000));
  return {text.data(), static_cast<size_t>(size)};
}

struct Row {
  std::string labels;
  SeriesState state;
};

class Renderer {
 public:
  Renderer(TextForm form, std::string* out) : open_(form == TextForm::kOpenMetrics), out_(*out) {}

  void RenderKind(const KindNames& names, const std::vector<Row>& rows) {
    if (rows.empty()) return;
    if (!names.gauge.name.empty()) {
      Head(names.gauge.name, "gauge", names.gauge.help);
      for (const Row& row : rows) Sample(names.gauge.name, row.labels, "1");
    }
    for (size_t i = 0; i < names.counters.size(); ++i) {
      const CounterName& counter = names.counters[i];
      // OpenMetrics names a family of counters without the suffix that its samples have.
      const std::string_view family =
          open_ ? counter.name.substr(0, counter.name.rfind("_total")) : counter.name;
      Head(family, "counter", counter.help);
      for (const Row& row : rows) {
        Sample(counter.name, row.labels, std::to_string(row.state.counters[i]));
      }
    }
    for (size_t i = 0; i < names.histograms.size(); ++i) {
      Head(names.histograms[i].name, "histogram", names.histograms[i].help);
      for (const Row& row : rows) {
        RenderHistogram(names.histograms[i], row.labels, row.state.histograms[i]);
      }
    }
  }

 private:
  void Head(std::string_view family, std::string_view type, std::string_view help) {
    out_.append("# HELP ").append(family).append(" ").append(help);
    out_.append("\n# TYPE ").append(family).append(" ").append(type).append("\n");
  }

  void Sample(std::string_view name, std::string_view labels, std::string_view value) {
    Begin(name, labels, value);
    out_.push_back('\n');
  }

  void Begin(std::string_view name, std::string_view labels, std::string_view value) {
    out_.append(name).append("{").append(labels).append("} ").append(value);
  }

  void RenderHistogram(const HistogramName& name, const std::string& labels,
                       const Histogram& histogram) {
    const std::string base(name.name);
    uint64_t total = 0;
    for (uint32_t bucket = 0; bucket <= name.bounds.count; ++bucket) {
      total += histogram.counts[bucket];
      std::string with_bound = labels;
      if (!labels.empty()) with_bound.push_back(',');
      with_bound += "le=\"" + name.bounds.Text(bucket) + "\"";
      Begin(base + "_bucket", with_bound, std::to_string(total));
      if (open_) RenderExemplar(histogram.exemplars[bucket]);
      out_.push_back('\n');
    }
    Sample(base + "_sum", labels, model::LabelValue(static_cast<double>(histogram.total_ns) / 1e9));
    Sample(base + "_count", labels, std::to_string(total));
  }

  void RenderExemplar(const Exemplar& exemplar) {
    if (!exemplar.trace_id.valid()) return;
    out_ += " # {traceID=\"" + exemplar.trace_id.ToHex() + "\"} " +
            model::LabelValue(exemplar.seconds) + " " + PrintSeconds(exemplar.time_ns);
  }

  const bool open_;
  std::string& out_;
};

}  // namespace

std::string RenderSeries(const SeriesStore& store, const model::TenantId& tenant, TextForm form) {
  std::string out;
  Renderer renderer(form, &out);
  for (size_t kind = 0; kind < kKinds; ++kind) {
    std::vector<Row> rows;
    for (SeriesState& state : store.Read(tenant, static_cast<Kind>(kind))) {
      std::string labels = PrintLabels(*state.labels);
      rows.push_back({std::move(labels), std::move(state)});
    }
    std::ranges::sort(rows, {}, &Row::labels);
    renderer.RenderKind(NamesOf(static_cast<Kind>(kind)), rows);
  }
  if (form == TextForm::kOpenMetrics) out += "# EOF\n";
  return out;
}

TextForm FormOf(std::string_view accept) {
  return accept.find("application/openmetrics-text") == accept.npos ? TextForm::kPrometheus
                                                                    : TextForm::kOpenMetrics;
}

std::string_view ContentTypeOf(TextForm form) {
  return form == TextForm::kPrometheus ? "text/plain; version=0.0.4; charset=utf-8"
                                       : "application/openmetrics-text; version=1.0.0; "
                                         "charset=utf-8";
}

}  // namespace weft::generate
