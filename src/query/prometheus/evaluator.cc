#include "query/prometheus/evaluator.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <re2/re2.h>

#include "query/prometheus/aggregate.h"
#include "query/prometheus/operators.h"
#include "query/prometheus/over_time.h"
#include "query/prometheus/vector.h"

namespace weft::query::prometheus {
namespace {

using lang::promql::Function;
using lang::promql::Node;
using lang::promql::NodeKind;
using lang::promql::ValueType;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// What a node is at one step.
struct Value {
  Vector vector;
  double scalar = 0;
};

struct ReadSeries {
  std::unique_ptr<SampleSeries> series;
  LabelSet labels = 0;
  LabelSet nameless = 0;
};

// What is kept for a node from step to step.
struct NodeState {
  std::vector<ReadSeries> series;                   // kSelector
  std::unique_ptr<Operator> op;                     // kBinary
  std::unique_ptr<Aggregator> aggregator;           // kAggregate
  absl::flat_hash_map<LabelSet, LabelSet> changed;  // functions that change labels
  std::unique_ptr<const re2::RE2> regex;            // label_replace
};

bool IsLabelName(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

Error Wrong(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }

// `$1`, `${name}` and `$$`, as Go's regexp.Expand has them.
std::string Expand(std::string_view replacement, const re2::RE2& regex,
                   const std::vector<re2::StringPiece>& groups) {
  std::string out;
  const auto group_text = [&](std::string_view name) -> std::string {
    size_t index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (error == std::errc() && end == name.data() + name.size()) {
      return index < groups.size() ? std::string(groups[index]) : std::string();
    }
    const auto& names = regex.NamedCapturingGroups();
    const auto found = names.find(std::string(name));
    return found == names.end() ? std::string() : std::string(groups[found->second]);
  };
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '$' || i + 1 == replacement.size()) {
      out.push_back(replacement[i]);
      continue;
    }
    if (replacement[i + 1] == '$') {
      out.push_back('$');
      ++i;
      continue;
    }
    const bool braces = replacement[i + 1] == '{';
    const size_t begin = i + (braces ? 2 : 1);
    size_t end = begin;
    while (end < replacement.size() && is_word(replacement[end])) ++end;
    const bool closed = !braces || (end < replacement.size() && replacement[end] == '}');
    if (end == begin || !closed) {
      out.push_back('$');
      continue;
    }
    out += group_text(replacement.substr(begin, end - begin));
    i = braces ? end : end - 1;
  }
  return out;
}

class Run {
 public:
  Run(const Node& root, const Evaluation& when, SampleSource* source, const Env& env,
      const exec::Budget& budget)
      : root_(root), when_(when), source_(*source), budget_(budget), clock_(budget, env) {
    states_.resize(root.index + 1);
  }

  Result<EvaluatedAnswer> Answer() {
    EvaluatedAnswer answer;
    answer.type = root_.type;
    if (root_.type == ValueType::kString) {
      answer.text = root_.text;
      return answer;
    }
    WEFT_RETURN_IF_ERROR(Prepare(root_));
    WEFT_RETURN_IF_ERROR(CheckLimits());
    if (root_.type == ValueType::kMatrix) return AnswerSelector(std::move(answer));
    return AnswerSteps(std::move(answer));
  }

 private:
  bool is_instant() const { return when_.step_ms == 0; }

  // The samples of a range vector as they are.
  Result<EvaluatedAnswer> AnswerSelector(EvaluatedAnswer answer) {
    const int64_t to_ms = when_.start_ms - root_.offset_ms;
    for (const ReadSeries& read : states_[root_.index].series) {
      EvaluatedSeries out{labels_[read.labels], {}};
      read.series->Read(to_ms - root_.range_ms, to_ms, &out.points);
      if (out.points.empty()) continue;
      WEFT_RETURN_IF_ERROR(CountPoints(out.points.size()));
      answer.series.push_back(std::move(out));
    }
    std::ranges::sort(answer.series, {}, &EvaluatedSeries::labels);
    return answer;
  }

