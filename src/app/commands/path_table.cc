#include "app/commands/path_table.h"

#include <array>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "api/time_text.h"
#include "app/commands/json_fields.h"
#include "app/commands/progress_bar.h"
#include "app/commands/text_table.h"

namespace weft::app::commands {
namespace {

namespace json = boost::json;

std::string Percent(double share, bool sign) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), sign ? "%+.1f %%" : "%.1f %%", 100 * share);
  return text.data();
}

std::string DurationOf(const json::value* of, std::string_view name) {
  return api::FormatDuration(static_cast<int64_t>(NumberOf(of, name)));
}

std::string LabelText(const json::value& label) {
  const json::value* value = MemberOf(&label, "value");
  if (value == nullptr || value->is_null()) return "(none)";
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_bool()) return value->get_bool() ? "true" : "false";
  return value->is_number() ? std::to_string(value->to_number<double>()) : "";
}

void PrintGroups(const json::value& answer, const Stream& out) {
  const json::array& groups = ArrayOf(&answer, "groups");
  const auto total = static_cast<double>(NumberOf(&answer, "totalNs"));
  std::vector<TextTable::ColumnSpec> columns;
  if (!groups.empty()) {
    for (const json::value& label : ArrayOf(&groups[0], "labels"))
      columns.push_back({TextOf(&label, "name"), false, true});
  }
  for (const char* heading : {"TIME", "SHARE", "SPANS", "TRACES"})
    columns.push_back({heading, true});
  TextTable table(std::move(columns));
  for (const json::value& group : groups) {
    std::vector<std::string> cells;
    for (const json::value& label : ArrayOf(&group, "labels")) cells.push_back(LabelText(label));
    const uint64_t own_ns = NumberOf(&group, "ownNs");
    cells.push_back(api::FormatDuration(static_cast<int64_t>(own_ns)));
    cells.push_back(Percent(total == 0 ? 0 : static_cast<double>(own_ns) / total, false));
    cells.push_back(FormatCount(NumberOf(&group, "spans")));
    cells.push_back(FormatCount(NumberOf(&group, "traces")));
    table.AddRow(cells);
  }
  if (!table.empty()) table.Print(out);
  std::string note = "critical paths of " + FormatCount(NumberOf(&answer, "traces")) + " traces, " +
                     DurationOf(&answer, "totalNs");
  const uint64_t count = NumberOf(&answer, "groupCount");
  if (count > groups.size()) note += "; " + FormatCount(count - groups.size()) + " groups more";
  out.Print(note + "\n");
}

void PrintWhatIf(const json::value& answer, const json::value& what_if, const Stream& out) {
  TextTable table({{"DURATION"}, {"BEFORE", true}, {"AFTER", true}, {"CHANGE", true}});
  const json::value* before = MemberOf(&what_if, "before");
  const json::value* after = MemberOf(&what_if, "after");
  constexpr std::array<std::pair<const char*, const char*>, 4> kRows = {
      {{"p50", "p50Ns"}, {"p95", "p95Ns"}, {"p99", "p99Ns"}, {"mean", "meanNs"}}};
  for (const auto& [heading, name] : kRows) {
    const auto was = static_cast<double>(NumberOf(before, name));
    const auto is = static_cast<double>(NumberOf(after, name));
    table.AddRow({heading, DurationOf(before, name), DurationOf(after, name),
                  was == 0 ? "" : Percent(is / was - 1, true)});
  }
  table.Print(out);
  out.Print(FormatCount(NumberOf(&what_if, "changedSpans")) + " spans changed in " +
            FormatCount(NumberOf(&answer, "traces")) + " traces; " +
            FormatCount(NumberOf(&what_if, "changedRoots")) + " of " +
            FormatCount(NumberOf(&answer, "roots")) + " durations with them\n");
}

}  // namespace

void PrintPathTable(const json::value& answer, const Stream& out) {
  const json::value* what_if = MemberOf(&answer, "whatIf");
  if (what_if != nullptr) {
    PrintWhatIf(answer, *what_if, out);
  } else {
    PrintGroups(answer, out);
  }
}

}  // namespace weft::app::commands
