#include "query/exec/catalog.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "block/operation_counts.h"
#include "block/renewal.h"
#include "query/exec/counted_blocks.h"
#include "query/exec/group_filter.h"
#include "query/exec/row_values.h"
#include "query/exec/value_count.h"

namespace weft::query::exec {
namespace {

using block::Column;
using block::ColumnPtr;
using block::Intrinsic;
using block::Scope;

struct Counts {
  uint64_t spans = 0;
  uint64_t errors = 0;

  void Add(const Counts& o) {
    spans += o.spans;
    errors += o.errors;
  }
};

// Which entries of the status dictionary are errors.
std::vector<uint8_t> ErrorCodes(const Column& status) {
  std::vector<uint8_t> out;
  for (int64_t value : status.dictionary->ints)
    out.push_back(value == static_cast<int64_t>(model::StatusCode::kError) ? 1 : 0);
  return out;
}

// service.name of each row of the resource table, "" where there is none.
Result<std::vector<std::string>> ServicesOfResources(GroupColumns* columns) {
  WEFT_ASSIGN_OR_RETURN(const uint32_t rows, columns->TableRows(Scope::kResource));
  WEFT_ASSIGN_OR_RETURN(const auto* names,
                        columns->ReadAttribute(Scope::kResource, "service.name"));
  std::vector<std::string> out(rows);
  for (const ColumnPtr& column : *names) {
    if (column->type != model::ValueType::kString) continue;
    for (uint32_t i = 0; i < rows; ++i) out[i] = std::string(ScalarAt(*column, i).text);
  }
  return out;
}

// What is counted of each span: its number in `slots` sums.
template <typename SlotOf>
Result<std::vector<Counts>> CountRows(GroupColumns* columns, const Bitmap& rows, size_t slots,
                                      SlotOf slot_of) {
  WEFT_ASSIGN_OR_RETURN(const Column* status, columns->Read(Intrinsic::kStatus));
  const std::vector<uint8_t> is_error = ErrorCodes(*status);
  std::vector<Counts> out(slots);
  rows.ForEach([&](uint32_t row) {
    Counts& counts = out[slot_of(row)];
    ++counts.spans;
    counts.errors += is_error[status->codes[row]];
  });
  return out;
}

Error CountServices(GroupColumns* columns, const Bitmap& rows, std::map<std::string, Counts>* out) {
  WEFT_ASSIGN_OR_RETURN(const std::vector<std::string> services, ServicesOfResources(columns));
  WEFT_ASSIGN_OR_RETURN(const Column* resource, columns->Read(Intrinsic::kResource));
  WEFT_ASSIGN_OR_RETURN(const auto counts,
                        CountRows(columns, rows, services.size(), [resource](uint32_t row) {
                          return static_cast<size_t>(resource->ints[row]);
                        }));
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i].spans > 0) (*out)[services[i]].Add(counts[i]);
  }
  return Error::Ok();
}

void AddTo(const block::OperationCount& count, Counts* out) {
  out->Add({count.count, count.error ? count.count : 0});
}

void AddServices(const block::OperationCounts& block, std::map<std::string, Counts>* out) {
  absl::flat_hash_map<model::Code, Counts> by_code;
  for (const block::OperationCount& count : block.counts) AddTo(count, &by_code[count.service]);
  for (const auto& [code, counts] : by_code) (*out)[std::string(block.strings[code])].Add(counts);
}

// An attribute that was sent without a value is as good as none.
constexpr unsigned kEmptyBit = 1u << static_cast<unsigned>(model::ValueType::kEmpty);

using OperationKey = std::pair<std::string, uint8_t>;

