#include "bench/load_options.h"

#include <CLI/CLI.hpp>

namespace weft::bench {

LoadCommand ReadCommandLine(int argc, char** argv) {
  LoadCommand command;
  LoadOptions& options = command.options;
  CLI::App app("Generated OTLP traffic for ./dev bench");
  app.require_subcommand(1);
  CLI::App* send = app.add_subcommand(
      "send", "send spans to a receiver; waits for a line on standard input before the first byte");
  CLI::App* baseline =
      app.add_subcommand("baseline", "walk the same bytes without a receiver, and time it");
  for (CLI::App* sub : {send, baseline}) {
    sub->add_option("--spans", options.spans, "how many, at least");
    sub->add_option("--seed", options.seed, "the same seed, the same spans");
  }
  send->add_option("--protocol", options.protocol)->check(CLI::IsMember({"http", "grpc"}));
  send->add_option("--address", options.address, "host:port")->required();
  send->add_option("--connections", options.connections)->check(CLI::Range(1, 64));
  send->add_option("--rate", options.rate, "spans a second; 0: as fast as possible");
  send->add_flag("--on-the-fly", options.on_the_fly,
                 "make the spans while they are sent instead of beforehand");
  send->add_option("--seconds", options.seconds,
                   "with --on-the-fly: stop after so long, however many were made");
  send->add_option("--window", options.window,
                   "print a line of JSON for each so many spans that are acknowledged");
  send->add_option("--samples", options.samples, "file for ids and values to query");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  command.mode = baseline->parsed() ? LoadMode::kBaseline : LoadMode::kSend;
  return command;
}

}  // namespace weft::bench
