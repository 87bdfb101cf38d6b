#include "test/corpus/spans_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace weft::corpus {
namespace {

using model::AttributeArray;
using model::NestedRange;
using model::SpanBatch;
using model::ValueType;

Error Wrong(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }

constexpr std::array<std::string_view, 6> kKinds{"unspecified", "internal", "server",
                                                 "client",      "producer", "consumer"};
constexpr std::array<std::string_view, 3> kStatuses{"unset", "ok", "error"};

template <size_t N>
std::optional<uint8_t> IndexOf(const std::array<std::string_view, N>& names,
                               std::string_view word) {
  const auto found = std::find(names.begin(), names.end(), word);
  if (found == names.end()) return std::nullopt;
  return static_cast<uint8_t>(found - names.begin());
}

// The words, strings and signs of one line.
class Line {
 public:
  explicit Line(std::string_view text) : text_(text) {
    indent_ = text_.find_first_not_of(' ');
    if (indent_ == std::string_view::npos) indent_ = text_.size();
    at_ = indent_;
  }

  size_t indent() const { return indent_; }
  bool AtEnd() {
    Skip();
    return at_ >= text_.size();
  }
  char Peek() { return AtEnd() ? '\0' : text_[at_]; }
  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }

  // Up to white space or a sign.
  std::string_view Word() {
    Skip();
    const size_t begin = at_;
    while (at_ < text_.size() &&
           std::string_view(" {}[]=,\"").find(text_[at_]) == std::string_view::npos)
      ++at_;
    return text_.substr(begin, at_ - begin);
  }
  std::string_view PeekWord() {
    const size_t begin = at_;
    const std::string_view word = Word();
    at_ = begin;
    return word;
  }
  // "..." with \" \\ \n \xhh; nothing when there is none.
  std::optional<std::string> String() {
    if (!Take('"')) return std::nullopt;
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] != '\\') {
        out += text_[at_++];
      } else if (!Escape(&out)) {
        return std::nullopt;
      }
    }
    return Take('"') ? std::optional(out) : std::nullopt;
  }

 private:
  bool Escape(std::string* out) {
    const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    at_ += 2;
    if (c != 'x') {
      out->push_back(c == 'n' ? '\n' : c);
      return c != '\0';
    }
    uint8_t byte = 0;
    const auto [end, error] = std::from_chars(
        text_.data() + at_, text_.data() + std::min(at_ + 2, text_.size()), byte, 16);
    at_ += 2;
    out->push_back(static_cast<char>(byte));
    return error == std::errc() && end == text_.data() + at_;
  }
  void Skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    if (at_ < text_.size() && text_[at_] == '#') at_ = text_.size();
  }

  std::string_view text_;
  size_t indent_ = 0;
  size_t at_ = 0;
};

class Reader {
 public:
  explicit Reader(SpanSet* out) : out_(*out), batch_(out->spans) {}

  Error ReadLine(std::string_view text) {
    Line line(text);
    if (line.AtEnd()) return Error::Ok();
    const std::string_view word = line.PeekWord();
    if (word == "resource") return ReadResource(&line);
    if (word == "scope") return ReadScope(&line);
    if (word == "trace") return ReadTrace(&line);
    if (word == "event") return ReadEvent(&line);
    if (word == "link") return ReadLink(&line);
    return ReadSpan(&line);
  }

 private:
  model::Code Intern(std::string_view s) { return batch_.strings.Intern(s); }

  Error ReadResource(Line* line) {
    line->Word();
    out_.resource_names.emplace_back(line->Word());
    WEFT_RETURN_IF_ERROR(ReadAttributes(line, &batch_.resources.attributes));
    batch_.resources.schema_url.push_back(0);
    batch_.resources.dropped_attributes.push_back(0);
    batch_.resources.attribute_end.push_back(batch_.resources.attributes.size());
    return Error::Ok();
  }