  Result<EvaluatedAnswer> AnswerSteps(EvaluatedAnswer answer) {
    absl::flat_hash_map<LabelSet, size_t> places;
    const int64_t step_ms = is_instant() ? 1 : when_.step_ms;
    for (int64_t now_ms = when_.start_ms; now_ms <= when_.end_ms; now_ms += step_ms) {
      WEFT_RETURN_IF_ERROR(CheckLimits());
      now_ms_ = now_ms;
      WEFT_ASSIGN_OR_RETURN(Value value, Evaluate(root_));
      if (root_.type == ValueType::kScalar) value.vector = {{labels_.Intern({}), value.scalar}};
      WEFT_RETURN_IF_ERROR(CountPoints(value.vector.size()));
      for (const Sample& sample : value.vector) {
        const auto [place, is_new] = places.try_emplace(sample.labels, answer.series.size());
        if (is_new) answer.series.push_back({labels_[sample.labels], {}});
        std::vector<Point>& points = answer.series[place->second].points;
        if (!points.empty() && points.back().time_ms == now_ms) {
          return Wrong("vector cannot contain metrics with the same labelset: " +
                       Print(labels_[sample.labels]));
        }
        points.push_back({now_ms, sample.value});
      }
    }
    if (!is_instant() || !IsOrdered(root_)) {
      std::ranges::sort(answer.series, {}, &EvaluatedSeries::labels);
    }
    return answer;
  }

  static bool IsOrdered(const Node& node) {
    if (node.kind == NodeKind::kAggregate) {
      return node.aggregation == lang::promql::Aggregation::kTopk ||
             node.aggregation == lang::promql::Aggregation::kBottomk;
    }
    return node.kind == NodeKind::kCall &&
           (node.function == Function::kSort || node.function == Function::kSortDesc);
  }

  Error CountPoints(size_t count) {
    points_ += count;
    if (points_ <= kPointsMax) return Error::Ok();
    return {ErrorCode::kTooLarge, "the answer has more than " + std::to_string(kPointsMax) +
                                      " points: ask for fewer series or a longer step"};
  }

  Error CheckLimits() {
    if (clock_.cancelled()) return {ErrorCode::kCancelled, "the query was cancelled"};
    if (const std::string limit = clock_.Exhausted(); !limit.empty()) {
      return {ErrorCode::kUnavailable, limit + ": ask for a shorter range or fewer series"};
    }
    const size_t bytes = labels_.bytes() + points_ * sizeof(Point);
    if (budget_.memory_bytes == 0 || bytes <= budget_.memory_bytes) return Error::Ok();
    return {ErrorCode::kResourceExhausted, "the memory limit of " +
                                               std::to_string(budget_.memory_bytes) +
                                               " bytes ran out: ask for fewer series"};
  }

  // Reads selectors and makes what nodes keep.
  Error Prepare(const Node& node) {
    for (const lang::promql::NodePtr& child : node.children) WEFT_RETURN_IF_ERROR(Prepare(*child));
    NodeState& state = states_[node.index];
    switch (node.kind) {
      case NodeKind::kSelector: return Select(node, &state);
      case NodeKind::kBinary: state.op = std::make_unique<Operator>(node, &labels_); break;
      case NodeKind::kAggregate:
        state.aggregator = std::make_unique<Aggregator>(node, &labels_);
        break;
      case NodeKind::kCall: return PrepareCall(node, &state);
      default: break;
    }
    return Error::Ok();
  }

