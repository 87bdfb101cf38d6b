// weft_write_span_table: the workload of weft_otlp_load (the same seed, the same spans) as Arrow
// files, for the other stores of `./dev bench ingest`.
//
// usage: weft_write_span_table --spans N --rows N --seed N --folder FOLDER --samples FILE
#include <cstdio>
#include <iostream>

#include <CLI/CLI.hpp>

#include "base/env.h"
#include "bench/samples.h"
#include "bench/span_table.h"
#include "bench/traffic.h"
#include "receive/otlp/decode_proto.h"

namespace weft::bench {
namespace {

struct TableOptions {
  uint64_t spans = 1'000'000;
  uint64_t rows = 100'000;  // of a file, about
  uint64_t seed = 1;
  std::string folder;
  std::string samples;
};

Error WriteNext(const TableOptions& options, uint32_t* files, SpanTable* table) {
  char name[32];
  std::snprintf(name, sizeof name, "/%05u.arrow", (*files)++);
  return table->WriteFile(options.folder + name);
}

Error WriteTables(const TableOptions& options) {
  const Traffic traffic =
      MakeTraffic(options.spans, options.seed, static_cast<uint64_t>(Env::Posix().NowNs()));
  SampleCollector samples;
  for (const demo::ExportRequest& request : traffic.requests) samples.Add(request);
  WEFT_RETURN_IF_ERROR(samples.Write(options.samples));
  SpanTable table;
  uint32_t files = 0;
  for (const demo::ExportRequest& request : traffic.requests) {
    model::SpanBatch batch;
    receive::RejectedSpans rejected;
    WEFT_RETURN_IF_ERROR(receive::otlp::DecodeTraces(request.body, {}, &batch, &rejected));
    table.Append(batch);
    if (table.spans() >= options.rows) WEFT_RETURN_IF_ERROR(WriteNext(options, &files, &table));
  }
  if (table.spans() > 0) WEFT_RETURN_IF_ERROR(WriteNext(options, &files, &table));
  std::printf("{\"spans\": %llu, \"files\": %u}\n", static_cast<unsigned long long>(traffic.spans),
              files);
  return Error::Ok();
}

int Main(int argc, char** argv) {
  TableOptions options;
  CLI::App app("The workload of ./dev bench as Arrow files");
  app.add_option("--spans", options.spans, "how many, at least");
  app.add_option("--rows", options.rows, "spans of a file, about");
  app.add_option("--seed", options.seed, "the same seed, the same spans");
  app.add_option("--folder", options.folder, "where the files go; must exist")->required();
  app.add_option("--samples", options.samples, "file for ids and values to query")->required();
  CLI11_PARSE(app, argc, argv);
  const Error error = WriteTables(options);
  if (!error.ok()) std::cerr << error.message() << "\n";
  return error.ok() ? 0 : 1;
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) { return weft::bench::Main(argc, argv); }
