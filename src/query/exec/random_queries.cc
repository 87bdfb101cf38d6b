#include "query/exec/random_queries.h"

#include <bit>

namespace weft::query::exec {
namespace {

using model::AttributeArray;
using model::SpanBatch;
using model::ValueType;

constexpr uint64_t kStart = 1'700'000'000'000'000'000ULL;

const std::vector<std::string> kTexts{"x", "y", "xy", "", "10", "true"};
const std::vector<int64_t> kInts{0, 1, 2, 3, -1, 10, INT64_MAX, INT64_MIN};
const std::vector<double> kFloats{0.5, 1.0, 2.0, 2.5, -1.0, 1e19, 0.0};
const std::vector<std::string> kKeys{"a", "b", "c d"};

class SpanMaker {
 public:
  SpanMaker(Chance* chance, SpanBatch* out) : chance_(*chance), b_(*out) {}

  void MakeTables() {
    for (uint32_t i = 0; i < 4; ++i) {
      if (i != 0)
        b_.resources.attributes.Add(Intern("service.name"), ValueType::kString,
                                    Intern("svc" + std::to_string(i)));
      AddAttributes(&b_.resources.attributes);
      b_.resources.schema_url.push_back(0);
      b_.resources.dropped_attributes.push_back(0);
      b_.resources.attribute_end.push_back(b_.resources.attributes.size());
    }
    for (uint32_t i = 0; i < 2; ++i) {
      AddAttributes(&b_.scopes.attributes);
      b_.scopes.name.push_back(Intern(i == 0 ? "" : "lib"));
      b_.scopes.version.push_back(Intern(i == 0 ? "x" : "y"));
      b_.scopes.schema_url.push_back(0);
      b_.scopes.dropped_attributes.push_back(0);
      b_.scopes.attribute_end.push_back(b_.scopes.attributes.size());
    }
  }

  void MakeTrace(uint32_t number) {
    b_.traces.push_back({chance_.Below(3), number + 1});
    const uint64_t start = kStart + 1'000'000ULL * chance_.Below(20);
    const uint32_t size = 1 + chance_.Below(9);
    for (uint32_t i = 0; i < size; ++i) MakeSpan(start, i);
  }

 private:
  model::Code Intern(const std::string& s) { return b_.strings.Intern(s); }

  void AddValue(model::Code key, uint32_t depth, AttributeArray* out) {
    switch (chance_.Below(depth == 0 ? 9 : 5)) {
      case 0:
      case 1: return out->Add(key, ValueType::kString, Intern(chance_.Pick(kTexts)));
      case 2: return out->Add(key, ValueType::kInt, static_cast<uint64_t>(chance_.Pick(kInts)));
      case 3:
        return out->Add(key, ValueType::kDouble, std::bit_cast<uint64_t>(chance_.Pick(kFloats)));
      case 4: return out->Add(key, ValueType::kBool, chance_.Below(2));
      case 5: return out->Add(key, ValueType::kBytes, Intern("x"));
      case 6: return out->Add(key, ValueType::kEmpty, 0);
      default: return AddArray(key, out);
    }
  }

  void AddArray(model::Code key, AttributeArray* out) {
    AttributeArray elements;
    const uint32_t size = chance_.Below(4);
    for (uint32_t i = 0; i < size; ++i) AddValue(0, 1, &elements);
    const model::NestedRange range{b_.nested.size(), size};
    for (uint32_t i = 0; i < size; ++i) b_.nested.Add(elements[i]);
    out->Add(key, ValueType::kArray, range.Pack());
  }

  void AddAttributes(AttributeArray* out) {
    for (const std::string& key : kKeys) {
      if (chance_.OneIn(2)) AddValue(Intern(key), 0, out);
    }
  }

  void MakeSpan(uint64_t trace_start, uint32_t number) {
    const uint32_t trace = static_cast<uint32_t>(b_.traces.size()) - 1;
    const uint64_t base = (uint64_t{trace} + 1) * 16;
    b_.trace.push_back(trace);
    b_.span_id.push_back({base + number});
    model::SpanId parent;
    if (number > 0 && !chance_.OneIn(8)) parent = {base + chance_.Below(number)};
    if (chance_.OneIn(8)) parent = {0xdead};
    b_.parent_span_id.push_back(parent);
    const uint64_t start = trace_start + 100'000ULL * chance_.Below(30);
    b_.start_ns.push_back(start);
    b_.end_ns.push_back(start + 50'000ULL * chance_.Below(8) - (chance_.OneIn(20) ? 100'000 : 0));
    b_.name.push_back(Intern(chance_.Pick(kTexts)));
    b_.kind.push_back(static_cast<uint8_t>(chance_.Below(6)));
    b_.status.push_back(static_cast<uint8_t>(chance_.Below(3)));
    b_.status_message.push_back(Intern(chance_.OneIn(3) ? "x" : ""));
    b_.trace_state.push_back(0);
    b_.flags.push_back(0);
    b_.resource.push_back(chance_.Below(b_.resources.size()));
    b_.scope.push_back(chance_.Below(b_.scopes.size()));
    for (auto* zeros : {&b_.dropped_attributes, &b_.dropped_events, &b_.dropped_links})
      zeros->push_back(0);
    AddAttributes(&b_.attributes);
    b_.attribute_end.push_back(b_.attributes.size());
    for (uint32_t i = chance_.Below(3); i > 0; --i) MakeEvent(start);
    b_.event_end.push_back(b_.events.size());
    for (uint32_t i = chance_.Below(2); i > 0; --i) MakeLink();
    b_.link_end.push_back(b_.links.size());
  }

