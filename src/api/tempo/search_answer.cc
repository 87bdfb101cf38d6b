#include "api/tempo/search_answer.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "api/answers.h"
#include "api/tempo/go_duration.h"
#include "api/tempo/messages.h"
#include "base/utf8.h"
#include "block/json_text.h"
#include "model/span_batch.h"

namespace weft::api::tempo {
namespace {

using model::ValueType;
using query::exec::FoundSpan;
using query::exec::FoundSpanset;
using query::exec::FoundTrace;
using query::exec::FoundValue;
using query::plan::Field;
using query::plan::Meaning;
using query::plan::Plan;
using query::plan::Property;
using query::plan::ShownField;

constexpr std::string_view kNoRoot = "<root span not yet received>";

uint32_t Clamped(uint64_t value) {
  return static_cast<uint32_t>(std::min<uint64_t>(value, std::numeric_limits<uint32_t>::max()));
}

void SetNested(const model::SpanBatch& owner, const model::Attribute& value,
               tempopb::AnyValue* out) {
  switch (value.type) {
    case ValueType::kEmpty: return;
    case ValueType::kString: return out->set_stringvalue(Utf8(owner.strings[value.as_code()]));
    case ValueType::kInt: return out->set_intvalue(value.as_int());
    case ValueType::kDouble: return out->set_doublevalue(value.as_double());
    case ValueType::kBool: return out->set_boolvalue(value.as_bool());
    case ValueType::kBytes: return out->set_bytesvalue(std::string(owner.strings[value.as_code()]));
    case ValueType::kArray:
    case ValueType::kKvList: break;
  }
  const model::NestedRange range = value.as_nested();
  for (uint32_t i = range.begin; i < range.begin + range.count; ++i) {
    if (value.type == ValueType::kArray) {
      SetNested(owner, owner.nested[i], out->mutable_arrayvalue()->add_values());
      continue;
    }
    tempopb::KeyValue& pair = *out->mutable_kvlistvalue()->add_values();
    pair.set_key(Utf8(owner.strings[owner.nested[i].key]));
    SetNested(owner, owner.nested[i], pair.mutable_value());
  }
}

void SetContainer(const FoundValue& value, tempopb::AnyValue* out) {
  if (value.type == ValueType::kArray) out->mutable_arrayvalue();  // also when it is empty
  if (value.type == ValueType::kKvList) out->mutable_kvlistvalue();
  model::SpanBatch owner;
  const auto parsed = block::ParseJsonText(value.text, &owner);
  if (parsed.ok()) SetNested(owner, *parsed, out);
}

void SetInt(const FoundValue& value, tempopb::AnyValue* out) {
  switch (value.meaning) {
    case Meaning::kDuration: return out->set_stringvalue(PrintGoDuration(value.number));
    case Meaning::kStatus:
      return out->set_stringvalue(std::string(StatusName(static_cast<uint8_t>(value.number))));
    case Meaning::kKind:
      return out->set_stringvalue(std::string(KindName(static_cast<uint8_t>(value.number))));
    case Meaning::kPlain: return out->set_intvalue(value.number);
  }
}

void SetValue(const FoundValue& value, tempopb::AnyValue* out) {
  switch (value.type) {
    case ValueType::kEmpty: return out->set_stringvalue("nil");
    case ValueType::kString: return out->set_stringvalue(Utf8(value.text));
    case ValueType::kInt: return SetInt(value, out);
    case ValueType::kBool: return out->set_boolvalue(value.number != 0);
    case ValueType::kBytes: return out->set_bytesvalue(value.text);
    case ValueType::kDouble: break;
    case ValueType::kArray:
    case ValueType::kKvList: return SetContainer(value, out);
  }
  // An average of durations is one, to the nanosecond.
  if (value.meaning != Meaning::kDuration) return out->set_doublevalue(value.real);
  out->set_stringvalue(PrintGoDuration(static_cast<int64_t>(value.real)));
}

// What answers have fields of their own for.
bool HasOwnField(const Field& field) {
  constexpr std::array<Property, 7> kOwn = {
      Property::kName,    Property::kDuration,        Property::kTraceDuration, Property::kRootName,
      Property::kTraceId, Property::kRootServiceName, Property::kSpanId};
  return std::any_of(kOwn.begin(), kOwn.end(), [&](Property p) { return field.is(p); });
}

}  // namespace

void AddKeyValue(const FoundValue& value, tempopb::KeyValue* out) {
  out->set_key(Utf8(value.name));
  SetValue(value, out->mutable_value());
}

namespace {

class TraceWriter {
 public:
  TraceWriter(const Plan& plan, const SearchShape& shape) : shape_(shape) {
    for (const ShownField& field : plan.shown) {
      shows_name_ |= field.field.is(Property::kName);
      shown_.push_back({query::plan::NameInAnswers(field.field), HasOwnField(field.field)});
    }
  }