  Error ReadScope(Line* line) {
    line->Word();
    out_.scope_names.emplace_back(line->Word());
    const auto name = line->String();
    const auto version = line->String();
    if (!name || !version) return Wrong("expected: scope LABEL \"name\" \"version\" {attributes}");
    WEFT_RETURN_IF_ERROR(ReadAttributes(line, &batch_.scopes.attributes));
    batch_.scopes.name.push_back(Intern(*name));
    batch_.scopes.version.push_back(Intern(*version));
    batch_.scopes.schema_url.push_back(0);
    batch_.scopes.dropped_attributes.push_back(0);
    batch_.scopes.attribute_end.push_back(batch_.scopes.attributes.size());
    return Error::Ok();
  }

  // trace T1 0af7651916cd43dd8448eb211c80319c [at 10s]
  Error ReadTrace(Line* line) {
    line->Word();
    const std::string label(line->Word());
    const auto id = model::TraceId::FromHex(line->Word());
    if (!id) return Wrong("expected: trace LABEL ID [at TIME]");
    int64_t at = 0;
    if (line->PeekWord() == "at") {
      line->Word();
      WEFT_ASSIGN_OR_RETURN(at, ReadTime(line->Word()));
    }
    if (!out_.trace_labels.emplace(*id, label).second) return Wrong("the trace id is used twice");
    trace_start_ns_ = SpanSet::kEpochNs + static_cast<uint64_t>(at);
    trace_ = static_cast<uint32_t>(batch_.traces.size());
    batch_.traces.push_back(*id);
    above_.clear();
    return Error::Ok();
  }

  Result<uint32_t> Find(const std::vector<std::string>& names, std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return Wrong("unknown name " + std::string(name));
    return static_cast<uint32_t>(found - names.begin());
  }

  // A frontend "GET /" server 0ms..100ms [error ["message"]] [id=hex] [parent=hex] [scope=label]
  // [{attributes}]
  Error ReadSpan(Line* line) {
    if (batch_.traces.empty()) return Wrong("a span before its trace");
    if (batch_.scopes.size() == 0) {
      Line unnamed("scope none \"\" \"\"");
      WEFT_RETURN_IF_ERROR(ReadScope(&unnamed));
    }
    while (!above_.empty() && above_.back().first >= line->indent()) above_.pop_back();
    const std::string label(line->Word());
    WEFT_ASSIGN_OR_RETURN(const uint32_t resource, Find(out_.resource_names, line->Word()));
    const auto name = line->String();
    const auto kind = IndexOf(kKinds, line->Word());
    if (!name || !kind) return Wrong("expected: LABEL RESOURCE \"name\" KIND START..END");
    WEFT_RETURN_IF_ERROR(ReadTimes(line->Word()));
    model::SpanId id{Fnv(label)};
    model::SpanId parent = above_.empty() ? model::SpanId() : above_.back().second;
    uint8_t status = 0;
    std::string message;
    uint32_t scope = 0;
    while (!line->AtEnd() && line->Peek() != '{') {
      WEFT_RETURN_IF_ERROR(ReadOption(line, &id, &parent, &status, &message, &scope));
    }
    WEFT_RETURN_IF_ERROR(ReadAttributes(line, &batch_.attributes));
    above_.emplace_back(line->indent(), id);
    out_.labels.push_back(label);
    batch_.trace.push_back(trace_);
    batch_.span_id.push_back(id);
    batch_.parent_span_id.push_back(parent);
    batch_.name.push_back(Intern(*name));
    batch_.kind.push_back(*kind);
    batch_.status.push_back(status);
    batch_.status_message.push_back(Intern(message));
    batch_.trace_state.push_back(0);
    batch_.flags.push_back(1);
    batch_.resource.push_back(resource);
    batch_.scope.push_back(scope);
    for (auto* zeros : {&batch_.dropped_attributes, &batch_.dropped_events, &batch_.dropped_links})
      zeros->push_back(0);
    batch_.attribute_end.push_back(batch_.attributes.size());
    batch_.event_end.push_back(batch_.events.size());
    batch_.link_end.push_back(batch_.links.size());
    return Error::Ok();
  }

  static uint64_t Fnv(std::string_view s) {
    uint64_t h = 14695981039346656037ULL;
    for (char c : s) h = (h ^ static_cast<uint8_t>(c)) * 1099511628211ULL;
    return h;
  }