  void MakeEvent(uint64_t start) {
    b_.events.time_ns.push_back(start + 50'000ULL * chance_.Below(5));
    b_.events.name.push_back(Intern(chance_.Pick(kTexts)));
    b_.events.dropped_attributes.push_back(0);
    AddAttributes(&b_.events.attributes);
    b_.events.attribute_end.push_back(b_.events.attributes.size());
  }

  void MakeLink() {
    b_.links.trace_id.push_back({chance_.Below(3), 1});
    b_.links.span_id.push_back({16 + chance_.Below(3)});
    b_.links.trace_state.push_back(0);
    b_.links.flags.push_back(0);
    b_.links.dropped_attributes.push_back(0);
    AddAttributes(&b_.links.attributes);
    b_.links.attribute_end.push_back(b_.links.attributes.size());
  }

  Chance& chance_;
  SpanBatch& b_;
};

class QueryMaker {
 public:
  explicit QueryMaker(Chance* chance) : chance_(*chance) {}

  std::string Condition(uint32_t depth) {
    if (depth == 0) return Leaf();
    switch (chance_.Below(9)) {
      case 0: return "(" + Condition(depth - 1) + " && " + Condition(depth - 1) + ")";
      case 1: return "(" + Condition(depth - 1) + " || " + Condition(depth - 1) + ")";
      case 2:
        return Condition(depth - 1) + (chance_.OneIn(2) ? " && " : " || ") + Condition(depth - 1);
      case 3: return "!(" + Condition(depth - 1) + ")";
      case 4:
        return "(" + Condition(depth - 1) + ")" + Equality() + "(" + Condition(depth - 1) + ")";
      case 5:
        return "(" + Condition(depth - 1) + ")" + Equality() +
               (chance_.OneIn(2) ? Attribute() : Bool());
      default: return Leaf();
    }
  }

 private:
  std::string Leaf() {
    switch (chance_.Below(14)) {
      case 0: return Attribute() + Equality() + "nil";
      case 1: return Attribute();
      case 2: return chance_.OneIn(4) ? Bool() : "!" + Attribute();
      case 3:
      case 4: return Text() + (chance_.OneIn(2) ? " =~ " : " !~ ") + Regex();
      case 5: return Attribute() + Equality() + Bool();
      case 6: return "status" + Equality() + chance_.Pick<std::string>({"ok", "error", "unset"});
      case 7:
        return "kind" + Equality() +
               chance_.Pick<std::string>({"server", "client", "internal", "unspecified"});
      case 8: return Id() + Comparison() + IdLiteral();
      case 9: return Attribute() + Comparison() + Attribute();
      case 10: return Text() + Comparison() + TextLiteral();
      case 11: return TextLiteral() + Comparison() + Text();
      default: return Number(2) + Comparison() + Number(2);
    }
  }

  std::string Equality() { return chance_.OneIn(2) ? " = " : " != "; }
  std::string Comparison() {
    return chance_.Pick<std::string>({" = ", " != ", " < ", " <= ", " > ", " >= "});
  }
  std::string Bool() { return chance_.OneIn(2) ? "true" : "false"; }
  std::string Regex() {
    return chance_.Pick<std::string>(
        {"\"x\"", "\"x.*\"", "\".*\"", "\"(?i)X|Y\"", "\"\"", "\"[0-9]+\"", "\"svc.\""});
  }

  std::string Attribute() {
    if (chance_.OneIn(10)) {
      return chance_.Pick<std::string>(
          {"parent.a", "parent.span.b", "parent.resource.a", "parent.span.\"c d\""});
    }
    const std::string scope = chance_.Pick<std::string>(
        {"span", "span", "resource", "event", "link", "instrumentation", ""});
    return scope + "." +
           chance_.Pick<std::string>({"a", "a", "b", "\"c d\"", "nope", "service.name"});
  }
  std::string TextIntrinsic() {
    return chance_.Pick<std::string>({"name", "statusMessage", "rootName", "rootServiceName",
                                      "event:name", "instrumentation:name",
                                      "instrumentation:version"});
  }
  std::string Text() { return chance_.OneIn(2) ? Attribute() : TextIntrinsic(); }
  std::string TextLiteral() {
    return chance_.Pick<std::string>(
        {"\"x\"", "\"y\"", "\"xy\"", "\"\"", "\"svc1\"", "\"10\"", "\"lib\""});
  }
  std::string Id() {
    return chance_.Pick<std::string>(
        {"span:id", "span:parentID", "trace:id", "link:traceID", "link:spanID"});
  }
  std::string IdLiteral() {
    return chance_.Pick<std::string>({"\"10\"", "\"0000000000000011\"", "\"\"", "\"DEAD\"", "\"1\"",
                                      "\"zz\"", "\"10000000000000001\""});
  }