  Error Select(const Node& node, NodeState* state) {
    SelectRequest request;
    request.matchers = node.matchers;
    request.start_ms = when_.start_ms;
    request.end_ms = when_.end_ms;
    request.step_ms = when_.step_ms;
    request.is_range = node.type == ValueType::kMatrix;
    request.window_ms = request.is_range ? node.range_ms : kLookBackMs;
    request.offset_ms = node.offset_ms;
    WEFT_ASSIGN_OR_RETURN(auto found, source_.Select(request));
    for (auto& series : found) {
      ReadSeries read;
      read.labels = labels_.Intern(series->labels());
      read.nameless = Nameless(read.labels);
      read.series = std::move(series);
      state->series.push_back(std::move(read));
    }
    return Error::Ok();
  }

  Error PrepareCall(const Node& node, NodeState* state) {
    if (node.function == Function::kLabelReplace) {
      re2::RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(1 << 20);
      options.set_dot_nl(true);
      state->regex = std::make_unique<const re2::RE2>(node.children[4]->text, options);
      if (!state->regex->ok()) {
        return Wrong("invalid regular expression in label_replace(): " + state->regex->error());
      }
    }
    const bool changes =
        node.function == Function::kLabelReplace || node.function == Function::kLabelJoin;
    if (!changes) return Error::Ok();
    if (!IsLabelName(node.children[1]->text)) {
      return Wrong("invalid destination label name in " +
                   std::string(SignatureOf(node.function).name) + "(): \"" +
                   node.children[1]->text + "\"");
    }
    for (size_t i = 3; node.function == Function::kLabelJoin && i < node.children.size(); ++i) {
      if (IsLabelName(node.children[i]->text)) continue;
      return Wrong("invalid source label name in label_join(): \"" + node.children[i]->text + "\"");
    }
    return Error::Ok();
  }

  LabelSet Nameless(LabelSet labels) {
    const auto [found, is_new] = nameless_.try_emplace(labels, 0);
    if (!is_new) return found->second;
    Labels changed = labels_[labels];
    SetLabel(&changed, lang::promql::kNameLabel, "");
    return found->second = labels_.Intern(std::move(changed));
  }

  Result<Value> Evaluate(const Node& node) {
    switch (node.kind) {
      case NodeKind::kNumber: return Value{{}, node.number};
      case NodeKind::kString: return Value{};
      case NodeKind::kSelector: return EvaluateSelector(node);
      case NodeKind::kNegate: {
        WEFT_ASSIGN_OR_RETURN(Value value, Evaluate(*node.children[0]));
        value.scalar = -value.scalar;
        for (Sample& sample : value.vector) {
          sample = {Nameless(sample.labels), -sample.value};
        }
        return value;
      }
      case NodeKind::kBinary: return EvaluateBinary(node);
      case NodeKind::kCall: return EvaluateCall(node);
      case NodeKind::kAggregate: {
        Value parameter;
        if (node.children.size() == 2) {
          WEFT_ASSIGN_OR_RETURN(parameter, Evaluate(*node.children[0]));
        }
        WEFT_ASSIGN_OR_RETURN(const Value samples, Evaluate(*node.children.back()));
        return Value{states_[node.index].aggregator->Run(samples.vector, parameter.scalar), 0};
      }
    }
    return Value{};
  }

  Result<Value> EvaluateSelector(const Node& node) {
    Value out;
    const int64_t to_ms = now_ms_ - node.offset_ms;
    for (const ReadSeries& read : states_[node.index].series) {
      Point point;
      if (!read.series->ReadLast(to_ms - kLookBackMs, to_ms, &point)) continue;
      out.vector.push_back({read.labels, point.value});
    }
    return out;
  }

  Result<Value> EvaluateBinary(const Node& node) {
    WEFT_ASSIGN_OR_RETURN(const Value left, Evaluate(*node.children[0]));
    WEFT_ASSIGN_OR_RETURN(const Value right, Evaluate(*node.children[1]));
    const bool left_scalar = node.children[0]->type == ValueType::kScalar;
    const bool right_scalar = node.children[1]->type == ValueType::kScalar;
    if (left_scalar && right_scalar) return Value{{}, Apply(node.op, left.scalar, right.scalar)};
    Operator& op = *states_[node.index].op;
    if (left_scalar) return Value{op.WithScalar(right.vector, left.scalar, true), 0};
    if (right_scalar) return Value{op.WithScalar(left.vector, right.scalar, false), 0};
    WEFT_ASSIGN_OR_RETURN(Vector vector, op.WithVector(left.vector, right.vector));
    return Value{std::move(vector), 0};
  }

