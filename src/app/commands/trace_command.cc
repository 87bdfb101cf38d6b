// The waterfall reads the columns once: the tree's lines follow from `parent` and `subtreeSize`
// alone, because rows are in preorder. A row is the last child of its parent when no row of the
// parent's subtree lies behind its own subtree.

#include "app/commands/trace_command.h"

#include <algorithm>
#include <vector>

#include <boost/json.hpp>

#include "api/time_text.h"
#include "app/commands/json_fields.h"
#include "app/commands/progress_bar.h"

namespace weft::app::commands {
namespace {

namespace json = boost::json;

constexpr uint64_t kStatusError = 2;
constexpr size_t kBarWidthMax = 60;
constexpr size_t kDepthShownMax = 40;
constexpr size_t kNoParent = static_cast<size_t>(-1);

struct Row {
  size_t parent = kNoParent;
  size_t subtree_size = 0;
  uint64_t start_ns = 0;  // after the start of the trace
  int64_t duration_ns = 0;
  uint64_t status = 0;
  uint64_t marks = 0;
  std::string label;
  std::string message;
};

struct Waterfall {
  std::string trace_id;
  uint64_t start_ns = 0;
  uint64_t duration_ns = 0;
  std::string flags;
  std::vector<Row> rows;
};

// Reads one trace; `broken_` is set as soon as something isn't where it should be.
class ColumnsReader {
 public:
  explicit ColumnsReader(const json::value& root) : root_(root), spans_(MemberOf(&root, "spans")) {}

  Result<Waterfall> Read() {
    Waterfall trace;
    broken_ = MemberOf(spans_, "id") == nullptr;
    trace.trace_id = TextOf(&root_, "traceId");
    trace.start_ns = NumberOf(&root_, "startNs");
    trace.duration_ns = NumberOf(&root_, "endNs") - trace.start_ns;
    trace.flags = Flags();
    const size_t count = Size("id");
    trace.rows.resize(count);
    for (size_t i = 0; i < count && !broken_; ++i) ReadRow(i, &trace.rows[i]);
    for (const Row& row : trace.rows) {
      const auto i = static_cast<size_t>(&row - trace.rows.data());
      broken_ |= (row.parent != kNoParent && row.parent >= i) || row.subtree_size >= count - i;
    }
    if (broken_) return Error(ErrorCode::kCorrupt, "the server's answer is not a trace in columns");
    return trace;
  }

 private:
  size_t Size(std::string_view column) const {
    const json::value* list = MemberOf(spans_, column);
    return list != nullptr && list->is_array() ? list->get_array().size() : 0;
  }
  uint64_t At(const json::value* object, std::string_view column, size_t i) {
    const json::value* list = MemberOf(object, column);
    if (list == nullptr || !list->is_array() || i >= list->get_array().size()) {
      broken_ = true;
      return 0;
    }
    return AsNumber(list->get_array()[i]);
  }
  std::string Word(uint64_t code) {
    const json::value* list = MemberOf(&root_, "dictionary");
    if (list == nullptr || !list->is_array() || code >= list->get_array().size()) {
      broken_ = true;
      return {};
    }
    const json::value& word = list->get_array()[code];
    return word.is_string() ? std::string(word.get_string()) : std::string();
  }
  std::string ServiceOf(size_t row) {
    const uint64_t resource = At(spans_, "resource", row);
    const json::value* list = MemberOf(&root_, "resources");
    if (list == nullptr || !list->is_array() || resource >= list->get_array().size()) {
      broken_ = true;
      return {};
    }
    return Word(NumberOf(&list->get_array()[resource], "service"));
  }
  std::string Flags() const {
    std::string text;
    const json::value* list = MemberOf(&root_, "flags");
    if (list == nullptr || !list->is_array()) return text;
    for (const json::value& flag : list->get_array()) {
      if (flag.is_string())
        text.append(text.empty() ? "" : ", ").append(std::string(flag.get_string()));
    }
    return text;
  }
  void ReadRow(size_t i, Row* row) {
    const auto parent = static_cast<int64_t>(At(spans_, "parent", i));
    row->parent = parent < 0 ? kNoParent : static_cast<size_t>(parent);
    row->subtree_size = At(spans_, "subtreeSize", i);
    row->start_ns = At(spans_, "start", i);
    row->duration_ns = static_cast<int64_t>(At(spans_, "duration", i));
    row->status = At(spans_, "status", i);
    row->marks = At(spans_, "marks", i);
    const std::string service = ServiceOf(i);
    row->label = Printable((service.empty() ? "" : service + ": ") + Word(At(spans_, "name", i)));
    row->message = Printable(Word(At(spans_, "statusMessage", i)));
  }

