#include "query/exec/reference_interpreter.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

#include <re2/re2.h>

namespace weft::query::exec {
namespace {

using lang::traceql::AttributeScope;
using lang::traceql::LiteralType;
using lang::traceql::Node;
using lang::traceql::NodeKind;
using lang::traceql::TokenKind;
using model::ValueType;
using plan::Property;
using Type = PlainValue::Type;

PlainValue Int(int64_t v) { return {Type::kInt, v, 0, {}, {}}; }
PlainValue Float(double v) { return {Type::kFloat, 0, v, {}, {}}; }
PlainValue Text(std::string v) { return {Type::kText, 0, 0, std::move(v), {}}; }
PlainValue Bool(bool v) { return {Type::kBool, v, 0, {}, {}}; }
bool IsNumber(const PlainValue& v) { return v.type == Type::kInt || v.type == Type::kFloat; }

// --- from batches to structs

PlainValue ToPlain(const model::SpanBatch& b, const model::Attribute& a) {
  switch (a.type) {
    case ValueType::kString: return Text(std::string(b.strings[a.as_code()]));
    case ValueType::kInt: return Int(a.as_int());
    case ValueType::kDouble: return Float(a.as_double());
    case ValueType::kBool: return Bool(a.as_bool());
    case ValueType::kEmpty: return {};
    case ValueType::kArray: {
      PlainValue out;
      out.type = Type::kArray;
      for (uint32_t i = 0; i < a.as_nested().count; ++i) {
        out.elements.push_back(ToPlain(b, b.nested[a.as_nested().begin + i]));
        if (out.elements.back().type == Type::kArray)
          out.elements.back() = {Type::kOpaque, 0, 0, {}, {}};
      }
      return out;
    }
    default: return {Type::kOpaque, 0, 0, {}, {}};
  }
}

PlainAttributes ToPlain(const model::SpanBatch& b, const model::AttributeArray& list,
                        model::IndexRange range) {
  PlainAttributes out;
  for (uint32_t i = range.begin; i < range.end; ++i) {
    const PlainValue value = ToPlain(b, list[i]);
    if (value.type != Type::kNil) out[std::string(b.strings[list[i].key])] = value;
  }
  return out;
}

std::string TextOf(const PlainAttributes& attributes, const std::string& key) {
  const auto found = attributes.find(key);
  return found != attributes.end() && found->second.type == Type::kText ? found->second.text : "";
}

PlainSpan ToPlainSpan(const model::SpanBatch& b, uint32_t i) {
  PlainSpan s;
  s.trace = b.trace_id(i);
  s.id = b.span_id[i];
  s.parent = b.parent_span_id[i];
  s.start_ns = b.start_ns[i];
  s.duration_ns = static_cast<int64_t>(b.end_ns[i] - b.start_ns[i]);
  s.name = b.strings[b.name[i]];
  s.status_message = b.strings[b.status_message[i]];
  s.kind = b.kind[i];
  s.status = b.status[i];
  s.scope_name = b.strings[b.scopes.name[b.scope[i]]];
  s.scope_version = b.strings[b.scopes.version[b.scope[i]]];
  s.attributes = ToPlain(b, b.attributes, b.AttributesOf(i));
  s.resource = ToPlain(b, b.resources.attributes, b.ResourceAttributesOf(b.resource[i]));
  s.scope = ToPlain(b, b.scopes.attributes, b.ScopeAttributesOf(b.scope[i]));
  for (uint32_t e = b.EventsOf(i).begin; e < b.EventsOf(i).end; ++e) {
    s.events.push_back({std::string(b.strings[b.events.name[e]]),
                        static_cast<int64_t>(b.events.time_ns[e] - s.start_ns),
                        ToPlain(b, b.events.attributes, b.EventAttributesOf(e))});
  }
  for (uint32_t l = b.LinksOf(i).begin; l < b.LinksOf(i).end; ++l) {
    s.links.push_back({b.links.trace_id[l].ToHex(), b.links.span_id[l].ToHex(),
                       ToPlain(b, b.links.attributes, b.LinkAttributesOf(l))});
  }
  return s;
}

using Spans = std::vector<PlainSpan*>;

void SortByStart(Spans* spans) {
  std::sort(spans->begin(), spans->end(), [](auto* a, auto* b) {
    return std::tie(a->start_ns, a->id) < std::tie(b->start_ns, b->id);
  });
}

// Numbers the subtree of `span` from `*next` on.
void Number(PlainSpan* span, int64_t parent_left, const std::map<uint64_t, Spans>& children,
            int64_t* next) {
  span->parent_left = parent_left;
  span->left = (*next)++;
  if (const auto found = children.find(span->id.value); found != children.end()) {
    for (PlainSpan* child : found->second) Number(child, span->left, children, next);
  }
  span->right = (*next)++;
}

void PlaceInTrace(const Spans& spans) {
  std::map<uint64_t, Spans> children;  // by parent id; roots under 0
  for (PlainSpan* s : spans) children[s->parent.value].push_back(s);
  for (auto& entry : children) SortByStart(&entry.second);
  uint64_t start = UINT64_MAX;
  uint64_t end = 0;
  for (PlainSpan* s : spans) {
    start = std::min(start, s->start_ns);
    end = std::max({end, s->start_ns, s->start_ns + static_cast<uint64_t>(s->duration_ns)});
    const auto found = children.find(s->id.value);
    s->child_count = found == children.end() ? 0 : static_cast<int64_t>(found->second.size());
  }
  int64_t next = 1;
  for (PlainSpan* root : children[0]) Number(root, -1, children, &next);
  const PlainSpan* root = children[0].empty() ? nullptr : children[0].front();
  for (PlainSpan* s : spans) {
    s->trace_start_ns = start;
    s->trace_duration_ns = static_cast<int64_t>(end - start);
    s->root_name = root == nullptr ? "" : root->name;
    s->root_service = root == nullptr ? "" : TextOf(root->resource, "service.name");
  }
}

// --- evaluation

// One span, and the event or link that a comparison is about.
struct Context {
  const PlainSpan& span;
  const PlainEvent* event = nullptr;
  const PlainLink* link = nullptr;
};

PlainValue Find(const PlainAttributes& attributes, const std::string& key) {
  const auto found = attributes.find(key);
  return found == attributes.end() ? PlainValue() : found->second;
}

PlainValue Attribute(const Node& node, const Context& c) {
  switch (node.scope) {
    case AttributeScope::kSpan: return Find(c.span.attributes, node.text);
    case AttributeScope::kResource: return Find(c.span.resource, node.text);
    case AttributeScope::kInstrumentation: return Find(c.span.scope, node.text);
    case AttributeScope::kEvent:
      return c.event == nullptr ? PlainValue() : Find(c.event->attributes, node.text);
    case AttributeScope::kLink:
      return c.link == nullptr ? PlainValue() : Find(c.link->attributes, node.text);
    case AttributeScope::kNone: break;
  }
  const PlainValue own = Find(c.span.attributes, node.text);
  return own.type == Type::kNil ? Find(c.span.resource, node.text) : own;
}

PlainValue Intrinsic(Property property, const Context& c) {
  const PlainSpan& s = c.span;
  switch (property) {
    case Property::kDuration: return Int(s.duration_ns);
    case Property::kName: return Text(s.name);
    case Property::kStatus: return Int(s.status);
    case Property::kStatusMessage: return Text(s.status_message);
    case Property::kKind: return Int(s.kind);
    case Property::kSpanId: return Text(s.id.ToHex());
    case Property::kParentSpanId: return Text(s.parent.valid() ? s.parent.ToHex() : "");
    case Property::kChildCount: return Int(s.child_count);
    case Property::kNestedSetLeft: return Int(s.left);
    case Property::kNestedSetRight: return Int(s.right);
    case Property::kNestedSetParent: return Int(s.parent_left);
    case Property::kTraceId: return Text(s.trace.ToHex());
    case Property::kTraceDuration: return Int(s.trace_duration_ns);
    case Property::kRootName: return Text(s.root_name);
    case Property::kRootServiceName: return Text(s.root_service);
    case Property::kEventName: return c.event == nullptr ? PlainValue() : Text(c.event->name);
    case Property::kEventTimeSinceStart:
      return c.event == nullptr ? PlainValue() : Int(c.event->since_start_ns);
    case Property::kLinkTraceId: return c.link == nullptr ? PlainValue() : Text(c.link->trace_id);
    case Property::kLinkSpanId: return c.link == nullptr ? PlainValue() : Text(c.link->span_id);
    case Property::kScopeName: return Text(s.scope_name);
    case Property::kScopeVersion: return Text(s.scope_version);
  }
  return {};
}

bool IsField(const Node& n) {
  return n.kind == NodeKind::kAttribute || n.kind == NodeKind::kIntrinsic;
}

bool Any(const Node& n, const std::function<bool(const Node&)>& test) {
  return test(n) || std::any_of(n.children.begin(), n.children.end(),
                                [&](const auto& child) { return Any(*child, test); });
}

bool IsConstant(const Node& n) { return !Any(n, IsField); }

bool IsOfEvent(const Node& n) {
  if (n.kind == NodeKind::kAttribute) return n.scope == AttributeScope::kEvent;
  return n.kind == NodeKind::kIntrinsic &&
         (n.property == Property::kEventName || n.property == Property::kEventTimeSinceStart);
}
bool IsOfLink(const Node& n) {
  if (n.kind == NodeKind::kAttribute) return n.scope == AttributeScope::kLink;
  return n.kind == NodeKind::kIntrinsic &&
         (n.property == Property::kLinkTraceId || n.property == Property::kLinkSpanId);
}

// Whether `test` holds for the span, or for one of its events or links where `n` is about those.
bool Exists(const Node& n, const PlainSpan& span, const std::function<bool(const Context&)>& test) {
  if (Any(n, IsOfEvent)) {
    return std::any_of(span.events.begin(), span.events.end(),
                       [&](const PlainEvent& e) { return test({span, &e, nullptr}); });
  }
  if (Any(n, IsOfLink)) {
    return std::any_of(span.links.begin(), span.links.end(),
                       [&](const PlainLink& l) { return test({span, nullptr, &l}); });
  }
  return test({span});
}

PlainValue Literal(const Node& n) {
  switch (n.literal.type) {
    case LiteralType::kNil: return {};
    case LiteralType::kString: return Text(n.literal.text);
    case LiteralType::kFloat: return Float(n.literal.real);
    case LiteralType::kBool: return Bool(n.literal.number != 0);
    default: return Int(n.literal.number);
  }
}

double AsFloat(const PlainValue& v) {
  return v.type == Type::kFloat ? v.real : static_cast<double>(v.number);
}

PlainValue Wide(__int128 exact, double otherwise) {
  return exact >= INT64_MIN && exact <= INT64_MAX ? Int(static_cast<int64_t>(exact))
                                                  : Float(otherwise);
}

PlainValue IntPower(int64_t a, int64_t b) {
  const double otherwise = std::pow(static_cast<double>(a), static_cast<double>(b));
  if (b < 0) return Float(otherwise);
  if (a == 0 || a == 1) return Int(b == 0 ? 1 : a);
  if (a == -1) return Int(b % 2 == 0 ? 1 : -1);
  __int128 power = 1;
  for (int64_t i = 0; i < b; ++i) {
    power *= a;
    if (power > INT64_MAX || power < INT64_MIN) return Float(otherwise);
  }
  return Int(static_cast<int64_t>(power));
}

PlainValue Arithmetic(TokenKind op, const PlainValue& a, const PlainValue& b) {
  if (!IsNumber(a) || !IsNumber(b)) return {};
  const double x = AsFloat(a);
  const double y = AsFloat(b);
  const bool whole = a.type == Type::kInt && b.type == Type::kInt;
  const __int128 i = a.number;
  const __int128 j = b.number;
  switch (op) {
    case TokenKind::kPlus: return whole ? Wide(i + j, x + y) : Float(x + y);
    case TokenKind::kMinus: return whole ? Wide(i - j, x - y) : Float(x - y);
    case TokenKind::kStar: return whole ? Wide(i * j, x * y) : Float(x * y);
    case TokenKind::kSlash:
      if (y == 0) return {};
      return whole ? Wide(i / j, x / y) : Float(x / y);
    case TokenKind::kPercent:
      if (y == 0) return {};
      return whole ? Wide(i % j, 0) : Float(std::fmod(x, y));
    default: return whole ? IntPower(a.number, b.number) : Float(std::pow(x, y));
  }
}

PlainValue Value(const Node& n, const Context& c) {
  PlainValue out;
  switch (n.kind) {
    case NodeKind::kLiteral: return Literal(n);
    case NodeKind::kAttribute: out = Attribute(n, c); break;
    case NodeKind::kIntrinsic: out = Intrinsic(n.property, c); break;
    case NodeKind::kNegate: return Arithmetic(TokenKind::kStar, Value(*n.children[0], c), Int(-1));
    default: return Arithmetic(n.op, Value(*n.children[0], c), Value(*n.children[1], c));
  }
  return out;
}

// -1, 0, 1; 2 when there is no order.
int Order(const PlainValue& a, const PlainValue& b) {
  if (IsNumber(a) && IsNumber(b)) {
    // 64 bits of mantissa hold both types exactly.
    const long double x = a.type == Type::kInt ? static_cast<long double>(a.number) : a.real;
    const long double y = b.type == Type::kInt ? static_cast<long double>(b.number) : b.real;
    return std::isnan(x) || std::isnan(y) ? 2 : x < y ? -1 : x > y ? 1 : 0;
  }
  if (a.type == Type::kText && b.type == Type::kText)
    return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
  return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
}

bool Comparable(const PlainValue& a, const PlainValue& b) {
  if (IsNumber(a) && IsNumber(b)) return true;
  return a.type == b.type && (a.type == Type::kText || a.type == Type::kBool);
}

bool Compare(TokenKind op, const PlainValue& a, const PlainValue& b) {
  if (!Comparable(a, b)) return false;
  if (a.type == Type::kBool && op != TokenKind::kEqual && op != TokenKind::kNotEqual) return false;
  const int order = Order(a, b);
  if (order == 2) return op == TokenKind::kNotEqual;
  switch (op) {
    case TokenKind::kEqual: return order == 0;
    case TokenKind::kNotEqual: return order != 0;
    case TokenKind::kLess: return order < 0;
    case TokenKind::kLessEqual: return order <= 0;
    case TokenKind::kGreater: return order > 0;
    default: return order >= 0;
  }
}

// `test` on a value; on the elements of an array that `fits`: any of them, or all of them for a
// negation.
bool OnElements(const PlainValue& v, bool negation,
                const std::function<bool(const PlainValue&)>& fits,
                const std::function<bool(const PlainValue&)>& test) {
  if (v.type != Type::kArray) return test(v);
  std::vector<PlainValue> fitting;
  std::copy_if(v.elements.begin(), v.elements.end(), std::back_inserter(fitting), fits);
  if (negation) return !fitting.empty() && std::all_of(fitting.begin(), fitting.end(), test);
  return std::any_of(fitting.begin(), fitting.end(), test);
}

// An id as a user may write it, in the form in which ids are compared.
void CompleteId(const Node& field, PlainValue* constant) {
  size_t digits = 0;
  if (field.kind != NodeKind::kIntrinsic || constant->type != Type::kText) return;
  if (field.property == Property::kTraceId || field.property == Property::kLinkTraceId) digits = 32;
  const bool span = field.property == Property::kSpanId ||
                    field.property == Property::kParentSpanId ||
                    field.property == Property::kLinkSpanId;
  if (span) digits = 16;
  std::string text = constant->text;
  if (text.empty() || text.size() > digits ||
      text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
    return;
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constant->text = std::string(digits - text.size(), '0') + text;
}

TokenKind Mirror(TokenKind op) {
  switch (op) {
    case TokenKind::kLess: return TokenKind::kGreater;
    case TokenKind::kLessEqual: return TokenKind::kGreaterEqual;
    case TokenKind::kGreater: return TokenKind::kLess;
    case TokenKind::kGreaterEqual: return TokenKind::kLessEqual;
    default: return op;
  }
}

bool FieldAgainstConstant(TokenKind op, const Node& field, PlainValue constant,
                          const PlainSpan& span) {
  CompleteId(field, &constant);
  return Exists(field, span, [&](const Context& c) {
    return OnElements(
        Value(field, c), op == TokenKind::kNotEqual,
        [&](const PlainValue& v) { return Comparable(v, constant); },
        [&](const PlainValue& v) { return Compare(op, v, constant); });
  });
}

bool Matches(const Node& n, const PlainSpan& span) {
  const RE2 regex(n.children[1]->literal.text, RE2::Quiet);
  const bool negation = n.op == TokenKind::kNotMatch;
  const auto is_text = [](const PlainValue& v) { return v.type == Type::kText; };
  return Exists(*n.children[0], span, [&](const Context& c) {
    return OnElements(Value(*n.children[0], c), negation, is_text, [&](const PlainValue& v) {
      return is_text(v) && RE2::FullMatch(v.text, regex) != negation;
    });
  });
}

bool IsCondition(const Node& n) {
  if (n.kind == NodeKind::kNot) return true;
  return n.kind == NodeKind::kFieldOperation && n.op < TokenKind::kPlus;
}

bool IsNil(const Node& n) {
  return n.kind == NodeKind::kLiteral && n.literal.type == LiteralType::kNil;
}

bool Present(const Node& field, const PlainSpan& span) {
  return Exists(field, span, [&](const Context& c) { return Value(field, c).type != Type::kNil; });
}

bool IsTrueOrFalse(const Node& n, const PlainSpan& span) {
  if (!IsField(n)) return true;
  return FieldAgainstConstant(TokenKind::kEqual, n, Bool(true), span) ||
         FieldAgainstConstant(TokenKind::kEqual, n, Bool(false), span);
}

bool Comparison(const Node& n, const PlainSpan& span) {
  const Node& left = *n.children[0];
  const Node& right = *n.children[1];
  if (IsNil(left) || IsNil(right))
    return Present(IsNil(left) ? right : left, span) == (n.op == TokenKind::kNotEqual);
  if (IsCondition(left) || IsCondition(right)) {
    if (!IsTrueOrFalse(left, span) || !IsTrueOrFalse(right, span)) return false;
    return (Selects(left, span) == Selects(right, span)) == (n.op == TokenKind::kEqual);
  }
  if (IsField(left) && IsConstant(right))
    return FieldAgainstConstant(n.op, left, Value(right, {span}), span);
  if (IsField(right) && IsConstant(left))
    return FieldAgainstConstant(Mirror(n.op), right, Value(left, {span}), span);
  return Exists(n, span,
                [&](const Context& c) { return Compare(n.op, Value(left, c), Value(right, c)); });
}

}  // namespace

std::vector<PlainSpan> ToPlainSpans(const model::SpanBatch& batch) {
  std::vector<PlainSpan> out;
  for (uint32_t i = 0; i < batch.size(); ++i) out.push_back(ToPlainSpan(batch, i));
  std::map<model::TraceId, Spans> traces;
  for (PlainSpan& s : out) traces[s.trace].push_back(&s);
  for (const auto& trace : traces) PlaceInTrace(trace.second);
  return out;
}

bool Selects(const Node& n, const PlainSpan& span) {
  const auto selects = [&span](const auto& child) { return Selects(*child, span); };
  if (n.kind == NodeKind::kLiteral) return n.literal.number != 0;
  if (IsField(n)) return FieldAgainstConstant(TokenKind::kEqual, n, Bool(true), span);
  if (n.kind == NodeKind::kNot) return !Selects(*n.children[0], span);
  switch (n.op) {
    case TokenKind::kAnd: return std::all_of(n.children.begin(), n.children.end(), selects);
    case TokenKind::kOr: return std::any_of(n.children.begin(), n.children.end(), selects);
    case TokenKind::kMatch:
    case TokenKind::kNotMatch: return Matches(n, span);
    default: return Comparison(n, span);
  }
}

std::vector<PlainTrace> PlainSearch(const Node& query, const std::vector<PlainSpan>& spans,
                                    TimeRange range) {
  const Node& filter = *query.children[0];
  std::map<model::TraceId, PlainTrace> traces;
  for (const PlainSpan& s : spans) {
    if (!range.Contains(s.start_ns)) continue;
    if (!filter.children.empty() && !Selects(*filter.children[0], s)) continue;
    PlainTrace& trace = traces[s.trace];
    trace.id = s.trace;
    trace.start_ns = s.trace_start_ns;
    trace.matched.push_back(&s);
  }
  std::vector<PlainTrace> out;
  for (auto& entry : traces) out.push_back(std::move(entry.second));
  std::sort(out.begin(), out.end(), [](const PlainTrace& a, const PlainTrace& b) {
    return std::tie(b.start_ns, a.id) < std::tie(a.start_ns, b.id);
  });
  for (PlainTrace& trace : out) {
    std::sort(trace.matched.begin(), trace.matched.end(), [](auto* a, auto* b) {
      return std::tie(a->start_ns, a->id) < std::tie(b->start_ns, b->id);
    });
  }
  return out;
}

}  // namespace weft::query::exec