Error CountOperations(GroupColumns* columns, Bitmap rows, const std::string* service,
                      std::map<OperationKey, Counts>* out) {
  if (service != nullptr) {
    // No name is no text greater than the empty one.
    const plan::Compare op = service->empty() ? plan::Compare::kGreater : plan::Compare::kEqual;
    plan::Predicate of_service = plan::Predicate::Comparison(
        op, plan::Expression::OfField(plan::Field::Attribute(Scope::kResource, "service.name")),
        plan::Expression::Constant(plan::Value::String(*service)));
    if (service->empty()) of_service = plan::Predicate::Not(std::move(of_service));
    GroupFilter filter(columns, nullptr);
    WEFT_ASSIGN_OR_RETURN(rows, filter.Filter(of_service, rows));
    if (!rows.Any()) return Error::Ok();
  }
  WEFT_ASSIGN_OR_RETURN(const Column* name, columns->Read(Intrinsic::kName));
  WEFT_ASSIGN_OR_RETURN(const Column* kind, columns->Read(Intrinsic::kKind));
  const size_t kinds = kind->dictionary->size();
  const auto slot_of = [&](uint32_t row) { return name->codes[row] * kinds + kind->codes[row]; };
  WEFT_ASSIGN_OR_RETURN(const auto counts,
                        CountRows(columns, rows, name->dictionary->size() * kinds, slot_of));
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i].spans == 0) continue;
    const auto kind_value = static_cast<uint8_t>(kind->dictionary->ints[i % kinds]);
    (*out)[{std::string(name->dictionary->strings[i / kinds]), kind_value}].Add(counts[i]);
  }
  return Error::Ok();
}

// Of one service, or of all.
void AddOperations(const block::OperationCounts& block, const std::string* service,
                   std::map<OperationKey, Counts>* out) {
  absl::flat_hash_map<std::pair<model::Code, uint8_t>, Counts> by_code;
  for (const block::OperationCount& count : block.counts) {
    if (service != nullptr && block.strings[count.service] != *service) continue;
    AddTo(count, &by_code[{count.name, count.kind}]);
  }
  for (const auto& [key, counts] : by_code) {
    (*out)[{std::string(block.strings[key.first]), key.second}].Add(counts);
  }
}

bool ComesFirst(const ValueEntry& a, const ValueEntry& b) {
  return std::tie(b.count, a.text, a.type) < std::tie(a.count, b.text, b.type);
}

}  // namespace

const char* ScopeName(Scope scope) {
  switch (scope) {
    case Scope::kSpan: return "span";
    case Scope::kResource: return "resource";
    case Scope::kInstrumentation: return "instrumentation";
    case Scope::kEvent: return "event";
    case Scope::kLink: return "link";
  }
  return "";
}

Error Catalog::CheckLimits(const BudgetClock& clock) {
  if (clock.cancelled()) return {ErrorCode::kCancelled, "the query was cancelled"};
  const std::string limit = clock.Exhausted();
  if (limit.empty()) return Error::Ok();
  return {ErrorCode::kResourceExhausted, limit + "; ask for a shorter time range"};
}

// Calls visit(columns, rows in range) for each group that has such rows.
template <typename Visit>
Error Catalog::ForEachGroup(Visit visit) const {
  const BudgetClock clock(budget_, env_);
  WEFT_ASSIGN_OR_RETURN(const auto groups, source_.Snapshot(tenant_, range_, {.lazy = true}));
  return VisitGroups(groups, clock, visit);
}

template <typename Visit>
Error Catalog::VisitGroups(const Groups& groups, const BudgetClock& clock, Visit visit) const {
  for (const auto& group : groups) {
    WEFT_RETURN_IF_ERROR(CheckLimits(clock));
    if (group->row_count() == 0 || !range_.Touches(group->first_start_ns(), group->last_start_ns()))
      continue;
    WEFT_RETURN_IF_ERROR(group->Load());
    if (group->row_count() == 0) continue;
    GroupColumns columns(*group);
    WEFT_ASSIGN_OR_RETURN(const Bitmap rows, RowsInRange(&columns, range_));
    if (rows.Any()) WEFT_RETURN_IF_ERROR(visit(&columns, rows));
  }
  return Error::Ok();
}

template <typename CountBlock, typename Visit>
Error Catalog::ForEachBlock(CountBlock count_block, Visit visit) const {
  const BudgetClock clock(budget_, env_);
  WEFT_ASSIGN_OR_RETURN(const auto groups, source_.Snapshot(tenant_, range_, {.lazy = true}));
  std::map<std::string_view, Groups> by_block;
  for (const auto& group : groups) by_block[group->block_id()].push_back(group);
  for (const auto& [id, of_block] : by_block) {
    WEFT_RETURN_IF_ERROR(CheckLimits(clock));
    const bool whole = !id.empty() && std::ranges::all_of(of_block, [&](const auto& group) {
      return range_.Contains(group->first_start_ns()) && range_.Contains(group->last_start_ns());
    });
    std::shared_ptr<const block::OperationCounts> counts;
    if (whole) {
      WEFT_ASSIGN_OR_RETURN(counts, CountsOfAll(of_block));
    }
    if (counts == nullptr) {
      WEFT_RETURN_IF_ERROR(VisitGroups(of_block, clock, visit));
    } else {
      count_block(*counts);
    }
  }
  return Error::Ok();
}

