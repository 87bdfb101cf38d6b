#include "receive/otlp/http_receiver.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "model/tenant.h"
#include "receive/intake.h"
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

// What a request without a length is taken for, until more has come.
constexpr uint64_t kChunkedBytesGuess = 64 << 10;

std::optional<Signal> SignalOf(std::string_view path) {
  if (path == "/v1/traces") return Signal::kTraces;
  if (path == "/v1/logs") return Signal::kLogs;
  if (path == "/v1/metrics") return Signal::kMetrics;
  return std::nullopt;
}

// By media type; parameters such as charset do not matter.
std::optional<Encoding> EncodingOf(const HttpRequestHead& head) {
  std::string_view type = head.headers.Get("Content-Type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  if (net::EqualsIgnoringCase(type, "application/json")) return Encoding::kJson;
  for (const std::string_view name : {"application/x-protobuf", "application/protobuf"}) {
    if (net::EqualsIgnoringCase(type, name)) return Encoding::kProtobuf;
  }
  return std::nullopt;
}

const char* NotStored(Signal signal) {
  return signal == Signal::kLogs ? "weft does not store logs yet; stop exporting them to it"
                                 : "weft does not store metrics yet; stop exporting them to it";
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

// OTLP's own mapping: a failure of the disk is 503, the sender keeps the spans and tries again.
int StatusOf(const Error& error) {
  return error.code() == ErrorCode::kIo ? 503 : net::HttpStatusOf(error.code());
}

class OtlpHandler : public net::HttpHandler, public std::enable_shared_from_this<OtlpHandler> {
 public:
  OtlpHandler(const HttpReceiverOptions& options, model::SpanSink* sink, MetricRegistry* metrics)
      : options_(options), intake_("otlp_http", sink, metrics) {}

  HttpBodyPlan OnHead(const HttpRequestHead& head) override;
  void OnRequest(HttpRequest request, HttpRespond respond) override;
  HttpResponse OnRefused(const HttpRequestHead& head, int status, const Error& error) override;

 private:
  void Traces(HttpRequest request, Encoding encoding, HttpRespond respond);
  HttpResponse NotStoredAnswer(const HttpRequest& request, Encoding encoding, Signal signal);
  HttpResponse Success(const HttpRequestHead& head, Encoding encoding, std::string body);
  HttpResponse Failure(const HttpRequestHead& head, int status, const Error& error);
  HttpResponse Preflight(const HttpRequestHead& head);
  HttpResponse Counted(const HttpRequestHead& head, HttpResponse response);
  void AddCors(const HttpRequestHead& head, HttpResponse* response) const;

  const HttpReceiverOptions options_;
  Intake intake_;
};

HttpBodyPlan OtlpHandler::OnHead(const HttpRequestHead& head) {
  HttpBodyPlan plan;
  if (!SignalOf(head.path)) {
    const Error error(ErrorCode::kNotFound, "OTLP is received at /v1/traces, not at " + head.path);
    plan.refusal = Failure(head, 404, error);
  } else if (head.method == "OPTIONS") {
    plan.refusal = Preflight(head);
  } else if (head.method != "POST") {
    plan.refusal = Failure(head, 405, Error(ErrorCode::kUnsupported, "send OTLP with POST"));
    plan.refusal->headers.Set("Allow", "POST, OPTIONS");
  } else if (!EncodingOf(head)) {
    const Error error(ErrorCode::kUnsupported,
                      "Content-Type must be application/x-protobuf or application/json");
    plan.refusal = Failure(head, 415, error);
  } else {
    const auto tenant = model::ParseTenant(head.headers.Get(model::kTenantHeader));
    const Error admitted =
        tenant.ok() ? intake_.Admit(*tenant, head.content_length.value_or(kChunkedBytesGuess))
                    : tenant.error();
    if (!admitted.ok()) plan.refusal = Failure(head, StatusOf(admitted), admitted);
    if (tenant.ok()) {
      plan.admit = [this, tenant = *tenant](uint64_t bytes) {
        return intake_.Admit(tenant, bytes);
      };
    }
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
  const Error error =
      encoding == Encoding::kProtobuf
          ? DecodeTraces(request.body, options_.limits, batch.get(), &rejected)
          : DecodeTracesJson(&request.body, options_.limits, batch.get(), &rejected);
  if (!error.ok()) return respond(Failure(request, StatusOf(error), error));
  const auto tenant = model::ParseTenant(request.headers.Get(model::kTenantHeader));
  std::string success =
      EncodeExportResponse(encoding, Signal::kTraces, rejected.total(), rejected.Message());
  // The sink may answer when the server is long gone: the callback keeps what it uses.
  intake_.Take(
      *tenant, std::move(batch), rejected,
      [self = shared_from_this(), head = HttpRequestHead(std::move(request)), encoding,
       success = std::move(success), respond = std::move(respond)](const Error& pushed) mutable {
        respond(pushed.ok() ? self->Success(head, encoding, std::move(success))
                            : self->Failure(head, StatusOf(pushed), pushed));
      });
}

HttpResponse OtlpHandler::NotStoredAnswer(const HttpRequest& request, Encoding encoding,
                                          Signal signal) {
  const auto count = CountRecords(encoding, signal, request.body);
  if (!count.ok()) return Failure(request, StatusOf(count.error()), count.error());
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
  return Counted(head, std::move(response));
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
  return Counted(head, std::move(response));
}

HttpResponse OtlpHandler::Counted(const HttpRequestHead& head, HttpResponse response) {
  AddCors(head, &response);
  intake_.CountRequest(std::to_string(response.status));
  return response;
}

// The Fetch standard's CORS protocol. Nothing here depends on cookies, so "*" is enough for all.
void OtlpHandler::AddCors(const HttpRequestHead& head, HttpResponse* response) const {
  const std::string_view origin = head.headers.Get("Origin");
  if (origin.empty()) return;
  const auto& allowed = options_.cors_origins;
  const bool all = std::find(allowed.begin(), allowed.end(), "*") != allowed.end();
  if (!all) response->headers.Add("Vary", "Origin");
  if (!all && std::find(allowed.begin(), allowed.end(), origin) == allowed.end()) return;
  response->headers.Set("Access-Control-Allow-Origin", all ? "*" : origin);
  response->headers.Set("Access-Control-Expose-Headers", "Retry-After");
}

HttpResponse OtlpHandler::Preflight(const HttpRequestHead& head) {
  HttpResponse response;
  response.status = 204;
  response.headers.Set("Allow", "POST, OPTIONS");
  AddCors(head, &response);
  if (response.headers.Has("Access-Control-Allow-Origin")) {
    response.headers.Set("Access-Control-Allow-Methods", "POST, OPTIONS");
    const std::string_view wanted = head.headers.Get("Access-Control-Request-Headers");
    if (!wanted.empty()) response.headers.Set("Access-Control-Allow-Headers", wanted);
    response.headers.Set("Access-Control-Max-Age", "7200");
  }
  return response;
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
