#include "bench/otlp_connection.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "net/http_client.h"

namespace weft::bench {
namespace {

class HttpConnection : public OtlpConnection {
 public:
  explicit HttpConnection(const std::string& address) : client_(address) {}

  Error Send(std::string_view request) override {
    auto response = client_.Post("/v1/traces", request, "application/x-protobuf");
    if (!response.ok()) return response.error();
    if (response->status == 200) return Error::Ok();
    const bool again = response->status == 429 || response->status == 503;
    return Error(again ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument,
                 "HTTP status " + std::to_string(response->status) + ": " + response->body);
  }

 private:
  net::HttpClient client_;
};

class GrpcConnection : public OtlpConnection {
 public:
  explicit GrpcConnection(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // else channels share a socket
    arguments.SetMaxReceiveMessageSize(-1);
    stub_ = std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  }
  ~GrpcConnection() override { queue_.Shutdown(); }

  Error Send(std::string_view request) override {
    static constexpr char kMethod[] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    grpc::Slice slice(request.data(), request.size(), grpc::Slice::STATIC_SLICE);
    grpc::ByteBuffer message(&slice, 1);
    grpc::ByteBuffer answer;
    grpc::Status status;
    grpc::ClientContext context;
    auto call = stub_->PrepareUnaryCall(&context, kMethod, message, &queue_);
    call->StartCall();
    call->Finish(&answer, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    if (status.ok()) return Error::Ok();
    const bool again = status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                       status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
    return Error(
        again ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument,
        "gRPC status " + std::to_string(status.error_code()) + ": " + status.error_message());
  }

 private:
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::CompletionQueue queue_;
};

}  // namespace

std::unique_ptr<OtlpConnection> ConnectHttp(const std::string& address) {
  return std::make_unique<HttpConnection>(address);
}
std::unique_ptr<OtlpConnection> ConnectGrpc(const std::string& address) {
  return std::make_unique<GrpcConnection>(address);
}

}  // namespace weft::bench
