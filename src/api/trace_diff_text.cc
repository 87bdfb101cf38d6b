#include "api/trace_diff_text.h"

#include <string_view>
#include <utility>

#include "api/answers.h"
#include "api/attribute_json.h"
#include "api/json_writer.h"
#include "api/trace_columns.h"
#include "model/otlp_encode.h"

namespace weft::api {
namespace {

using model::SpanBatch;
using query::insight::AttributeChange;
using query::insight::DiffLine;
using query::insight::DiffSide;
using query::insight::DiffTotals;
using query::insight::OwnerChange;
using query::insight::ServiceDiff;
using query::insight::SpanChange;
using query::insight::SpanField;
using query::insight::TraceDiff;
using query::insight::TreeMatch;

constexpr uint32_t kNone = TreeMatch::kNone;
constexpr DiffSide kSides[] = {DiffSide::kBase, DiffSide::kCompare};

double ToMs(int64_t ns) { return static_cast<double>(ns) / 1e6; }

std::string_view NameOf(DiffSide side) { return side == DiffSide::kBase ? "base" : "compare"; }

// `up` where the trace that is compared has more.
std::string_view Direction(int64_t delta, std::string_view up, std::string_view down) {
  return delta == 0 ? "same" : delta > 0 ? up : down;
}

class DiffEncoder {
 public:
  DiffEncoder(const TraceDiff& diff, const DiffIds& ids, std::string* out)
      : diff_(diff), spans_(diff.spans()), ids_(ids), json_(out) {}

  void Summary(std::string_view version) {
    json_.BeginObject();
    Head(version);
    Signals();
    Trust();
    Stats();
    Services();
  }
  void Patch() {
    json_.BeginObject();
    Head("trace-patch-v0");
    Stats();
    Resources();
    Scopes();
    json_.Key("spans");
    json_.BeginArray();
    for (const DiffLine& line : diff_.lines()) Line(line);
    json_.EndArray();
    json_.EndObject();
  }
  void Attach(std::string_view patch, uint64_t bytes_max) {
    if (patch.size() <= bytes_max) {
      json_.Key("patch"), json_.Raw(patch);
      return;
    }
    json_.Key("patchOmitted");
    json_.BeginObject();
    json_.UintField("bytes", patch.size());
    json_.Field("reason", "over_budget");
    json_.EndObject();
  }
  void End() { json_.EndObject(); }

 private:
  std::string_view Text(model::Code code) const { return spans_.strings[code]; }
  std::string_view ServiceOf(uint32_t row) const { return Text(diff_.service(row)); }
  void Ms(std::string_view name, int64_t ns) { json_.Key(name), json_.Double(ToMs(ns)); }
  void Signed(std::string_view name, uint64_t base, uint64_t compare) {
    json_.Key(name), json_.Int(static_cast<int64_t>(compare - base));
  }

  void Head(std::string_view version) {
    json_.Field("version", version);
    for (const DiffSide side : kSides) {
      json_.Key(NameOf(side));
      Trace(side);
    }
  }

  void Trace(DiffSide side) {
    const uint32_t root = diff_.root(side);
    const bool known = !spans_.parent_span_id[root].valid();
    const DiffTotals& totals = diff_.totals(side);
    json_.BeginObject();
    json_.Field("traceId", (side == DiffSide::kBase ? ids_.base : ids_.compare).ToHex());
    json_.Field("rootService", known ? ServiceOf(root) : "");
    json_.Field("rootName", known ? Text(spans_.name[root]) : "");
    json_.UintField("spanCount", totals.spans);
    json_.UintField("errorSpanCount", totals.errors);
    Ms("durationMs", diff_.trace_duration_ns(side));
    Ms("sumSpanDurationMs", totals.sum_ns);
    json_.EndObject();
  }

  void Signals() {
    const DiffTotals& base = diff_.totals(DiffSide::kBase);
    const DiffTotals& compare = diff_.totals(DiffSide::kCompare);
    const auto of_time = [&](int64_t a, int64_t b) {
      return Direction(TraceDiff::DurationsDiffer(a, b) ? b - a : 0, "slower", "faster");
    };
    const auto of_count = [&](uint64_t a, uint64_t b) {
      return Direction(static_cast<int64_t>(b - a), "more", "fewer");
    };
    const bool changed = diff_.added() + diff_.removed() + diff_.moved() != 0;
    json_.Key("signals");
    json_.BeginObject();
    json_.Field("traceLatency", of_time(diff_.trace_duration_ns(DiffSide::kBase),
                                        diff_.trace_duration_ns(DiffSide::kCompare)));
    json_.Field("sumSpanDuration", of_time(base.sum_ns, compare.sum_ns));
    json_.Field("errors", of_count(base.errors, compare.errors));
    json_.Field("spanCount", of_count(base.spans, compare.spans));
    json_.Field("structure", changed ? "changed" : "same");
    json_.EndObject();
  }

  void Trust() {
    json_.Key("trust");
    json_.BeginObject();
    json_.Key("matchedSpanRatio"), json_.Double(diff_.matched_ratio());
    json_.Key("structureOverlap"), json_.Double(diff_.structure_overlap());
    json_.EndObject();
  }

