// In which of its three forms a trace is answered.
#pragma once

#include <string_view>

namespace weft::api {

enum class TraceFormat { kOtlpJson, kOtlpProtobuf, kColumns };

// By an Accept field: the form with the highest weight, the earlier one where equal; OTLP/JSON when
// it names none.
TraceFormat ChooseTraceFormat(std::string_view accept);

std::string_view ContentTypeOf(TraceFormat format);

}  // namespace weft::api
