#include "test/corpus/corpus.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

#include "base/env.h"
#include "block/latency_bucket.h"
#include "block/operation_counts.h"
#include "query/exec/memory_source.h"
#include "query/exec/operation_series.h"
#include "query/exec/series.h"
#include "query/exec/stored_test_source.h"
#include "query/insight/propagation.h"
#include "query/insight/service_graph.h"
#include "query/insight/trace_paths.h"
#include "query/lang/traceql/compile.h"
#include "query/lang/traceql/literal_text.h"
#include "query/lang/traceql/names.h"

namespace weft::corpus {
namespace {

Error Wrong(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }

std::string Folder() {
  const char* root = std::getenv("WEFT_SOURCE_DIR");
  return std::string(root == nullptr ? "." : root) + "/test/corpus";
}

std::string_view Trim(std::string_view s) {
  const size_t begin = s.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return s.substr(begin, s.find_last_not_of(" \t\r") - begin + 1);
}

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) out.push_back(line);
  return out;
}

// A time of a range: relative to SpanSet::kEpochNs.
Result<uint64_t> ReadBound(std::string_view text) {
  WEFT_ASSIGN_OR_RETURN(const int64_t ns, ReadTime(text));
  return SpanSet::kEpochNs + static_cast<uint64_t>(ns);
}

class TestFileReader {
 public:
  explicit TestFileReader(std::string path) { out_.path = std::move(path); }

  Result<TestFile> Read() {
    WEFT_ASSIGN_OR_RETURN(const std::string text, Env::Posix().ReadWholeFile(out_.path));
    lines_ = SplitLines(text);
    while (at_ < lines_.size()) {
      const Error error = ReadPart();
      if (!error.ok()) return error.WithContext(out_.path);
    }
    return std::move(out_);
  }

 private:
  Error ReadPart() {
    const std::string& line = lines_[at_];
    const std::string_view trimmed = Trim(line);
    if (trimmed.empty() || line[0] == '#') {
      ++at_;
      return Error::Ok();
    }
    if (line == "spans") return ReadInlineSpans();
    if (line.starts_with("use ")) return Use(std::string(trimmed.substr(4)));
    if (line[0] == ' ')
      return Wrong("line " + std::to_string(at_ + 1) + ": an expectation without its query");
    return ReadCase();
  }

  Error ReadInlineSpans() {
    const auto first = static_cast<uint32_t>(++at_);
    std::string text;
    while (at_ < lines_.size() && (lines_[at_].empty() || lines_[at_][0] == ' '))
      text += lines_[at_++] + "\n";
    return ReadSpans(text, first + 1, &out_.spans);
  }

  Error Use(const std::string& name) {
    ++at_;
    WEFT_ASSIGN_OR_RETURN(const std::string text,
                          Env::Posix().ReadWholeFile(Folder() + "/data/" + name + ".spans"));
    return ReadSpans(text, 1, &out_.spans);
  }

  Error ReadCase() {
    Case c;
    if (lines_[at_][0] == '@') WEFT_RETURN_IF_ERROR(ReadOptions(lines_[at_++], &c));
    c.line = static_cast<uint32_t>(at_ + 1);
    while (at_ < lines_.size() && !lines_[at_].empty() && lines_[at_][0] != ' ') {
      if (!c.query.empty()) c.query += "\n";
      c.query += lines_[at_++];
    }
    while (at_ < lines_.size() && lines_[at_].starts_with("  "))
      c.expected.emplace_back(Trim(lines_[at_++]));
    if (c.expected.empty())
      return Wrong("line " + std::to_string(c.line) + ": nothing is expected of the query");
    if (c.query == "(empty)") c.query.clear();
    out_.cases.push_back(std::move(c));
    return Error::Ok();
  }

