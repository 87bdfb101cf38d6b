// What whoever reads a RowSource does when blocks are taken away under it by another process: it
// looks again and starts anew, so that its answer is of one moment and whole.
#pragma once

#include "block/row_source.h"

namespace weft::block {

// Calls `run`, a Result<T>; again after source.Renew() when it fails with kNotFound, a few times.
template <typename T, typename Run>
Result<T> WithRenewal(const RowSource& source, Run run) {
  constexpr int kAttempts = 4;
  for (int attempt = 1;; ++attempt) {
    Result<T> result = run();
    if (result.error().code() != ErrorCode::kNotFound) return result;
    if (attempt == kAttempts) {
      return Error(ErrorCode::kUnavailable,
                   "blocks were taken away while they were read, several times over (" +
                       result.error().message() + "); ask again",
                   1000);
    }
    WEFT_RETURN_IF_ERROR(source.Renew());
  }
}

}  // namespace weft::block
