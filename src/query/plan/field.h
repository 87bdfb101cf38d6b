// What of a span a query may ask for.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "block/row_source.h"

namespace weft::query::plan {

// Everything but attributes. Comments give the type of the value; all are always there unless
// noted.
enum class Property : uint8_t {
  // Of the span.
  kDuration,       // int, ns
  kName,           // string
  kStatus,         // int, model::StatusCode
  kStatusMessage,  // string, "" where there is none
  kKind,           // int, model::SpanKind
  kSpanId,         // string, 16 lower-case hex digits
  kParentSpanId,   // string, 16 lower-case hex digits; "" for a span without a parent id
  // Of the span in the tree of its whole trace.
  kChildCount,       // int
  kNestedSetLeft,    // int, from 1; 0 for a span that no root leads to
  kNestedSetRight,   // int
  kNestedSetParent,  // int, the parent's kNestedSetLeft, -1 for a root
  // Of the whole trace, all its fragments joined.
  kTraceId,          // string, 32 lower-case hex digits
  kTraceDuration,    // int, ns
  kRootName,         // string, "" while no root is known
  kRootServiceName,  // string, "" while no root is known
  // Of each of its events, so none, one or many.
  kEventName,            // string
  kEventTimeSinceStart,  // int, ns after the span's start, may be negative
  // Of each of its links.
  kLinkTraceId,  // string, 32 lower-case hex digits
  kLinkSpanId,   // string, 16 lower-case hex digits
  // Of its scope.
  kScopeName,     // string
  kScopeVersion,  // string
};

// Who has how many values: one for the span, or one for each of its events or links.
enum class Multiplicity : uint8_t { kOnce, kPerEvent, kPerLink };

struct Field {
  enum class Source : uint8_t {
    kProperty,
    kAttribute,  // of `scope`
    kUnscoped,   // the span's attribute, or where it has none its resource's
  };

  Source source = Source::kProperty;
  Property property = Property::kDuration;
  block::Scope scope = block::Scope::kSpan;
  std::string key;
  // Of the span's parent in the whole trace; without one it has no value. Attributes and properties
  // of the span only, not of its events, links, trace or tree.
  bool of_parent = false;

  static Field Of(Property property) {
    return {Source::kProperty, property, block::Scope::kSpan, {}};
  }
  static Field Attribute(block::Scope scope, std::string key) {
    return {Source::kAttribute, Property::kDuration, scope, std::move(key)};
  }
  static Field Unscoped(std::string key) {
    return {Source::kUnscoped, Property::kDuration, block::Scope::kSpan, std::move(key)};
  }

  bool operator==(const Field&) const = default;
  bool is(Property p) const { return source == Source::kProperty && property == p; }
  bool is_attribute_of(block::Scope s) const { return source == Source::kAttribute && scope == s; }
  Multiplicity multiplicity() const;
  // Whether the value needs the tree of the trace.
  bool of_tree() const {
    return of_parent || (source == Source::kProperty && property >= Property::kChildCount &&
                         property <= Property::kNestedSetParent);
  }
  // The same field of the span itself.
  Field OfSpan() const {
    Field out = *this;
    out.of_parent = false;
    return out;
  }
  // Whether it is the same for all spans of a trace.
  bool of_trace() const {
    return source == Source::kProperty && property >= Property::kTraceId &&
           property <= Property::kRootServiceName;
  }
};

}  // namespace weft::query::plan
