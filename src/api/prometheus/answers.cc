#include "api/prometheus/answers.h"

#include <array>
#include <charconv>
#include <cmath>

namespace weft::api::prometheus {
namespace {

using query::lang::promql::ValueType;
using query::prometheus::Point;

// Answers that are longer are refused.
constexpr size_t kAnswerBytesMax = 128 << 20;

net::HttpResponse Refuse(int status, std::string_view type, const Error& error) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Field("status", "error");
  json.Field("errorType", type);
  json.Field("error", error.message());
  json.EndObject();
  net::HttpResponse response = net::HttpResponse::Json(status, std::move(text));
  if (error.retry_after_ms() > 0) {
    response.headers.Add("retry-after", net::RetryAfterSeconds(error.retry_after_ms()));
  }
  return response;
}

void WritePoint(const Point& point, JsonWriter* json) {
  json->BeginArray();
  std::string time = std::to_string(point.time_ms / 1000);
  if (point.time_ms % 1000 != 0) {
    const std::string fraction = std::to_string(1000 + std::abs(point.time_ms % 1000));
    time += "." + fraction.substr(1);
  }
  json->Raw(time);
  json->String(PrintNumber(point.value));
  json->EndArray();
}

void WriteLabels(const query::prometheus::Labels& labels, JsonWriter* json) {
  json->BeginObject();
  for (const auto& [name, value] : labels) json->Field(name, value);
  json->EndObject();
}

std::string_view NameOf(ValueType type, bool is_range) {
  if (is_range || type == ValueType::kMatrix) return "matrix";
  if (type == ValueType::kScalar) return "scalar";
  return type == ValueType::kString ? "string" : "vector";
}

void WriteResult(const query::prometheus::EvaluatedAnswer& answer, std::string_view type,
                 int64_t time_ms, JsonWriter* json) {
  if (type == "string") {
    json->BeginArray();
    json->Raw(std::to_string(time_ms / 1000));
    json->String(answer.text);
    json->EndArray();
    return;
  }
  if (type == "scalar") return WritePoint(answer.series[0].points[0], json);
  json->BeginArray();
  for (const auto& series : answer.series) {
    json->BeginObject();
    json->Key("metric");
    WriteLabels(series.labels, json);
    json->Key(type == "matrix" ? "values" : "value");
    if (type == "matrix") {
      json->BeginArray();
      for (const Point& point : series.points) WritePoint(point, json);
      json->EndArray();
    } else {
      WritePoint(series.points[0], json);
    }
    json->EndObject();
  }
  json->EndArray();
}

}  // namespace

std::string PrintNumber(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // Enough for the smallest of them.
  std::array<char, 1100> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr;
  return {text.data(), end};
}

net::HttpResponse AnswerError(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kUnavailable: return Refuse(503, "unavailable", error);
    case ErrorCode::kCancelled: return Refuse(499, "canceled", error);
    case ErrorCode::kNotFound: return Refuse(404, "not_found", error);
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kTooLarge:
    case ErrorCode::kUnsupported: return Refuse(400, "bad_data", error);
    default: return Refuse(500, "internal", error);
  }
}

net::HttpResponse AnswerExecutionError(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kTooLarge:
    case ErrorCode::kUnsupported:
    case ErrorCode::kResourceExhausted: return Refuse(422, "execution", error);
    case ErrorCode::kUnavailable: return Refuse(503, "timeout", error);
    default: return AnswerError(error);
  }
}

net::HttpResponse AnswerData(const std::function<void(JsonWriter*)>& write,
                             std::string_view warning) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Field("status", "success");
  json.Key("data");
  write(&json);
  if (!warning.empty()) {
    json.Key("warnings");
    json.BeginArray();
    json.String(warning);
    json.EndArray();
  }
  json.EndObject();
  if (text.size() > kAnswerBytesMax) {
    return AnswerExecutionError(
        Error(ErrorCode::kTooLarge, "the answer is larger than " + std::to_string(kAnswerBytesMax) +
                                        " bytes: ask for fewer series or a longer step"));
  }
  return net::HttpResponse::Json(200, std::move(text));
}

net::HttpResponse AnswerEvaluated(const query::prometheus::EvaluatedAnswer& answer,
                                  const query::prometheus::Evaluation& when) {
  const std::string_view type = NameOf(answer.type, when.step_ms != 0);
  return AnswerData([&](JsonWriter* json) {
    json->BeginObject();
    json->Field("resultType", type);
    json->Key("result");
    WriteResult(answer, type, when.start_ms, json);
    json->EndObject();
  });
}

}  // namespace weft::api::prometheus
