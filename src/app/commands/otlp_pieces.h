// Checks pieces of OTLP before they are sent, counts their spans, and cuts up pieces that are too
// large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weft::app::commands {

struct OtlpPiece {
  std::string bytes;
  uint64_t span_count = 0;
};

// `message` is a TracesData. The pieces are TracesData too, each of at most about `bytes_max` (a
// single span is never cut), and hold all its spans in order. kInvalidArgument when it isn't
// protobuf.
Result<std::vector<OtlpPiece>> CutProtobuf(std::string_view message, size_t bytes_max);

// `element` is a ResourceSpans in OTLP/JSON; so are the pieces. kInvalidArgument when it isn't JSON
// or not of that shape.
Result<std::vector<OtlpPiece>> CutJson(std::string_view element, size_t bytes_max);

// The elements of "resourceSpans" (or "batches") of a whole document. An object without such a
// list, such as a line of logs or metrics, is kUnsupported.
Result<std::vector<std::string>> JsonElements(std::string_view document);

}  // namespace weft::app::commands
