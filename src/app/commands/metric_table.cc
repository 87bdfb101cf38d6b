#include "app/commands/metric_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "app/commands/json_fields.h"
#include "app/commands/progress_bar.h"
#include "app/commands/text_table.h"

namespace weft::app::commands {
namespace {

namespace json = boost::json;

// The value of a label, an AnyValue of OTLP.
std::string LabelText(const json::value& label) {
  const json::value* const value = MemberOf(&label, "value");
  if (value == nullptr || !value->is_object()) return "(none)";
  for (const auto& [type, content] : value->get_object()) {
    if (content.is_string()) return std::string(content.get_string());
    return JsonText(content);
  }
  return "(none)";
}

// Names of labels, in the order in which they are met.
std::vector<std::string> LabelNames(const json::array& lines) {
  std::vector<std::string> names;
  for (const json::value& line : lines) {
    for (const json::value& label : ArrayOf(&line, "labels")) {
      std::string name = TextOf(&label, "key");
      if (std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(std::move(name));
    }
  }
  return names;
}

std::string LabelOf(const json::value& line, const std::string& name) {
  for (const json::value& label : ArrayOf(&line, "labels")) {
    if (TextOf(&label, "key") == name) return LabelText(label);
  }
  return {};
}

// Six digits say enough; whole numbers are shown whole. What is no finite number comes as a word.
std::string ValueText(const json::value& line) {
  std::string word = TextOf(&line, "value");
  if (!word.empty()) return word;
  const double value = RealOf(&line, "value");
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    const std::string digits = FormatCount(static_cast<uint64_t>(std::abs(value)));
    return value < 0 ? "-" + digits : digits;
  }
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

}  // namespace

void PrintMetricTable(const json::value& answer, uint32_t limit, const Console& console) {
  const json::array& lines = ArrayOf(&answer, "series");
  std::vector<const json::value*> order;
  for (const json::value& line : lines) order.push_back(&line);
  std::stable_sort(order.begin(), order.end(), [](const json::value* a, const json::value* b) {
    return RealOf(a, "value") > RealOf(b, "value");
  });
  const std::vector<std::string> names = LabelNames(lines);
  std::vector<TextTable::ColumnSpec> columns;
  for (const std::string& name : names) columns.push_back({name, false, true});
  columns.push_back({"VALUE", true});
  TextTable table(std::move(columns));
  const size_t shown = std::min<size_t>(order.size(), limit);
  for (size_t i = 0; i < shown; ++i) {
    std::vector<std::string> cells;
    for (const std::string& name : names) cells.push_back(LabelOf(*order[i], name));
    cells.push_back(ValueText(*order[i]));
    table.AddRow(cells);
  }
  if (order.empty()) return console.err.Print("no span matches\n");
  if (!table.empty()) table.Print(console.out);
  if (shown < order.size() && console.out.is_terminal) {
    console.err.Print(FormatCount(order.size() - shown) + " lines more: --limit N shows more\n");
  }
}

}  // namespace weft::app::commands
