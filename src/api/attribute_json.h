// Attributes as plain JSON: numbers are numbers, arrays arrays, kvlists objects, bytes base64.
#pragma once

#include "api/json_writer.h"
#include "model/span_batch.h"

namespace weft::api {

// Integers beyond what JavaScript holds exactly are strings; a float always has a point or an
// exponent. The batch must be well-formed (model::IsWellFormed).
void WriteAttributeValue(const model::SpanBatch& batch, const model::Attribute& value,
                         JsonWriter* json);
// An object of them.
void WriteAttributes(const model::SpanBatch& batch, const model::AttributeArray& attributes,
                     model::IndexRange range, JsonWriter* json);

}  // namespace weft::api
