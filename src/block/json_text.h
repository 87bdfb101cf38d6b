// Arrays and kvlists as JSON text that a person can read and weft can turn back exactly.
//
//   string  "text"            int     5           double  5.0, 1e+300 (always has . or e)
//   bool    true, false       empty   null        bytes   {"$bytes":"<base64>"}
//   array   [..]              kvlist  {"k":v,..}  double  {"$double":"NaN"|"Infinity"|"-Infinity"}
//
// A NaN with other bits than the usual one is {"$double":"<16 hex digits>"}. A key of a kvlist that
// starts with `$` gets one more `$`. A kvlist in which a key occurs twice is
// {"$kvlist":[["k",v],..]}. The order of elements and keys is kept. In strings only `"`, `\` and
// control characters are escaped; other bytes stand as they are, whatever they are (the column
// escapes what is not UTF-8, see block/text_escape.h).
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/span_batch.h"

namespace weft::block {

// Appends the text of one value of `batch`, which is nested at most model::kNestingMax deep.
// What would be deeper (no decoder lets it in) is written as null.
void AppendJsonText(const model::SpanBatch& batch, const model::Attribute& value, std::string* out);

// Reads a text back: adds its strings and elements to `batch` and returns type and value (key 0).
// kCorrupt when the text is no such value or too deep; `batch` may then hold unused elements.
Result<model::Attribute> ParseJsonText(std::string_view text, model::SpanBatch* batch);

// Appends `text` as a JSON string, quotes included.
void AppendJsonString(std::string_view text, std::string* out);

}  // namespace weft::block