  Error ReadTimes(std::string_view text) {
    const size_t dots = text.find("..");
    if (dots == std::string_view::npos) return Wrong("expected START..END");
    WEFT_ASSIGN_OR_RETURN(const int64_t start, ReadTime(text.substr(0, dots)));
    WEFT_ASSIGN_OR_RETURN(const int64_t end, ReadTime(text.substr(dots + 2)));
    batch_.start_ns.push_back(trace_start_ns_ + static_cast<uint64_t>(start));
    batch_.end_ns.push_back(trace_start_ns_ + static_cast<uint64_t>(end));
    return Error::Ok();
  }

  Error ReadOption(Line* line, model::SpanId* id, model::SpanId* parent, uint8_t* status,
                   std::string* message, uint32_t* scope) {
    const std::string_view word = line->Word();
    if (const auto found = IndexOf(kStatuses, word)) {
      *status = *found;
      if (line->Peek() == '"') *message = line->String().value_or("");
      return Error::Ok();
    }
    if (!line->Take('=')) return Wrong("unexpected " + std::string(word));
    const std::string_view value = line->Word();
    if (word == "scope") {
      WEFT_ASSIGN_OR_RETURN(*scope, Find(out_.scope_names, value));
      return Error::Ok();
    }
    const auto hex = model::SpanId::FromHex(value);
    if (!hex || (word != "id" && word != "parent")) return Wrong("unexpected " + std::string(word));
    *(word == "id" ? id : parent) = *hex;
    return Error::Ok();
  }

  // event "name" +10ms {attributes}
  Error ReadEvent(Line* line) {
    line->Word();
    const auto name = line->String();
    const std::string_view time = line->Word();
    const bool signed_time = time.starts_with('+') || time.starts_with('-');
    if (!name || !signed_time || batch_.empty())
      return Wrong("expected: event \"name\" +TIME {attributes}");
    WEFT_ASSIGN_OR_RETURN(const int64_t since, ReadTime(time.substr(time[0] == '+' ? 1 : 0)));
    WEFT_RETURN_IF_ERROR(ReadAttributes(line, &batch_.events.attributes));
    batch_.events.name.push_back(Intern(*name));
    batch_.events.time_ns.push_back(batch_.start_ns.back() + static_cast<uint64_t>(since));
    batch_.events.dropped_attributes.push_back(0);
    batch_.events.attribute_end.push_back(batch_.events.attributes.size());
    batch_.event_end.back() = batch_.events.size();
    return Error::Ok();
  }

  // link TRACE SPAN {attributes}
  Error ReadLink(Line* line) {
    line->Word();
    const auto trace = model::TraceId::FromHex(line->Word());
    const auto span = model::SpanId::FromHex(line->Word());
    if (!trace || !span || batch_.empty()) return Wrong("expected: link TRACE SPAN {attributes}");
    WEFT_RETURN_IF_ERROR(ReadAttributes(line, &batch_.links.attributes));
    batch_.links.trace_id.push_back(*trace);
    batch_.links.span_id.push_back(*span);
    batch_.links.trace_state.push_back(0);
    batch_.links.flags.push_back(0);
    batch_.links.dropped_attributes.push_back(0);
    batch_.links.attribute_end.push_back(batch_.links.attributes.size());
    batch_.link_end.back() = batch_.links.size();
    return Error::Ok();
  }

  // { key=value "odd key"=value }, or nothing.
  Error ReadAttributes(Line* line, AttributeArray* out) {
    if (line->AtEnd()) return Error::Ok();
    if (!line->Take('{')) return Wrong("expected {attributes}");
    AttributeArray list;
    WEFT_RETURN_IF_ERROR(ReadPairs(line, &list));
    for (uint32_t i = 0; i < list.size(); ++i) out->Add(list[i]);
    return line->AtEnd() ? Error::Ok() : Wrong("unexpected text at the end of the line");
  }

  Error ReadPairs(Line* line, AttributeArray* out) {
    while (!line->Take('}')) {
      if (line->AtEnd()) return Wrong("expected }");
      const std::string key =
          line->Peek() == '"' ? line->String().value_or("") : std::string(line->Word());
      if (key.empty() || !line->Take('=')) return Wrong("expected key=value");
      WEFT_RETURN_IF_ERROR(ReadValue(line, Intern(key), out));
    }
    return Error::Ok();
  }