  // Numbers of samples, one by one; names go.
  template <typename Change>
  Result<Value> Map(Value value, Change change) {
    for (Sample& sample : value.vector) {
      sample = {Nameless(sample.labels), change(sample.value)};
    }
    return value;
  }

  Result<Value> EvaluateCall(const Node& node) {
    const auto& children = node.children;
    if (!children.empty() && children.back()->type == ValueType::kMatrix) return OverWindow(node);
    if (node.function == Function::kTimestamp) return Timestamps(node);
    std::vector<Value> arguments;
    for (const auto& child : children) {
      WEFT_ASSIGN_OR_RETURN(Value value, Evaluate(*child));
      arguments.push_back(std::move(value));
    }
    switch (node.function) {
      case Function::kTime: return Value{{}, static_cast<double>(now_ms_) / 1000};
      case Function::kVector: return Value{{{labels_.Intern({}), arguments[0].scalar}}, 0};
      case Function::kScalar: {
        const Vector& vector = arguments[0].vector;
        return Value{{}, vector.size() == 1 ? vector[0].value : kNaN};
      }
      case Function::kAbsent: return Absent(*children[0], arguments[0].vector.empty());
      case Function::kHistogramQuantile:
        return HistogramQuantile(node, arguments[0].scalar, arguments[1].vector);
      case Function::kSort:
      case Function::kSortDesc: return Sorted(node.function, std::move(arguments[0]));
      case Function::kLabelReplace:
      case Function::kLabelJoin: return ChangeLabels(node, std::move(arguments[0]));
      default: return MapNumbers(node, std::move(arguments));
    }
  }

  Result<Value> MapNumbers(const Node& node, std::vector<Value> arguments) {
    Value& vector = arguments[0];
    const auto scalar = [&](size_t i) { return arguments[i].scalar; };
    switch (node.function) {
      case Function::kAbs: return Map(std::move(vector), [](double v) { return std::abs(v); });
      case Function::kCeil: return Map(std::move(vector), [](double v) { return std::ceil(v); });
      case Function::kFloor: return Map(std::move(vector), [](double v) { return std::floor(v); });
      case Function::kSqrt: return Map(std::move(vector), [](double v) { return std::sqrt(v); });
      case Function::kExp: return Map(std::move(vector), [](double v) { return std::exp(v); });
      case Function::kLn: return Map(std::move(vector), [](double v) { return std::log(v); });
      case Function::kLog2: return Map(std::move(vector), [](double v) { return std::log2(v); });
      case Function::kLog10: return Map(std::move(vector), [](double v) { return std::log10(v); });
      case Function::kSgn:
        return Map(std::move(vector), [](double v) { return v > 0 ? 1 : v < 0 ? -1 : v; });
      case Function::kRound: {
        const double inverse = 1 / (arguments.size() > 1 ? scalar(1) : 1.0);
        return Map(std::move(vector),
                   [inverse](double v) { return std::floor(v * inverse + 0.5) / inverse; });
      }
      case Function::kClamp:
        if (scalar(1) > scalar(2)) return Value{};
        return Clamp(std::move(vector), scalar(1), scalar(2));
      case Function::kClampMin: return Clamp(std::move(vector), scalar(1), HUGE_VAL);
      case Function::kClampMax: return Clamp(std::move(vector), -HUGE_VAL, scalar(1));
      default: return Error(ErrorCode::kInternal, "a function is not computed");
    }
  }

