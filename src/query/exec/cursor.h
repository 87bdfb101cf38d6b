// Where a page of results ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/ids.h"

namespace weft::query::exec {

// A place in the order of results: start of the trace, newest first, then trace id, ascending.
struct Cursor {
  uint64_t start_ns = 0;
  model::TraceId id;

  // Whether a trace comes after this place.
  bool Precedes(uint64_t other_start_ns, model::TraceId other) const {
    return other_start_ns < start_ns || (other_start_ns == start_ns && other > id);
  }

  // Opaque text, safe in a URL.
  std::string Encode() const;
  // kInvalidArgument for anything that Encode did not give.
  static Result<Cursor> Decode(std::string_view text);
};

}  // namespace weft::query::exec
