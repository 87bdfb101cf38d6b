// Operators between scalars and vectors. Inside this folder only.
#pragma once

#include <absl/container/flat_hash_map.h>

#include "base/error.h"
#include "query/lang/promql/tree.h"
#include "query/prometheus/vector.h"

namespace weft::query::prometheus {

// Of arithmetic the number; of a comparison 1 or 0.
double Apply(lang::promql::BinaryOp op, double left, double right);

// Of one node of kind kBinary. One thread; node and table outlive it.
class Operator {
 public:
  Operator(const lang::promql::Node& node, LabelTable* labels) : node_(node), labels_(*labels) {}

  // A vector and a scalar, which stands on the left or on the right.
  Vector WithScalar(const Vector& vector, double scalar, bool scalar_is_left);
  // Two vectors. kInvalidArgument where more than one series match one.
  Result<Vector> WithVector(const Vector& left, const Vector& right);

 private:
  struct Matched {
    double value = 0;
    bool keep = true;
  };

  Matched Compute(double left, double right) const;
  LabelSet SignatureOf(LabelSet labels);
  LabelSet WithoutName(LabelSet labels);
  LabelSet ResultLabels(LabelSet many, LabelSet one);
  Vector SetOperation(const Vector& left, const Vector& right);
  Error TooMany(LabelSet signature, LabelSet first, LabelSet second, bool right) const;

  const lang::promql::Node& node_;
  LabelTable& labels_;
  absl::flat_hash_map<LabelSet, LabelSet> signatures_;
  absl::flat_hash_map<LabelSet, LabelSet> nameless_;
  absl::flat_hash_map<std::pair<LabelSet, LabelSet>, LabelSet> results_;
};

}  // namespace weft::query::prometheus
