// What was called, as one number that is the same on both sides of a call: the method and path of
// an HTTP request, or the service and method of another protocol.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "block/column.h"
#include "query/exec/group_columns.h"

namespace weft::query::insight {

// Keys of the rows of one group. One thread; the columns must outlive it.
class CallKeys {
 public:
  static Result<CallKeys> Open(exec::GroupColumns* columns);

  // 0 where the span does not say what was called.
  uint64_t Of(uint32_t row);

 private:
  // A text column and the hashes of its values as they are asked for.
  struct Part {
    const block::Column* column = nullptr;
    uint64_t (*hash)(std::string_view) = nullptr;
    std::vector<uint64_t> hashes;  // by code; 0: not computed yet

    uint64_t Of(uint32_t row);
  };
  // The first of some parts that a row has.
  using Parts = std::vector<Part>;

  static uint64_t FirstOf(Parts* parts, uint32_t row);

  Parts method_, path_, rpc_service_, rpc_method_;
};

// The path of a URL or of a request's target: without scheme, host, query and fragment.
std::string_view PathOf(std::string_view url);

}  // namespace weft::query::insight
