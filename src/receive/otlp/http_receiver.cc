#include "receive/otlp/http_receiver.h"

#include <optional>
#include <utility>

#include "receive/http_intake.h"
#include "receive/otlp/count_records.h"
#include "receive/otlp/decode_json.h"
#include "receive/otlp/decode_proto.h"
#include "receive/otlp/response.h"

namespace weft::receive::otlp {
namespace {

using net::HttpBodyPlan;
using net::HttpRequest;
using net::HttpRequestHead;
using net::HttpRespond;
using net::HttpResponse;

std::optional<Signal> SignalOf(std::string_view path) {
  if (path == "/v1/traces") return Signal::kTraces;
  if (path == "/v1/logs") return Signal::kLogs;
  if (path == "/v1/metrics") return Signal::kMetrics;
  return std::nullopt;
}

// By media type; parameters such as charset do not matter.
std::optional<Encoding> EncodingOf(const HttpRequestHead& head) {
  const std::string_view type = MediaTypeOf(head);
  if (net::EqualsIgnoringCase(type, "application/json")) return Encoding::kJson;
  for (const std::string_view name : {"application/x-protobuf", "application/protobuf"}) {
    if (net::EqualsIgnoringCase(type, name)) return Encoding::kProtobuf;
  }
  return std::nullopt;
}

// The code in the body of an answer with this status: it says no more than the status does.
RpcCode RpcCodeOfStatus(int status, const Error& error) {
  switch (status) {
    case 404: return RpcCode::kNotFound;
    case 405:
    case 415:
    case 501: return RpcCode::kUnimplemented;
    case 408: return RpcCode::kDeadlineExceeded;
    default: return RpcCodeOf(error);
  }
}

class OtlpHandler : public net::HttpHandler, public std::enable_shared_from_this<OtlpHandler> {
 public:
  OtlpHandler(const HttpReceiverOptions& options, model::SpanSink* sink, MetricRegistry* metrics)
      : limits_(options.limits), intake_("otlp_http", options.cors_origins, sink, metrics) {}

  HttpBodyPlan OnHead(const HttpRequestHead& head) override;
  void OnRequest(HttpRequest request, HttpRespond respond) override;
  HttpResponse OnRefused(const HttpRequestHead& head, int status, const Error& error) override;

 private:
  void Traces(HttpRequest request, Encoding encoding, HttpRespond respond);
  HttpResponse NotStoredAnswer(const HttpRequest& request, Encoding encoding, Signal signal);
  HttpResponse Success(const HttpRequestHead& head, Encoding encoding, std::string body);
  HttpResponse Failure(const HttpRequestHead& head, int status, const Error& error);

