// What the clients of object stores say when they fail, as an Error that says what to do.
#pragma once

#include <string_view>

#include "base/error.h"

namespace weft::store {

// `message` is the text of an arrow::Status from one of its file systems about `path`. kNotFound:
// the object is not there (never: the bucket is not there). kUnavailable with retry_after_ms: it
// may pass by itself. Else kIo. The message keeps the client's own words, one line, shortened.
Error ErrorOfStore(std::string_view message, std::string_view path);

}  // namespace weft::store
