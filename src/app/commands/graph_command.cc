#include "app/commands/graph_command.h"

#include <boost/json.hpp>

#include "api/time_text.h"
#include "app/commands/json_fields.h"
#include "app/commands/progress_bar.h"
#include "app/commands/text_table.h"

namespace weft::app::commands {
namespace {

namespace json = boost::json;

std::string EndOf(const json::value& edge, std::string_view end) {
  const json::value* node = MemberOf(&edge, end);
  const std::string name = TextOf(node, "name");
  const std::string kind = TextOf(node, "kind");
  const std::string system = TextOf(node, "system");
  std::string out = name.empty() ? "(no name)" : name;
  if (kind == "service" || kind == "user" || kind == "missing") return out;
  return out + " (" + (system.empty() ? kind : system) + ")";
}

// Durations as the server saw them, or where it sends no spans its clients.
const json::value* DurationsOf(const json::value& edge) {
  const json::value* of_server = MemberOf(&edge, "serverDurations");
  return NumberOf(of_server, "count") != 0 ? of_server : MemberOf(&edge, "clientDurations");
}

std::string DurationOf(const json::value* durations, std::string_view quantile) {
  return api::FormatDuration(static_cast<int64_t>(NumberOf(durations, quantile)));
}

std::string CountOf(const json::value& edge, std::string_view name) {
  const uint64_t count = NumberOf(&edge, name);
  return count == 0 ? "" : FormatCount(count);
}

void AddRow(const json::value& edge, TextTable* table) {
  const json::value* durations = DurationsOf(edge);
  const std::string via = TextOf(&edge, "via");
  table->AddRow({EndOf(edge, "client"), EndOf(edge, "server") + (via.empty() ? "" : " via " + via),
                 FormatCount(NumberOf(&edge, "requests")), CountOf(edge, "failed"),
                 CountOf(edge, "torn"), CountOf(edge, "unanswered"), DurationOf(durations, "p50Ns"),
                 DurationOf(durations, "p95Ns"), DurationOf(durations, "p99Ns")},
                NumberOf(&edge, "failed") == 0 ? Colour::kPlain : Colour::kRed);
}

void Print(const json::value& answer, bool as_json, const Console& console) {
  TextTable table({{"CLIENT", false, true},
                   {"SERVER", false, true},
                   {"REQUESTS", true},
                   {"FAILED", true},
                   {"TORN", true},
                   {"UNANSWERED", true},
                   {"P50", true},
                   {"P95", true},
                   {"P99", true}});
  const json::value* edges = MemberOf(&answer, "edges");
  if (edges != nullptr && edges->is_array()) {
    for (const json::value& edge : edges->get_array()) {
      if (as_json) {
        console.out.Print(JsonText(edge) + "\n");
      } else {
        AddRow(edge, &table);
      }
    }
  }
  if (!table.empty()) table.Print(console.out);
  if (!as_json && table.empty()) console.err.Print("no service calls another\n");
}

}  // namespace

int RunGraph(const GraphOptions& options, const Console& console) {
  if (const Error error = CheckTimes(options.times); !error.ok()) {
    console.Complain(error.message());
    return kExitWrong;
  }
  std::string target = "/api/v1/service-graph";
  AddParameter("q", options.query, &target);
  AddTimes(options.times, &target);
  int exit_code = 0;
  const auto answer = Ask(options.server, target, options.query, console, &exit_code);
  if (!answer) return exit_code;
  Print(*answer, options.json || !console.out.is_terminal, console);
  return CheckComplete(*answer, console) ? 0 : kExitFailed;
}

}  // namespace weft::app::commands
