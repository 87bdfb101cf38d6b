// What `explain=true` adds to an answer: schema Explanation.
#pragma once

#include <cstdint>
#include <string>

#include "base/read_account.h"
#include "net/http_message.h"
#include "query/exec/profile.h"

namespace weft::api {

// Whether the request wants one; kInvalidArgument for anything but true and false.
Result<bool> WantsExplanation(const net::HttpRequest& request);

struct Effort {
  int64_t waited_ns = 0;  // for a thread
  int64_t took_ns = 0;    // with waiting
};

// Puts the member `explain` at the end of the JSON object that the answer is; other answers stay as
// they are.
void AddExplanation(const query::exec::Profile& profile, const Effort& effort,
                    const ReadAccount& reads, net::HttpResponse* response);

}  // namespace weft::api
