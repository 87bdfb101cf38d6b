#include "demo/calls.h"

#include <array>

namespace weft::demo {
namespace {

constexpr double kNetworkUs = 180;

// Ports that a kernel gives to connections from inside: a pool keeps a few of them open to each
// peer.
int64_t PooledPort(Visit& visit, const Instance& from) {
  return 32'768 + static_cast<int64_t>(Mix(from.address.size() * 131 +
                                           static_cast<uint8_t>(from.address.back()) +
                                           visit.random().Below(24) * 977) %
                                       28'000);
}

bool HasThreads(Language language) {
  return language == Language::kJava || language == Language::kDotnet;
}

void SetThread(Visit& visit, ActiveSpan& span, std::string_view pool) {
  if (!HasThreads(span.instance().language)) return;
  const auto number = visit.random().Between(1, 24);
  span.Set("thread.id", 30 + number);
  if (span.instance().language != Language::kJava) return;
  std::string name(pool);
  name += std::to_string(number);
  span.Set("thread.name", name);
}

// What the baggage span processor of the front services copies onto their spans.
void SetBaggage(Visit& visit, ActiveSpan& span) {
  const Language language = span.instance().language;
  if (language == Language::kNode || language == Language::kGo || language == Language::kDotnet) {
    span.Set("app.user.id", visit.shopper().user_id);
    span.Set("app.locale", visit.shopper().locale);
    span.Set("app.variant", visit.shopper().variant);
    span.Set("app.region", visit.shopper().region);
    span.Set("app.tier", visit.shopper().tier);
    span.Set("app.cohort", visit.shopper().cohort);
  }
}

void SetPeer(ActiveSpan& span, std::string_view address, int64_t port) {
  span.Set("network.peer.address", address);
  span.Set("network.peer.port", port);
}

void SetServer(ActiveSpan& span, Service service) {
  span.Set("server.address", InfoOf(service).name);
  span.Set("server.port", InfoOf(service).port);
}

bool IsServerFault(std::string_view grpc_status) {
  constexpr std::array<std::string_view, 6> kFaults = {
      "UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"};
  for (std::string_view fault : kFaults) {
    if (grpc_status == fault) return true;
  }
  return false;
}

void SetGrpc(ActiveSpan& span, std::string_view method) {
  span.Set("rpc.system.name", "grpc");
  span.Set("rpc.method", method);
  span.Set("network.transport", "tcp");
}

void FinishGrpc(ActiveSpan& span, std::string_view status, bool is_error) {
  span.Set("rpc.response.status_code", status);
  if (!is_error) return;
  span.Set("error.type", status);
  span.SetError(status);
}

std::string SpanName(const HttpTarget& target) {
  std::string name(target.method);
  if (!target.route.empty()) name.append(" ").append(target.route);
  return name;
}

std::string FullUrl(std::string_view scheme, std::string_view host, int64_t port,
                    const HttpTarget& target) {
  std::string url(scheme);
  url.append("://").append(host);
  if (port != 443) url.append(":").append(std::to_string(port));
  url.append(target.path);
  if (!target.query.empty()) url.append("?").append(target.query);
  return url;
}

void SetHttpServer(Visit& visit, ActiveSpan& span, const HttpTarget& target) {
  span.Set("http.request.method", target.method);
  span.Set("url.scheme", "http");
  span.Set("url.path", target.path);
  if (!target.query.empty()) span.Set("url.query", target.query);
  span.Set("http.route", target.route);
  span.Set("network.protocol.version", "1.1");
  SetServer(span, span.instance().service);
  SetThread(visit, span, "http-nio-exec-");
  SetBaggage(visit, span);
}

void FinishHttp(Visit& visit, ActiveSpan& span, int status, bool is_error) {
  span.Set("http.response.status_code", status);
  if (span.kind() == SpanKind::kServer) {
    span.Set("http.response.body.size",
             status == 200 ? static_cast<int64_t>(visit.random().LogNormal(3000, 0.8)) : 142);
  }
  if (!is_error) return;
  span.Set("error.type", std::to_string(status));
  span.SetError({});
}

void SetHttpClient(ActiveSpan& span, const HttpTarget& target, Service to) {
  span.Set("http.request.method", target.method);
  span.Set("url.full", FullUrl("http", InfoOf(to).name, InfoOf(to).port, target));
  SetServer(span, to);
  span.Set("network.protocol.version", "1.1");
}

}  // namespace

OwnWork::OwnWork(Visit& visit, std::string_view name, std::string_view function)
    : OpenSpan(visit, Library::kOwn, SpanKind::kInternal, name) {
  if (!function.empty()) (*this)->Set("code.function.name", function);
  SetThread(visit, **this, "worker-");
  SetBaggage(visit, **this);
}

