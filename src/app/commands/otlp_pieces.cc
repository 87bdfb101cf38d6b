#include "app/commands/otlp_pieces.h"

#include <utility>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <simdjson.h>

#include "api/json_writer.h"
#include "app/commands/json_elements.h"

namespace weft::app::commands {
namespace {

namespace dom = simdjson::dom;
using protozero::pbf_reader;
using protozero::pbf_wire_type;
using protozero::pbf_writer;

// Field numbers of opentelemetry.proto.trace.v1.
constexpr uint32_t kResourceSpans = 1;  // of TracesData
constexpr uint32_t kResource = 1;       // of ResourceSpans
constexpr uint32_t kScopeSpans = 2;
constexpr uint32_t kScope = 1;  // of ScopeSpans
constexpr uint32_t kSpans = 2;
constexpr uint32_t kSchemaUrl = 3;  // of both

std::string_view View(protozero::data_view view) { return {view.data(), view.size()}; }

// Everything of a ResourceSpans or ScopeSpans but its repeated part.
struct Envelope {
  std::string_view head;  // the Resource or Scope
  std::string_view schema_url;
  bool has_head = false;
  std::vector<std::string_view> items;

  void WriteTo(pbf_writer* writer) const {
    if (has_head) writer->add_message(kResource, head.data(), head.size());
    if (!schema_url.empty()) writer->add_string(kSchemaUrl, schema_url.data(), schema_url.size());
  }
};

Envelope ReadEnvelope(std::string_view message) {
  static_assert(kResource == kScope && kScopeSpans == kSpans);
  Envelope envelope;
  pbf_reader reader(message.data(), message.size());
  while (reader.next()) {
    const bool bytes = reader.wire_type() == pbf_wire_type::length_delimited;
    if (bytes && reader.tag() == kResource) {
      envelope.head = View(reader.get_view());
      envelope.has_head = true;
    } else if (bytes && reader.tag() == kScopeSpans) {
      envelope.items.push_back(View(reader.get_view()));
    } else if (bytes && reader.tag() == kSchemaUrl) {
      envelope.schema_url = View(reader.get_view());
    } else {
      reader.skip();
    }
  }
  return envelope;
}

uint64_t CountSpans(const Envelope& resource_spans) {
  uint64_t count = 0;
  for (const std::string_view scope_spans : resource_spans.items)
    count += ReadEnvelope(scope_spans).items.size();
  return count;
}

// Writes spans of one scope of one resource as a TracesData of their own.
std::string WriteSpans(const Envelope& resource_spans, const Envelope& scope_spans, size_t begin,
                       size_t end) {
  std::string out;
  pbf_writer traces(out);
  pbf_writer resource(traces, kResourceSpans);
  resource_spans.WriteTo(&resource);
  pbf_writer scope(resource, kScopeSpans);
  scope_spans.WriteTo(&scope);
  for (size_t i = begin; i < end; ++i) {
    scope.add_message(kSpans, scope_spans.items[i].data(), scope_spans.items[i].size());
  }
  scope.commit();
  resource.commit();
  return out;
}

void CutResourceSpans(const Envelope& resource_spans, size_t bytes_max,
                      std::vector<OtlpPiece>* pieces) {
  for (const std::string_view item : resource_spans.items) {
    const Envelope scope_spans = ReadEnvelope(item);
    for (size_t begin = 0; begin < scope_spans.items.size();) {
      size_t end = begin;
      size_t bytes = 0;
      while (end < scope_spans.items.size() &&
             (end == begin || bytes + scope_spans.items[end].size() <= bytes_max)) {
        bytes += scope_spans.items[end++].size();
      }
      pieces->push_back({WriteSpans(resource_spans, scope_spans, begin, end), end - begin});
      begin = end;
    }
  }
}

void CutMessage(std::string_view message, size_t bytes_max, std::vector<OtlpPiece>* pieces) {
  pbf_reader traces(message.data(), message.size());
  while (traces.next()) {
    if (traces.tag() != kResourceSpans || traces.wire_type() != pbf_wire_type::length_delimited) {
      traces.skip();
      continue;
    }
    const std::string_view bytes = View(traces.get_view());
    const Envelope envelope = ReadEnvelope(bytes);
    if (bytes.size() > bytes_max) {
      CutResourceSpans(envelope, bytes_max, pieces);
      continue;
    }
    OtlpPiece piece{{}, CountSpans(envelope)};
    pbf_writer(piece.bytes).add_message(kResourceSpans, bytes.data(), bytes.size());
    pieces->push_back(std::move(piece));
  }
}

Error BadJson(std::string_view why) {
  return Error(ErrorCode::kInvalidArgument, "not OTLP/JSON: " + std::string(why));
}

// The parser keeps its memory for the next piece; what it gives is valid until then.
Result<dom::object> ParseObject(std::string_view text) {
  thread_local dom::parser parser;
  dom::object object;
  const auto parsed = parser.parse(text.data(), text.size());
  if (parsed.error() != simdjson::SUCCESS) return BadJson(simdjson::error_message(parsed.error()));
  if (parsed.get(object) != simdjson::SUCCESS) return BadJson("not an object");
  return object;
}

// The elements of a list of an object; none when it has no such list.
std::vector<dom::element> ElementsOf(const dom::object& object, std::string_view name) {
  std::vector<dom::element> elements;
  dom::array list;
  if (object[name].get(list) != simdjson::SUCCESS) return elements;
  for (const dom::element element : list) elements.push_back(element);
  return elements;
}

// `object` without its member `list`, open at its end so that `list` can be written there:
// `{"a":1,"list":[`.
std::string OpenWithout(const dom::object& object, std::string_view list) {
  std::string out = "{";
  for (const auto& [key, value] : object) {
    if (key == list) continue;
    out.push_back('"');
    api::AppendJsonEscaped(key, &out);
    out.append("\":").append(simdjson::minify(value)).append(",");
  }
  return out.append("\"").append(list).append("\":[");
}

// The scopes' lists of spans, each with its scope.
Result<std::vector<dom::object>> ScopesOf(const dom::object& resource_spans) {
  std::vector<dom::object> scopes;
  for (const dom::element item : ElementsOf(resource_spans, "scopeSpans")) {
    dom::object scope;
    if (item.get(scope) != simdjson::SUCCESS)
      return BadJson("an element of scopeSpans is not an object");
    scopes.push_back(scope);
  }
  return scopes;
}

std::vector<OtlpPiece> CutObject(const dom::object& resource_spans,
                                 const std::vector<dom::object>& scopes, size_t bytes_max) {
  std::vector<OtlpPiece> pieces;
  const std::string resource = OpenWithout(resource_spans, "scopeSpans");
  for (const dom::object& scope : scopes) {
    const std::string open = resource + OpenWithout(scope, "spans");
    OtlpPiece piece{open, 0};
    for (const dom::element span : ElementsOf(scope, "spans")) {
      const std::string text = simdjson::minify(span);
      if (piece.span_count > 0 && piece.bytes.size() + text.size() > bytes_max) {
        piece.bytes += "]}]}";
        pieces.push_back(std::exchange(piece, {open, 0}));
      }
      piece.bytes.append(piece.span_count == 0 ? "" : ",").append(text);
      ++piece.span_count;
    }
    if (piece.span_count == 0) continue;
    piece.bytes += "]}]}";
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

}  // namespace

Result<std::vector<OtlpPiece>> CutProtobuf(std::string_view message, size_t bytes_max) {
  std::vector<OtlpPiece> pieces;
  try {
    CutMessage(message, bytes_max, &pieces);
  } catch (const protozero::exception& e) {
    return Error(ErrorCode::kInvalidArgument,
                 std::string("not a protobuf TracesData: ") + e.what());
  }
  return pieces;
}

Result<std::vector<OtlpPiece>> CutJson(std::string_view element, size_t bytes_max) {
  WEFT_ASSIGN_OR_RETURN(const dom::object object, ParseObject(element));
  WEFT_ASSIGN_OR_RETURN(const auto scopes, ScopesOf(object));
  uint64_t count = 0;
  for (const dom::object& scope : scopes) count += ElementsOf(scope, "spans").size();
  if (element.size() > bytes_max && count > 1) return CutObject(object, scopes, bytes_max);
  std::vector<OtlpPiece> pieces;
  pieces.push_back({std::string(element), count});
  return pieces;
}

Result<std::vector<std::string>> JsonElements(std::string_view document) {
  WEFT_ASSIGN_OR_RETURN(const dom::object object, ParseObject(document));
  dom::array list;
  if (object["resourceSpans"].get(list) != simdjson::SUCCESS &&
      object["batches"].get(list) != simdjson::SUCCESS) {
    return Error(ErrorCode::kUnsupported, "no \"resourceSpans\" in it: not traces");
  }
  std::vector<std::string> elements;
  JsonElementScanner scanner;
  size_t begin = 0;
  for (size_t at = 0; at < document.size();) {
    const auto step = scanner.Scan(document.substr(at));
    at += step.used;
    if (step.event == JsonElementScanner::Event::kElementBegin) begin = at - 1;
    if (step.event == JsonElementScanner::Event::kElementEnd) {
      elements.emplace_back(document.substr(begin, at - begin));
    }
  }
  return elements;
}

}  // namespace weft::app::commands