  Result<Value> Clamp(Value vector, double low, double high) {
    if (std::isnan(low) || std::isnan(high)) {
      return Map(std::move(vector), [](double) { return kNaN; });
    }
    return Map(std::move(vector),
               [low, high](double v) { return std::isnan(v) ? v : std::clamp(v, low, high); });
  }

  Result<Value> Timestamps(const Node& node) {
    const Node& argument = *node.children[0];
    Value out;
    if (argument.kind == NodeKind::kSelector) {
      const int64_t to_ms = now_ms_ - argument.offset_ms;
      for (const ReadSeries& read : states_[argument.index].series) {
        Point point;
        if (!read.series->ReadLast(to_ms - kLookBackMs, to_ms, &point)) continue;
        out.vector.push_back({read.nameless, static_cast<double>(point.time_ms) / 1000});
      }
      return out;
    }
    WEFT_ASSIGN_OR_RETURN(out, Evaluate(argument));
    const double now = static_cast<double>(now_ms_) / 1000;
    return Map(std::move(out), [now](double) { return now; });
  }

  Result<Value> OverWindow(const Node& node) {
    double parameter = 0;
    if (node.children.size() == 2) {
      WEFT_ASSIGN_OR_RETURN(const Value value, Evaluate(*node.children[0]));
      parameter = value.scalar;
    }
    const Node& selector = *node.children.back();
    const int64_t to_ms = now_ms_ - selector.offset_ms;
    const Window window{to_ms - selector.range_ms, to_ms};
    const bool ends = node.function == Function::kRate || node.function == Function::kIncrease ||
                      node.function == Function::kDelta;
    Value out;
    for (const ReadSeries& read : states_[selector.index].series) {
      std::optional<double> value;
      if (ends) {
        value = ExtrapolatedDifference(node.function,
                                       read.series->ReadEnds(window.from_ms, window.to_ms), window,
                                       read.series->counts_from_zero());
      } else {
        points_of_window_.clear();
        read.series->Read(window.from_ms, window.to_ms, &points_of_window_);
        value = OverTime(node.function, points_of_window_, parameter);
      }
      if (!value) continue;
      const bool keeps_name = node.function == Function::kLastOverTime;
      out.vector.push_back({keeps_name ? read.labels : read.nameless, *value});
    }
    if (node.function != Function::kAbsentOverTime) return out;
    return Absent(selector, out.vector.empty());
  }

  // With the labels that the selector names for certain.
  Result<Value> Absent(const Node& argument, bool is_absent) {
    if (!is_absent) return Value{};
    Labels labels;
    if (argument.kind == NodeKind::kSelector) {
      std::map<std::string_view, int> times;
      for (const auto& matcher : argument.matchers) ++times[matcher.label];
      for (const auto& matcher : argument.matchers) {
        const bool certain = matcher.op == lang::promql::Matcher::Op::kEqual &&
                             times[matcher.label] == 1 && matcher.label != lang::promql::kNameLabel;
        if (certain) labels.emplace_back(matcher.label, matcher.value);
      }
    }
    Normalize(&labels);
    return Value{{{labels_.Intern(std::move(labels)), 1}}, 0};
  }

  Result<Value> HistogramQuantile(const Node& node, double q, const Vector& samples) {
    absl::flat_hash_map<LabelSet, LabelSet>& changed = states_[node.index].changed;
    std::vector<LabelSet> order;
    absl::flat_hash_map<LabelSet, std::vector<Bucket>> groups;
    for (const Sample& sample : samples) {
      const std::string bound_text(prometheus::ValueOf(labels_[sample.labels], "le"));
      const auto bound = ParseBound(bound_text);
      if (!bound) continue;
      const auto [known, is_new] = changed.try_emplace(sample.labels, 0);
      if (is_new) {
        Labels kept = labels_[sample.labels];
        SetLabel(&kept, "le", "");
        SetLabel(&kept, lang::promql::kNameLabel, "");
        known->second = labels_.Intern(std::move(kept));
      }
      const LabelSet group = known->second;
      std::vector<Bucket>& buckets = groups[group];
      if (buckets.empty()) order.push_back(group);
      buckets.push_back({*bound, sample.value});
    }
    Value out;
    for (const LabelSet group : order) {
      out.vector.push_back({group, QuantileOfBuckets(q, &groups[group])});
    }
    return out;
  }

