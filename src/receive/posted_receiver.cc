#include "receive/posted_receiver.h"

#include <utility>

#include "receive/http_intake.h"

namespace weft::receive {
namespace {

using net::HttpBodyPlan;
using net::HttpRequest;
using net::HttpRequestHead;
using net::HttpRespond;
using net::HttpResponse;

class PostedHandler : public net::HttpHandler, public std::enable_shared_from_this<PostedHandler> {
 public:
  PostedHandler(const PostedReceiverOptions& options, std::unique_ptr<PostedFormat> format,
                model::SpanSink* sink, MetricRegistry* metrics)
      : limits_(options.limits),
        format_(std::move(format)),
        intake_(format_->protocol(), options.cors_origins, sink, metrics) {}

  HttpBodyPlan OnHead(const HttpRequestHead& head) override;
  void OnRequest(HttpRequest request, HttpRespond respond) override;
  HttpResponse OnRefused(const HttpRequestHead& head, int status, const Error& error) override {
    return Failure(head, status, error);
  }

 private:
  HttpResponse Accepted(const HttpRequestHead& head);
  HttpResponse Failure(const HttpRequestHead& head, int status, const Error& error);

  const DecodeLimits limits_;
  const std::unique_ptr<PostedFormat> format_;
  HttpIntake intake_;
};

HttpBodyPlan PostedHandler::OnHead(const HttpRequestHead& head) {
  HttpBodyPlan plan;
  const Error checked = format_->Check(head);
  if (checked.code() == ErrorCode::kNotFound) {
    plan.refusal = Failure(head, 404, checked);
  } else if (head.method == "OPTIONS") {
    plan.refusal = intake_.Preflight(head);
  } else if (head.method != "POST") {
    plan.refusal = Failure(head, 405, Error(ErrorCode::kUnsupported, "send spans with POST"));
    plan.refusal->headers.Set("Allow", "POST, OPTIONS");
  } else if (!checked.ok()) {
    plan.refusal = Failure(head, 415, checked);
  } else if (const Error admitted = intake_.Admit(head, &plan); !admitted.ok()) {
    plan.refusal = Failure(head, ReceiverStatusOf(admitted), admitted);
  }
  return plan;
}

void PostedHandler::OnRequest(HttpRequest request, HttpRespond respond) {
  intake_.CountBytes(request.body.size());
  auto batch = std::make_unique<model::SpanBatch>();
  RejectedSpans rejected;
  const Error error = format_->Decode(request, &request.body, limits_, batch.get(), &rejected);
  if (!error.ok()) return respond(Failure(request, ReceiverStatusOf(error), error));
  Error outcome = RefusedInPart(rejected, batch->size());
  const model::TenantId tenant = HttpIntake::TenantOf(request);
  // The sink may answer when the server is long gone: the callback keeps what it uses.
  intake_.Take(tenant, std::move(batch), rejected,
               [self = shared_from_this(), head = HttpRequestHead(std::move(request)),
                outcome = std::move(outcome), respond = std::move(respond)](const Error& pushed) {
                 const Error& failure = pushed.ok() ? outcome : pushed;
                 respond(failure.ok() ? self->Accepted(head)
                                      : self->Failure(head, ReceiverStatusOf(failure), failure));
               });
}

HttpResponse PostedHandler::Accepted(const HttpRequestHead& head) {
  HttpResponse response;
  response.status = 202;
  return intake_.Counted(head, std::move(response));
}

HttpResponse PostedHandler::Failure(const HttpRequestHead& head, int status, const Error& error) {
  HttpResponse response = HttpResponse::Text(status, error.message() + "\n");
  if (error.retry_after_ms() != 0) {
    response.headers.Set("Retry-After", net::RetryAfterSeconds(error.retry_after_ms()));
  }
  return intake_.Counted(head, std::move(response));
}

}  // namespace

PostedReceiver::PostedReceiver(std::unique_ptr<net::HttpServer> server)
    : server_(std::move(server)) {}
PostedReceiver::~PostedReceiver() = default;

Result<std::unique_ptr<PostedReceiver>> PostedReceiver::Start(const std::string& address,
                                                              const PostedReceiverOptions& options,
                                                              std::unique_ptr<PostedFormat> format,
                                                              model::SpanSink* sink,
                                                              MetricRegistry* metrics) {
  net::HttpServerOptions server_options = options.server;
  server_options.name = format->protocol();
  server_options.metrics = metrics;
  auto handler = std::make_shared<PostedHandler>(options, std::move(format), sink, metrics);
  WEFT_ASSIGN_OR_RETURN(auto server,
                        net::HttpServer::Start(address, server_options, std::move(handler)));
  return std::unique_ptr<PostedReceiver>(new PostedReceiver(std::move(server)));
}

std::string PostedReceiver::bound_address() const { return server_->bound_address(); }
void PostedReceiver::Stop(uint32_t grace_ms) { server_->Stop(grace_ms); }

}  // namespace weft::receive
