#include "query/exec/comparison.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "base/mutex.h"
#include "query/exec/group_filter.h"
#include "query/exec/plan_rows.h"
#include "query/exec/span_describer.h"
#include "query/exec/value_count.h"

namespace weft::query::exec {
namespace {

using block::Intrinsic;
using block::Scope;
using plan::Field;
using plan::Property;

constexpr std::array kProperties{
    Property::kName,          Property::kKind,      Property::kStatus,
    Property::kStatusMessage, Property::kRootName,  Property::kRootServiceName,
    Property::kEventName,     Property::kScopeName, Property::kScopeVersion};
constexpr std::array kSides{Side::kBaseline, Side::kSelection};

size_t At(Side side) { return static_cast<size_t>(side); }

// In the order of answers: properties first, then attributes by scope and key.
struct FieldOrder {
  static auto KeyOf(const Field& f) { return std::tie(f.source, f.property, f.scope, f.key); }
  bool operator()(const Field& a, const Field& b) const { return KeyOf(a) < KeyOf(b); }
};

struct FieldSums {
  ValueTally tally;
  SideCounts having{};
  std::array<NumberHistogram, 2> numbers;

  size_t bytes() const { return tally.bytes() + numbers[0].bytes() + numbers[1].bytes(); }
};
using Sums = std::map<Field, FieldSums, FieldOrder>;

// Leaves out the empty text, which a property has where there is none.
class TextSink : public ValueSink {
 public:
  explicit TextSink(ValueSink* out) : out_(out) {}
  uint64_t LeaveOut(uint64_t spans, uint64_t distinct) override {
    return out_->LeaveOut(spans, distinct);
  }
  void Add(const plan::Scalar& value, uint64_t count) override {
    if (value.type != plan::Value::Type::kString || !value.text.empty()) out_->Add(value, count);
  }

 private:
  ValueSink* out_;
};

// An attribute may be "", a property that is has no value.
Result<uint64_t> CountField(const Field& field, ValueCounter* counter, ValueSink* out) {
  TextSink text(out);
  if (field.source == Field::Source::kProperty) out = &text;
  return counter->Count(field, out);
}

class SideSink : public ValueSink {
 public:
  SideSink(Side side, ValueTally* out) : side_(side), out_(out) {}
  uint64_t LeaveOut(uint64_t spans, uint64_t distinct) override {
    return out_->LeaveOut(side_, spans, distinct);
  }
  void Add(const plan::Scalar& value, uint64_t count) override { out_->Add(side_, value, count); }

 private:
  Side side_;
  ValueTally* out_;
};

// Hands values on, and counts all those that are numbers, also rare ones.
class NumberSink : public ValueSink {
 public:
  NumberSink(ValueSink* out, NumberHistogram* numbers) : out_(out), numbers_(numbers) {}
  uint64_t LeaveOut(uint64_t spans, uint64_t distinct) override {
    left_out_ = out_->LeaveOut(spans, distinct);
    return 0;
  }
  void Add(const plan::Scalar& value, uint64_t count) override {
    if (value.type == plan::Value::Type::kInt)
      numbers_->Add(static_cast<double>(value.number), count);
    if (value.type == plan::Value::Type::kDouble) numbers_->Add(value.real, count);
    if (count > left_out_) out_->Add(value, count);
  }

 private:
  ValueSink* out_;
  NumberHistogram* numbers_;
  uint64_t left_out_ = 0;
};

// Where the values of one field go.
class SideSinks {
 public:
  SideSinks(bool is_number, FieldSums* out)
      : values_{SideSink(Side::kBaseline, &out->tally), SideSink(Side::kSelection, &out->tally)},
        numbers_{NumberSink(&values_[0], &out->numbers[0]),
                 NumberSink(&values_[1], &out->numbers[1])} {
    both_ = {&values_[0], &values_[1]};
    if (is_number) both_ = {&numbers_[0], &numbers_[1]};
  }
  SideSinks(const SideSinks&) = delete;

  const std::array<ValueSink*, 2>& both() const { return both_; }