Result<std::vector<ServiceEntry>> Catalog::Services() const {
  return block::WithRenewal<std::vector<ServiceEntry>>(
      source_, [&]() -> Result<std::vector<ServiceEntry>> {
        std::map<std::string, Counts> counts;
        const auto of_block = [&](const block::OperationCounts& block) {
          AddServices(block, &counts);
        };
        WEFT_RETURN_IF_ERROR(ForEachBlock(of_block, [&](GroupColumns* columns, const Bitmap& rows) {
          return CountServices(columns, rows, &counts);
        }));
        std::vector<ServiceEntry> out;
        for (const auto& [name, c] : counts) out.push_back({name, c.spans, c.errors});
        return out;
      });
}

Result<std::vector<OperationEntry>> Catalog::Operations(const std::string* service) const {
  return block::WithRenewal<std::vector<OperationEntry>>(
      source_, [&]() -> Result<std::vector<OperationEntry>> {
        std::map<OperationKey, Counts> counts;
        const auto of_block = [&](const block::OperationCounts& block) {
          AddOperations(block, service, &counts);
        };
        WEFT_RETURN_IF_ERROR(ForEachBlock(of_block, [&](GroupColumns* columns, const Bitmap& rows) {
          return CountOperations(columns, rows, service, &counts);
        }));
        std::vector<OperationEntry> out;
        for (const auto& [key, c] : counts)
          out.push_back({key.first, key.second, c.spans, c.errors});
        return out;
      });
}

Result<KeysAnswer> Catalog::AttributeKeys(const Scope* scope, const std::string& prefix,
                                          uint32_t limit) const {
  return block::WithRenewal<KeysAnswer>(source_, [&]() -> Result<KeysAnswer> {
    KeysAnswer out;
    std::map<std::pair<std::string, std::string>, KeyEntry> keys;
    WEFT_RETURN_IF_ERROR(ForEachGroup([&](GroupColumns* columns, const Bitmap&) -> Error {
      WEFT_ASSIGN_OR_RETURN(const auto found, columns->group().AttributeKeys());
      for (const block::RowGroup::KeyInfo& info : found) {
        const auto types = static_cast<uint8_t>(info.types & ~kEmptyBit);
        if (types == 0) continue;
        if ((scope != nullptr && info.scope != *scope) || !info.key.starts_with(prefix)) continue;
        KeyEntry& entry = keys[{ScopeName(info.scope), info.key}];
        entry.scope = info.scope;
        entry.key = info.key;
        entry.types |= types;
        if (keys.size() > limit) {
          keys.erase(std::prev(keys.end()));
          out.complete = false;
        }
      }
      return Error::Ok();
    }));
    for (auto& entry : keys) out.keys.push_back(std::move(entry.second));
    return out;
  });
}

Result<ValuesAnswer> Catalog::AttributeValues(const ValuesRequest& request) const {
  return block::WithRenewal<ValuesAnswer>(source_, [&]() -> Result<ValuesAnswer> {
    WEFT_RETURN_IF_ERROR(CheckCountable(request.field));
    TraceJoiner joiner(source_, tenant_);
    ValueCounts counts(request.prefix);
    WEFT_RETURN_IF_ERROR(ForEachGroup([&](GroupColumns* columns, const Bitmap& rows) {
      return ValueCounter(columns, &joiner, rows).Count(request.field, &counts).error();
    }));
    ValuesAnswer out;
    for (const auto& [key, count] : counts.counts()) {
      out.values.push_back({key.first, key.second, count});
    }
    const size_t shown = std::min<size_t>(request.limit, out.values.size());
    std::partial_sort(out.values.begin(), out.values.begin() + static_cast<ptrdiff_t>(shown),
                      out.values.end(), ComesFirst);
    out.complete = shown == out.values.size();
    out.values.resize(shown);
    return out;
  });
}

}  // namespace weft::query::exec
