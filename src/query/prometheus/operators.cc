#include "query/prometheus/operators.h"

#include <algorithm>
#include <cmath>

namespace weft::query::prometheus {
namespace {

using lang::promql::BinaryOp;
using lang::promql::IsComparison;
using lang::promql::Matching;

bool IsNamed(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

double Apply(BinaryOp op, double left, double right) {
  switch (op) {
    case BinaryOp::kAdd: return left + right;
    case BinaryOp::kSubtract: return left - right;
    case BinaryOp::kMultiply: return left * right;
    case BinaryOp::kDivide: return left / right;
    case BinaryOp::kModulo: return std::fmod(left, right);
    case BinaryOp::kPower: return std::pow(left, right);
    case BinaryOp::kAtan2: return std::atan2(left, right);
    case BinaryOp::kEqual: return left == right ? 1 : 0;
    case BinaryOp::kNotEqual: return left != right ? 1 : 0;
    case BinaryOp::kLess: return left < right ? 1 : 0;
    case BinaryOp::kLessEqual: return left <= right ? 1 : 0;
    case BinaryOp::kGreater: return left > right ? 1 : 0;
    case BinaryOp::kGreaterEqual: return left >= right ? 1 : 0;
    default: return 0;  // set operations have no numbers
  }
}

// A comparison keeps or drops what stands on its left, unless it is to say which.
Operator::Matched Operator::Compute(double left, double right) const {
  const double value = Apply(node_.op, left, right);
  if (!IsComparison(node_.op) || node_.return_bool) return {value, true};
  return {left, value != 0};
}

LabelSet Operator::WithoutName(LabelSet labels) {
  const auto [found, is_new] = nameless_.try_emplace(labels, 0);
  if (!is_new) return found->second;
  Labels changed = labels_[labels];
  SetLabel(&changed, lang::promql::kNameLabel, "");
  return found->second = labels_.Intern(std::move(changed));
}

Vector Operator::WithScalar(const Vector& vector, double scalar, bool scalar_is_left) {
  const bool filters = IsComparison(node_.op) && !node_.return_bool;
  Vector out;
  for (const Sample& sample : vector) {
    const double value = scalar_is_left ? Apply(node_.op, scalar, sample.value)
                                        : Apply(node_.op, sample.value, scalar);
    if (!filters) {
      out.push_back({WithoutName(sample.labels), value});
    } else if (value != 0) {
      out.push_back(sample);
    }
  }
  return out;
}

LabelSet Operator::SignatureOf(LabelSet labels) {
  const auto [found, is_new] = signatures_.try_emplace(labels, 0);
  if (!is_new) return found->second;
  const Matching& matching = node_.matching;
  Labels kept;
  for (const auto& label : labels_[labels]) {
    const bool named = IsNamed(matching.labels, label.first);
    const bool counts = matching.on ? named : !named && label.first != lang::promql::kNameLabel;
    if (counts) kept.push_back(label);
  }
  return found->second = labels_.Intern(std::move(kept));
}

// Those of the side that may have many, as far as matching leaves them.
LabelSet Operator::ResultLabels(LabelSet many, LabelSet one) {
  const auto [found, is_new] = results_.try_emplace({many, one}, 0);
  if (!is_new) return found->second;
  const Matching& matching = node_.matching;
  Labels out = labels_[many];
  const bool keeps_name = IsComparison(node_.op) && !node_.return_bool;
  if (!keeps_name) SetLabel(&out, lang::promql::kNameLabel, "");
  if (matching.group == Matching::Group::kNone) {
    std::erase_if(out, [&](const auto& label) {
      return matching.on ? !IsNamed(matching.labels, label.first)
                         : IsNamed(matching.labels, label.first);
    });
  }
  for (const std::string& label : matching.include) {
    SetLabel(&out, label, ValueOf(labels_[one], label));
  }
  return found->second = labels_.Intern(std::move(out));
}

Error Operator::TooMany(LabelSet signature, LabelSet first, LabelSet second, bool right) const {
  return {ErrorCode::kInvalidArgument,
          "found duplicate series for the match group " + Print(labels_[signature]) + " on the " +
              (right ? "right" : "left") + " hand-side of the operation: [" +
              Print(labels_[second]) + ", " + Print(labels_[first]) +
              "];many-to-many matching not allowed: matching labels must be unique on one side"};
}

Vector Operator::SetOperation(const Vector& left, const Vector& right) {
  absl::flat_hash_map<LabelSet, bool> signatures;
  const bool is_or = node_.op == BinaryOp::kOr;
  for (const Sample& sample : is_or ? left : right) signatures[SignatureOf(sample.labels)] = true;
  Vector out;
  if (is_or) out = left;
  for (const Sample& sample : is_or ? right : left) {
    const bool matches = signatures.contains(SignatureOf(sample.labels));
    if (matches == (node_.op == BinaryOp::kAnd)) out.push_back(sample);
  }
  return out;
}

Result<Vector> Operator::WithVector(const Vector& left, const Vector& right) {
  if (lang::promql::IsSetOperation(node_.op)) return SetOperation(left, right);
  // Of each signature at most one sample stands on the one side.
  const bool swapped = node_.matching.group == Matching::Group::kRight;
  const Vector& many = swapped ? right : left;
  const Vector& one = swapped ? left : right;
  absl::flat_hash_map<LabelSet, Sample> by_signature;
  for (const Sample& sample : one) {
    const LabelSet signature = SignatureOf(sample.labels);
    const auto [found, is_new] = by_signature.try_emplace(signature, sample);
    if (!is_new) return TooMany(signature, found->second.labels, sample.labels, !swapped);
  }
  absl::flat_hash_map<LabelSet, LabelSet> taken;  // signature or result: the sample that has it
  Vector out;
  for (const Sample& sample : many) {
    const LabelSet signature = SignatureOf(sample.labels);
    const auto found = by_signature.find(signature);
    if (found == by_signature.end()) continue;
    const Matched matched = swapped ? Compute(found->second.value, sample.value)
                                    : Compute(sample.value, found->second.value);
    if (!matched.keep) continue;
    const LabelSet labels = ResultLabels(sample.labels, found->second.labels);
    const bool grouped = node_.matching.group != Matching::Group::kNone;
    const auto [before, is_new] = taken.try_emplace(grouped ? labels : signature, sample.labels);
    if (!is_new) {
      return Error(ErrorCode::kInvalidArgument,
                   grouped ? "multiple matches for labels: grouping labels must ensure unique "
                             "matches"
                           : "multiple matches for labels: many-to-one matching must be explicit "
                             "(group_left/group_right)");
    }
    out.push_back({labels, matched.value});
  }
  return out;
}

}  // namespace weft::query::prometheus
