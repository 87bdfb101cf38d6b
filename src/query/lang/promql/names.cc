// What functions, aggregations and operators are called and take.
#include <algorithm>
#include <array>

#include <re2/re2.h>

#include "query/lang/promql/tree.h"

namespace weft::query::lang::promql {
namespace {

constexpr ValueType kScalar = ValueType::kScalar;
constexpr ValueType kVector = ValueType::kVector;
constexpr ValueType kMatrix = ValueType::kMatrix;
constexpr ValueType kString = ValueType::kString;

}  // namespace

bool Matcher::Matches(std::string_view text) const {
  switch (op) {
    case Op::kEqual: return text == value;
    case Op::kNotEqual: return text != value;
    case Op::kMatch: return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *regex);
    case Op::kNotMatch:
      return !re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *regex);
  }
  return false;
}

std::span<const FunctionSignature> Functions() {
  static const std::vector<FunctionSignature> kAll = {
      {"abs", Function::kAbs, kVector, {kVector}},
      {"absent", Function::kAbsent, kVector, {kVector}},
      {"absent_over_time", Function::kAbsentOverTime, kVector, {kMatrix}},
      {"avg_over_time", Function::kAvgOverTime, kVector, {kMatrix}},
      {"ceil", Function::kCeil, kVector, {kVector}},
      {"changes", Function::kChanges, kVector, {kMatrix}},
      {"clamp", Function::kClamp, kVector, {kVector, kScalar, kScalar}},
      {"clamp_max", Function::kClampMax, kVector, {kVector, kScalar}},
      {"clamp_min", Function::kClampMin, kVector, {kVector, kScalar}},
      {"count_over_time", Function::kCountOverTime, kVector, {kMatrix}},
      {"delta", Function::kDelta, kVector, {kMatrix}},
      {"exp", Function::kExp, kVector, {kVector}},
      {"floor", Function::kFloor, kVector, {kVector}},
      {"histogram_quantile", Function::kHistogramQuantile, kVector, {kScalar, kVector}},
      {"idelta", Function::kIdelta, kVector, {kMatrix}},
      {"increase", Function::kIncrease, kVector, {kMatrix}},
      {"irate", Function::kIrate, kVector, {kMatrix}},
      {"label_join", Function::kLabelJoin, kVector, {kVector, kString, kString, kString}, 0, true},
      {"label_replace",
       Function::kLabelReplace,
       kVector,
       {kVector, kString, kString, kString, kString}},
      {"last_over_time", Function::kLastOverTime, kVector, {kMatrix}},
      {"ln", Function::kLn, kVector, {kVector}},
      {"log10", Function::kLog10, kVector, {kVector}},
      {"log2", Function::kLog2, kVector, {kVector}},
      {"max_over_time", Function::kMaxOverTime, kVector, {kMatrix}},
      {"min_over_time", Function::kMinOverTime, kVector, {kMatrix}},
      {"present_over_time", Function::kPresentOverTime, kVector, {kMatrix}},
      {"quantile_over_time", Function::kQuantileOverTime, kVector, {kScalar, kMatrix}},
      {"rate", Function::kRate, kVector, {kMatrix}},
      {"resets", Function::kResets, kVector, {kMatrix}},
      {"round", Function::kRound, kVector, {kVector, kScalar}, 1},
      {"scalar", Function::kScalar, kScalar, {kVector}},
      {"sgn", Function::kSgn, kVector, {kVector}},
      {"sort", Function::kSort, kVector, {kVector}},
      {"sort_desc", Function::kSortDesc, kVector, {kVector}},
      {"sqrt", Function::kSqrt, kVector, {kVector}},
      {"stddev_over_time", Function::kStddevOverTime, kVector, {kMatrix}},
      {"stdvar_over_time", Function::kStdvarOverTime, kVector, {kMatrix}},
      {"sum_over_time", Function::kSumOverTime, kVector, {kMatrix}},
      {"time", Function::kTime, kScalar, {}},
      {"timestamp", Function::kTimestamp, kVector, {kVector}},
      {"vector", Function::kVector, kVector, {kScalar}},
  };
  return kAll;
}

const FunctionSignature& SignatureOf(Function function) {
  return *std::ranges::find(Functions(), function, &FunctionSignature::function);
}

std::string_view NameOf(Aggregation aggregation) {
  static constexpr std::array<std::string_view, 11> kNames{
      "avg",      "bottomk", "count",  "group", "max", "min",
      "quantile", "stddev",  "stdvar", "sum",   "topk"};
  return kNames[static_cast<size_t>(aggregation)];
}

bool HasParameter(Aggregation aggregation) {
  return aggregation == Aggregation::kTopk || aggregation == Aggregation::kBottomk ||
         aggregation == Aggregation::kQuantile;
}

std::string_view TextOf(BinaryOp op) {
  static constexpr std::array<std::string_view, 16> kTexts{"+",     "-",   "*",  "/",     "%",  "^",
                                                           "atan2", "==",  "!=", "<",     "<=", ">",
                                                           ">=",    "and", "or", "unless"};
  return kTexts[static_cast<size_t>(op)];
}

}  // namespace weft::query::lang::promql