  Error ReadValue(Line* line, model::Code key, AttributeArray* out) {
    if (line->Peek() == '"') return ReadText(line, key, ValueType::kString, out);
    AttributeArray elements;
    if (line->Take('{')) {
      WEFT_RETURN_IF_ERROR(ReadPairs(line, &elements));
      return AddNested(key, ValueType::kKvList, elements, out);
    }
    if (line->Take('[')) {
      while (!line->Take(']')) {
        if (line->AtEnd()) return Wrong("expected ]");
        WEFT_RETURN_IF_ERROR(ReadValue(line, 0, &elements));
        line->Take(',');
      }
      return AddNested(key, ValueType::kArray, elements, out);
    }
    const std::string_view word = line->Word();
    if (word == "b") return ReadText(line, key, ValueType::kBytes, out);
    if (word == "null") return Add(out, key, ValueType::kEmpty, 0);
    if (word == "true" || word == "false") return Add(out, key, ValueType::kBool, word == "true");
    return ReadNumber(word, key, out);
  }

  static Error Add(AttributeArray* out, model::Code key, ValueType type, uint64_t value) {
    out->Add(key, type, value);
    return Error::Ok();
  }

  Error ReadText(Line* line, model::Code key, ValueType type, AttributeArray* out) {
    const auto text = line->String();
    if (!text) return Wrong("the string is not closed");
    return Add(out, key, type, Intern(*text));
  }

  Error ReadNumber(std::string_view word, model::Code key, AttributeArray* out) {
    int64_t whole = 0;
    double real = 0;
    const char* end = word.data() + word.size();
    if (std::from_chars(word.data(), end, whole).ptr == end && !word.empty()) {
      return Add(out, key, ValueType::kInt, static_cast<uint64_t>(whole));
    }
    if (std::from_chars(word.data(), end, real).ptr != end || word.empty())
      return Wrong("unknown value " + std::string(word));
    return Add(out, key, ValueType::kDouble, std::bit_cast<uint64_t>(real));
  }

  Error AddNested(model::Code key, ValueType type, const AttributeArray& elements,
                  AttributeArray* out) {
    const NestedRange range{batch_.nested.size(), elements.size()};
    for (uint32_t i = 0; i < elements.size(); ++i) batch_.nested.Add(elements[i]);
    return Add(out, key, type, range.Pack());
  }

  SpanSet& out_;
  SpanBatch& batch_;
  uint64_t trace_start_ns_ = 0;
  uint32_t trace_ = 0;
  std::vector<std::pair<size_t, model::SpanId>>
      above_;  // indent and id of the spans that enclose the next one
};

}  // namespace

std::string SpanSet::LabelOf(model::TraceId trace, model::SpanId span, uint8_t kind) const {
  for (uint32_t i = 0; i < spans.size(); ++i) {
    if (spans.trace_id(i) == trace && spans.span_id[i] == span && spans.kind[i] == kind)
      return labels[i];
  }
  return "?" + span.ToHex();
}

std::string SpanSet::LabelOf(model::TraceId trace) const {
  const auto found = trace_labels.find(trace);
  return found == trace_labels.end() ? "?" + trace.ToHex() : found->second;
}

Result<int64_t> ReadTime(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, text.data() + text.size() - end);
  constexpr std::array<std::pair<std::string_view, int64_t>, 5> kUnits{{{"ns", 1},
                                                                        {"us", 1'000},
                                                                        {"ms", 1'000'000},
                                                                        {"s", 1'000'000'000},
                                                                        {"h", 3'600'000'000'000}}};
  if (error == std::errc() && value == 0 && unit.empty()) return int64_t{0};
  for (const auto& [name, ns] : kUnits) {
    if (error == std::errc() && unit == name) return value * ns;
  }
  return Wrong("not a time: " + std::string(text));
}

Error ReadSpans(std::string_view text, uint32_t first_line, SpanSet* out) {
  Reader reader(out);
  for (uint32_t number = first_line; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const Error error = reader.ReadLine(text.substr(0, end));
    if (!error.ok()) return error.WithContext("line " + std::to_string(number));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return Error::Ok();
}

}  // namespace weft::corpus
