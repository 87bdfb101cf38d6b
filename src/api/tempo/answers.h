// Answers in the shapes of Tempo's HTTP API.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http_message.h"
#include "query/query_error.h"

namespace weft::api::tempo {

// What an Accept field asks for. Tempo looks for these names anywhere in it.
enum class AnswerForm { kJson, kProtobuf, kLlm };
AnswerForm FormOf(const net::HttpRequest& request);

// kInvalidArgument: `what`, the place of the error, and what weft says of it.
Error AsTempoSays(std::string_view what, const query::QueryError& error);

// text/plain, the message alone. Never 501: what weft lacks is for Tempo's clients a bad request.
net::HttpResponse AnswerError(const Error& error);

// 200 with a body in that form, that must not be kept by caches.
net::HttpResponse Answer(AnswerForm form, std::string body);
// 200, text/plain.
net::HttpResponse AnswerText(std::string text);

}  // namespace weft::api::tempo
