// The binary: subcommands and their flags.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <CLI/CLI.hpp>

#include "app/commands/blocks_command.h"
#include "app/commands/check_command.h"
#include "app/commands/delete_command.h"
#include "app/commands/diff_command.h"
#include "app/commands/doctor_command.h"
#include "app/commands/graph_command.h"
#include "app/commands/import_command.h"
#include "app/commands/query_command.h"
#include "app/commands/trace_command.h"
#include "app/commands/usage_command.h"
#include "app/config.h"
#include "app/serve.h"
#include "app/version.h"
#include "demo/demo.h"
#include "store/open_object_store.h"

namespace weft::app {
namespace {

int Fail(const Error& error) {
  std::fprintf(stderr, "weft: %s\n", error.message().c_str());
  return 1;
}

// --- serve

struct ServeFlags {
  std::string config_file;
  bool print_config = false;
  bool print_reference = false;
  std::map<std::string, std::string> settings;  // by key; only those that were given
};

int Serve(const ServeFlags& flags) {
  if (flags.print_reference) {
    std::fputs(PrintReference().c_str(), stdout);
    return 0;
  }
  ConfigSources sources;
  sources.environment = [](const char* name) -> const char* { return std::getenv(name); };
  sources.flags = flags.settings;
  if (!flags.config_file.empty()) {
    std::ifstream file(flags.config_file);
    if (!file)
      return Fail(Error(ErrorCode::kNotFound, "can't read the settings file " + flags.config_file));
    std::stringstream text;
    text << file.rdbuf();
    sources.file_text = text.str();
    sources.file_name = flags.config_file;
  }
  const auto reading = ReadConfig(sources);
  if (!reading.ok()) return Fail(reading.error());
  if (flags.print_config) {
    std::fputs(PrintConfig(*reading).c_str(), stdout);
    return 0;
  }
  return RunServe(*reading);
}

void AddServe(CLI::App* root, int* exit_code) {
  auto flags = std::make_shared<ServeFlags>();
  CLI::App* command =
      root->add_subcommand("serve", "Run the server: receivers, storage, query API and UI");
  command->add_option("--config", flags->config_file, "settings as a YAML file")->type_name("FILE");
  command->add_flag("--print-config", flags->print_config, "print the effective settings and exit");
  command->add_flag("--print-reference", flags->print_reference,
                    "print all settings as a Markdown table and exit");
  for (const Setting& setting : Settings()) {
    CLI::Option* option = command->add_option_function<std::string>(
        "--" + FlagName(setting.key),
        [flags, key = setting.key](const std::string& text) { flags->settings[key] = text; },
        setting.help + " [" + setting.default_text + "]");
    option->type_name("");
    // The flag alone, or --flag=false.
    if (setting.is_switch) option->expected(0, 1)->run_callback_for_default()->default_str("true");
  }
  command->callback([flags, exit_code] { *exit_code = Serve(*flags); });
}

// --- demo

std::atomic<bool> g_interrupted{false};

void OnInterrupt(int) { g_interrupted = true; }

void AddDemo(CLI::App* root, int* exit_code) {
  auto options = std::make_shared<demo::DemoOptions>();
  CLI::App* command =
      root->add_subcommand("demo", "Send the traces of a shop of services, with troubles to find");
  command->add_option("--otlp", options->otlp_http, "where to send: OTLP/HTTP")
      ->capture_default_str();
  command
      ->add_option("--rate", options->requests_per_second,
                   "requests of shoppers a second, about 14 spans each")
      ->capture_default_str();
  command->add_option("--seconds", options->seconds, "how long; 0 for ever")->capture_default_str();
  command->add_option("--history", options->history_seconds, "seconds of the past to send first")
      ->capture_default_str();
  command->add_option("--tenant", options->tenant, "X-Scope-OrgID to send");
  command->add_option("--seed", options->seed, "another seed is another shop")
      ->capture_default_str();
  command->callback([options, exit_code] {
    std::signal(SIGINT, OnInterrupt);
    std::signal(SIGTERM, OnInterrupt);
    options->stop = &g_interrupted;
    *exit_code = demo::RunDemo(*options);
  });
}

// --- commands that talk to a server or read its folder

void AddImport(CLI::App* root, int* exit_code) {
  auto options = std::make_shared<commands::ImportOptions>();
  CLI::App* command = root->add_subcommand(
      "import", "Send files of OTLP (protobuf or JSON lines; plain, gzip or zstd) to a server");
  command->add_option("files", options->files, "files to read; - is standard input")
      ->required()
      ->type_name("FILE");
  command->add_option("--otlp", options->otlp,
                      "OTLP/HTTP address; default: that of the server on --data");
  command->add_option("--data", options->data_dir, "data folder of a running server")
      ->capture_default_str();
  command->add_option("--tenant", options->tenant, "X-Scope-OrgID to send");
  command->add_flag("--restart", options->restart,
                    "begin anew instead of where an interrupted import stopped");
  command->callback([options, exit_code] { *exit_code = commands::RunImport(*options); });
}

void AddServerChoice(CLI::App* command, commands::ServerChoice* server) {
  command->add_option("--server", server->server,
                      "address of the server, as http://127.0.0.1:3200");
  command
      ->add_option("--data", server->data_dir,
                   "or: data folder of a running server on this machine")
      ->capture_default_str();
  command->add_option("--tenant", server->tenant, "X-Scope-OrgID to ask as");
}

void AddTimes(CLI::App* command, commands::TimeFlags* times) {
  command->add_option("--since", times->since,
                      "only spans that started so long ago at most, as 1h");
  command->add_option("--start", times->start,
                      "only spans that started then or later: RFC 3339, ns, or now-15m");
  command->add_option("--end", times->end, "only spans that started before");
}

void AddQuery(CLI::App* root, int* exit_code) {
  auto options = std::make_shared<commands::QueryOptions>();
  CLI::App* command =
      root->add_subcommand("query", "Find traces with TraceQL, or count their spans");
  command->add_option("query", options->query, "for example '{ status = error && duration > 1s }'")
      ->type_name("TRACEQL");
  command->add_option("--limit", options->limit, "traces, newest first; groups, greatest first")
      ->capture_default_str();
  AddTimes(command, &options->times);
  command->add_flag("--json", options->json, "one JSON object a line");
  command->add_flag("--all", options->all, "every page of the answer");
  command->add_flag("--explain", options->explain,
                    "also what the server did: the plan, what it read and skipped, where the time "
                    "went");
  AddServerChoice(command, &options->server);
  command->callback([options, exit_code] { *exit_code = commands::RunQuery(*options); });
}

void AddGraph(CLI::App* root, int* exit_code) {
  auto options = std::make_shared<commands::GraphOptions>();
  CLI::App* command = root->add_subcommand(
      "graph", "Show which services, databases, queues and third parties call each other");
  command
      ->add_option("query", options->query,
                   "only calls of which it finds a span, for example '{ status = error }'")
      ->type_name("TRACEQL");
  AddTimes(command, &options->times);
  command->add_flag("--json", options->json, "one JSON object a line: an edge");
  AddServerChoice(command, &options->server);
  command->callback([options, exit_code] { *exit_code = commands::RunGraph(*options); });
}

void AddDoctor(CLI::App* root, int* exit_code) {
  auto options = std::make_shared<commands::DoctorOptions>();
  CLI::App* command = root->add_subcommand(
      "doctor", "Say where traces fall into pieces, who is likely to blame, and what to do");
  command->add_option("service", options->service, "only what concerns this service");
  AddTimes(command, &options->times);
  command->add_flag("--json", options->json, "one JSON object a line: a finding");
  AddServerChoice(command, &options->server);
  command->callback([options, exit_code] { *exit_code = commands::RunDoctor(*options); });
}

void AddDelete(CLI::App* root, int* exit_code) {
  auto options = std::make_shared<commands::DeleteOptions>();
  CLI::App* command = root->add_subcommand(
      "delete", "Delete spans for good: those that match a query, or whole traces");
  command
      ->add_option("query", options->query, "the spans to delete, for example '{ .user.id = 17 }'")
      ->type_name("TRACEQL");
  command->add_option("--trace", options->traces, "or: this trace, whole; may be repeated")
      ->type_name("ID");
  command->add_option("--start", options->start,
                      "only spans that started then or later: RFC 3339, ns, or now-15m");
  command->add_option("--end", options->end, "only spans that started before");
  command->add_option("--by", options->requested_by, "who asks, for the report [the login name]");
  command->add_flag("--dry-run", options->dry_run, "only say how much it would delete");
  command->add_flag("--list", options->list, "what was deleted, newest first");
  command->add_flag("--json", options->json, "one JSON object a line");
  AddServerChoice(command, &options->server);
  command->callback([options, exit_code] { *exit_code = commands::RunDelete(*options); });
}

void AddTrace(CLI::App* root, int* exit_code) {
  auto options = std::make_shared<commands::TraceOptions>();
  CLI::App* command = root->add_subcommand("trace", "Show one trace");
  command->add_option("id", options->id, "trace id, hex digits")->required()->type_name("ID");
  command->add_flag("--json", options->json, "as columns, what the UI reads");
  command->add_flag("--otlp", options->otlp, "as OTLP/JSON");
  AddServerChoice(command, &options->server);
  command->callback([options, exit_code] { *exit_code = commands::RunTrace(*options); });
}

void AddDiff(CLI::App* root, int* exit_code) {
  auto options = std::make_shared<commands::DiffOptions>();
  CLI::App* command = root->add_subcommand("diff", "Say what is different about two traces");
  command->add_option("base", options->base, "trace id, hex digits")
      ->required()
      ->type_name("TRACE");
  command->add_option("compare", options->compare, "the trace that is held against it")
      ->required()
      ->type_name("TRACE");
  command->add_option("--limit", options->limit, "spans shown")->capture_default_str();
  command->add_flag("--json", options->json, "the answer of the API");
  AddServerChoice(command, &options->server);
  command->callback([options, exit_code] { *exit_code = commands::RunDiff(*options); });
}

void AddBlockPlace(CLI::App* command, commands::BlockPlace* place) {
  command->add_option("--data", place->data_dir, "data folder")->capture_default_str();
  command
      ->add_option("--store", place->store,
                   "or: the object store, as `weft serve --store` has it; without it, the one that "
                   "a server running on the data folder uses")
      ->envname(EnvironmentName("store"));
}

void AddBlocks(CLI::App* root, int* exit_code) {
  auto options = std::make_shared<commands::BlocksOptions>();
  CLI::App* command = root->add_subcommand(
      "blocks",
      "List the blocks of a data folder or object store, with or without a running server");
  AddBlockPlace(command, &options->place);
  command->add_flag("--json", options->json, "one JSON object a line");
  command->callback([options, exit_code] { *exit_code = commands::RunBlocks(*options); });
}

void AddUsage(CLI::App* root, int* exit_code) {
  auto options = std::make_shared<commands::UsageOptions>();
  CLI::App* command = root->add_subcommand(
      "usage", "Say whose the bytes of a data folder or object store are, to the byte");
  AddBlockPlace(command, &options->place);
  command->add_option("--by", options->by, "tenant, service, operation or attribute")
      ->capture_default_str();
  command->add_option("--tenant", options->tenant, "only this tenant");
  command->add_option("--start", options->start,
                      "only blocks whose latest span started then or later: RFC 3339, ns, now-1h");
  command->add_option("--end", options->end, "and before");
  command->add_option("--limit", options->limit, "rows, the largest; 0: all")
      ->capture_default_str();
  command->add_flag("--json", options->json, "one JSON object a line");
  command->callback([options, exit_code] { *exit_code = commands::RunUsage(*options); });
}

void AddCheck(CLI::App* root, int* exit_code) {
  auto options = std::make_shared<commands::CheckOptions>();
  CLI::App* command = root->add_subcommand(
      "check", "Read every byte of stored blocks and say what is wrong with them");
  command->add_option("blocks", options->blocks, "block ids; all when none is named")
      ->type_name("BLOCK");
  AddBlockPlace(command, &options->place);
  command->callback([options, exit_code] { *exit_code = commands::RunCheck(*options); });
}

int Main(int argc, char** argv) {
  CLI::App root("weft: distributed tracing in one binary");
  root.require_subcommand(1);
  root.set_help_all_flag("--help-all", "help of all subcommands");
  int exit_code = 0;
  AddServe(&root, &exit_code);
  AddDemo(&root, &exit_code);
  AddImport(&root, &exit_code);
  AddQuery(&root, &exit_code);
  AddGraph(&root, &exit_code);
  AddDoctor(&root, &exit_code);
  AddTrace(&root, &exit_code);
  AddDiff(&root, &exit_code);
  AddDelete(&root, &exit_code);
  AddBlocks(&root, &exit_code);
  AddCheck(&root, &exit_code);
  AddUsage(&root, &exit_code);
  root.add_subcommand("version", "Print the version")->callback([] {
    std::printf("weft %s\n", kVersion);
  });
  CLI11_PARSE(root, argc, argv);
  return exit_code;
}

}  // namespace
}  // namespace weft::app

int main(int argc, char** argv) {
#ifdef __GLIBC__
  // Large arrays go back to the system when they are freed. Left to itself glibc raises this bound
  // to the largest array freed so far, and keeps the holes (measured: 70 of 460 MB at 50,000
  // spans/s).
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  // What is free at the end of a heap stays until ReturnFreeMemory. Given back at once, as glibc
  // does from 128 KiB on, it is asked for again at once: 0.25 page faults a span instead of 0.11,
  // and 0.3 us of the kernel's time.
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
  const int exit_code = weft::app::Main(argc, argv);
  weft::store::CloseObjectStores();
  return exit_code;
}