  void Stats() {
    const DiffTotals& base = diff_.totals(DiffSide::kBase);
    const DiffTotals& compare = diff_.totals(DiffSide::kCompare);
    json_.Key("stats");
    json_.BeginObject();
    Ms("durationDeltaMs",
       diff_.trace_duration_ns(DiffSide::kCompare) - diff_.trace_duration_ns(DiffSide::kBase));
    Ms("sumSpanDurationDeltaMs", compare.sum_ns - base.sum_ns);
    Signed("spanCountDelta", base.spans, compare.spans);
    Signed("errorSpanDelta", base.errors, compare.errors);
    json_.UintField("matchedSpans", diff_.matched());
    json_.UintField("modifiedSpans", diff_.modified());
    json_.UintField("addedSpans", diff_.added());
    json_.UintField("removedSpans", diff_.removed());
    json_.UintField("fieldChanges", diff_.field_changes());
    json_.UintField("attributeChanges", diff_.attribute_changes());
    json_.EndObject();
  }

  void Services() {
    json_.Key("changedServices");
    json_.BeginArray();
    for (const ServiceDiff& service : diff_.services()) {
      if (service.changed()) json_.String(Text(service.name));
    }
    json_.EndArray();
    json_.Key("services");
    json_.BeginArray();
    for (const ServiceDiff& service : diff_.services()) Service(service);
    json_.EndArray();
  }

  void Service(const ServiceDiff& service) {
    json_.BeginObject();
    json_.Field("service", Text(service.name));
    for (const DiffSide side : kSides) {
      const DiffTotals& totals = service.sides[static_cast<size_t>(side)];
      json_.Key(NameOf(side));
      json_.BeginObject();
      json_.UintField("spanCount", totals.spans);
      json_.UintField("errorSpanCount", totals.errors);
      Ms("sumSpanDurationMs", totals.sum_ns);
      Ms("criticalPathMs", totals.critical_path_ns);
      json_.EndObject();
    }
    Ms("criticalPathDeltaMs", service.critical_path_delta_ns());
    json_.UintField("matchedSpans", service.matched);
    json_.UintField("modifiedSpans", service.modified);
    json_.UintField("addedSpans", service.added);
    json_.UintField("removedSpans", service.removed);
    json_.EndObject();
  }

  void Resources() {
    json_.Key("resources");
    json_.BeginArray();
    for (const OwnerChange& change : diff_.resources()) {
      json_.BeginObject();
      json_.Field("service", Text(spans_.ServiceName(change.base)));
      json_.UintField("spanPairs", change.pairs);
      Attributes(change.attributes);
      json_.EndObject();
    }
    json_.EndArray();
  }

  void Scope(std::string_view name, uint32_t scope) {
    json_.Key(name);
    json_.BeginObject();
    json_.Field("name", Text(spans_.scopes.name[scope]));
    json_.Field("version", Text(spans_.scopes.version[scope]));
    json_.EndObject();
  }

  void Scopes() {
    json_.Key("scopes");
    json_.BeginArray();
    for (const OwnerChange& change : diff_.scopes()) {
      json_.BeginObject();
      Scope("base", change.base);
      Scope("compare", change.compare);
      json_.UintField("spanPairs", change.pairs);
      Attributes(change.attributes);
      json_.EndObject();
    }
    json_.EndArray();
  }

  void Line(const DiffLine& line) {
    const bool added = line.base == kNone, removed = line.compare == kNone;
    const uint32_t row = added ? line.compare : line.base;
    json_.BeginObject();
    json_.Field("change", added ? "added" : removed ? "removed" : "modified");
    json_.Field("service", ServiceOf(row));
    json_.Field("name", Text(spans_.name[row]));
    json_.Field("kind", KindName(spans_.kind[row]));
    if (!added) Span(line.base);
    if (!removed) Span(line.compare);
    if (added || removed) {
      Content(row);
    } else {
      const SpanChange change = diff_.ChangeOf(line.base, line.compare);
      Fields(change, line);
      Attributes(change.attributes);
    }
    json_.EndObject();
  }

  void Span(uint32_t row) {
    const DiffSide side = diff_.side_of(row);
    json_.Key(NameOf(side));
    json_.BeginObject();
    json_.Field("spanId", spans_.span_id[row].ToHex());
    if (spans_.parent_span_id[row].valid())
      json_.Field("parentSpanId", spans_.parent_span_id[row].ToHex());
    Ms("startOffsetMs", static_cast<int64_t>(spans_.start_ns[row] - diff_.start_ns(side)));
    Ms("durationMs", diff_.duration_ns(row));
    json_.EndObject();
  }

  // Of a span that the other trace lacks.
  void Content(uint32_t row) {
    json_.Field("status", StatusName(spans_.status[row]));
    if (spans_.status_message[row] != 0)
      json_.Field("statusMessage", Text(spans_.status_message[row]));
    json_.Key("attributes");
    WriteAttributes(spans_, spans_.attributes, spans_.AttributesOf(row), &json_);
    json_.Key("events");
    EventNames(row);
  }