  void Write(const FoundTrace& found, tempopb::TraceSearchMetadata* out) const {
    const block::TraceSummary& summary = found.summary;
    out->set_traceid(IdText(summary.id));
    const bool no_root = (summary.flags & block::kTraceRootMissing) != 0;
    out->set_rootservicename(no_root ? std::string(kNoRoot) : Utf8(summary.root_service));
    out->set_roottracename(Utf8(summary.root_name));
    out->set_starttimeunixnano(summary.start_ns);
    out->set_durationms(Clamped((summary.end_ns - summary.start_ns) / 1'000'000));
    if (!shape_.spansets) return;
    for (const FoundSpanset& set : found.spansets) Write(set, out->add_spansets());
    if (out->spansets_size() > 0) *out->mutable_spanset() = out->spansets(0);
    for (const block::ServiceCount& service : summary.services) {
      tempopb::ServiceStats& stats = (*out->mutable_servicestats())[Utf8(service.name)];
      stats.set_spancount(service.span_count);
      stats.set_errorcount(service.error_count);
    }
  }

 private:
  struct Shown {
    std::string name;
    bool hidden = false;
  };

  std::string IdText(model::TraceId id) const {
    std::string text = id.ToHex();
    if (shape_.strip_trace_ids)
      text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
    return text;
  }

  void Write(const FoundSpanset& set, tempopb::SpanSet* out) const {
    out->set_matched(Clamped(set.matched));
    for (const FoundValue& value : set.values) AddKeyValue(value, out->add_attributes());
    for (const FoundSpan& span : set.spans) Write(span, out->add_spans());
  }

  void Write(const FoundSpan& span, tempopb::Span* out) const {
    out->set_spanid(span.span_id.ToHex());
    if (shows_name_) out->set_name(Utf8(span.name));
    out->set_starttimeunixnano(span.start_ns);
    out->set_durationnanos(static_cast<uint64_t>(std::max<int64_t>(span.duration_ns, 0)));
    // The values are those of shown_ that the span has, in that order.
    auto value = span.values.begin();
    for (const Shown& shown : shown_) {
      if (value == span.values.end()) break;
      if (value->name != shown.name) continue;
      if (!shown.hidden) AddKeyValue(*value, out->add_attributes());
      ++value;
    }
  }

  const SearchShape shape_;
  bool shows_name_ = false;
  std::vector<Shown> shown_;
};

}  // namespace

void AddTraces(const query::exec::SearchAnswer& answer, const Plan& plan, const SearchShape& shape,
               tempopb::SearchResponse* response) {
  const TraceWriter writer(plan, shape);
  for (const FoundTrace& trace : answer.traces) writer.Write(trace, response->add_traces());
}

void AddEffort(const query::exec::SearchAnswer& answer, tempopb::SearchResponse* response) {
  const query::exec::SearchStats& stats = answer.stats;
  tempopb::SearchMetrics& metrics = *response->mutable_metrics();
  metrics.set_inspectedbytes(metrics.inspectedbytes() + stats.bytes);
  metrics.set_inspectedspans(metrics.inspectedspans() + stats.rows);
  const uint64_t groups = stats.row_groups + stats.row_groups_skipped;
  metrics.set_totaljobs(Clamped(groups + (answer.complete ? 0 : 1)));
  metrics.set_completedjobs(Clamped(answer.complete ? groups : stats.row_groups));
}

}  // namespace weft::api::tempo
