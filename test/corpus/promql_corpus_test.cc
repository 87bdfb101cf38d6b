// Runs test/corpus/promql: series in text, queries, and what each answers (README.md beside it).
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>

#include "base/env.h"
#include "query/lang/promql/tree.h"
#include "query/prometheus/evaluator.h"

namespace weft::corpus {
namespace {

using query::lang::promql::ValueType;
using query::prometheus::EvaluatedAnswer;
using query::prometheus::EvaluatedSeries;
using query::prometheus::Evaluation;
using query::prometheus::Labels;
using query::prometheus::MatchesAll;
using query::prometheus::Normalize;
using query::prometheus::Point;
using query::prometheus::Print;
using query::prometheus::SampleSeries;
using query::prometheus::SelectRequest;

class PlainSeries : public SampleSeries {
 public:
  PlainSeries(Labels labels, std::vector<Point> points)
      : labels_(std::move(labels)), points_(std::move(points)) {}
  const Labels& labels() const override { return labels_; }
  void Read(int64_t from_ms, int64_t to_ms, std::vector<Point>* out) const override {
    for (const Point& point : points_) {
      if (point.time_ms >= from_ms && point.time_ms <= to_ms) out->push_back(point);
    }
  }

 private:
  const Labels labels_;
  const std::vector<Point> points_;
};

class PlainSource : public query::prometheus::SampleSource {
 public:
  void Add(Labels labels, std::vector<Point> points) {
    series_.emplace_back(std::move(labels), std::move(points));
  }
  Result<std::vector<std::unique_ptr<SampleSeries>>> Select(const SelectRequest& request) override {
    std::vector<std::unique_ptr<SampleSeries>> out;
    for (const auto& [labels, points] : series_) {
      if (!MatchesAll(request.matchers, labels)) continue;
      out.push_back(std::make_unique<PlainSeries>(labels, points));
    }
    return out;
  }

 private:
  std::vector<std::pair<Labels, std::vector<Point>>> series_;
};

int64_t Milliseconds(std::string_view text) {
  const auto ms = query::lang::promql::ParseDurationMs(text);
  EXPECT_TRUE(ms) << text;
  return ms.value_or(0);
}

// "1 2 _ 4", "0+10x5" (the start and five more), "1x3".
std::vector<Point> ReadValues(std::istringstream& text, int64_t step_ms) {
  std::vector<Point> out;
  int64_t at = 0;
  for (std::string word; text >> word;) {
    if (word == "_") {
      ++at;
      continue;
    }
    double value = 0, change = 0;
    int64_t more = 0;
    const char* const end = word.data() + word.size();
    const char* next = std::from_chars(word.data(), end, value).ptr;
    if (next != end && (*next == '+' || *next == '-')) {
      next = std::from_chars(*next == '+' ? next + 1 : next, end, change).ptr;
    }
    if (next != end && *next == 'x') next = std::from_chars(next + 1, end, more).ptr;
    EXPECT_EQ(next, end) << word;
    for (int64_t i = 0; i <= more; ++i) {
      out.push_back({at++ * step_ms, value + static_cast<double>(i) * change});
    }
  }
  return out;
}

void ReadSeriesLine(const std::string& line, int64_t step_ms, PlainSource* source) {
  const size_t brace = line.find('}');
  const size_t end = brace == std::string::npos ? line.find(' ', 2) : brace + 1;
  const auto matchers = query::lang::promql::ParseMatchers(line.substr(2, end - 2));
  ASSERT_TRUE(matchers.ok()) << line;
  Labels labels;
  for (const auto& matcher : *matchers) labels.emplace_back(matcher.label, matcher.value);
  Normalize(&labels);
  std::istringstream values(line.substr(end));
  source->Add(std::move(labels), ReadValues(values, step_ms));
}

std::string PrintValue(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::ostringstream out;
  out.precision(12);
  out << value;
  return out.str();
}

// Numbers to twelve digits: sums depend on the order in which they are added up.
std::string Rounded(const std::string& line) {
  const size_t colon = line.rfind(": ");
  if (colon == std::string::npos || line.starts_with("error") || line.starts_with("unsupported")) {
    return line;
  }
  std::string out = line.substr(0, colon + 1);
  std::istringstream words(line.substr(colon + 2));
  for (std::string word; words >> word;) {
    double value = 0;
    const auto [at, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    const bool number = error == std::errc() && at == word.data() + word.size();
    out += " " + (number ? PrintValue(value) : word);
  }
  return out;
}

std::vector<std::string> Answer(const std::string& query, const Evaluation& when,
                                PlainSource* source) {
  const auto tree = query::lang::promql::Parse(query);
  if (!tree.ok()) {
    const auto& error = tree.error();
    const bool unsupported = error.error.code() == ErrorCode::kUnsupported;
    return {(unsupported ? "unsupported " : "error ") + std::to_string(error.line) + ":" +
            std::to_string(error.column) + " " + error.error.message()};
  }
  const auto answer = query::prometheus::Evaluate(**tree, when, source, Env::Posix(), {});
  if (!answer.ok()) return {"error " + answer.error().message()};
  std::vector<std::string> out;
  for (const EvaluatedSeries& series : answer->series) {
    std::string line = answer->type == ValueType::kScalar ? "scalar:" : Print(series.labels) + ":";
    size_t next = 0;
    const int64_t step_ms = when.step_ms == 0 ? 1 : when.step_ms;
    for (int64_t at_ms = when.start_ms; at_ms <= when.end_ms; at_ms += step_ms) {
      const bool there = next < series.points.size() && series.points[next].time_ms == at_ms;
      line += " " + (there ? PrintValue(series.points[next++].value) : "-");
    }
    out.push_back(std::move(line));
  }
  if (out.empty()) out.emplace_back("nothing");
  return out;
}

void ReadOptions(const std::string& line, Evaluation* when) {
  *when = {};
  std::istringstream words(line.substr(1));
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    const int64_t ms = Milliseconds(word.substr(equals + 1));
    if (key == "at" || key == "from") when->start_ms = ms;
    if (key == "at" || key == "to") when->end_ms = ms;
    if (key == "step") when->step_ms = ms;
  }
}

class PromqlFile : public testing::Test {
 public:
  explicit PromqlFile(std::string path) : path_(std::move(path)) {}