 private:
  std::array<SideSink, 2> values_;
  std::array<NumberSink, 2> numbers_;
  std::array<ValueSink*, 2> both_;
};

bool HasNumbers(const block::RowGroup::KeyInfo& key) {
  const auto has = [&](model::ValueType type) {
    return (key.types >> static_cast<uint8_t>(type) & 1) != 0;
  };
  return has(model::ValueType::kInt) || has(model::ValueType::kDouble);
}

bool ComesFirst(const plan::Value& a, const plan::Value& b) {
  return std::tie(a.type, a.number, a.real, a.text) < std::tie(b.type, b.number, b.real, b.text);
}

// Puts the `count` most frequent values of one side first.
void PutMostFrequentFirst(Side side, size_t count, std::vector<ComparedValue>* values) {
  const auto middle = values->begin() + static_cast<ptrdiff_t>(count);
  std::partial_sort(values->begin(), middle, values->end(),
                    [&](const ComparedValue& a, const ComparedValue& b) {
                      const uint64_t x = a.spans[At(side)];
                      const uint64_t y = b.spans[At(side)];
                      return x != y ? x > y : ComesFirst(a.value, b.value);
                    });
}

// Counts known values of one field once more.
class KnownValues {
 public:
  explicit KnownValues(std::vector<ComparedValue>* values) : values_(*values) {
    for (size_t i = 0; i < values_.size(); ++i) index_.emplace(ValueKey{values_[i].value}, i);
  }
  ComparedValue* Find(const plan::Scalar& value) {
    const auto found = index_.find(value);
    return found == index_.end() ? nullptr : &values_[found->second];
  }

 private:
  std::vector<ComparedValue>& values_;
  absl::flat_hash_map<ValueKey, size_t, ScalarKeyHash, ScalarKeyEqual> index_;
};

template <typename Visit>
class VisitingSink : public ValueSink {
 public:
  VisitingSink(KnownValues* known, Visit visit) : known_(known), visit_(std::move(visit)) {}
  void Add(const plan::Scalar& value, uint64_t count) override {
    if (ComparedValue* const found = known_->Find(value)) visit_(found, count);
  }

 private:
  KnownValues* known_;
  Visit visit_;
};

class ComparisonRun {
 public:
  ComparisonRun(const block::RowSource& source, TaskRunner& runner, BudgetClock* clock,
                const Budget& budget, const plan::SeriesExpression& expression,
                const SeriesQuery& query, bool numbers)
      : clock_(*clock),
        budget_(budget),
        comparison_(expression.comparison),
        query_(query),
        numbers_(numbers),
        rows_(source, runner, clock, expression.spans, query.tenant, query.axis.range()) {}

  Result<ComparisonAnswer> Run() {
    sums_.resize(rows_.width());
    WEFT_RETURN_IF_ERROR(
        rows_.ForEach([&](const PlanRows::Part& part, GroupColumns* columns, size_t thread) {
          return AddPart(part, columns, &sums_[thread]);
        }));
    Sums sums = MergedSums();
    for (auto& [field, one] : sums) AddField(field, one);
    WEFT_RETURN_IF_ERROR(CountAgain());
    for (ComparedField& field : answer_.fields) Finish(&field);
    if (query_.axis.count > 1) WEFT_RETURN_IF_ERROR(CountBySteps());
    // What was counted in part by steps tells nothing.
    if (query_.axis.count > 1 && !rows_.reason().empty()) answer_.fields.clear();
    rows_.AddStats(&answer_.stats);
    if (!rows_.reason().empty()) {
      answer_.complete = false;
      answer_.reason = rows_.reason();
    }
    return std::move(answer_);
  }

 private:
  // Spans of one group on both sides, kept to be counted again.
  struct SplitPart {
    std::shared_ptr<const block::RowGroup> group;
    TraceJoiner* joiner = nullptr;
    std::array<Bitmap, 2> sides;
    std::array<std::map<uint32_t, Bitmap>, 2> steps;  // the same by step, once that is asked for
  };

  Error AddPart(const PlanRows::Part& part, GroupColumns* columns, Sums* sums) {
    WEFT_ASSIGN_OR_RETURN(SplitPart split, Split(part, columns));
    WEFT_ASSIGN_OR_RETURN(const auto keys, part.group->AttributeKeys());
    std::vector<std::pair<Field, bool>> fields;  // and whether to count numbers
    for (const Property property : kProperties) fields.emplace_back(Field::Of(property), false);
    for (const auto& key : keys) {
      fields.emplace_back(Field::Attribute(key.scope, key.key), numbers_ && HasNumbers(key));
    }
    const bool all = part.rows.All();
    std::array counters{ValueCounter(columns, part.joiner, split.sides[0]),
                        ValueCounter(columns, part.joiner, split.sides[1])};
    for (const auto& [field, is_number] : fields) {
      FieldSums& out = (*sums)[field];
      SideSinks sinks(is_number, &out);
      if (field.is_attribute_of(Scope::kSpan)) {
        WEFT_ASSIGN_OR_RETURN(const auto having,
                              CountOnBothSides(columns, field.key, split.sides, all, sinks.both()));
        for (const Side side : kSides) out.having[At(side)] += having[At(side)];
        continue;
      }
      for (const Side side : kSides) {
        if (!split.sides[At(side)].Any()) continue;
        WEFT_ASSIGN_OR_RETURN(const uint64_t having,
                              CountField(field, &counters[At(side)], sinks.both()[At(side)]));
        out.having[At(side)] += having;
      }
    }
    for (const Side side : kSides) {
      if (numbers_) WEFT_RETURN_IF_ERROR(CountDurations(side, split, columns, sums));
    }
    WEFT_RETURN_IF_ERROR(CheckMemory(*sums));
    MutexLock lock(mutex_);
    for (const Side side : kSides) answer_.spans[At(side)] += split.sides[At(side)].Count();
    clock_.AddMemory(split.sides[0].bytes() * 2);
    // Joined traces are not the source's: this keeps them.
    if (part.joiner == nullptr) clock_.AddMemory(size_t{200} * part.group->row_count());
    parts_.push_back(std::move(split));
    return Error::Ok();
  }