  // @ limit=2 spans=1 from=10ms to=20ms
  Error ReadOptions(const std::string& line, Case* c) {
    std::istringstream words(line.substr(1));
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      if (equals == std::string::npos)
        return Wrong("line " + std::to_string(at_) + ": expected name=value");
      const std::string name = word.substr(0, equals);
      const std::string value = word.substr(equals + 1);
      if (name == "limit") {
        c->limit = static_cast<uint32_t>(std::stoul(value));
      } else if (name == "spans") {
        c->spans = static_cast<uint32_t>(std::stoul(value));
      } else if (name == "step") {
        WEFT_ASSIGN_OR_RETURN(const int64_t step, ReadTime(value));
        c->step_ns = static_cast<uint64_t>(step);
      } else if (name == "compat" && value == "tempo") {
        c->dialect = query::lang::traceql::Dialect::kTempo;
      } else if (name == "about") {
        c->about = value;
      } else if (name == "values") {
        c->values = value == "true";
      } else if (name == "from") {
        WEFT_ASSIGN_OR_RETURN(c->range.start_ns, ReadBound(value));
      } else if (name == "to") {
        WEFT_ASSIGN_OR_RETURN(c->range.end_ns, ReadBound(value));
      } else {
        return Wrong("line " + std::to_string(at_) + ": unknown option " + name);
      }
    }
    return Error::Ok();
  }

  TestFile out_;
  std::vector<std::string> lines_;
  size_t at_ = 0;
};

std::string Describe(const query::QueryError& error, std::string_view query) {
  const bool unsupported = error.error.code() == ErrorCode::kUnsupported;
  std::string out = unsupported ? "unsupported " : "error ";
  out += std::to_string(error.line) + ":" + std::to_string(error.column);
  out +=
      " [" + std::string(query.substr(error.offset, error.length)) + "] " + error.error.message();
  return out;
}

std::string Describe(const query::exec::FoundValue& value) {
  std::string text;
  switch (value.type) {
    case model::ValueType::kEmpty: text = "nil"; break;
    case model::ValueType::kBool: text = value.number != 0 ? "true" : "false"; break;
    case model::ValueType::kInt: text = std::to_string(value.number); break;
    case model::ValueType::kDouble: text = query::lang::traceql::PrintFloat(value.real); break;
    default: text = value.text;
  }
  switch (value.meaning) {
    case query::plan::Meaning::kDuration: {
      const bool whole = value.type == model::ValueType::kInt;
      text = query::lang::traceql::PrintDuration(whole ? value.number : std::llround(value.real));
      break;
    }
    case query::plan::Meaning::kStatus:
      text = query::lang::traceql::StatusName(value.number);
      break;
    case query::plan::Meaning::kKind: text = query::lang::traceql::KindName(value.number); break;
    case query::plan::Meaning::kPlain: break;
  }
  return value.name + "=" + text;
}

std::string Describe(const std::vector<query::exec::FoundValue>& values) {
  std::string out;
  for (const auto& value : values) out += (out.empty() ? "" : ", ") + Describe(value);
  return out;
}

// T1: A B of 5 [count()=5] | C. With the values of spans where the case shows them.
std::string Describe(const query::exec::FoundTrace& trace, const SpanSet& spans, bool values) {
  std::string out = spans.LabelOf(trace.summary.id) + ":";
  for (const query::exec::FoundSpanset& set : trace.spansets) {
    if (&set != trace.spansets.data()) out += " |";
    for (const query::exec::FoundSpan& s : set.spans) {
      out += " " + spans.LabelOf(trace.summary.id, s.span_id, s.kind);
      if (values) out += "(" + Describe(s.values) + ")";
    }
    if (set.matched != set.spans.size()) out += " of " + std::to_string(set.matched);
    if (!set.values.empty()) out += " [" + Describe(set.values) + "]";
  }
  return out;
}

