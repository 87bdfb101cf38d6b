#include <algorithm>
#include <array>

#include "query/lang/traceql/literal_text.h"
#include "query/lang/traceql/names.h"
#include "query/lang/traceql/tree.h"

namespace weft::query::lang::traceql {
namespace {

struct OperatorSpelling {
  TokenKind kind;
  std::string_view text;
};
constexpr std::array<OperatorSpelling, 29> kSpellings{{{TokenKind::kAnd, "&&"},
                                                       {TokenKind::kOr, "||"},
                                                       {TokenKind::kEqual, "="},
                                                       {TokenKind::kNotEqual, "!="},
                                                       {TokenKind::kLess, "<"},
                                                       {TokenKind::kLessEqual, "<="},
                                                       {TokenKind::kGreater, ">"},
                                                       {TokenKind::kGreaterEqual, ">="},
                                                       {TokenKind::kMatch, "=~"},
                                                       {TokenKind::kNotMatch, "!~"},
                                                       {TokenKind::kPlus, "+"},
                                                       {TokenKind::kMinus, "-"},
                                                       {TokenKind::kStar, "*"},
                                                       {TokenKind::kSlash, "/"},
                                                       {TokenKind::kPercent, "%"},
                                                       {TokenKind::kCaret, "^"},
                                                       {TokenKind::kBang, "!"},
                                                       {TokenKind::kDescendant, ">>"},
                                                       {TokenKind::kAncestor, "<<"},
                                                       {TokenKind::kTilde, "~"},
                                                       {TokenKind::kNotChild, "!>"},
                                                       {TokenKind::kNotParent, "!<"},
                                                       {TokenKind::kNotDescendant, "!>>"},
                                                       {TokenKind::kNotAncestor, "!<<"},
                                                       {TokenKind::kUnionChild, "&>"},
                                                       {TokenKind::kUnionParent, "&<"},
                                                       {TokenKind::kUnionDescendant, "&>>"},
                                                       {TokenKind::kUnionAncestor, "&<<"},
                                                       {TokenKind::kUnionSibling, "&~"}}};

std::string PrintLiteral(const Literal& literal) {
  switch (literal.type) {
    case LiteralType::kNil: return "nil";
    case LiteralType::kString: return PrintString(literal.text);
    case LiteralType::kInt:
      return literal.number == INT64_MIN ? "minInt" : std::to_string(literal.number);
    case LiteralType::kFloat: return PrintFloat(literal.real);
    case LiteralType::kBool: return literal.number != 0 ? "true" : "false";
    case LiteralType::kDuration: return PrintDuration(literal.number);
    case LiteralType::kStatus: return std::string(StatusName(literal.number));
    case LiteralType::kKind: return std::string(KindName(literal.number));
  }
  return {};
}

class Printer {
 public:
  void Write(const Node& node) {
    switch (node.kind) {
      case NodeKind::kLiteral: out_ += PrintLiteral(node.literal); break;
      case NodeKind::kAttribute: WriteAttribute(node); break;
      case NodeKind::kIntrinsic: out_ += IntrinsicName(node.property); break;
      case NodeKind::kNegate:
      case NodeKind::kNot: WriteUnary(node); break;
      case NodeKind::kFieldOperation:
      case NodeKind::kSpansetOperation:
      case NodeKind::kScalarOperation:
      case NodeKind::kScalarFilter: WriteOperation(node); break;
      case NodeKind::kFilter: WriteFilter(node); break;
      case NodeKind::kPipeline: WritePipeline(node); break;
      case NodeKind::kGroup: WriteCall("by", node); break;
      case NodeKind::kCoalesce: out_ += "coalesce()"; break;
      case NodeKind::kSelect: WriteCall("select", node); break;
      case NodeKind::kAggregate:
      case NodeKind::kTop: WriteCall(node.text, node); break;
      case NodeKind::kPath: WritePath(node); break;
      case NodeKind::kMetric: WriteMetric(node); break;
      case NodeKind::kMetricFilter: WriteMetricFilter(node); break;
      case NodeKind::kQuery: WriteQuery(node); break;
      case NodeKind::kHint: WriteHint(node); break;
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  void WriteAttribute(const Node& node) {
    if (node.of_parent) out_ += node.text.empty() ? "parent" : "parent.";
    if (node.of_parent && node.text.empty()) return;
    out_ += AttributeScopeName(node.scope);
    if (node.scope != AttributeScope::kNone || !node.of_parent) out_ += ".";
    out_ += PrintKey(node.text);
  }

  void WriteUnary(const Node& node) {
    out_ += OperatorText(node.op);
    const Node& operand = *node.children[0];
    const bool wrap = operand.kind == NodeKind::kFieldOperation ||
                      (operand.kind == NodeKind::kNot && node.kind == NodeKind::kNegate);
    WriteWrapped(operand, wrap);
  }

  void WriteWrapped(const Node& node, bool wrap) {
    if (wrap) out_ += "(";
    Write(node);
    if (wrap) out_ += ")";
  }

  static int Level(TokenKind op) {
    if (op == TokenKind::kAnd || op == TokenKind::kOr) return 1;
    if (op == TokenKind::kPlus || op == TokenKind::kMinus) return 3;
    if (op == TokenKind::kStar || op == TokenKind::kSlash || op == TokenKind::kPercent) return 4;
    return op == TokenKind::kCaret ? 5 : 2;
  }

  static bool NeedsParentheses(const Node& operand, TokenKind op) {
    switch (operand.kind) {
      case NodeKind::kFieldOperation: return Level(operand.op) <= Level(op);
      case NodeKind::kNot: return Level(op) > 1;
      case NodeKind::kSpansetOperation:
      case NodeKind::kScalarOperation:
      case NodeKind::kPipeline: return true;
      default: return false;
    }
  }

  void WriteOperation(const Node& node) {
    for (size_t i = 0; i < node.children.size(); ++i) {
      if (i != 0) (((out_ += " ") += OperatorText(node.op)) += " ");
      WriteWrapped(*node.children[i], NeedsParentheses(*node.children[i], node.op));
    }
  }

  void WriteFilter(const Node& node) {
    if (node.children.empty()) {
      out_ += "{}";
      return;
    }
    out_ += "{ ";
    Write(*node.children[0]);
    out_ += " }";
  }

  void WritePipeline(const Node& node) {
    if (node.children.size() == 1) return WriteWrapped(*node.children[0], true);
    for (size_t i = 0; i < node.children.size(); ++i) {
      const Node& stage = *node.children[i];
      if (i != 0) out_ += stage.kind == NodeKind::kMetricFilter ? " " : " | ";
      WriteWrapped(stage, stage.kind == NodeKind::kPipeline && stage.children.size() > 1);
    }
  }

  void WriteCall(std::string_view name, const Node& node) {
    (out_ += name) += "(";
    for (size_t i = 0; i < node.children.size(); ++i) {
      if (i != 0) out_ += ", ";
      Write(*node.children[i]);
    }
    out_ += ")";
  }

  void WriteMetric(const Node& node) {
    (out_ += node.text) += "(";
    bool first = true;
    for (const NodePtr& child : node.children) {
      if (child->kind == NodeKind::kGroup) continue;
      if (!first) out_ += ", ";
      first = false;
      Write(*child);
    }
    out_ += ")";
    if (!node.children.empty() && node.children.back()->kind == NodeKind::kGroup) {
      out_ += " ";
      Write(*node.children.back());
    }
  }

  void WritePath(const Node& node) {
    (out_ += node.text) += "(";
    if (!node.children.empty()) {
      Write(*node.children[0]);
      out_ += ", factor=";
      Write(*node.children[1]);
    }
    out_ += ")";
  }

  void WriteMetricFilter(const Node& node) {
    (out_ += OperatorText(node.op)) += " ";
    Write(*node.children[0]);
  }

  void WriteQuery(const Node& node) {
    Write(*node.children[0]);
    for (size_t i = 1; i < node.children.size(); ++i) {
      out_ += i == 1 ? " with (" : ", ";
      Write(*node.children[i]);
    }
    if (node.children.size() > 1) out_ += ")";
  }

  void WriteHint(const Node& node) {
    (out_ += node.text) += "=";
    Write(*node.children[0]);
  }

  std::string out_;
};

}  // namespace

std::string_view OperatorText(TokenKind op) {
  for (const OperatorSpelling& s : kSpellings) {
    if (s.kind == op) return s.text;
  }
  return {};
}

std::string Print(const Node& node) {
  Printer printer;
  printer.Write(node);
  return printer.Take();
}

bool SameTree(const Node& a, const Node& b) {
  const bool same = a.kind == b.kind && a.op == b.op && a.literal == b.literal &&
                    a.scope == b.scope && a.of_parent == b.of_parent && a.property == b.property &&
                    a.text == b.text;
  return same &&
         std::equal(a.children.begin(), a.children.end(), b.children.begin(), b.children.end(),
                    [](const NodePtr& x, const NodePtr& y) { return SameTree(*x, *y); });
}

}  // namespace weft::query::lang::traceql
