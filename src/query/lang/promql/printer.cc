#include <array>
#include <charconv>
#include <cmath>

#include "query/lang/promql/tree.h"

namespace weft::query::lang::promql {
namespace {

std::string Quote(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\x";
      out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string PrintNumber(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return "Inf";
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

std::string PrintLabels(const std::vector<std::string>& labels) {
  std::string out = "(";
  for (const std::string& label : labels) out += (out.size() > 1 ? ", " : "") + label;
  return out + ")";
}

std::string PrintMatchers(const std::vector<Matcher>& matchers) {
  static constexpr std::array<std::string_view, 4> kOps{"=", "!=", "=~", "!~"};
  std::string out = "{";
  for (const Matcher& matcher : matchers) {
    if (out.size() > 1) out += ", ";
    out += matcher.label + std::string(kOps[static_cast<size_t>(matcher.op)]);
    out += Quote(matcher.value);
  }
  return out + "}";
}

std::string PrintSelector(const Node& node) {
  std::string out = PrintMatchers(node.matchers);
  if (node.range_ms != 0) out += "[" + PrintDurationMs(node.range_ms) + "]";
  if (node.offset_ms != 0) out += " offset " + PrintDurationMs(node.offset_ms);
  return out;
}

std::string PrintMatching(const Matching& matching) {
  if (!matching.is_given) return "";
  std::string out = (matching.on ? " on " : " ignoring ") + PrintLabels(matching.labels);
  if (matching.group == Matching::Group::kNone) return out;
  out += matching.group == Matching::Group::kLeft ? " group_left " : " group_right ";
  return out + PrintLabels(matching.include);
}

std::string PrintArguments(const Node& node) {
  std::string out = "(";
  for (const NodePtr& child : node.children) out += (out.size() > 1 ? ", " : "") + Print(*child);
  return out + ")";
}

}  // namespace

std::string Print(const Node& node) {
  switch (node.kind) {
    case NodeKind::kNumber: return PrintNumber(node.number);
    case NodeKind::kString: return Quote(node.text);
    case NodeKind::kSelector: return PrintSelector(node);
    case NodeKind::kNegate: return "(-" + Print(*node.children[0]) + ")";
    case NodeKind::kBinary:
      return "(" + Print(*node.children[0]) + " " + std::string(TextOf(node.op)) +
             (node.return_bool ? " bool" : "") + PrintMatching(node.matching) + " " +
             Print(*node.children[1]) + ")";
    case NodeKind::kCall:
      return std::string(SignatureOf(node.function).name) + PrintArguments(node);
    case NodeKind::kAggregate: {
      const bool grouped = node.without || !node.grouping.empty();
      const std::string grouping =
          grouped ? (node.without ? " without " : " by ") + PrintLabels(node.grouping) + " " : "";
      return std::string(NameOf(node.aggregation)) + grouping + PrintArguments(node);
    }
  }
  return "";
}

}  // namespace weft::query::lang::promql
