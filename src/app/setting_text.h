// How settings are written: durations, sizes, whole numbers.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace weft::app {

// "250ms", "10s", "2m", "1h30m", "14d"; units ns us ms s m h d. Not negative.
Result<int64_t> ParseDuration(const std::string& text);
// "64MiB", "1GB", "4096" (bytes); units B kB MB GB TB KiB MiB GiB TiB; "25%" of `whole_bytes` when
// that is not 0.
Result<uint64_t> ParseSize(const std::string& text, uint64_t whole_bytes);
Result<uint64_t> ParseCount(const std::string& text, uint64_t min, uint64_t max);

// Memory that this process may use: the machine's, or its control group's limit when that is lower.
uint64_t MachineMemoryBytes();

}  // namespace weft::app
