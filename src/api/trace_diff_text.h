// Two traces side by side (query/insight/trace_diff.h) as JSON: docs/api/tempo.md has the shapes.
#pragma once

#include <cstdint>
#include <string>

#include "api/endpoint.h"
#include "base/error.h"
#include "block/row_source.h"
#include "model/ids.h"
#include "query/insight/trace_diff.h"

namespace weft::api {

struct DiffIds {
  model::TraceId base;
  model::TraceId compare;
};

// kNotFound says which of them is not there; kResourceExhausted when both together are larger than
// `bytes_max` as protobuf; kCancelled when the client has gone.
Result<query::insight::TraceDiff> DiffTraces(const block::RowSource& source, const Call& call,
                                             const DiffIds& ids, uint64_t bytes_max);

// The names are those of Tempo's API.
enum class DiffFormat : uint8_t {
  kPatch,     // trace-patch-v0: span by span
  kNative,    // trace-summary-v0-native: by service, and numbers
  kComposed,  // trace-summary-v0-composed: the summary with the patch in it
};

// The patch of kComposed is left out when it is longer than `patch_bytes_max`.
std::string EncodeDiff(const query::insight::TraceDiff& diff, const DiffIds& ids, DiffFormat format,
                       uint64_t patch_bytes_max = UINT64_MAX);

}  // namespace weft::api
