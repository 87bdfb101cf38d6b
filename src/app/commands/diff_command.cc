// What is below an added or removed span is mostly added or removed, too: of such a subtree only
// the first span is shown, with how many there are below it.

#include "app/commands/diff_command.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "api/time_text.h"
#include "app/commands/json_fields.h"
#include "app/commands/progress_bar.h"
#include "app/commands/question.h"
#include "app/commands/text_table.h"

namespace weft::app::commands {
namespace {

namespace json = boost::json;

constexpr size_t kValueWidthMax = 60;
constexpr size_t kServicesShown = 20;
constexpr std::string_view kArrow = " -> ";

std::string Duration(double ms) {
  return api::FormatDuration(static_cast<int64_t>(std::llround(ms * 1e6)));
}

std::string Delta(double ms) {
  if (ms == 0) return "";
  return (ms > 0 ? "+" : "-") + Duration(std::abs(ms));
}

std::string Percent(double share) {
  std::array<char, 16> text;
  std::snprintf(text.data(), text.size(), "%.0f %%", 100 * share);
  return text.data();
}

std::string Counted(uint64_t count, std::string_view noun) {
  return FormatCount(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

// service: name
std::string SpanName(const json::value& span) {
  const std::string service = TextOf(&span, "service");
  return Printable((service.empty() ? "" : service + ": ") + TextOf(&span, "name"));
}

std::string DescribeTrace(std::string_view label, const json::value* trace, const Stream& stream) {
  const std::string service = TextOf(trace, "rootService"), name = TextOf(trace, "rootName");
  const uint64_t errors = NumberOf(trace, "errorSpanCount");
  std::string out = stream.Paint(Colour::kBold, std::string(label) + TextOf(trace, "traceId"));
  out += "  " + Printable(service.empty() && name.empty() ? "(no root)" : service + ": " + name);
  out += "  " + Duration(RealOf(trace, "durationMs"));
  out += "  " + Counted(NumberOf(trace, "spanCount"), "span");
  if (errors != 0) out += ", " + stream.Paint(Colour::kRed, Counted(errors, "error"));
  return out + "\n";
}

std::string DescribeStats(const json::value& diff) {
  const json::value* stats = MemberOf(&diff, "stats");
  const double delta = RealOf(stats, "durationDeltaMs");
  std::string out =
      delta == 0 ? "as long" : Duration(std::abs(delta)) + (delta > 0 ? " longer" : " shorter");
  out += "; " + Percent(RealOf(MemberOf(&diff, "trust"), "matchedSpanRatio")) +
         " of the spans are in both";
  for (const auto& [member, word] : {std::pair{"modifiedSpans", "changed"},
                                     {"addedSpans", "added"},
                                     {"removedSpans", "removed"}}) {
    const uint64_t count = NumberOf(stats, member);
    if (count != 0) out += ", " + FormatCount(count) + " " + word;
  }
  return out + "\n";
}

std::string BothSides(const json::value& service, std::string_view member) {
  const uint64_t base = NumberOf(MemberOf(&service, "base"), member);
  const uint64_t compare = NumberOf(MemberOf(&service, "compare"), member);
  if (base == compare) return base == 0 ? "" : FormatCount(base);
  return FormatCount(base) + std::string(kArrow) + FormatCount(compare);
}

void PrintServices(const json::value& diff, const Stream& stream, std::string* out) {
  TextTable table({{"SERVICE", false, true},
                   {"SPANS", true},
                   {"ERRORS", true},
                   {"CRITICAL PATH", true},
                   {"CHANGE", true}});
  const json::array& services = ArrayOf(&diff, "services");
  for (size_t i = 0; i < services.size() && i < kServicesShown; ++i) {
    const json::value& service = services[i];
    const double base = RealOf(MemberOf(&service, "base"), "criticalPathMs");
    const double compare = RealOf(MemberOf(&service, "compare"), "criticalPathMs");
    const std::string name = TextOf(&service, "service");
    table.AddRow({name.empty() ? "(no service.name)" : name, BothSides(service, "spanCount"),
                  BothSides(service, "errorSpanCount"),
                  Duration(base) + std::string(kArrow) + Duration(compare),
                  Delta(RealOf(&service, "criticalPathDeltaMs"))});
  }
  *out += table.Text(stream);
  if (services.size() > kServicesShown)
    *out += "and " + Counted(services.size() - kServicesShown, "service") + " more\n";
}

// As people write it.
std::string ValueText(const json::value* value) {
  if (value == nullptr) return "(none)";
  std::string text = JsonText(*value);
  if (value->is_string()) text = value->get_string();
  text = Printable(text);
  if (text.empty()) return "\"\"";
  return DisplayWidth(text) > kValueWidthMax ? Fit(text, kValueWidthMax) : text;
}

std::string ChangeText(const std::string& name, const json::value& change) {
  return Printable(name) + "  " + ValueText(MemberOf(&change, "base")) + std::string(kArrow) +
         ValueText(MemberOf(&change, "compare"));
}

void PrintAttributes(const json::value& owner, std::string_view indent, std::string* out) {
  for (const json::value& change : ArrayOf(&owner, "attributes"))
    *out += std::string(indent) + ChangeText(TextOf(&change, "key"), change) + "\n";
}

void PrintOwners(const json::value* patch, const Stream& stream, std::string* out) {
  for (const json::value& resource : ArrayOf(patch, "resources")) {
    const std::string service = TextOf(&resource, "service");
    *out += "\n" + stream.Paint(Colour::kBold, "resource of " + Printable(service)) + ", " +
            Counted(NumberOf(&resource, "spanPairs"), "span") + "\n";
    PrintAttributes(resource, "  ", out);
  }
  for (const json::value& scope : ArrayOf(patch, "scopes")) {
    const auto name_of = [&](std::string_view side) {
      const json::value* one = MemberOf(&scope, side);
      return Printable(TextOf(one, "name") + " " + TextOf(one, "version"));
    };
    *out += "\n" + stream.Paint(Colour::kBold, "library ") + name_of("base") + std::string(kArrow) +
            name_of("compare") + ", " + Counted(NumberOf(&scope, "spanPairs"), "span") + "\n";
    PrintAttributes(scope, "  ", out);
  }
}

class SpanLines {
 public:
  SpanLines(const json::array& spans, const Stream& stream) : spans_(spans), stream_(stream) {
    CountBelow();
  }

  std::string Print(uint32_t limit) const {
    std::string out;
    uint32_t shown = 0;
    uint64_t left_out = 0;
    for (size_t i = 0; i < spans_.size(); ++i) {
      if (top_[i] != i) continue;
      if (shown == limit) {
        ++left_out;
        continue;
      }
      ++shown;
      Line(i, &out);
    }
    if (left_out != 0) out += "and " + FormatCount(left_out) + " more; --limit shows them\n";
    return out;
  }

 private:
  static std::string_view SideOf(const json::value& span) {
    return TextOf(&span, "change") == "added" ? "compare" : "base";
  }

  // Of each line of an added or removed span the highest above it that is one, too.
  void CountBelow() {
    std::map<std::string, size_t, std::less<>> lines[2];  // by span id
    for (size_t i = 0; i < spans_.size(); ++i) {
      top_.push_back(i);
      below_.push_back(0);
      const std::string change = TextOf(&spans_[i], "change");
      if (change == "modified") continue;
      auto& by_id = lines[change == "added" ? 1 : 0];
      const json::value* span = MemberOf(&spans_[i], SideOf(spans_[i]));
      const auto parent = by_id.find(TextOf(span, "parentSpanId"));
      if (parent != by_id.end()) {
        top_[i] = top_[parent->second];
        ++below_[top_[i]];
      }
      by_id.emplace(TextOf(span, "spanId"), i);
    }
  }

  void Line(size_t i, std::string* out) const {
    const json::value& span = spans_[i];
    const std::string change = TextOf(&span, "change");
    if (change == "modified") {
      *out += stream_.Paint(Colour::kYellow, "~ " + SpanName(span)) + "\n";
      for (const json::value& field : ArrayOf(&span, "fields"))
        *out += "    " + Field(field) + "\n";
      PrintAttributes(span, "    ", out);
      return;
    }
    const bool added = change == "added";
    *out += stream_.Paint(added ? Colour::kGreen : Colour::kRed,
                          (added ? "+ " : "- ") + SpanName(span));
    *out += "  " + Duration(RealOf(MemberOf(&span, SideOf(span)), "durationMs"));
    if (TextOf(&span, "status") == "error") {
      const std::string message = Printable(TextOf(&span, "statusMessage"));
      *out += "  " + stream_.Paint(Colour::kRed, "error" + (message.empty() ? "" : ": " + message));
    }
    if (below_[i] != 0) *out += "  and " + FormatCount(below_[i]) + " below";
    *out += "\n";
  }

  static std::string Caller(const json::value* parent) {
    return parent == nullptr || !parent->is_object() ? "nobody" : SpanName(*parent);
  }

  static std::string Field(const json::value& field) {
    const std::string name = TextOf(&field, "field");
    if (name == "durationMs") {
      return "duration  " + Duration(RealOf(&field, "base")) + std::string(kArrow) +
             Duration(RealOf(&field, "compare"));
    }
    if (name == "parent") {
      return "called by  " + Caller(MemberOf(&field, "base")) + std::string(kArrow) +
             Caller(MemberOf(&field, "compare"));
    }
    return ChangeText(name, field);
  }

  const json::array& spans_;
  const Stream& stream_;
  std::vector<size_t> top_;
  std::vector<uint64_t> below_;
};

}  // namespace

std::string DescribeDiff(const json::value& diff, uint32_t limit, const Stream& stream) {
  std::string out = DescribeTrace("- ", MemberOf(&diff, "base"), stream);
  out += DescribeTrace("+ ", MemberOf(&diff, "compare"), stream);
  out += DescribeStats(diff) + "\n";
  PrintServices(diff, stream, &out);
  const json::value* patch = MemberOf(&diff, "patch");
  PrintOwners(patch, stream, &out);
  const std::string lines = SpanLines(ArrayOf(patch, "spans"), stream).Print(limit);
  if (!lines.empty()) out += "\n" + lines;
  return out;
}

int RunDiff(const DiffOptions& options, const Console& console) {
  std::string target = "/api/v1/trace-diff";
  AddParameter("base", options.base, &target);
  AddParameter("compare", options.compare, &target);
  int exit_code = 0;
  const auto answer = Ask(options.server, target, {}, console, &exit_code);
  if (!answer) return exit_code;
  const bool as_json = options.json || !console.out.is_terminal;
  console.out.Print(as_json ? JsonText(*answer) + "\n"
                            : DescribeDiff(*answer, options.limit, console.out));
  return 0;
}

}  // namespace weft::app::commands