void Fail(ActiveSpan& span, const Failure& failure, uint64_t time_ns) {
  span.AddException(failure, time_ns);
  span.Set("error.type", failure.type);
  span.SetError(failure.message);
}

GrpcCall::GrpcCall(Visit& visit, Service to, std::string_view method) : visit_(visit) {
  const Instance& from = visit.here();
  const Instance& at = visit.PickInstance(to);
  const int64_t from_port = PooledPort(visit, from);
  client_ = std::make_unique<OpenSpan>(visit, Library::kGrpc, SpanKind::kClient, method);
  SetGrpc(client(), method);
  SetServer(client(), to);
  SetThread(visit, client(), "grpc-default-executor-");
  SetBaggage(visit, client());
  visit.Work(kNetworkUs);
  server_ = std::make_unique<OpenSpan>(visit, at, Library::kGrpc, SpanKind::kServer, method,
                                       visit.current());
  SetGrpc(server(), method);
  SetPeer(server(), from.address, from_port);
  server().Set("client.address", from.address);
  SetThread(visit, server(), "grpc-default-executor-");
  SetBaggage(visit, server());
}

void GrpcCall::Finish(std::string_view status) {
  if (!client_) return;
  FinishGrpc(server(), status, IsServerFault(status));
  server_.reset();
  visit_.Work(kNetworkUs);
  FinishGrpc(client(), status, status != "OK");
  client_.reset();
}

HttpCall::HttpCall(Visit& visit, Service to, const HttpTarget& target, Propagation propagation)
    : visit_(visit) {
  const Instance& from = visit.here();
  const Instance& at = visit.PickInstance(to);
  const int64_t from_port = PooledPort(visit, from);
  client_ =
      std::make_unique<OpenSpan>(visit, Library::kHttpClient, SpanKind::kClient, target.method);
  SetHttpClient(client(), target, to);
  SetPeer(client(), at.address, InfoOf(to).port);
  SetThread(visit, client(), "http-client-");
  SetBaggage(visit, client());
  visit.Work(kNetworkUs);
  const SpanContext parent = propagation == Propagation::kKept ? visit.current() : visit.NewTrace();
  server_ = std::make_unique<OpenSpan>(visit, at, Library::kHttpServer, SpanKind::kServer,
                                       SpanName(target), parent);
  SetHttpServer(visit, server(), target);
  SetPeer(server(), from.address, from_port);
  server().Set("client.address", from.address);
  server().Set("user_agent.original",
               from.language == Language::kGo ? "Go-http-client/1.1" : "shop-client/1.0");
}

void HttpCall::Finish(int status) {
  if (!client_) return;
  FinishHttp(visit_, server(), status, status >= 500);
  server_.reset();
  visit_.Work(kNetworkUs);
  FinishHttp(visit_, client(), status, status >= 400);
  client_.reset();
}

