// The calls that services make, with the spans and attributes (semantic conventions 1.37 and later)
// that instrumentation libraries write for them. Each is made by the service of the visit's
// innermost open span.
//
// A call object is open from its construction until Finish or the end of its C++ scope; what
// happens meanwhile happens inside the service that was called.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "demo/visit.h"

namespace weft::demo {

// A function in a service's own code.
class OwnWork : public OpenSpan {
 public:
  OwnWork(Visit& visit, std::string_view name, std::string_view function = {});
};

// Fails a span: the exception as an event, the status, error.type.
void Fail(ActiveSpan& span, const Failure& failure, uint64_t time_ns);

class GrpcCall {
 public:
  // `method` is the full name, "shop.Cart/GetCart".
  GrpcCall(Visit& visit, Service to, std::string_view method);
  ~GrpcCall() { Finish("OK"); }

  ActiveSpan& client() { return **client_; }
  ActiveSpan& server() { return **server_; }
  // Answers with a gRPC status name; later calls do nothing.
  void Finish(std::string_view status);

 private:
  Visit& visit_;
  std::unique_ptr<OpenSpan> client_;
  std::unique_ptr<OpenSpan> server_;
};

struct HttpTarget {
  std::string_view method;
  std::string_view route;  // "/api/products/{id}"
  std::string_view path;   // "/api/products/42"
  std::string_view query;  // without '?'
};

enum class Propagation { kKept, kDropped };

class HttpCall {
 public:
  // With kDropped the headers get lost on the way: the server's span begins a trace of its own.
  HttpCall(Visit& visit, Service to, const HttpTarget& target,
           Propagation propagation = Propagation::kKept);
  ~HttpCall() { Finish(200); }

  ActiveSpan& client() { return **client_; }
  ActiveSpan& server() { return **server_; }
  // Answers with a status code; later calls do nothing.
  void Finish(int status);

 private:
  Visit& visit_;
  std::unique_ptr<OpenSpan> client_;
  std::unique_ptr<OpenSpan> server_;
};

// What the proxy sees of a browser's request: the root of most traces, and the proxy's own call to
// `to`.
class BrowserRequest {
 public:
  BrowserRequest(Visit& visit, Service to, const HttpTarget& target);
  ~BrowserRequest() { Finish(200); }

  ActiveSpan& server() { return **server_; }
  void Finish(int status);

 private:
  Visit& visit_;
  std::unique_ptr<OpenSpan> ingress_;
  std::unique_ptr<OpenSpan> egress_;
  std::unique_ptr<OpenSpan> server_;
};

// A call to somebody else's API, which sends no spans. `status` 0: no answer came in time.
struct ThirdParty {
  std::string_view host;
  HttpTarget target;
  double median_us;
  int status = 200;
};
void CallThirdParty(Visit& visit, const ThirdParty& call);

struct SqlStatement {
  std::string_view operation;  // "SELECT"
  std::string_view table;
  std::string_view text;
  double median_us = 900;
  int64_t rows = 1;
};
// A query on the shop's PostgreSQL. With a failure, that is what the driver raised.
void RunSql(Visit& visit, const SqlStatement& statement, const Failure* failure = nullptr);

void RunRedis(Visit& visit, std::string_view command, std::string_view text);

// Sends to a topic; the answer is the context that the message carries.
SpanContext SendMessage(Visit& visit, std::string_view topic, std::string_view key,
                        int64_t size_bytes);

struct Consumption {
  Service by;
  std::string_view topic;
  std::string_view group;
  std::string_view key;
  SpanContext message;
  bool as_child = false;  // continue the producer's trace; else a trace of its own that links to it
};
// The processing of one message; it ends with its scope. No span may be open.
class ProcessMessage : public OpenSpan {
 public:
  ProcessMessage(Visit& visit, const Consumption& consumption);
};

}  // namespace weft::demo