// The whole answer, page by page.
std::vector<std::string> AnswerPages(const Case& c, const SpanSet& spans,
                                     const block::RowSource& source,
                                     const query::plan::Plan& plan) {
  query::exec::TaskRunner runner(1);
  const query::exec::SearchExecutor executor(source, Env::Posix(), runner);
  query::exec::SearchRequest request{"default", c.range, c.limit, c.spans, {}};
  std::vector<std::string> out;
  do {
    if (!request.cursor.empty()) out.emplace_back("-- next page");
    const auto answer = executor.Run(plan, request, {});
    if (!answer.ok()) return {"failed: " + answer.error().message()};
    for (const auto& trace : answer->traces) out.push_back(Describe(trace, spans, c.values));
    if (!answer->complete) out.push_back("incomplete: " + answer->reason);
    request.cursor = answer->next_cursor;
  } while (!request.cursor.empty());
  if (out.empty()) out.emplace_back("nothing");
  return out;
}

std::string FormatNumber(double value) {
  std::array<char, 32> text;
  const int size = std::snprintf(text.data(), text.size(), "%.6g", value);
  return {text.data(), static_cast<size_t>(size)};
}

// name=x, p=0.5: 1 - 2.5, a value for each step, `-` where there is none.
std::string Describe(const query::exec::MetricLine& line) {
  std::string out = Describe(line.labels) + ":";
  for (double value : line.values) out += std::isnan(value) ? " -" : " " + FormatNumber(value);
  return out;
}

// Samples from the first step of the case's range to its end.
std::vector<std::string> AnswerMetric(const Case& c, const block::RowSource& source) {
  const auto expression = query::lang::traceql::CompileMetrics(c.query, c.dialect);
  if (!expression.ok()) return {Describe(expression.error(), c.query)};
  query::exec::SeriesQuery query;
  query.tenant = "default";
  query.axis = {c.range.start_ns + c.step_ns, c.step_ns,
                static_cast<uint32_t>((c.range.end_ns - c.range.start_ns) / c.step_ns)};
  query::exec::TaskRunner runner(1);
  const auto answer =
      query::exec::MetricExecutor(source, Env::Posix(), runner).Run(*expression, query, {});
  if (!answer.ok()) return {"failed: " + answer.error().message()};
  std::vector<std::string> out;
  for (const auto& line : answer->lines) out.push_back(Describe(line));
  if (!answer->complete) out.push_back("incomplete: " + answer->reason);
  if (out.empty()) out.emplace_back("nothing");
  return out;
}

// `queue orders`, or `shop` alone where it is a service.
std::string Describe(const query::insight::NodeName& node) {
  std::string out;
  if (node.kind == query::insight::NodeKind::kDatabase) out = "database ";
  if (node.kind == query::insight::NodeKind::kQueue) out = "queue ";
  if (node.kind == query::insight::NodeKind::kExternal) out = "external ";
  out += node.name.empty() ? "(no name)" : node.name;
  return node.system.empty() ? out : out + "/" + node.system;
}

// a -> b [database]: 2 requests, 1 failed (example T1). Counts of 0 are left out.
std::string Describe(const query::insight::GraphEdge& edge, const SpanSet& spans) {
  std::string out = Describe(edge.client) + " -> " + Describe(edge.server);
  std::string connection(ConnectionName(edge.connection));
  if (!edge.via.empty()) connection += " via " + edge.via;
  if (!connection.empty()) out += " [" + connection + "]";
  const query::insight::CallCounts& counts = edge.counts;
  out += ": " + std::to_string(counts.requests);
  const std::pair<const char*, uint64_t> rest[] = {{"errors", counts.errors},
                                                   {"failed", counts.failed},
                                                   {"torn", counts.torn},
                                                   {"unanswered", counts.unanswered},
                                                   {"seen by client", counts.client.count()},
                                                   {"seen by server", counts.server.count()}};
  for (const auto& [name, count] : rest) {
    if (count != 0) out += ", " + std::to_string(count) + " " + name;
  }
  return out + ", as in " + spans.LabelOf(counts.example);
}

