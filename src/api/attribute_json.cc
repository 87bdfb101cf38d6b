#include "api/attribute_json.h"

namespace weft::api {

using model::Attribute;
using model::IndexRange;
using model::ValueType;

void WriteAttributeValue(const model::SpanBatch& batch, const Attribute& value, JsonWriter* json) {
  switch (value.type) {
    case ValueType::kEmpty: return json->Null();
    case ValueType::kString: return json->String(batch.strings[value.as_code()]);
    case ValueType::kInt: return json->SafeInt(value.as_int());
    case ValueType::kDouble: return json->Double(value.as_double());
    case ValueType::kBool: return json->Bool(value.as_bool());
    case ValueType::kBytes: return json->Base64(batch.strings[value.as_code()]);
    case ValueType::kArray:
    case ValueType::kKvList: break;
  }
  const model::NestedRange nested = value.as_nested();
  const IndexRange range{nested.begin, nested.begin + nested.count};
  if (value.type == ValueType::kKvList) return WriteAttributes(batch, batch.nested, range, json);
  json->BeginArray();
  for (uint32_t i = range.begin; i < range.end; ++i)
    WriteAttributeValue(batch, batch.nested[i], json);
  json->EndArray();
}

void WriteAttributes(const model::SpanBatch& batch, const model::AttributeArray& attributes,
                     IndexRange range, JsonWriter* json) {
  json->BeginObject();
  for (uint32_t i = range.begin; i < range.end; ++i) {
    json->Key(batch.strings[attributes.key(i)]);
    WriteAttributeValue(batch, attributes[i], json);
  }
  json->EndObject();
}

}  // namespace weft::api
