// Answers in the shapes of proto/openapi.yaml.
#pragma once

#include <string>

#include "base/error.h"
#include "net/http_message.h"
#include "query/exec/search.h"
#include "query/query_error.h"

namespace weft::api {

class JsonWriter;

// A body of type Error. The message may hold anything, also text of the request.
net::HttpResponse AnswerError(const Error& error);
// The same of a question about many traces: one that used up its memory may do with a shorter
// range.
net::HttpResponse AnswerInsightError(const Error& error);
// The same with the place in the query's text.
net::HttpResponse AnswerQueryError(const query::QueryError& error);
// 200 with JSON that must not be kept by caches.
net::HttpResponse AnswerJson(std::string json);

// SearchAnswer.
std::string EncodeSearchAnswer(const query::exec::SearchAnswer& answer);

// Value.
void WriteValue(const query::exec::FoundValue& value, JsonWriter* json);
// `stats`: SearchStats.
void WriteStats(const query::exec::SearchStats& stats, JsonWriter* json);

// The names of schema Kind and Status; values that OTLP doesn't know are "unspecified" and "unset".
std::string_view KindName(uint8_t kind);
std::string_view StatusName(uint8_t status);

}  // namespace weft::api
