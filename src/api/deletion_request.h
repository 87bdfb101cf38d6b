// What a request to delete says: the JSON body of POST /api/v1/deletions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "query/exec/span_deleter.h"

namespace weft::api {

struct DeletionBody {
  std::string query;  // TraceQL, not compiled yet
  bool has_query = false;
  bool dry_run = false;
  query::exec::DeletionRequest request;  // trace_ids, range and requested_by
};

// kInvalidArgument names the member that is wrong. Either a query or trace ids are there
// afterwards. Times are relative to `now_ns`.
Result<DeletionBody> ReadDeletionBody(std::string_view json, int64_t now_ns);

}  // namespace weft::api