  void TestBody() override {
    std::ifstream file(path_);
    PlainSource source;
    Evaluation when;
    std::string query;
    std::vector<std::string> expected;
    int64_t series_step_ms = 0;
    int number = 0, query_line = 0, cases = 0;
    const auto finish = [&] {
      if (query.empty()) return;
      ++cases;
      std::vector<std::string> found = Answer(query, when, &source);
      const bool error = !expected.empty() && expected[0].starts_with("error");
      // Of a message its beginning is enough.
      if (error && !found.empty()) found[0] = found[0].substr(0, expected[0].size());
      for (std::string& line : expected) line = Rounded(line);
      EXPECT_EQ(found, expected) << path_ << ":" << query_line << ": " << query;
      query.clear();
      expected.clear();
    };
    for (std::string line; ++number, std::getline(file, line);) {
      if (line.starts_with("#")) continue;
      const bool indented = line.starts_with("  ");
      if (!indented) finish();
      if (line.empty()) {
        series_step_ms = 0;
      } else if (line.starts_with("series ")) {
        series_step_ms = Milliseconds(line.substr(7));
      } else if (line.starts_with("@")) {
        ReadOptions(line, &when);
      } else if (!indented) {
        query = line;
        query_line = number;
      } else if (series_step_ms != 0) {
        ReadSeriesLine(line, series_step_ms, &source);
      } else {
        expected.push_back(line.substr(2));
      }
    }
    finish();
    EXPECT_GT(cases, 0);
  }

 private:
  const std::string path_;
};

void RegisterFiles() {
  for (const auto& entry : std::filesystem::directory_iterator("test/corpus/promql")) {
    const std::string path = entry.path().string();
    if (entry.path().extension() != ".test") continue;
    testing::RegisterTest("PromqlCorpus", entry.path().stem().string().c_str(), nullptr, nullptr,
                          __FILE__, __LINE__, [path]() -> testing::Test* {
                            return new PromqlFile(path);  // NOLINT: GoogleTest takes it
                          });
  }
}

}  // namespace
}  // namespace weft::corpus

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  weft::corpus::RegisterFiles();
  return RUN_ALL_TESTS();
}
