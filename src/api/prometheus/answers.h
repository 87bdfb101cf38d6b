// Answers in the shapes of Prometheus' API.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/json_writer.h"
#include "base/error.h"
#include "net/http_message.h"
#include "query/prometheus/evaluator.h"

namespace weft::api::prometheus {

// {"status":"error"} with its type: `bad_data` (400) for what is wrong with the request.
net::HttpResponse AnswerError(const Error& error);
// The same for what went wrong while the query was computed: `execution` (422).
net::HttpResponse AnswerExecutionError(const Error& error);

// {"status":"success"} with what `write` writes as `data`; `warning` may be empty.
net::HttpResponse AnswerData(const std::function<void(JsonWriter*)>& write,
                             std::string_view warning = {});

net::HttpResponse AnswerEvaluated(const query::prometheus::EvaluatedAnswer& answer,
                                  const query::prometheus::Evaluation& when);

// A number as Prometheus writes it in answers: "12.5", "+Inf", "NaN"; never with an exponent.
std::string PrintNumber(double value);

}  // namespace weft::api::prometheus