std::vector<std::string> AnswerGraph(const Case& c, const SpanSet& spans,
                                     const block::RowSource& source,
                                     const query::plan::Plan& plan) {
  query::exec::TaskRunner runner(1);
  const query::insight::CallSurveyor surveyor(source, Env::Posix(), runner);
  const auto graph =
      MakeServiceGraph(surveyor, {.tenant = "default", .range = c.range, .spans = plan}, {});
  if (!graph.ok()) return {"failed: " + graph.error().message()};
  std::vector<std::string> out;
  for (const auto& edge : graph->edges) out.push_back(Describe(edge, spans));
  for (const auto& node : graph->nodes) {
    const uint64_t arrived = node.counts.requests;
    if (arrived == 0) continue;
    out.push_back(
        Describe(node.name) + ": " + std::to_string(arrived) +
        (node.counts.errors == 0 ? "" : ", " + std::to_string(node.counts.errors) + " errors"));
  }
  if (!graph->complete) out.push_back("incomplete: " + graph->reason);
  if (out.empty()) out.emplace_back("nothing");
  return out;
}

// context_lost a -> b: 2 of 3, culprit callee (example C1, S1).
std::string Describe(const query::insight::Finding& finding, const SpanSet& spans) {
  std::string out(FindingKindName(finding.kind));
  out += " " + finding.client + " -> " + finding.server;
  if (!finding.queue.empty()) out += " via " + finding.queue;
  out += ": " + std::to_string(finding.count);
  if (finding.of != 0) out += " of " + std::to_string(finding.of);
  out += ", culprit " + std::string(CulpritName(finding.culprit));
  if (!finding.client_library.empty()) out += ", client " + finding.client_library;
  if (!finding.server_library.empty()) out += ", server " + finding.server_library;
  if (finding.offset_ns != 0) out += finding.offset_ns > 0 ? ", ahead" : ", behind";
  if (!finding.host.empty()) out += ", host " + finding.host;
  out += ", as in " + spans.LabelOf(finding.client_example);
  if (finding.client_example == finding.server_example) return out;
  return out + " and " + spans.LabelOf(finding.server_example);
}

std::vector<std::string> AnswerPropagation(const Case& c, const SpanSet& spans,
                                           const block::RowSource& source,
                                           const query::plan::Plan& plan) {
  query::exec::TaskRunner runner(1);
  const query::insight::CallSurveyor surveyor(source, Env::Posix(), runner);
  const auto report = FindBrokenPropagation(
      surveyor, {.tenant = "default", .range = c.range, .spans = plan}, {}, {});
  if (!report.ok()) return {"failed: " + report.error().message()};
  std::vector<std::string> out;
  for (const auto& finding : report->findings) out.push_back(Describe(finding, spans));
  if (!report->complete) out.push_back("incomplete: " + report->reason);
  if (out.empty()) out.emplace_back("nothing");
  return out;
}

// 2 traces, 100ms; then a line for each group: name=x: 30ms, 2 spans, 1 traces. Or what would be:
// p50 100ms -> 80ms, p95 ...
std::vector<std::string> AnswerPaths(const Case& c, const block::RowSource& source) {
  const auto query = query::lang::traceql::CompilePath(c.query);
  if (!query.ok()) return {Describe(query.error(), c.query)};
  query::exec::TaskRunner runner(1);
  const auto answer = query::insight::PathExecutor(source, Env::Posix(), runner)
                          .Run(*query, {"default", c.range, c.limit}, {});
  if (!answer.ok()) return {"failed: " + answer.error().message()};
  using query::lang::traceql::PrintDuration;
  std::vector<std::string> out;
  out.push_back(std::to_string(answer->traces) + " traces, " + std::to_string(answer->roots) +
                " roots, " + PrintDuration(answer->total_ns));
  for (const auto& group : answer->groups) {
    out.push_back(Describe(group.labels) + ": " + PrintDuration(group.own_ns) + ", " +
                  std::to_string(group.spans) + " spans, " + std::to_string(group.traces) +
                  " traces");
  }
  if (answer->group_count > answer->groups.size())
    out.push_back(std::to_string(answer->group_count) + " groups in all");
  if (answer->kind == query::plan::PathQuery::Kind::kWhatIf) {
    const auto &was = answer->before, &is = answer->after;
    out.push_back("p50 " + PrintDuration(was.p50_ns) + " -> " + PrintDuration(is.p50_ns) +
                  ", p99 " + PrintDuration(was.p99_ns) + " -> " + PrintDuration(is.p99_ns) +
                  ", mean " + PrintDuration(was.mean_ns) + " -> " + PrintDuration(is.mean_ns));
    out.push_back(std::to_string(answer->changed_spans) + " spans and " +
                  std::to_string(answer->changed_roots) + " roots changed");
  }
  if (!answer->complete) out.push_back("incomplete: " + answer->reason);
  return out;
}

