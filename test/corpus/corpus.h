// The corpus: for each query language a folder of .test files, in which a user can read what a
// query answers. The form is described in test/corpus/README.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "block/row_source.h"
#include "query/exec/search.h"
#include "query/lang/traceql/compile.h"
#include "query/plan/plan.h"
#include "query/query_error.h"
#include "test/corpus/spans_text.h"

namespace weft::corpus {

// One query and what it answers.
struct Case {
  uint32_t line = 0;  // of the query in its file
  std::string query;
  std::vector<std::string> expected;  // lines, trimmed
  // From the line of options before it.
  uint32_t limit = 1000;
  uint32_t spans = 100;
  bool values = false;   // show what spans have of the query's fields
  uint64_t step_ns = 0;  // of a metric's samples; 0 for a search
  TimeRange range;
  // Tempo's with `compat=tempo`.
  query::lang::traceql::Dialect dialect = query::lang::traceql::Dialect::kWeft;
  // `graph`: the service graph of the calls that the query finds; `propagation`: what is broken
  // between them; `paths`: what critical_path() or what_if() answers; empty: traces.
  std::string about;
};

struct TestFile {
  std::string path;
  SpanSet spans;
  std::vector<Case> cases;
};

// Reads a .test file and what it uses.
Result<TestFile> ReadTestFile(const std::string& path);

// Where the spans are while the cases run. `make` may be called from one thread at a time; what it
// returns may own whatever keeps the rows alive.
struct Placement {
  std::string name;
  std::function<Result<std::shared_ptr<const block::RowSource>>(const model::SpanBatch& spans)>
      make;
  // Spans that are in a block already have come again and are live: until their trace is cut,
  // whatever counts spans counts them twice.
  bool counts_twice = false;
};

using Compiler = std::function<query::QueryResult<query::plan::Plan>(std::string_view text)>;

// What the case answers there, in the words of its expectation.
std::vector<std::string> Answer(const Case& c, const SpanSet& spans, const block::RowSource& source,
                                const Compiler& compile);

// Registers one GoogleTest for each file of test/corpus/`language` and each placement. To be called
// before RUN_ALL_TESTS.
void RegisterCorpus(const std::string& language, const Compiler& compile,
                    const std::vector<Placement>& placements);

// Rows in memory: all in one group, one group a trace, one group a span, and every other span
// elsewhere.
std::vector<Placement> MemoryPlacements();

// Rows in blocks that are written and read back: one block, small row groups and pages, every other
// span in another block.
std::vector<Placement> BlockPlacements();

}  // namespace weft::corpus
