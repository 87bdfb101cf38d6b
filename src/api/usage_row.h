// One row of usage as JSON: what `GET /api/v1/usage` and `weft usage --json` write.
#pragma once

#include "api/json_writer.h"
#include "block/usage.h"

namespace weft::api {

void WriteUsageRow(const block::UsageRow& row, block::UsageBy by, JsonWriter* json);

}  // namespace weft::api
