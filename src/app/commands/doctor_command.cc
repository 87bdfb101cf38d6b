#include "app/commands/doctor_command.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include <boost/json.hpp>

#include "api/time_text.h"
#include "app/commands/json_fields.h"
#include "app/commands/progress_bar.h"

namespace weft::app::commands {
namespace {

namespace json = boost::json;

constexpr std::string_view kIndent = "   ";

std::string TitleOf(std::string_view kind) {
  if (kind == "context_lost") return "the trace context is lost";
  if (kind == "spans_between_missing") return "spans between the two are missing";
  if (kind == "root_missing") return "traces without a root";
  if (kind == "caller_missing") return "callers without a span";
  if (kind == "parent_missing") return "spans are lost";
  if (kind == "queue_context_lost") return "messages without a context";
  if (kind == "unanswered") return "calls are not seen by whom they reach";
  if (kind == "clock_skew") return "clocks disagree";
  return std::string(kind);
}

std::string NameOr(const json::value& finding, std::string_view name, std::string_view otherwise) {
  std::string text = TextOf(&finding, name);
  return text.empty() ? std::string(otherwise) : Printable(text);
}

// checkout -> email, or what there is of it.
std::string PlaceOf(const json::value& finding) {
  std::string server = NameOr(finding, "server", "(no service.name)");
  if (MemberOf(&finding, "client") == nullptr) return server;
  std::string out = NameOr(finding, "client", "") + " -> " + server;
  const std::string queue = NameOr(finding, "queue", "");
  return queue.empty() ? out : out + " via " + queue;
}

std::string HowMany(const json::value& finding) {
  const uint64_t count = NumberOf(&finding, "count"), of = NumberOf(&finding, "of");
  const bool calls = MemberOf(&finding, "client") != nullptr;
  std::string out = FormatCount(count);
  if (of == 0) return out + (calls ? " call" : " span") + (count == 1 ? "" : "s");
  std::array<char, 16> share;
  std::snprintf(share.data(), share.size(), "%.1f %%",
                100.0 * static_cast<double>(count) / static_cast<double>(of));
  return out + " of " + FormatCount(of) + " calls (" + share.data() + ")";
}

std::string OffsetOf(const json::value& finding) {
  const auto offset_ns = static_cast<int64_t>(NumberOf(&finding, "offsetNs"));
  if (offset_ns == 0) return {};
  return NameOr(finding, "server", "the server") + "'s clock is " +
         api::FormatDuration(std::abs(offset_ns)) + (offset_ns > 0 ? " ahead" : " behind") + ". ";
}

// Words in lines that fit the terminal.
std::string Wrap(std::string_view text, size_t width) {
  std::string out;
  size_t column = width + 1;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (column + 1 + DisplayWidth(word) > width) {
      if (!out.empty()) out += "\n";
      out.append(kIndent);
      column = kIndent.size();
    } else {
      out += " ";
      ++column;
    }
    out.append(word);
    column += DisplayWidth(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + "\n";
}

std::string ExampleOf(const json::value& finding) {
  const std::string client = TextOf(&finding, "clientTraceId");
  const std::string server = TextOf(&finding, "serverTraceId");
  if (client.empty() && server.empty()) return {};
  if (client == server || client.empty()) return "Example: weft trace " + server;
  if (server.empty()) return "Example: weft trace " + client;
  return "Example: weft trace " + client + " goes on as weft trace " + server;
}

}  // namespace

std::string DescribeFinding(const json::value& finding, size_t number, const Stream& stream) {
  const std::string heading = std::to_string(number) + ". " + PlaceOf(finding) + ": " +
                              TitleOf(TextOf(&finding, "kind")) + ", " + HowMany(finding);
  std::string out = stream.Paint(Colour::kBold, heading) + "\n";
  out += Wrap(OffsetOf(finding) + Printable(TextOf(&finding, "what")), stream.width);
  out += Wrap("Do: " + Printable(TextOf(&finding, "advice")) + ".", stream.width);
  const std::string example = ExampleOf(finding);
  if (!example.empty()) out += std::string(kIndent) + example + "\n";
  return out;
}

int RunDoctor(const DoctorOptions& options, const Console& console) {
  if (const Error error = CheckTimes(options.times); !error.ok()) {
    console.Complain(error.message());
    return kExitWrong;
  }
  std::string target = "/api/v1/propagation";
  AddParameter("service", options.service, &target);
  AddTimes(options.times, &target);
  int exit_code = 0;
  const auto answer = Ask(options.server, target, {}, console, &exit_code);
  if (!answer) return exit_code;
  const bool as_json = options.json || !console.out.is_terminal;
  size_t number = 0;
  const json::value* findings = MemberOf(&*answer, "findings");
  if (findings != nullptr && findings->is_array()) {
    for (const json::value& finding : findings->get_array()) {
      if (number++ != 0 && !as_json) console.out.Print("\n");
      console.out.Print(as_json ? JsonText(finding) + "\n"
                                : DescribeFinding(finding, number, console.out));
    }
  }
  if (number == 0 && !as_json) {
    console.err.Print("nothing is broken in " + FormatCount(NumberOf(&*answer, "calls")) +
                      " calls\n");
  }
  return CheckComplete(*answer, console) ? 0 : kExitFailed;
}

}  // namespace weft::app::commands
