// What there is to ask for: services, operations, attribute keys and their values, with exact
// counts of spans.
//
// Counted on codes; strings are touched once per distinct value and row group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time_range.h"
#include "block/row_source.h"
#include "query/exec/budget.h"
#include "query/plan/field.h"

namespace weft::query::exec {

struct ServiceEntry {
  std::string name;  // empty for spans without service.name
  uint64_t span_count = 0;
  uint64_t error_count = 0;
};

struct OperationEntry {
  std::string name;
  uint8_t kind = 0;  // model::SpanKind
  uint64_t span_count = 0;
  uint64_t error_count = 0;
};

struct KeyEntry {
  block::Scope scope = block::Scope::kSpan;
  std::string key;
  uint8_t types = 0;  // bit i: model::ValueType i occurs
};

struct KeysAnswer {
  std::vector<KeyEntry> keys;
  bool complete = true;  // false when the limit left some out
};

struct ValueEntry {
  model::ValueType type = model::ValueType::kString;
  std::string text;    // as TraceQL writes it, strings without quotes
  uint64_t count = 0;  // spans that carry it
};

struct ValuesRequest {
  plan::Field field;
  std::string prefix;  // only strings that begin so, whatever the case of ASCII letters
  uint32_t limit = 100;
};

struct ValuesAnswer {
  std::vector<ValueEntry> values;  // most frequent first, then by text, then by type
  bool complete = true;            // false when the limit left some out
};

// Any thread. Spans that start in the range are counted, each once. When the budget runs out the
// answer is an error: kCancelled, or kResourceExhausted with the limit's name. Everything handed in
// must outlive the catalog.
class Catalog {
 public:
  Catalog(const block::RowSource& source, const Env& env, model::TenantId tenant, TimeRange range,
          const Budget& budget)
      : source_(source), env_(env), tenant_(std::move(tenant)), range_(range), budget_(budget) {}

  // By name.
  Result<std::vector<ServiceEntry>> Services() const;
  // By name, then kind; of one service, or of all when `service` is null.
  Result<std::vector<OperationEntry>> Operations(const std::string* service) const;
  // By scope in the order of their names, then key. Of the row groups that the range touches: a key
  // whose spans all start just outside may be listed. `scope` null: all of them.
  // The first `limit` of them.
  Result<KeysAnswer> AttributeKeys(const block::Scope* scope, const std::string& prefix,
                                   uint32_t limit) const;
  // Attributes, name, kind, status, statusMessage, rootName, rootServiceName, and events', links'
  // and scopes' names; kInvalidArgument for other properties. Elements of arrays count as values;
  // bytes and kvlists do not.
  Result<ValuesAnswer> AttributeValues(const ValuesRequest& request) const;

 private:
  template <typename Visit>
  Error ForEachGroup(Visit visit) const;
  // The same of row groups that count_block(counts) has not been called for, which is called for
  // blocks that lie in the range as a whole.
  template <typename CountBlock, typename Visit>
  Error ForEachBlock(CountBlock count_block, Visit visit) const;
  using Groups = std::vector<std::shared_ptr<const block::RowGroup>>;
  template <typename Visit>
  Error VisitGroups(const Groups& groups, const BudgetClock& clock, Visit visit) const;
  static Error CheckLimits(const BudgetClock& clock);

  const block::RowSource& source_;
  const Env& env_;
  const model::TenantId tenant_;
  const TimeRange range_;
  const Budget budget_;
};

// "span", "resource", "instrumentation", "event", "link".
const char* ScopeName(block::Scope scope);

}  // namespace weft::query::exec
