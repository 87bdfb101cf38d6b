// The JSON of a request to delete, on any bytes: what is accepted says what to delete, and nothing
// is accepted that says two things or none.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/deletion_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const auto body = weft::api::ReadDeletionBody(json, 1'700'000'000'000'000'000);
  if (!body.ok()) {
    if (body.error().message().empty()) std::abort();
    return 0;
  }
  const auto& request = body->request;
  if (body->has_query == !request.trace_ids.empty()) std::abort();
  if (request.range.start_ns > request.range.end_ns) std::abort();
  if (request.trace_ids.size() > 10'000 || request.requested_by.size() > 200) std::abort();
  return 0;
}
