#include "demo/decoded_span.h"

#include <protozero/pbf_reader.hpp>

namespace weft::demo {
namespace {

using protozero::pbf_reader;

std::string ReadValue(pbf_reader value) {
  std::string text;
  while (value.next()) {
    switch (value.tag()) {
      case 1: text = value.get_string(); break;
      case 2: text = value.get_bool() ? "1" : "0"; break;
      case 3: text = std::to_string(value.get_int64()); break;
      case 4: text = std::to_string(value.get_double()); break;
      default: text = "[...]"; value.skip();
    }
  }
  return text;
}

void ReadAttribute(pbf_reader attribute, std::map<std::string, std::string>* into) {
  std::string key;
  std::string value;
  while (attribute.next()) {
    if (attribute.tag() == 1) {
      key = attribute.get_string();
    } else {
      value = ReadValue(attribute.get_message());
    }
  }
  (*into)[key] = value;
}

void ReadEvent(pbf_reader event, DecodedSpan* span) {
  while (event.next()) {
    switch (event.tag()) {
      case 2: span->events.push_back(event.get_string()); break;
      case 3: ReadAttribute(event.get_message(), &span->event_attributes); break;
      default: event.skip();
    }
  }
}

void ReadLink(pbf_reader link, DecodedSpan* span) {
  while (link.next(1)) span->linked_trace_ids.push_back(link.get_string());
}

DecodedSpan ReadSpan(pbf_reader message, const DecodedSpan& common) {
  DecodedSpan span = common;
  while (message.next()) {
    switch (message.tag()) {
      case 1: span.trace_id = message.get_string(); break;
      case 2: span.span_id = message.get_string(); break;
      case 4: span.parent_id = message.get_string(); break;
      case 5: span.name = message.get_string(); break;
      case 6: span.kind = message.get_enum(); break;
      case 7: span.start_ns = message.get_fixed64(); break;
      case 8: span.end_ns = message.get_fixed64(); break;
      case 9: ReadAttribute(message.get_message(), &span.attributes); break;
      case 11: ReadEvent(message.get_message(), &span); break;
      case 13: ReadLink(message.get_message(), &span); break;
      case 15: {
        pbf_reader status = message.get_message();
        while (status.next(3)) span.status = status.get_enum();
        break;
      }
      default: message.skip();
    }
  }
  return span;
}

void ReadScopeSpans(pbf_reader message, DecodedSpan common, std::vector<DecodedSpan>* out) {
  while (message.next()) {
    if (message.tag() == 1) {
      pbf_reader scope = message.get_message();
      while (scope.next(1)) common.scope = scope.get_string();
    } else if (message.tag() == 2) {
      out->push_back(ReadSpan(message.get_message(), common));
    } else {
      message.skip();
    }
  }
}

void ReadResourceSpans(pbf_reader message, std::vector<DecodedSpan>* out) {
  DecodedSpan common;
  while (message.next()) {
    if (message.tag() == 1) {
      std::map<std::string, std::string> attributes;
      pbf_reader resource = message.get_message();
      while (resource.next(1)) ReadAttribute(resource.get_message(), &attributes);
      common.service = attributes["service.name"];
      common.version = attributes["service.version"];
      common.node = attributes["k8s.node.name"];
    } else if (message.tag() == 2) {
      ReadScopeSpans(message.get_message(), common, out);
    } else {
      message.skip();
    }
  }
}

}  // namespace

std::vector<DecodedSpan> DecodeRequest(std::string_view body) {
  std::vector<DecodedSpan> spans;
  pbf_reader request(body.data(), body.size());
  while (request.next(1)) ReadResourceSpans(request.get_message(), &spans);
  return spans;
}

}  // namespace weft::demo
