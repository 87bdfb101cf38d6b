// Tempo's messages (proto/tempo.proto) as bodies of answers.
#pragma once

#include <string>
#include <string_view>

#include <google/protobuf/message.h>

#include "api/tempo/answers.h"
#include "net/http_message.h"

namespace weft::api::tempo {

// The message in that form (kLlm is JSON here). The JSON has the list `list` also when it is empty:
// Grafana walks it without looking whether it is there.
net::HttpResponse AnswerMessage(AnswerForm form, const google::protobuf::Message& message,
                                std::string_view list);

}  // namespace weft::api::tempo