  std::string Number(uint32_t depth) {
    if (depth > 0 && chance_.OneIn(3)) {
      const std::string op = chance_.Pick<std::string>({" + ", " - ", " * ", " / ", " % ", " ^ "});
      return "(" + Number(depth - 1) + op + Number(depth - 1) + ")";
    }
    switch (chance_.Below(6)) {
      case 0: return Attribute();
      case 1:
        return chance_.Pick<std::string>({"duration", "traceDuration", "event:timeSinceStart",
                                          "nestedSetParent", "nestedSetLeft", "nestedSetRight",
                                          "span:childCount"});
      case 2: return chance_.Pick<std::string>({"50us", "100us", "0s", "1ms", "-50us"});
      case 3: return chance_.Pick<std::string>({"0.5", "2.0", "2.5", "1e19", "-1.0"});
      case 4: return chance_.OneIn(4) ? "-" + Attribute() : Attribute();
      default:
        return chance_.Pick<std::string>({"0", "1", "2", "3", "-1", "10", "maxInt", "minInt"});
    }
  }

  Chance& chance_;
};

class PipelineMaker {
 public:
  explicit PipelineMaker(Chance* chance) : chance_(*chance) {}

  std::string Pipeline(uint32_t depth) {
    std::string out = chance_.OneIn(12) ? Comparison(depth) : Spansets(depth);
    for (uint32_t i = chance_.Below(4); i > 0; --i) out += " | " + Stage(depth);
    return out;
  }

 private:
  std::string Filter() {
    if (chance_.OneIn(4)) return "{}";
    return "{ " + QueryMaker(&chance_).Condition(chance_.Below(2)) + " }";
  }

  std::string Spansets(uint32_t depth) {
    if (depth == 0 || chance_.OneIn(3)) return Filter();
    if (chance_.OneIn(6)) return "(" + Pipeline(depth - 1) + ")";
    const std::string op =
        chance_.Pick<std::string>({"&&", "||", ">", "<", ">>", "<<", "~", "!>", "!<", "!>>", "!<<",
                                   "!~", "&>", "&<", "&>>", "&<<", "&~"});
    return "(" + Spansets(depth - 1) + ") " + op + " (" + Spansets(depth - 1) + ")";
  }

  // Sums of whole numbers only: those of others depend on the order.
  std::string Aggregate() {
    switch (chance_.Below(4)) {
      case 0: return "count()";
      case 1: return chance_.Pick<std::string>({"sum", "avg"}) + "(duration)";
      case 2: return chance_.Pick<std::string>({"sum", "avg"}) + "(span:childCount + 1)";
      default:
        return chance_.Pick<std::string>({"min", "max"}) +
               chance_.Pick<std::string>(
                   {"(span.a)", "(.b)", "(duration)", "(resource.a * 2)", "(nestedSetLeft)"});
    }
  }

  std::string Scalar(uint32_t depth) {
    if (depth > 0 && chance_.OneIn(4)) return "(" + Spansets(depth - 1) + " | " + Aggregate() + ")";
    if (chance_.OneIn(4)) return "(" + Aggregate() + " - " + Aggregate() + ")";
    return Aggregate();
  }

  std::string Comparison(uint32_t depth) {
    const std::string op = chance_.Pick<std::string>({" = ", " != ", " < ", " <= ", " > ", " >= "});
    const std::string number = chance_.Pick<std::string>({"0", "1", "2", "3", "100us", "2.5"});
    return Scalar(depth) + op + (chance_.OneIn(3) ? Scalar(depth) : number);
  }

  std::string Stage(uint32_t depth) {
    switch (chance_.Below(6)) {
      case 0: return Filter();
      case 1: return Spansets(depth);
      case 2: return "coalesce()";
      case 3: return Comparison(depth);
      default:
        return "by(" +
               chance_.Pick<std::string>({"span.a", ".b", "name", "kind", "resource.service.name",
                                          "span.a = 1", "duration / 100us", "trace:id"}) +
               ")";
    }
  }

  Chance& chance_;
};

}  // namespace

SpanBatch RandomSpans(Chance* chance, uint32_t traces) {
  SpanBatch out;
  SpanMaker maker(chance, &out);
  maker.MakeTables();
  for (uint32_t i = 0; i < traces; ++i) maker.MakeTrace(i);
  return out;
}

std::string RandomPipeline(Chance* chance) { return PipelineMaker(chance).Pipeline(2); }

std::string RandomFilter(Chance* chance) { return "{ " + QueryMaker(chance).Condition(3) + " }"; }

}  // namespace weft::query::exec
