#include "app/commands/explanation_text.h"

#include <array>
#include <cstdio>
#include <string>

#include <boost/json.hpp>

#include "app/commands/json_fields.h"
#include "app/commands/progress_bar.h"
#include "app/commands/text_table.h"

namespace weft::app::commands {
namespace {

namespace json = boost::json;

std::string Milliseconds(const json::value* of, std::string_view name) {
  const json::value* const found = MemberOf(of, name);
  const double ms = found != nullptr && found->is_number() ? found->to_number<double>() : 0;
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.2f ms", ms);
  return text.data();
}

void PrintPlan(const json::value* explained, const Stream& out) {
  out.Print("Plan\n");
  for (const json::value& line : ArrayOf(explained, "plan")) {
    if (line.is_string()) out.Print("  " + Printable(line.get_string()) + "\n");
  }
}

void PrintRowGroups(const json::value* explained, const Stream& out) {
  const json::value* const groups = MemberOf(explained, "rowGroups");
  out.Print("\nRow groups\n  read: " + FormatCount(NumberOf(groups, "read")) + ", " +
            FormatCount(NumberOf(explained, "bytesRead")) + " bytes, " +
            FormatCount(NumberOf(explained, "rows")) + " rows, of which " +
            FormatCount(NumberOf(explained, "rowsMatched")) + " match\n");
  for (const json::value& skipped : ArrayOf(groups, "skipped")) {
    out.Print("  skipped: " + FormatCount(NumberOf(&skipped, "count")) + ", " +
              Printable(TextOf(&skipped, "why")) + "\n");
  }
  const json::value* const store = MemberOf(explained, "store");
  if (NumberOf(store, "requests") + NumberOf(store, "hits") == 0) return;
  out.Print("  object store: " + FormatCount(NumberOf(store, "requests")) + " requests, " +
            FormatCount(NumberOf(store, "bytes")) + " bytes; " +
            FormatCount(NumberOf(store, "hits")) + " reads without one\n");
}

void PrintStages(const json::value* explained, const Stream& out) {
  out.Print("\nTime, summed over threads\n");
  TextTable table({{"STAGE"}, {"CALLS", true}, {"TIME", true}});
  for (const json::value& stage : ArrayOf(explained, "stages")) {
    table.AddRow({TextOf(&stage, "stage"), FormatCount(NumberOf(&stage, "calls")),
                  Milliseconds(&stage, "ms")});
  }
  if (!table.empty()) table.Print(out);
  out.Print("the whole: " + Milliseconds(explained, "elapsedMs") + ", of which " +
            Milliseconds(explained, "waitedMs") + " waiting for a thread\n");
}

}  // namespace

void PrintExplanation(const json::value& answer, const Stream& out) {
  const json::value* const explained = MemberOf(&answer, "explain");
  if (explained == nullptr) return;
  out.Print("\n");
  PrintPlan(explained, out);
  PrintRowGroups(explained, out);
  PrintStages(explained, out);
}

}  // namespace weft::app::commands