  Error CountDurations(Side side, const SplitPart& split, GroupColumns* columns, Sums* sums) const {
    WEFT_ASSIGN_OR_RETURN(const block::Column* duration, columns->Read(Intrinsic::kDuration));
    NumberHistogram& out = (*sums)[Field::Of(Property::kDuration)].numbers[At(side)];
    split.sides[At(side)].ForEach(
        [&](uint32_t row) { out.Add(static_cast<double>(duration->ints[row]), 1); });
    return Error::Ok();
  }

  Result<SplitPart> Split(const PlanRows::Part& part, GroupColumns* columns) const {
    SplitPart out{part.group, part.joiner, {}, {}};
    WEFT_ASSIGN_OR_RETURN(
        Bitmap selected,
        GroupFilter(columns, part.joiner).Filter(comparison_.selection, part.rows));
    if (comparison_.window) {
      WEFT_ASSIGN_OR_RETURN(const Bitmap within, RowsInRange(columns, *comparison_.window));
      selected.And(within);
    }
    out.sides[At(Side::kBaseline)] = part.rows;
    out.sides[At(Side::kBaseline)].AndNot(selected);
    out.sides[At(Side::kSelection)] = std::move(selected);
    return out;
  }

  Error CheckMemory(const Sums& sums) const {
    if (budget_.memory_bytes == 0) return Error::Ok();
    size_t bytes = 0;
    for (const auto& [field, one] : sums) bytes += one.bytes();
    if (bytes * sums_.size() <= budget_.memory_bytes) return Error::Ok();
    return {ErrorCode::kResourceExhausted, "the memory limit of " +
                                               std::to_string(budget_.memory_bytes) +
                                               " bytes ran out; compare fewer spans"};
  }

  Sums MergedSums() {
    Sums out = std::move(sums_[0]);
    for (size_t i = 1; i < sums_.size(); ++i) {
      for (const auto& [field, one] : sums_[i]) {
        FieldSums& sum = out[field];
        sum.tally.Merge(one.tally);
        for (const Side side : kSides) {
          sum.having[At(side)] += one.having[At(side)];
          sum.numbers[At(side)].Merge(one.numbers[At(side)]);
        }
      }
    }
    return out;
  }

  // What may be in the answer.
  void AddField(const Field& field, const FieldSums& sums) {
    if (sums.numbers[0].count() + sums.numbers[1].count() != 0)
      answer_.numbers.push_back({field, sums.numbers});
    if (sums.tally.counts().empty()) return;
    ComparedField out;
    out.field = field;
    out.having.spans = sums.having;
    out.counts_complete = sums.tally.exact();
    for (const auto& [key, counts] : sums.tally.counts()) {
      bool frequent = sums.tally.exact();
      for (const Side side : kSides) {
        const uint64_t at_most = counts[At(side)] + sums.tally.lost(side);
        frequent = frequent || IsFrequent(at_most, side);
      }
      if (frequent) out.values.push_back({key.value, counts, {}});
    }
    answer_.fields.push_back(std::move(out));
  }

  bool IsFrequent(uint64_t spans, Side side) const {
    return spans > 0 && spans >= answer_.spans[At(side)] / ValueTally::kFrequent;
  }

