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
  for (PlainSpan* above : spans) {
    const auto found = children.find(above->id.value);
    if (found == children.end()) continue;
    for (PlainSpan* child : found->second) child->parent_span = above;
  }
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

PlainValue AttributeOf(const Node& node, const Context& c) {
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

PlainValue Attribute(const Node& node, const Context& c) {
  if (node.of_parent) {
    if (c.span.parent_span == nullptr) return {};
    if (node.text.empty()) return Text("parent");  // the span itself: only asked for nil
    return AttributeOf(node, {*c.span.parent_span});
  }
  return AttributeOf(node, c);
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

// --- around the braces

namespace {

using Sets = std::vector<PlainSpanset>;
using List = std::vector<const PlainSpan*>;

bool Contains(const List& list, const PlainSpan* span) {
  return std::find(list.begin(), list.end(), span) != list.end();
}

List UnionOf(List a, const List& b) {
  for (const PlainSpan* s : b) {
    if (!Contains(a, s)) a.push_back(s);
  }
  std::sort(a.begin(), a.end(), [](auto* x, auto* y) {
    return std::tie(x->start_ns, x->id) < std::tie(y->start_ns, y->id);
  });
  return a;
}

// One trace: all its spans, whatever the range.
class PlainPipeline {
 public:
  explicit PlainPipeline(const List& trace) : trace_(trace) {}

  Sets Run(const Node& body, Sets sets) const {
    if (body.kind != NodeKind::kPipeline) return RunStage(body, std::move(sets), true);
    bool first = true;
    for (const auto& stage : body.children) {
      sets = RunStage(*stage, std::move(sets), first);
      first = false;
    }
    return sets;
  }

 private:
  const PlainSpan* ParentOf(const PlainSpan* span) const {
    for (const PlainSpan* s : trace_) {
      if (span->parent.valid() && s->id == span->parent) return s;
    }
    return nullptr;
  }

  bool IsAbove(const PlainSpan* a, const PlainSpan* b) const {
    for (b = ParentOf(b); b != nullptr; b = ParentOf(b)) {
      if (a == b) return true;
    }
    return false;
  }

  // Whether `b` stands to `a` as the operator's name says.
  bool Related(TokenKind op, const PlainSpan* a, const PlainSpan* b) const {
    switch (op) {
      case TokenKind::kGreater:
      case TokenKind::kNotChild:
      case TokenKind::kUnionChild: return ParentOf(b) == a;
      case TokenKind::kLess:
      case TokenKind::kNotParent:
      case TokenKind::kUnionParent: return ParentOf(a) == b;
      case TokenKind::kDescendant:
      case TokenKind::kNotDescendant:
      case TokenKind::kUnionDescendant: return IsAbove(a, b);
      case TokenKind::kAncestor:
      case TokenKind::kNotAncestor:
      case TokenKind::kUnionAncestor: return IsAbove(b, a);
      default: return a != b && ParentOf(a) != nullptr && ParentOf(a) == ParentOf(b);
    }
  }

  static bool IsNegated(TokenKind op) {
    return op == TokenKind::kNotMatch ||
           (op >= TokenKind::kNotChild && op <= TokenKind::kNotAncestor);
  }

  List Choose(const Node& n, const List& from) const {
    if (n.kind == NodeKind::kFilter) {
      List out;
      for (const PlainSpan* s : from) {
        if (n.children.empty() || Selects(*n.children[0], *s)) out.push_back(s);
      }
      return out;
    }
    if (n.kind != NodeKind::kSpansetOperation) {
      List out;
      for (const PlainSpanset& set : Run(n, {{from, {}}})) out = UnionOf(out, set.spans);
      return out;
    }
    if (n.op == TokenKind::kAnd || n.op == TokenKind::kOr) {
      List out;
      for (const auto& child : n.children) {
        const List more = Choose(*child, from);
        if (more.empty() && n.op == TokenKind::kAnd) return {};
        out = UnionOf(out, more);
      }
      return out;
    }
    const List left = Choose(*n.children[0], from);
    const List right = Choose(*n.children[1], from);
    List out;
    for (const PlainSpan* b : right) {
      const bool related =
          std::any_of(left.begin(), left.end(), [&](auto* a) { return Related(n.op, a, b); });
      if (related != IsNegated(n.op)) out.push_back(b);
    }
    if (n.op < TokenKind::kUnionChild) return out;
    for (const PlainSpan* a : left) {
      const bool related =
          std::any_of(right.begin(), right.end(), [&](auto* b) { return Related(n.op, a, b); });
      if (related) out = UnionOf(out, {a});
    }
    return UnionOf(out, {});
  }

  PlainValue ValueOf(const Node& n, const List& spans) const {
    switch (n.kind) {
      case NodeKind::kLiteral: return Literal(n);
      case NodeKind::kScalarOperation:
        return Arithmetic(n.op, ValueOf(*n.children[0], spans), ValueOf(*n.children[1], spans));
      case NodeKind::kPipeline: return ValueOf(*n.children.back(), OwnSpans(n, spans));
      default: break;
    }
    if (n.text == "count") return Int(static_cast<int64_t>(spans.size()));
    PlainValue total;
    int64_t count = 0;
    for (const PlainSpan* s : spans) {
      const PlainValue value = Value(*n.children[0], {*s});
      if (!IsNumber(value)) continue;
      const bool whole = value.type == Type::kInt && Compare(TokenKind::kEqual, value, total);
      const bool replaces =
          (n.text == "min" && (whole || Compare(TokenKind::kLess, value, total))) ||
          (n.text == "max" && (whole || Compare(TokenKind::kGreater, value, total)));
      if (count++ == 0 || replaces) {
        total = value;
      } else if (n.text == "sum" || n.text == "avg") {
        total = Arithmetic(TokenKind::kPlus, total, value);
      }
    }
    if (n.text == "avg" && count > 0) return Float(AsFloat(total) / static_cast<double>(count));
    return total;
  }

  // What the stages before a pipeline's aggregate leave.
  List OwnSpans(const Node& pipeline, const List& spans) const {
    Sets sets{{spans, {}}};
    for (size_t i = 0; i + 1 < pipeline.children.size(); ++i) {
      sets = RunStage(*pipeline.children[i], std::move(sets), i == 0);
    }
    List out;
    for (const PlainSpanset& set : sets) out = UnionOf(out, set.spans);
    return out;
  }

  static void Aggregates(const Node& n, std::vector<const Node*>* out) {
    if (n.kind == NodeKind::kAggregate || n.kind == NodeKind::kPipeline) return out->push_back(&n);
    for (const auto& child : n.children) Aggregates(*child, out);
  }

  Sets KeepWhere(const Node& n, Sets sets, bool first) const {
    std::vector<const Node*> aggregates;
    Aggregates(n, &aggregates);
    const bool own = first && std::all_of(aggregates.begin(), aggregates.end(),
                                          [](auto* a) { return a->kind == NodeKind::kPipeline; });
    Sets out;
    for (PlainSpanset& set : sets) {
      if (!Compare(n.op, ValueOf(*n.children[0], set.spans), ValueOf(*n.children[1], set.spans)))
        continue;
      for (const Node* a : aggregates)
        set.values.emplace_back(lang::traceql::Print(*a), ValueOf(*a, set.spans));
      if (own) {
        List spans;
        for (const Node* a : aggregates) spans = UnionOf(spans, OwnSpans(*a, set.spans));
        set.spans = spans;
      }
      out.push_back(std::move(set));
    }
    return out;
  }

  static PlainValue KeyOf(const Node& n, const PlainSpan& span) {
    if (IsCondition(n)) return Bool(Selects(n, span));
    const PlainValue value = Value(n, {span});
    const bool countable = value.type != Type::kArray && value.type != Type::kOpaque;
    return countable ? value : PlainValue();
  }

  static Sets Group(const Node& n, const Sets& sets) {
    Sets out;
    for (const PlainSpanset& set : sets) {
      const size_t first = out.size();
      for (const PlainSpan* s : set.spans) {
        const PlainValue key = KeyOf(*n.children[0], *s);
        const auto same = [&](const PlainSpanset& other) {
          const PlainValue& v = other.values.back().second;
          return v.type == key.type && v.number == key.number && v.real == key.real &&
                 v.text == key.text;
        };
        auto found = std::find_if(out.begin() + static_cast<ptrdiff_t>(first), out.end(), same);
        if (found == out.end()) {
          out.push_back({{}, set.values});
          out.back().values.emplace_back(lang::traceql::Print(n), key);
          found = out.end() - 1;
        }
        found->spans.push_back(s);
      }
    }
    return out;
  }

  Sets RunStage(const Node& n, Sets sets, bool first) const {
    Sets out;
    switch (n.kind) {
      case NodeKind::kFilter:
      case NodeKind::kSpansetOperation:
        for (PlainSpanset& set : sets) out.push_back({Choose(n, set.spans), std::move(set.values)});
        break;
      case NodeKind::kPipeline: out = Run(n, std::move(sets)); break;
      case NodeKind::kScalarFilter: out = KeepWhere(n, std::move(sets), first); break;
      case NodeKind::kGroup: out = Group(n, sets); break;
      case NodeKind::kCoalesce:
        out.emplace_back();
        for (const PlainSpanset& set : sets) out[0].spans = UnionOf(out[0].spans, set.spans);
        break;
      default: return sets;
    }
    std::erase_if(out, [](const PlainSpanset& set) { return set.spans.empty(); });
    return out;
  }

  const List& trace_;
};

}  // namespace

std::vector<PlainTrace> PlainSearch(const Node& query, const std::vector<PlainSpan>& spans,
                                    TimeRange range) {
  std::map<model::TraceId, List> traces;
  for (const PlainSpan& s : spans) traces[s.trace].push_back(&s);
  std::vector<PlainTrace> out;
  for (const auto& [id, trace] : traces) {
    List asked;
    for (const PlainSpan* s : trace) {
      if (range.Contains(s->start_ns)) asked.push_back(s);
    }
    if (asked.empty()) continue;
    PlainTrace found{id, trace[0]->trace_start_ns, {}};
    found.spansets = PlainPipeline(trace).Run(*query.children[0], {{UnionOf(asked, {}), {}}});
    if (!found.spansets.empty()) out.push_back(std::move(found));
  }
  std::sort(out.begin(), out.end(), [](const PlainTrace& a, const PlainTrace& b) {
    return std::tie(b.start_ns, a.id) < std::tie(a.start_ns, b.id);
  });
  return out;
}

}  // namespace weft::query::exec