  const json::value& root_;
  const json::value* spans_;
  bool broken_ = false;
};

bool IsLastChild(const std::vector<Row>& rows, size_t i) {
  const size_t end = i + rows[i].subtree_size;
  if (rows[i].parent == kNoParent) return true;
  return end >= rows[i].parent + rows[rows[i].parent].subtree_size;
}

// "│  └─ " before the name of a row. `prefixes` holds what each open ancestor hands down.
std::string TreeLines(const std::vector<Row>& rows, size_t i, std::vector<std::string>* prefixes,
                      std::vector<size_t>* depths) {
  const size_t parent = rows[i].parent;
  (*depths)[i] = parent == kNoParent ? 0 : (*depths)[parent] + 1;
  if (parent == kNoParent) return {};
  if ((*depths)[i] > kDepthShownMax) return (*prefixes)[parent];
  const bool last = IsLastChild(rows, i);
  (*prefixes)[i] = (*prefixes)[parent] + (last ? "   " : "│  ");
  return (*prefixes)[parent] + (last ? "└─ " : "├─ ");
}

std::string Bar(const Waterfall& trace, const Row& row, size_t width) {
  const auto scale = [&](uint64_t ns) {
    if (trace.duration_ns == 0) return size_t{0};
    const double share = static_cast<double>(ns) / static_cast<double>(trace.duration_ns);
    return static_cast<size_t>(std::min(1.0, share) * static_cast<double>(width));
  };
  const auto length_ns = static_cast<uint64_t>(std::max<int64_t>(0, row.duration_ns));
  const size_t begin = std::min(scale(row.start_ns), width - 1);
  const size_t end = std::clamp(scale(row.start_ns + length_ns), begin + 1, width);
  std::string bar(begin, ' ');
  for (size_t i = begin; i < end; ++i) bar += "━";
  return bar + std::string(width - end, ' ');
}

std::string MarksOf(const Row& row) {
  std::string text;
  if (row.marks & 1) text += "  (its parent is missing)";
  if (row.marks & 2) text += "  (shares its id with another span)";
  if (row.marks & 4) text += "  (its parent link made a cycle)";
  return text;
}

std::string Heading(const Waterfall& trace, const Stream& stream) {
  std::string text = stream.Paint(Colour::kBold, "trace " + trace.trace_id) + "  " +
                     api::FormatTime(trace.start_ns, 3) + "  " +
                     api::FormatDuration(static_cast<int64_t>(trace.duration_ns)) + "  " +
                     FormatCount(trace.rows.size()) + (trace.rows.size() == 1 ? " span" : " spans");
  if (!trace.flags.empty()) text += "  " + stream.Paint(Colour::kYellow, trace.flags);
  return text + "\n";
}

std::string Draw(const Waterfall& trace, const Stream& stream) {
  const size_t bar_width = std::min(kBarWidthMax, stream.width / 3);
  const size_t name_width = stream.width - bar_width - 12;
  std::vector<std::string> prefixes(trace.rows.size());
  std::vector<size_t> depths(trace.rows.size());
  std::string out = Heading(trace, stream);
  for (size_t i = 0; i < trace.rows.size(); ++i) {
    const Row& row = trace.rows[i];
    const bool failed = row.status == kStatusError;
    const std::string name = TreeLines(trace.rows, i, &prefixes, &depths) + row.label;
    const std::string bar = Bar(trace, row, bar_width);
    out += stream.Paint(failed ? Colour::kRed : Colour::kPlain, Fit(name, name_width)) + " " +
           Fit(api::FormatDuration(row.duration_ns), 9, true) + " " +
           stream.Paint(failed ? Colour::kRed : Colour::kBlue, bar);
    out.erase(out.find_last_not_of(' ') + 1);
    if (failed)
      out +=
          stream.Paint(Colour::kRed, "  error" + (row.message.empty() ? "" : ": " + row.message));
    out += stream.Paint(Colour::kYellow, MarksOf(row)) + "\n";
  }
  return out;
}

}  // namespace

Result<std::string> DrawWaterfall(std::string_view columns_json, const Stream& stream) {
  const auto root = ParseJson(columns_json);
  if (!root) return Error(ErrorCode::kCorrupt, "the server's answer is not JSON");
  WEFT_ASSIGN_OR_RETURN(const Waterfall trace, ColumnsReader(*root).Read());
  return Draw(trace, stream);
}

int RunTrace(const TraceOptions& options, const Console& console) {
  if (options.id.empty() ||
      options.id.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
    console.Complain("a trace id is 1 to 32 hex digits");
    return 2;
  }
  if (options.json && options.otlp) {
    console.Complain("--json and --otlp exclude each other");
    return 2;
  }
  auto client = ApiClient::Connect(options.server);
  if (!client.ok()) {
    console.Complain(client.error().message());
    return 1;
  }
  const auto response = client->Get(
      "/api/v1/traces/" + options.id + (options.otlp ? "?format=otlp" : "?format=columns"), "*/*");
  if (!response.ok()) {
    console.Complain(response.error().message());
    return 1;
  }
  if (options.json || options.otlp) {
    console.out.Print(std::string(response->payload()) + "\n");
    return 0;
  }
  const auto waterfall = DrawWaterfall(response->payload(), console.out);
  if (!waterfall.ok()) {
    console.Complain(waterfall.error().message());
    return 1;
  }
  console.out.Print(*waterfall);
  return 0;
}

}  // namespace weft::app::commands