// Spans, errors and durations of each service, name, kind and minute.
using Lines = std::map<std::string, std::map<uint32_t, uint64_t>>;

std::string LineOf(std::string_view service, std::string_view name, uint8_t kind, uint64_t minute) {
  return std::string(service) + " | " + std::string(name) + " | " + std::to_string(kind) + " | " +
         std::to_string(minute);
}
constexpr uint32_t kErrors = UINT32_MAX;

Lines CountedLines(const block::RowSource& source) {
  const auto answer = query::exec::CountSeries(source, Env::Posix(), "default", {}, {}, {});
  if (!answer.ok()) return {{answer.error().message(), {}}};
  Lines lines;
  for (const auto& series : answer->series) {
    for (const auto& point : series.points) {
      auto& line = lines[LineOf(series.service, series.name, series.kind,
                                point.start_ns / block::kMinuteNs)];
      line.insert(point.buckets.begin(), point.buckets.end());
      if (point.error_count > 0) line[kErrors] = point.error_count;
    }
  }
  return lines;
}

std::string ServiceOf(const model::SpanBatch& spans, uint32_t row) {
  const auto& resources = spans.resources;
  const model::IndexRange range = model::RangeByEnds(resources.attribute_end, spans.resource[row]);
  for (uint32_t i = range.begin; i < range.end; ++i) {
    const model::Attribute attribute = resources.attributes[i];
    if (spans.strings[attribute.key] == "service.name" &&
        attribute.type == model::ValueType::kString) {
      return std::string(spans.strings[attribute.as_code()]);
    }
  }
  return "";
}

Lines CountedPlainly(const model::SpanBatch& spans, uint64_t times) {
  Lines lines;
  for (uint32_t row = 0; row < spans.size(); ++row) {
    auto& line = lines[LineOf(ServiceOf(spans, row), spans.strings[spans.name[row]],
                              spans.kind[row], spans.start_ns[row] / block::kMinuteNs)];
    const auto duration = static_cast<int64_t>(spans.end_ns[row] - spans.start_ns[row]);
    line[block::LatencyBucketOf(duration)] += times;
    if (spans.status[row] == static_cast<uint8_t>(model::StatusCode::kError))
      line[kErrors] += times;
  }
  return lines;
}

// As it would stand in the file, so that a failure can be read.
std::string AsText(const std::vector<std::string>& answer) {
  std::string out;
  for (const std::string& line : answer) out += "  " + line + "\n";
  return out;
}

class CorpusTest : public testing::Test {
 public:
  CorpusTest(std::string path, Compiler compile, Placement placement)
      : path_(std::move(path)), compile_(std::move(compile)), placement_(std::move(placement)) {}

  void TestBody() override {
    const auto file = ReadTestFile(path_);
    ASSERT_TRUE(file.ok()) << file.error().message();
    ASSERT_FALSE(file->cases.empty()) << path_ << " has no cases";
    const auto source = placement_.make(file->spans.spans);
    ASSERT_TRUE(source.ok()) << source.error().message();
    for (const Case& c : file->cases) {
      if (c.step_ns != 0 && placement_.counts_twice) continue;
      EXPECT_EQ(AsText(Answer(c, file->spans, **source, compile_)), AsText(c.expected))
          << path_ << ":" << c.line << " (" << placement_.name << ")\n"
          << c.query;
    }
    const uint64_t times = placement_.counts_twice ? 2 : 1;
    EXPECT_EQ(CountedLines(**source), CountedPlainly(file->spans.spans, times)) << placement_.name;
  }

