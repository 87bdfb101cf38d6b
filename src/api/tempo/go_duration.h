// Durations as Go prints them: what Tempo shows for durations in results and messages.
#pragma once

#include <cstdint>
#include <string>

namespace weft::api::tempo {

// "0s", "15ns", "1.5µs", "54ms", "1.25s", "1m30s", "168h0m0s", "-2s".
std::string PrintGoDuration(int64_t ns);

}  // namespace weft::api::tempo