  // The values of fields whose counts are not exact yet.
  Error CountAgain() {
    std::vector<ComparedField*> fields;
    for (ComparedField& field : answer_.fields) {
      if (field.counts_complete || field.values.empty()) continue;
      for (ComparedValue& value : field.values) value.spans = {};
      fields.push_back(&field);
    }
    if (!fields.empty()) WEFT_RETURN_IF_ERROR(PrepareSteps());
    return ForEachPart(fields, [](ComparedValue* value, Side side, uint32_t, uint64_t count) {
      value->spans[At(side)] += count;
    });
  }

  Error CountBySteps() {
    WEFT_RETURN_IF_ERROR(CheckStepMemory());
    std::vector<ComparedField*> fields;
    for (ComparedField& field : answer_.fields) {
      const auto reserve = [&](ComparedValue* value) {
        for (auto& steps : value->steps) steps.assign(query_.axis.count, 0);
      };
      reserve(&field.having);
      for (ComparedValue& value : field.values) reserve(&value);
      fields.push_back(&field);
    }
    by_steps_ = true;
    WEFT_RETURN_IF_ERROR(PrepareSteps());
    if (const auto step = OnlyStep()) {
      for (ComparedField* field : fields) MoveToStep(*step, field);
      return Error::Ok();
    }
    return ForEachPart(fields, [](ComparedValue* value, Side side, uint32_t step, uint64_t count) {
      value->steps[At(side)][step] += count;
    });
  }

  // Counts here, and once more as numbers of lines.
  Error CheckStepMemory() const {
    size_t values = 0;
    for (const ComparedField& field : answer_.fields) values += field.values.size() + 1;
    const size_t bytes = values * query_.axis.count * 2 * (sizeof(uint64_t) + sizeof(double));
    if (budget_.memory_bytes == 0 || bytes <= budget_.memory_bytes) return Error::Ok();
    return {ErrorCode::kResourceExhausted,
            "the memory limit of " + std::to_string(budget_.memory_bytes) +
                " bytes ran out; ask for fewer steps, or for fewer values of each field"};
  }

  // Counts the known values of the fields, each field on one thread: visit(value, side, step,
  // count).
  template <typename Visit>
  Error ForEachPart(const std::vector<ComparedField*>& fields, Visit visit) {
    if (fields.empty()) return Error::Ok();
    return rows_.InParallel(fields.size(), [&](size_t i, size_t) {
      KnownValues known(&fields[i]->values);
      for (const SplitPart& part : parts_) {
        GroupColumns columns(*part.group);
        WEFT_RETURN_IF_ERROR(CountKnown(fields[i], part, &columns, &known, visit));
      }
      return Error::Ok();
    });
  }

  template <typename Visit>
  Error CountKnown(ComparedField* field, const SplitPart& part, GroupColumns* columns,
                   KnownValues* known, const Visit& visit) {
    for (const Side side : kSides) {
      for (const auto& [step, rows] : part.steps[At(side)]) {
        VisitingSink sink(known, [&, step = step](ComparedValue* value, uint64_t count) {
          visit(value, side, step, count);
        });
        ValueCounter counter(columns, part.joiner, rows);
        WEFT_ASSIGN_OR_RETURN(const uint64_t having, CountField(field->field, &counter, &sink));
        if (!by_steps_) continue;
        visit(&field->having, side, step, having);
      }
    }
    return Error::Ok();
  }

  // The step that all spans are in; nothing where they are in several, or there are none.
  std::optional<uint32_t> OnlyStep() const {
    std::optional<uint32_t> only;
    for (const SplitPart& part : parts_) {
      for (const auto& steps : part.steps) {
        for (const auto& [step, rows] : steps) {
          if (only && *only != step) return std::nullopt;
          only = step;
        }
      }
    }
    return only;
  }

  static void MoveToStep(uint32_t step, ComparedField* field) {
    const auto move = [step](ComparedValue* value) {
      for (const Side side : kSides) value->steps[At(side)][step] = value->spans[At(side)];
    };
    move(&field->having);
    for (ComparedValue& value : field->values) move(&value);
  }

  // Splits the rows of every part by step, or leaves them together.
  Error PrepareSteps() {
    return rows_.InParallel(parts_.size(), [this](size_t i, size_t) {
      SplitPart& part = parts_[i];
      GroupColumns columns(*part.group);
      for (const Side side : kSides) {
        const Bitmap& rows = part.sides[At(side)];
        std::map<uint32_t, Bitmap>& steps = part.steps[At(side)];
        steps.clear();
        if (!rows.Any()) continue;
        if (!by_steps_) {
          steps.emplace(0, rows);
          continue;
        }
        WEFT_ASSIGN_OR_RETURN(const block::Column* start, columns.Read(Intrinsic::kStartTime));
        Bitmap* of_step = nullptr;
        uint32_t last = UINT32_MAX;
        rows.ForEach([&](uint32_t row) {
          const uint32_t step = query_.axis.StepOf(static_cast<uint64_t>(start->ints[row]));
          if (step != last) of_step = &steps.try_emplace(step, rows.size()).first->second;
          last = step;
          of_step->Set(row);
        });
        clock_.AddMemory(steps.size() * rows.bytes());
      }
      return Error::Ok();
    });
  }