 private:
  std::string path_;
  Compiler compile_;
  Placement placement_;
};

using Made = Result<std::shared_ptr<const block::RowSource>>;

// The batch cut into pieces: piece_of(span) says which.
template <typename PieceOf>
std::vector<model::SpanBatch> Cut(const model::SpanBatch& spans, PieceOf piece_of) {
  std::map<uint32_t, std::vector<uint32_t>> pieces;
  for (uint32_t i = 0; i < spans.size(); ++i) pieces[piece_of(i)].push_back(i);
  std::vector<model::SpanBatch> batches;
  for (const auto& piece : pieces) {
    batches.emplace_back();
    model::BatchAppender(&batches.back()).Append(spans, piece.second);
  }
  return batches;
}

Made InMemory(std::vector<model::SpanBatch> batches) {
  using query::exec::MemorySource;
  return Made(std::make_shared<MemorySource>(MemorySource::Of(std::move(batches))));
}

Made InBlocks(const std::vector<model::SpanBatch>& batches,
              const block::BlockWriterOptions& options) {
  WEFT_ASSIGN_OR_RETURN(auto source, query::exec::StoredTestSource::Make(batches, options));
  return Made(std::move(source));
}

}  // namespace

Result<TestFile> ReadTestFile(const std::string& path) { return TestFileReader(path).Read(); }

std::vector<std::string> Answer(const Case& c, const SpanSet& spans, const block::RowSource& source,
                                const Compiler& compile) {
  if (c.step_ns != 0) return AnswerMetric(c, source);
  if (c.about == "paths") return AnswerPaths(c, source);
  const bool as_tempo = c.dialect == query::lang::traceql::Dialect::kTempo;
  const auto plan = as_tempo ? query::lang::traceql::Compile(c.query, c.dialect) : compile(c.query);
  if (!plan.ok()) return {Describe(plan.error(), c.query)};
  if (c.about == "graph") return AnswerGraph(c, spans, source, *plan);
  if (c.about == "propagation") return AnswerPropagation(c, spans, source, *plan);
  if (!c.about.empty()) return {"nothing is known about " + c.about};
  return AnswerPages(c, spans, source, *plan);
}

void RegisterCorpus(const std::string& language, const Compiler& compile,
                    const std::vector<Placement>& placements) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(Folder() + "/" + language)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    for (const Placement& placement : placements) {
      const std::string name = path.stem().string() + "_" + placement.name;
      testing::RegisterTest(
          ("Corpus_" + language).c_str(), name.c_str(), nullptr, nullptr, path.c_str(), 1,
          [=]() -> testing::Test* { return new CorpusTest(path.string(), compile, placement); });
    }
  }
}

std::vector<Placement> MemoryPlacements() {
  using Spans = const model::SpanBatch&;
  return {
      {"together", [](Spans b) { return InMemory(Cut(b, [](uint32_t) { return 0; })); }},
      {"trace_by_trace",
       [](Spans b) { return InMemory(Cut(b, [&b](uint32_t i) { return b.trace[i]; })); }},
      {"span_by_span", [](Spans b) { return InMemory(Cut(b, [](uint32_t i) { return i; })); }},
      {"every_other", [](Spans b) { return InMemory(Cut(b, [](uint32_t i) { return i % 2; })); }},
  };
}

std::vector<Placement> BlockPlacements() {
  using Spans = const model::SpanBatch&;
  const block::BlockWriterOptions usual;
  block::BlockWriterOptions small;
  small.row_group_rows_max = 3;
  small.page_rows = 2;
  return {
      {"one_block", [=](Spans b) { return InBlocks(Cut(b, [](uint32_t) { return 0; }), usual); }},
      {"small_row_groups",
       [=](Spans b) { return InBlocks(Cut(b, [](uint32_t) { return 0; }), small); }},
      {"two_blocks",
       [=](Spans b) { return InBlocks(Cut(b, [](uint32_t i) { return i % 2; }), usual); }},
  };
}

}  // namespace weft::corpus
