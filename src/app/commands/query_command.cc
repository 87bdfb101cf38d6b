#include "app/commands/query_command.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>

#include "api/json_writer.h"
#include "api/time_text.h"
#include "app/commands/explanation_text.h"
#include "app/commands/json_fields.h"
#include "app/commands/metric_table.h"
#include "app/commands/path_table.h"
#include "app/commands/progress_bar.h"
#include "app/commands/text_table.h"
#include "base/utf8.h"
#include "query/lang/traceql/compile.h"

namespace weft::app::commands {
namespace {

namespace json = boost::json;

// The start of a target: what every kind of query has.
std::string TargetOf(std::string_view path, const QueryOptions& options) {
  std::string target(path);
  AddParameter("q", options.query, &target);
  AddTimes(options.times, &target);
  if (options.explain) AddParameter("explain", "true", &target);
  return target;
}

// As one more line of JSON, or for people.
void PrintExplanationOf(const json::value& answer, bool as_json, const Console& console) {
  if (!as_json) return PrintExplanation(answer, console.out);
  const json::value* const explained = MemberOf(&answer, "explain");
  if (explained != nullptr) {
    console.out.Print("{\"explain\":" + JsonText(*explained) + "}\n");
  }
}

std::string SearchTarget(const QueryOptions& options, const std::string& cursor) {
  std::string target = TargetOf("/api/v1/search", options);
  AddParameter("limit", std::to_string(options.limit), &target);
  AddParameter("spansPerTrace", options.json ? "3" : "0", &target);
  AddParameter("cursor", cursor, &target);
  return target;
}

std::string RootOf(const json::value& trace) {
  const std::string service = TextOf(&trace, "rootService");
  const std::string name = TextOf(&trace, "rootName");
  if (service.empty() && name.empty()) return "(root not seen yet)";
  return service + ": " + name;
}

void AddRow(const json::value& trace, TextTable* table) {
  const uint64_t errors = NumberOf(&trace, "errorCount");
  table->AddRow({TextOf(&trace, "traceId"), api::FormatTime(NumberOf(&trace, "startNs"), 3),
                 api::FormatDuration(static_cast<int64_t>(NumberOf(&trace, "durationNs"))),
                 FormatCount(NumberOf(&trace, "spanCount")), errors == 0 ? "" : FormatCount(errors),
                 FormatCount(NumberOf(&trace, "matched")), RootOf(trace)},
                errors == 0 ? Colour::kPlain : Colour::kRed);
}

TextTable NewTable() {
  return TextTable({{"TRACE"},
                    {"START"},
                    {"DURATION", true},
                    {"SPANS", true},
                    {"ERRORS", true},
                    {"MATCHED", true},
                    {"ROOT", false, true}});
}

// Prints one page. Its cursor to the next one; empty on the last.
std::string PrintPage(const json::value& page, bool as_json, const Console& console) {
  TextTable table = NewTable();
  const json::value* traces = MemberOf(&page, "traces");
  if (traces != nullptr && traces->is_array()) {
    for (const json::value& trace : traces->get_array()) {
      if (as_json) {
        console.out.Print(JsonText(trace) + "\n");
      } else {
        AddRow(trace, &table);
      }
    }
  }
  if (!table.empty()) table.Print(console.out);
  return TextOf(&page, "nextCursor");
}

// What a page says about itself, for people. Whether the answer is whole.
bool PrintNotes(const json::value& page, bool last, bool all, const Console& console) {
  const bool is_complete = CheckComplete(page, console);
  const json::value* traces = MemberOf(&page, "traces");
  const bool empty = traces == nullptr || !traces->is_array() || traces->get_array().empty();
  if (!console.out.is_terminal) return is_complete;
  if (empty && last && is_complete) console.err.Print("no trace matches\n");
  if (!last && !all)
    console.err.Print("there are more: --limit N for a longer page, --all for everything\n");
  return is_complete;
}

// A query that ends in critical_path() or what_if().
int RunPathQuery(const QueryOptions& options, const Console& console) {
  std::string target = TargetOf("/api/v1/critical-path", options);
  AddParameter("limit", std::to_string(options.limit), &target);
  int exit_code = 0;
  const auto answer = Ask(options.server, target, options.query, console, &exit_code);
  if (!answer) return exit_code;
  if (options.json) {
    console.out.Print(JsonText(*answer) + "\n");
  } else {
    PrintPathTable(*answer, console.out);
    PrintExplanation(*answer, console.out);
  }
  return CheckComplete(*answer, console) ? 0 : kExitFailed;
}

// A query that ends in metrics: one number a line, of the whole range.
int RunMetricQuery(const QueryOptions& options, const Console& console) {
  int exit_code = 0;
  const auto answer = Ask(options.server, TargetOf("/api/metrics/query", options), options.query,
                          console, &exit_code);
  if (!answer) return exit_code;
  if (options.json) {
    for (const json::value& line : ArrayOf(&*answer, "series"))
      console.out.Print(JsonText(line) + "\n");
  } else {
    PrintMetricTable(*answer, options.limit, console);
  }
  PrintExplanationOf(*answer, options.json, console);
  const bool is_partial = TextOf(&*answer, "status") == "PARTIAL";
  if (is_partial) console.Complain("the answer is not complete: " + TextOf(&*answer, "message"));
  return is_partial ? kExitFailed : 0;
}

}  // namespace

std::string UnderlineQuery(std::string_view query, uint64_t line, uint64_t column,
                           uint64_t length) {
  for (uint64_t i = 1; i < line; ++i) {
    const size_t end = query.find('\n');
    if (end == std::string_view::npos) return {};
    query.remove_prefix(end + 1);
  }
  query = query.substr(0, query.find('\n'));
  size_t at = 0;
  for (uint64_t i = 1; i < column && at < query.size(); ++i) {
    at += std::max<size_t>(1, Utf8CharacterBytes(query.substr(at)));
  }
  const std::string shown = Printable(query);
  const size_t before = DisplayWidth(Printable(query.substr(0, at)));
  const size_t width = DisplayWidth(Printable(query.substr(at, length)));
  return "  " + shown + "\n  " + std::string(before, ' ') +
         std::string(std::max<size_t>(1, width), '^') + "\n";
}

int PrintRefusal(const std::string& query, const net::HttpResponse& response,
                 const Console& console) {
  console.Complain(ErrorOfAnswer(response).message());
  const auto body = ParseJson(response.body);
  const json::value* error = body ? MemberOf(&*body, "error") : nullptr;
  const uint64_t line = NumberOf(error, "line");
  if (line > 0) {
    const std::string place =
        UnderlineQuery(query, line, NumberOf(error, "column"), NumberOf(error, "length"));
    console.err.Print(place);
  }
  return response.status == 400 || response.status == 501 ? kExitWrong : kExitFailed;
}

int RunQuery(const QueryOptions& options_in, const Console& console) {
  QueryOptions options = options_in;
  options.json |= !console.out.is_terminal;
  if (const Error error = CheckTimes(options.times); !error.ok()) {
    console.Complain(error.message());
    return kExitWrong;
  }
  namespace traceql = query::lang::traceql;
  if (traceql::CompilePath(options.query).ok()) return RunPathQuery(options, console);
  if (traceql::CompileMetrics(options.query).ok()) return RunMetricQuery(options, console);
  auto client = ApiClient::Connect(options.server);
  if (!client.ok()) {
    console.Complain(client.error().message());
    return kExitFailed;
  }
  bool complete = true;
  std::string cursor;
  do {
    const auto response = client->GetAny(SearchTarget(options, cursor));
    if (!response.ok()) {
      console.Complain(response.error().message());
      return kExitFailed;
    }
    if (response->status != 200) return PrintRefusal(options.query, *response, console);
    const auto page = ParseJson(response->body);
    if (!page) {
      console.Complain("the server's answer is not JSON");
      return kExitFailed;
    }
    cursor = PrintPage(*page, options.json, console);
    PrintExplanationOf(*page, options.json, console);
    complete &= PrintNotes(*page, cursor.empty(), options.all, console);
  } while (options.all && !cursor.empty());
  return complete ? 0 : kExitFailed;
}

}  // namespace weft::app::commands