  const DecodeLimits limits_;
  HttpIntake intake_;
};

HttpBodyPlan OtlpHandler::OnHead(const HttpRequestHead& head) {
  HttpBodyPlan plan;
  if (!SignalOf(head.path)) {
    const Error error(ErrorCode::kNotFound, "OTLP is received at /v1/traces, not at " + head.path);
    plan.refusal = Failure(head, 404, error);
  } else if (head.method == "OPTIONS") {
    plan.refusal = intake_.Preflight(head);
  } else if (head.method != "POST") {
    plan.refusal = Failure(head, 405, Error(ErrorCode::kUnsupported, "send OTLP with POST"));
    plan.refusal->headers.Set("Allow", "POST, OPTIONS");
  } else if (!EncodingOf(head)) {
    const Error error(ErrorCode::kUnsupported,
                      "Content-Type must be application/x-protobuf or application/json");
    plan.refusal = Failure(head, 415, error);
  } else if (const Error admitted = intake_.Admit(head, &plan); !admitted.ok()) {
    plan.refusal = Failure(head, ReceiverStatusOf(admitted), admitted);
  }
  return plan;
}

void OtlpHandler::OnRequest(HttpRequest request, HttpRespond respond) {
  const auto signal = SignalOf(request.path);
  const auto encoding = EncodingOf(request);
  intake_.CountBytes(request.body.size());
  if (*signal == Signal::kTraces) return Traces(std::move(request), *encoding, std::move(respond));
  respond(NotStoredAnswer(request, *encoding, *signal));
}

void OtlpHandler::Traces(HttpRequest request, Encoding encoding, HttpRespond respond) {
  auto batch = std::make_unique<model::SpanBatch>();
  RejectedSpans rejected;
  const Error error = encoding == Encoding::kProtobuf
                          ? DecodeTraces(request.body, limits_, batch.get(), &rejected)
                          : DecodeTracesJson(&request.body, limits_, batch.get(), &rejected);
  if (!error.ok()) return respond(Failure(request, ReceiverStatusOf(error), error));
  std::string success =
      EncodeExportResponse(encoding, Signal::kTraces, rejected.total(), rejected.Message());
  // The sink may answer when the server is long gone: the callback keeps what it uses.
  const model::TenantId tenant = HttpIntake::TenantOf(request);
  intake_.Take(
      tenant, std::move(batch), rejected,
      [self = shared_from_this(), head = HttpRequestHead(std::move(request)), encoding,
       success = std::move(success), respond = std::move(respond)](const Error& pushed) mutable {
        respond(pushed.ok() ? self->Success(head, encoding, std::move(success))
                            : self->Failure(head, ReceiverStatusOf(pushed), pushed));
      });
}

HttpResponse OtlpHandler::NotStoredAnswer(const HttpRequest& request, Encoding encoding,
                                          Signal signal) {
  const auto count = CountRecords(encoding, signal, request.body);
  if (!count.ok()) return Failure(request, ReceiverStatusOf(count.error()), count.error());
  const std::string_view message = *count == 0 ? "" : NotStored(signal);
  return Success(request, encoding, EncodeExportResponse(encoding, signal, *count, message));
}

HttpResponse OtlpHandler::OnRefused(const HttpRequestHead& head, int status, const Error& error) {
  return Failure(head, status, error);
}

HttpResponse OtlpHandler::Success(const HttpRequestHead& head, Encoding encoding,
                                  std::string body) {
  HttpResponse response;
  response.content_type = ContentTypeOf(encoding);
  response.body = std::move(body);
  return intake_.Counted(head, std::move(response));
}

// The body is google.rpc.Status in the encoding of the request; JSON where it has none we know.
HttpResponse OtlpHandler::Failure(const HttpRequestHead& head, int status, const Error& error) {
  const Encoding encoding = EncodingOf(head).value_or(Encoding::kJson);
  HttpResponse response;
  response.status = status;
  response.content_type = ContentTypeOf(encoding);
  response.body = EncodeStatus(encoding, RpcCodeOfStatus(status, error), error);
  if (error.retry_after_ms() != 0) {
    response.headers.Set("Retry-After", net::RetryAfterSeconds(error.retry_after_ms()));
  }
  return intake_.Counted(head, std::move(response));
}

}  // namespace

HttpReceiver::HttpReceiver(std::unique_ptr<net::HttpServer> server) : server_(std::move(server)) {}
HttpReceiver::~HttpReceiver() = default;

Result<std::unique_ptr<HttpReceiver>> HttpReceiver::Start(const std::string& address,
                                                          const HttpReceiverOptions& options,
                                                          model::SpanSink* sink,
                                                          MetricRegistry* metrics) {
  net::HttpServerOptions server_options = options.server;
  server_options.name = "otlp";
  server_options.metrics = metrics;
  auto handler = std::make_shared<OtlpHandler>(options, sink, metrics);
  WEFT_ASSIGN_OR_RETURN(auto server,
                        net::HttpServer::Start(address, server_options, std::move(handler)));
  return std::unique_ptr<HttpReceiver>(new HttpReceiver(std::move(server)));
}

std::string HttpReceiver::bound_address() const { return server_->bound_address(); }
void HttpReceiver::Stop(uint32_t grace_ms) { server_->Stop(grace_ms); }

}  // namespace weft::receive::otlp