BrowserRequest::BrowserRequest(Visit& visit, Service to, const HttpTarget& target) : visit_(visit) {
  const Shopper& shopper = visit.shopper();
  const Instance& proxy = visit.PickInstance(Service::kFrontendProxy);
  const Instance& at = visit.PickInstance(to);
  ingress_ = std::make_unique<OpenSpan>(visit, proxy, Library::kHttpServer, SpanKind::kServer,
                                        SpanName(target), visit.current());
  ActiveSpan& ingress = **ingress_;
  SetHttpServer(visit, ingress, target);
  SetPeer(ingress, shopper.address, visit.random().Between(1024, 65'535));
  ingress.Set("client.address", shopper.address);
  ingress.Set("user_agent.original", shopper.user_agent);
  ingress.Set("guid:x-request-id", visit.random().Uuid());
  ingress.Set("upstream_cluster.name", InfoOf(to).name);
  ingress.Set("response_flags", "-");
  visit.Work(250);
  std::string egress_name = "router ";
  egress_name.append(InfoOf(to).name).append(" egress");
  egress_ = std::make_unique<OpenSpan>(visit, Library::kHttpClient, SpanKind::kClient, egress_name);
  SetHttpClient(**egress_, target, to);
  SetPeer(**egress_, at.address, InfoOf(to).port);
  visit.Work(kNetworkUs);
  server_ = std::make_unique<OpenSpan>(visit, at, Library::kHttpServer, SpanKind::kServer,
                                       SpanName(target), visit.current());
  SetHttpServer(visit, server(), target);
  SetPeer(server(), proxy.address, PooledPort(visit, proxy));
  server().Set("client.address", shopper.address);
  server().Set("session.id", shopper.session_id);
}

void BrowserRequest::Finish(int status) {
  if (!ingress_) return;
  FinishHttp(visit_, server(), status, status >= 500);
  server_.reset();
  visit_.Work(kNetworkUs);
  FinishHttp(visit_, **egress_, status, status >= 400);
  egress_.reset();
  visit_.Work(120);
  FinishHttp(visit_, **ingress_, status, status >= 500);
  ingress_.reset();
}

void CallThirdParty(Visit& visit, const ThirdParty& call) {
  OpenSpan span(visit, Library::kHttpClient, SpanKind::kClient, call.target.method);
  span->Set("http.request.method", call.target.method);
  span->Set("url.full", FullUrl("https", call.host, 443, call.target));
  span->Set("server.address", call.host);
  span->Set("server.port", 443);
  span->Set("network.protocol.version", "2");
  SetBaggage(visit, *span);
  visit.Work(call.median_us);
  if (call.status != 0) {
    FinishHttp(visit, *span, call.status, call.status >= 400);
    return;
  }
  span->Set("error.type", "timeout");
  span->SetError("request timed out");
}

void RunSql(Visit& visit, const SqlStatement& statement, const Failure* failure) {
  std::string summary(statement.operation);
  summary.append(" ").append(statement.table);
  OpenSpan span(visit, Library::kSql, SpanKind::kClient, summary);
  span->Set("db.system.name", "postgresql");
  span->Set("db.namespace", "shop");
  span->Set("db.collection.name", statement.table);
  span->Set("db.operation.name", statement.operation);
  span->Set("db.query.summary", summary);
  span->Set("db.query.text", statement.text);
  span->Set("server.address", "postgresql");
  span->Set("server.port", 5432);
  SetPeer(*span, "10.244.0.71", 5432);
  SetThread(visit, *span, "http-nio-exec-");
  SetBaggage(visit, *span);
  visit.Work(statement.median_us, 0.6);
  if (failure != nullptr) {
    Fail(*span, *failure, visit.now_ns());
  } else {
    span->Set("db.response.returned_rows", statement.rows);
  }
}

void RunRedis(Visit& visit, std::string_view command, std::string_view text) {
  OpenSpan span(visit, Library::kRedis, SpanKind::kClient, command);
  span->Set("db.system.name", "redis");
  span->Set("db.namespace", "0");
  span->Set("db.operation.name", command);
  span->Set("db.query.text", text);
  span->Set("server.address", "redis-cart");
  span->Set("server.port", 6379);
  SetPeer(*span, "10.244.0.72", 6379);
  span->Set("network.transport", "tcp");
  SetThread(visit, *span, "lettuce-epoll-");
  SetBaggage(visit, *span);
  visit.Work(260, 0.5);
}

namespace {

void SetMessage(ActiveSpan& span, std::string_view topic, std::string_view operation,
                std::string_view type, std::string_view key) {
  span.Set("messaging.system", "kafka");
  span.Set("messaging.operation.name", operation);
  span.Set("messaging.operation.type", type);
  span.Set("messaging.destination.name", topic);
  span.Set("messaging.kafka.message.key", key);
  span.Set("server.address", "kafka");
  span.Set("server.port", 9092);
}

}  // namespace

SpanContext SendMessage(Visit& visit, std::string_view topic, std::string_view key,
                        int64_t size_bytes) {
  OpenSpan span(visit, Library::kKafka, SpanKind::kProducer, std::string("send ").append(topic));
  SetMessage(*span, topic, "send", "send", key);
  span->Set("messaging.client.id", "checkout-producer");
  span->Set("messaging.message.body.size", size_bytes);
  SetBaggage(visit, *span);
  visit.Work(1'400, 0.5);
  return span->context();
}

ProcessMessage::ProcessMessage(Visit& visit, const Consumption& consumption)
    : OpenSpan(visit, visit.PickInstance(consumption.by), Library::kKafka, SpanKind::kConsumer,
               std::string("process ").append(consumption.topic),
               consumption.as_child ? consumption.message : visit.NewTrace()) {
  ActiveSpan& span = **this;
  SetMessage(span, consumption.topic, "process", "process", consumption.key);
  span.Set("messaging.consumer.group.name", consumption.group);
  span.Set("messaging.destination.partition.id", std::to_string(Mix(visit.shopper().number) % 12));
  span.Set("messaging.kafka.offset",
           static_cast<int64_t>(visit.now_ns() / 1'000'000'000 % 100'000'000));
  SetThread(visit, span, "kafka-consumer-");
  span.AddLink(consumption.message);
}

}  // namespace weft::demo
