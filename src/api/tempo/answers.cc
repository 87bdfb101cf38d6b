#include "api/tempo/answers.h"

#include <utility>

#include "api/static_files.h"

namespace weft::api::tempo {
namespace {

std::string_view ContentTypeOf(AnswerForm form) {
  switch (form) {
    case AnswerForm::kJson: return "application/json";
    case AnswerForm::kProtobuf: return "application/protobuf";
    case AnswerForm::kLlm: return "application/vnd.grafana.llm+json";
  }
  return {};
}

void AddFields(net::HttpResponse* response) {
  response->headers.Set("Cache-Control", "no-store");
  AddSecurityHeaders(response);
}

}  // namespace

AnswerForm FormOf(const net::HttpRequest& request) {
  const std::string_view accept = request.headers.Get("Accept");
  if (accept.find("application/protobuf") != std::string_view::npos) return AnswerForm::kProtobuf;
  if (accept.find("application/vnd.grafana.llm") != std::string_view::npos) return AnswerForm::kLlm;
  return AnswerForm::kJson;
}

Error AsTempoSays(std::string_view what, const query::QueryError& error) {
  return {ErrorCode::kInvalidArgument,
          std::string(what) + " at line " + std::to_string(error.line) + ", col " +
              std::to_string(error.column) + ": " + error.error.message()};
}

net::HttpResponse AnswerError(const Error& error) {
  const int status =
      error.code() == ErrorCode::kUnsupported ? 400 : net::HttpStatusOf(error.code());
  net::HttpResponse response = net::HttpResponse::Text(status, error.message());
  AddFields(&response);
  if (error.retry_after_ms() != 0)
    response.headers.Set("Retry-After", net::RetryAfterSeconds(error.retry_after_ms()));
  return response;
}

net::HttpResponse Answer(AnswerForm form, std::string body) {
  net::HttpResponse response;
  response.content_type = ContentTypeOf(form);
  response.body = std::move(body);
  AddFields(&response);
  response.headers.Set("Vary", "Accept, Accept-Encoding");
  return response;
}

net::HttpResponse AnswerText(std::string text) {
  net::HttpResponse response = net::HttpResponse::Text(200, std::move(text));
  AddFields(&response);
  return response;
}

}  // namespace weft::api::tempo