  void EventNames(uint32_t row) {
    const model::IndexRange events = spans_.EventsOf(row);
    json_.BeginArray();
    for (uint32_t e = events.begin; e < events.end; ++e) json_.String(Text(spans_.events.name[e]));
    json_.EndArray();
  }

  void Fields(const SpanChange& change, const DiffLine& line) {
    json_.Key("fields");
    json_.BeginArray();
    for (const SpanField field : change.fields) {
      json_.BeginObject();
      json_.Field("field", FieldName(field));
      json_.Key("base");
      FieldValue(field, line.base);
      json_.Key("compare");
      FieldValue(field, line.compare);
      json_.EndObject();
    }
    json_.EndArray();
  }

  static std::string_view FieldName(SpanField field) {
    switch (field) {
      case SpanField::kDuration: return "durationMs";
      case SpanField::kStatus: return "status";
      case SpanField::kStatusMessage: return "statusMessage";
      case SpanField::kParent: return "parent";
      case SpanField::kEvents: return "events";
      case SpanField::kLinks: return "linkCount";
    }
    return {};
  }

  void FieldValue(SpanField field, uint32_t row) {
    switch (field) {
      case SpanField::kDuration: return json_.Double(ToMs(diff_.duration_ns(row)));
      case SpanField::kStatus: return json_.String(StatusName(spans_.status[row]));
      case SpanField::kStatusMessage: return json_.String(Text(spans_.status_message[row]));
      case SpanField::kParent: return Parent(diff_.parent(row));
      case SpanField::kEvents: return EventNames(row);
      case SpanField::kLinks: return json_.Uint(spans_.LinksOf(row).size());
    }
  }

  void Parent(uint32_t row) {
    if (row == kNone) return json_.Null();
    json_.BeginObject();
    json_.Field("service", ServiceOf(row));
    json_.Field("name", Text(spans_.name[row]));
    json_.EndObject();
  }

  // A side without the attribute has no member.
  void Attributes(const std::vector<AttributeChange>& changes) {
    json_.Key("attributes");
    json_.BeginArray();
    for (const AttributeChange& change : changes) {
      json_.BeginObject();
      json_.Field("key", Text(change.key()));
      if (change.base) json_.Key("base"), WriteAttributeValue(spans_, *change.base, &json_);
      if (change.compare)
        json_.Key("compare"), WriteAttributeValue(spans_, *change.compare, &json_);
      json_.EndObject();
    }
    json_.EndArray();
  }

  const TraceDiff& diff_;
  const SpanBatch& spans_;
  const DiffIds& ids_;
  JsonWriter json_;
};

// A trace that was found, in order.
struct LoadedTrace {
  SpanBatch spans;
  OrderedTrace ordered;
};

Error Load(const block::RowSource& source, const Call& call, model::TraceId id, DiffSide side,
           uint64_t* bytes_left, LoadedTrace* trace) {
  WEFT_ASSIGN_OR_RETURN(trace->spans, source.FindTrace(call.tenant, id));
  if (call.request.client_gone()) return {ErrorCode::kCancelled, "the client went away"};
  if (trace->spans.empty()) {
    return {ErrorCode::kNotFound, std::string(NameOf(side)) + ": there is no trace " + id.ToHex()};
  }
  for (uint32_t span = 0; span < trace->spans.size(); ++span) {
    const uint64_t bytes = model::OtlpProtoBytes(trace->spans, span);
    if (bytes > *bytes_left) return {ErrorCode::kResourceExhausted, ""};
    *bytes_left -= bytes;
  }
  trace->ordered = OrderTrace(trace->spans);
  return Error::Ok();
}

}  // namespace

Result<TraceDiff> DiffTraces(const block::RowSource& source, const Call& call, const DiffIds& ids,
                             uint64_t bytes_max) {
  LoadedTrace base, compare;
  uint64_t bytes_left = bytes_max;
  Error error = Load(source, call, ids.base, DiffSide::kBase, &bytes_left, &base);
  if (error.ok())
    error = Load(source, call, ids.compare, DiffSide::kCompare, &bytes_left, &compare);
  if (error.code() == ErrorCode::kResourceExhausted && error.message().empty()) {
    return Error(
        ErrorCode::kResourceExhausted,
        "both traces together exceed max size (max bytes: " + std::to_string(bytes_max) + ")");
  }
  WEFT_RETURN_IF_ERROR(error);
  return TraceDiff({&base.spans, &base.ordered.tree}, {&compare.spans, &compare.ordered.tree});
}

std::string EncodeDiff(const TraceDiff& diff, const DiffIds& ids, DiffFormat format,
                       uint64_t patch_bytes_max) {
  std::string patch;
  if (format != DiffFormat::kNative) DiffEncoder(diff, ids, &patch).Patch();
  if (format == DiffFormat::kPatch) return patch;
  std::string out;
  DiffEncoder summary(diff, ids, &out);
  summary.Summary(format == DiffFormat::kNative ? "trace-summary-v0-native"
                                                : "trace-summary-v0-composed");
  if (format == DiffFormat::kComposed) summary.Attach(patch, patch_bytes_max);
  summary.End();
  return out;
}

}  // namespace weft::api
