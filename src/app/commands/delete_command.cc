#include "app/commands/delete_command.h"

#include <cstdlib>
#include <utility>

#include <boost/json.hpp>

#include "api/json_writer.h"
#include "api/time_text.h"
#include "app/commands/json_fields.h"
#include "app/commands/progress_bar.h"
#include "app/commands/query_command.h"
#include "app/commands/text_table.h"

namespace weft::app::commands {
namespace {

namespace json = boost::json;

// Every block of the tenant may have to be read.
constexpr uint32_t kDeleteTimeoutMs = 6 * 3'600'000;

std::string RequestedBy(const DeleteOptions& options) {
  if (!options.requested_by.empty()) return options.requested_by;
  const char* user = std::getenv("USER");
  return user == nullptr ? "" : user;
}

std::string BodyOf(const DeleteOptions& options) {
  std::string text;
  api::JsonWriter body(&text);
  body.BeginObject();
  if (!options.query.empty()) body.Field("query", options.query);
  if (!options.traces.empty()) {
    body.Key("traceIds");
    body.BeginArray();
    for (const std::string& id : options.traces) body.String(id);
    body.EndArray();
  }
  if (!options.start.empty()) body.Field("start", options.start);
  if (!options.end.empty()) body.Field("end", options.end);
  if (const std::string by = RequestedBy(options); !by.empty()) body.Field("requestedBy", by);
  if (options.dry_run) body.BoolField("dryRun", true);
  body.EndObject();
  return text;
}

std::string Plural(uint64_t count, const std::string& what) {
  return FormatCount(count) + " " + what + (count == 1 ? "" : "s");
}

std::string WhatOf(const json::value& deletion) {
  const uint64_t ids = NumberOf(&deletion, "traceIdCount");
  return ids > 0 ? Plural(ids, "trace id") : TextOf(&deletion, "query");
}

void PrintOne(const json::value& answer, const DeleteOptions& options, const Console& console) {
  const std::string counts = Plural(NumberOf(&answer, "spanCount"), "span") + " of " +
                             Plural(NumberOf(&answer, "traceCount"), "trace") + " in " +
                             Plural(NumberOf(&answer, "blockCount"), "block");
  if (options.dry_run) {
    console.out.Print("would delete " + counts + "\n");
  } else {
    console.out.Print("deleted " + counts + ": no query finds them any more\n");
    console.out.Print("deletion " + TextOf(&answer, "id") + " is " + TextOf(&answer, "state") +
                      " until compaction has rewritten the blocks: see `weft delete --list`\n");
  }
  if (const uint64_t damaged = NumberOf(&answer, "unreadableBlocks"); damaged > 0) {
    console.Complain(Plural(damaged, "block") +
                     " of this tenant can't be read and may hold more: see `weft check`");
  }
}

void PrintList(const json::value& answer, bool as_json, const Console& console) {
  const json::value* list = MemberOf(&answer, "deletions");
  if (list == nullptr || !list->is_array()) return;
  TextTable table({{"DELETION"},
                   {"CREATED"},
                   {"STATE"},
                   {"SPANS", true},
                   {"TRACES", true},
                   {"BY", false, true},
                   {"WHAT", false, true}});
  for (const json::value& deletion : list->get_array()) {
    if (as_json) {
      console.out.Print(JsonText(deletion) + "\n");
      continue;
    }
    table.AddRow({TextOf(&deletion, "id"), api::FormatTime(NumberOf(&deletion, "createdNs"), 0),
                  TextOf(&deletion, "state"), FormatCount(NumberOf(&deletion, "spanCount")),
                  FormatCount(NumberOf(&deletion, "traceCount")), TextOf(&deletion, "requestedBy"),
                  WhatOf(deletion)});
  }
  if (!table.empty()) table.Print(console.out);
}

// What is wrong with the flags; empty when nothing is.
std::string WrongFlags(const DeleteOptions& options) {
  const bool names = !options.query.empty() || !options.traces.empty();
  if (options.list) return names ? "--list stands alone" : "";
  if (!names) return "say what to delete: a TraceQL query, or --trace ID; --list shows what was";
  if (!options.query.empty() && !options.traces.empty()) {
    return "a query and --trace exclude each other";
  }
  const bool has_range = !options.start.empty() || !options.end.empty();
  if (has_range && options.query.empty()) return "--start and --end go with a query";
  return "";
}

}  // namespace

int RunDelete(const DeleteOptions& options_in, const Console& console) {
  DeleteOptions options = options_in;
  options.json |= !console.out.is_terminal;
  if (const std::string wrong = WrongFlags(options); !wrong.empty()) {
    console.Complain(wrong);
    return kExitWrong;
  }
  auto client = ApiClient::Connect(options.server, kDeleteTimeoutMs);
  if (!client.ok()) {
    console.Complain(client.error().message());
    return kExitFailed;
  }
  const auto response = options.list ? client->GetAny("/api/v1/deletions")
                                     : client->Post("/api/v1/deletions", BodyOf(options));
  if (!response.ok()) {
    console.Complain(response.error().message());
    return kExitFailed;
  }
  if (response->status != 200) return PrintRefusal(options.query, *response, console);
  const auto answer = ParseJson(response->body);
  if (!answer) {
    console.Complain("the server's answer is not JSON");
    return kExitFailed;
  }
  if (options.list) {
    PrintList(*answer, options.json, console);
  } else if (options.json) {
    console.out.Print(JsonText(*answer) + "\n");
  } else {
    PrintOne(*answer, options, console);
  }
  return 0;
}

}  // namespace weft::app::commands