  static std::optional<double> ParseBound(const std::string& text) {
    if (text == "+Inf" || text == "Inf") return HUGE_VAL;
    double bound = 0;
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, bound);
    if (text.empty() || error != std::errc() || at != end) return {};
    return bound;
  }

  // NaN comes last, whatever the order.
  static Result<Value> Sorted(Function function, Value value) {
    const bool descending = function == Function::kSortDesc;
    const auto before = [descending](const Sample& a, const Sample& b) {
      if (std::isnan(a.value) != std::isnan(b.value)) return std::isnan(b.value);
      if (a.value == b.value || std::isnan(a.value)) return a.labels < b.labels;
      return descending ? a.value > b.value : a.value < b.value;
    };
    std::ranges::sort(value.vector, before);
    return value;
  }

  Result<Value> ChangeLabels(const Node& node, Value value) {
    NodeState& state = states_[node.index];
    for (Sample& sample : value.vector) {
      const auto [known, is_new] = state.changed.try_emplace(sample.labels, 0);
      if (is_new) {
        Labels labels = labels_[sample.labels];
        const std::string& destination = node.children[1]->text;
        if (node.function == Function::kLabelJoin) {
          SetLabel(&labels, destination, Joined(node, labels));
        } else {
          Replace(node, *state.regex, &labels);
        }
        known->second = labels_.Intern(std::move(labels));
      }
      sample.labels = known->second;
    }
    std::set<LabelSet> seen;
    for (const Sample& sample : value.vector) {
      if (seen.insert(sample.labels).second) continue;
      return Wrong("vector cannot contain metrics with the same labelset: " +
                   Print(labels_[sample.labels]));
    }
    return value;
  }

  static std::string Joined(const Node& node, const Labels& labels) {
    std::string out;
    for (size_t i = 3; i < node.children.size(); ++i) {
      if (i > 3) out += node.children[2]->text;
      out += prometheus::ValueOf(labels, node.children[i]->text);
    }
    return out;
  }

  static void Replace(const Node& node, const re2::RE2& regex, Labels* labels) {
    const std::string source(prometheus::ValueOf(*labels, node.children[3]->text));
    std::vector<re2::StringPiece> groups(static_cast<size_t>(regex.NumberOfCapturingGroups()) + 1);
    if (!regex.Match(source, 0, source.size(), re2::RE2::ANCHOR_BOTH, groups.data(),
                     static_cast<int>(groups.size()))) {
      return;
    }
    SetLabel(labels, node.children[1]->text, Expand(node.children[2]->text, regex, groups));
  }

  const Node& root_;
  const Evaluation when_;
  SampleSource& source_;
  const exec::Budget& budget_;
  exec::BudgetClock clock_;
  LabelTable labels_;
  std::vector<NodeState> states_;  // by Node::index
  absl::flat_hash_map<LabelSet, LabelSet> nameless_;
  std::vector<Point> points_of_window_;
  int64_t now_ms_ = 0;
  size_t points_ = 0;
};

}  // namespace

Result<EvaluatedAnswer> Evaluate(const Node& query, const Evaluation& when, SampleSource* source,
                                 const Env& env, const exec::Budget& budget) {
  if (when.step_ms != 0 && (query.type == ValueType::kMatrix || query.type == ValueType::kString)) {
    return Wrong("a range query must be a scalar or an instant vector");
  }
  return Run(query, when, source, env, budget).Answer();
}

}  // namespace weft::query::prometheus