  // Chooses what is shown.
  void Finish(ComparedField* field) const {
    std::vector<ComparedValue> values = std::move(field->values);
    field->values.clear();
    if (!field->counts_complete) {
      std::erase_if(values, [&](const ComparedValue& v) {
        return std::none_of(kSides.begin(), kSides.end(),
                            [&](Side side) { return IsFrequent(v.spans[At(side)], side); });
      });
    }
    for (const ComparedValue& v : values) field->counts.push_back(v.spans);
    for (const Side side : {Side::kSelection, Side::kBaseline}) {
      size_t have = 0;
      for (ComparedValue& v : values) have += v.spans[At(side)] > 0 ? 1 : 0;
      const size_t shown = std::min<size_t>(have, comparison_.values_max);
      field->more[At(side)] = shown < have || !field->counts_complete;
      PutMostFrequentFirst(side, shown, &values);
      for (size_t i = 0; i < shown; ++i) AddOnce(values[i], side, field);
    }
  }

  // Those of the selection are there already when the baseline's come.
  void AddOnce(const ComparedValue& value, Side side, ComparedField* field) const {
    const auto is_same = [&](const ComparedValue& v) {
      return ValueKey{v.value} == ValueKey{value.value};
    };
    const bool there =
        side == Side::kBaseline && std::any_of(field->values.begin(), field->values.end(), is_same);
    if (!there) field->values.push_back(value);
  }

  BudgetClock& clock_;
  const Budget& budget_;
  const plan::Comparison& comparison_;
  const SeriesQuery& query_;
  const bool numbers_;
  PlanRows rows_;
  std::vector<Sums> sums_;  // one a thread
  ComparisonAnswer answer_;
  bool by_steps_ = false;
  Mutex mutex_;
  std::vector<SplitPart> parts_;
};

FoundValue Label(std::string name, std::string text) {
  return {std::move(name), model::ValueType::kString, 0, 0, std::move(text), plan::Meaning::kPlain};
}

class LineMaker {
 public:
  explicit LineMaker(const TimeAxis& axis) : axis_(axis) {}

  void AddField(const ComparedField& field, std::vector<MetricLine>* out) const {
    const std::string name = plan::ToString(field.field);
    const FoundValue nil{name, model::ValueType::kEmpty, 0, 0, {}, plan::Meaning::kPlain};
    for (const Side side : kSides) {
      const std::string type = side == Side::kBaseline ? "baseline" : "selection";
      for (const ComparedValue& value : field.values) {
        if (value.spans[At(side)] == 0) continue;
        const FoundValue label =
            ToFoundValue(name, plan::Scalar::Of(value.value), plan::Meaning::kPlain);
        out->push_back({{Label("__meta_type", type), label}, ValuesOf(value, side), {}});
      }
      if (field.having.spans[At(side)] == 0) continue;
      out->push_back(
          {{Label("__meta_type", type + "_total"), nil}, ValuesOf(field.having, side), {}});
    }
    if (field.more[0] || field.more[1]) {
      out->push_back({{Label("__meta_error", "__too_many_values__"), nil},
                      std::vector<double>(axis_.count, 0),
                      {}});
    }
  }

 private:
  std::vector<double> ValuesOf(const ComparedValue& value, Side side) const {
    if (axis_.count == 1) return {static_cast<double>(value.spans[At(side)])};
    const auto& steps = value.steps[At(side)];
    return {steps.begin(), steps.end()};
  }

  const TimeAxis& axis_;
};

}  // namespace

Result<ComparisonAnswer> Compare(const block::RowSource& source, TaskRunner& runner,
                                 BudgetClock* clock, const Budget& budget,
                                 const plan::SeriesExpression& expression, const SeriesQuery& query,
                                 bool numbers) {
  return ComparisonRun(source, runner, clock, budget, expression, query, numbers).Run();
}

std::vector<MetricLine> LinesOf(const ComparisonAnswer& answer, const TimeAxis& axis) {
  std::vector<MetricLine> out;
  const LineMaker maker(axis);
  for (const ComparedField& field : answer.fields) maker.AddField(field, &out);
  return out;
}

}  // namespace weft::query::exec
