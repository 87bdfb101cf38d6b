// One Call (a reactor) per RPC:
// 1. CreateReactor sees the metadata only. It refuses there what can be refused: method, tenant,
//    too many calls, no admission. gRPC has then read no more than a flow-control window.
// 2. The message is read, decompressed within the limit, decoded and pushed.
// 3. The sink answers on some thread, maybe after the call was cancelled: who comes first finishes
//    the call, the other finds it claimed.

#include "receive/grpc_receiver.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <grpc/support/log.h>
#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

#include "base/log.h"
#include "base/mutex.h"
#include "model/tenant.h"
#include "net/address.h"
#include "net/compression.h"
#include "net/grpc_methods.h"
#include "net/http_body.h"
#include "receive/intake.h"
#include "receive/rpc_status.h"

namespace weft::receive {
namespace {

constexpr uint64_t kBytesGuess = 64 << 10;  // what a message is taken for before it is read
constexpr uint32_t kBusyRetryMs = 1000;

// The details travel as google.rpc.Status in the trailer grpc-status-details-bin.
grpc::Status ToGrpc(RpcCode code, const Error& error) {
  return {static_cast<grpc::StatusCode>(code), error.message(),
          EncodeStatus(Encoding::kProtobuf, code, error)};
}

// The API gives the bytes but not whether they are compressed. A request can't be mistaken: its
// only field is 1, so it begins with 0x0a.
net::ContentCoding CodingOf(std::string_view bytes) {
  if (bytes.starts_with("\x1f\x8b")) return net::ContentCoding::kGzip;
  if (bytes.starts_with('\x78')) return net::ContentCoding::kDeflate;
  return net::ContentCoding::kIdentity;
}

// The one slice of a message, or its slices joined.
class MessageBytes {
 public:
  bool Read(const grpc::ByteBuffer& buffer) {
    if (buffer.TrySingleSlice(&single_).ok()) return true;
    std::vector<grpc::Slice> slices;
    if (!buffer.Dump(&slices).ok()) return false;
    joined_.reserve(buffer.Length());
    for (const grpc::Slice& slice : slices) {
      joined_.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return true;
  }
  std::string_view bytes() const {
    if (!joined_.empty()) return joined_;
    return {reinterpret_cast<const char*>(single_.begin()), single_.size()};
  }

 private:
  grpc::Slice single_;
  std::string joined_;
};

// What the calls of a receiver share; outlives it while a sink still owes an answer.
struct Shared {
  Shared(const GrpcReceiverOptions& options_in, std::unique_ptr<GrpcFormat> format_in,
         model::SpanSink* sink, MetricRegistry* metrics)
      : options(options_in),
        format(std::move(format_in)),
        intake(format->protocol(), sink, metrics),
        budget(std::make_shared<net::ByteBudget>(options_in.in_flight_bytes_max)) {}

  const GrpcReceiverOptions options;
  const std::unique_ptr<GrpcFormat> format;
  Intake intake;
  const std::shared_ptr<net::ByteBudget> budget;
  std::atomic<uint32_t> calls{0};
};

class Call;

// Who finishes a call: the first to claim it.
struct CallClaim {
  explicit CallClaim(Call* call_in) : call(call_in) {}
  // The call, for the first who asks; it lives until it is finished.
  Call* Take() { return taken.exchange(true) ? nullptr : call; }

  Call* const call;
  std::atomic<bool> taken{false};
};

class Call : public grpc::ServerGenericBidiReactor {
 public:
  Call(std::shared_ptr<Shared> shared, const grpc::GenericCallbackServerContext& context)
      : shared_(std::move(shared)),
        claim_(std::make_shared<CallClaim>(this)),
        share_(shared_->budget) {
    const bool too_many = shared_->calls.fetch_add(1) >= shared_->options.calls_max;
    const Error error = Check(context, too_many);
    if (!error.ok()) {
      FinishWith(error);
      return;
    }
    SetReadTimer();
    StartRead(&request_);
  }
  ~Call() override { shared_->calls.fetch_sub(1); }

  void OnReadDone(bool ok) override;
  void OnCancel() override {
    if (claim_->Take() != nullptr) Answer(Error(ErrorCode::kCancelled, "cancelled"), {});
  }
  void OnDone() override;

 private:
  Error Check(const grpc::GenericCallbackServerContext& context, bool too_many);
  void SetReadTimer();
  Error ReadMessage(MessageBytes* message, std::string* unpacked, std::string_view* bytes);
  void Take(std::string_view bytes);
  void FinishWith(const Error& error) {
    if (claim_->Take() != nullptr) Answer(error, {});
  }
  void Answer(const Error& error, const std::string& response);

  const std::shared_ptr<Shared> shared_;
  const std::shared_ptr<CallClaim> claim_;
  net::BudgetShare share_;
  std::string method_;
  model::TenantId tenant_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  grpc::Alarm read_timer_;
  // The timer's callback uses this call: it and OnDone agree on who is last.
  std::atomic<int> holders_{1};

  void Release() {
    if (holders_.fetch_sub(1) == 1) delete this;
  }
};

Error Call::Check(const grpc::GenericCallbackServerContext& context, bool too_many) {
  method_ = context.method();
  if (!shared_->format->Has(method_)) {
    return Error(ErrorCode::kUnsupported, "there is no method " + method_);
  }
  if (too_many) return Error(ErrorCode::kUnavailable, "too many calls at once", kBusyRetryMs);
  // gRPC's metadata keys are lower-case.
  const auto named = context.client_metadata().find("x-scope-orgid");
  const bool has_name = named != context.client_metadata().end();
  auto tenant = model::ParseTenant(
      has_name ? std::string_view(named->second.data(), named->second.size()) : std::string_view());
  if (!tenant.ok()) return tenant.error();
  tenant_ = std::move(*tenant);
  return shared_->intake.Admit(tenant_, kBytesGuess);
}

void Call::SetReadTimer() {
  holders_.fetch_add(1);
  const auto deadline = std::chrono::system_clock::now() +
                        std::chrono::milliseconds(shared_->options.read_timeout_ms);
  read_timer_.Set(deadline, [this](bool fired) {
    if (fired) FinishWith(Error(ErrorCode::kCancelled, "the message took too long to arrive"));
    Release();
  });
}

void Call::OnReadDone(bool ok) {
  read_timer_.Cancel();
  if (!ok) {
    return FinishWith(Error(ErrorCode::kInvalidArgument, "the call ended without a message"));
  }
  MessageBytes message;
  std::string unpacked;
  std::string_view bytes;
  const Error error = ReadMessage(&message, &unpacked, &bytes);
  request_.Clear();
  if (!error.ok()) return FinishWith(error);
  shared_->intake.CountBytes(bytes.size());
  Take(bytes);
}

Error Call::ReadMessage(MessageBytes* message, std::string* unpacked, std::string_view* bytes) {
  Error busy(ErrorCode::kUnavailable, "too many bytes are being received at this moment",
             kBusyRetryMs);
  const uint64_t wire_bytes = request_.Length();
  if (!share_.GrowTo(wire_bytes)) return busy;
  if (!message->Read(request_)) return Error(ErrorCode::kInternal, "the message can't be read");
  *bytes = message->bytes();
  const net::ContentCoding coding = CodingOf(*bytes);
  if (coding != net::ContentCoding::kIdentity) {
    WEFT_ASSIGN_OR_RETURN(*unpacked,
                          net::Decompress(coding, *bytes, shared_->options.message_bytes_max));
    *bytes = *unpacked;
    if (!share_.GrowTo(wire_bytes + bytes->size())) return busy;
  }
  // What was announced at the beginning was a guess.
  return bytes->size() > kBytesGuess ? shared_->intake.Admit(tenant_, bytes->size()) : Error::Ok();
}

void Call::Take(std::string_view bytes) {
  auto batch = std::make_unique<model::SpanBatch>();
  RejectedSpans rejected;
  auto reply =
      shared_->format->Decode(method_, bytes, shared_->options.limits, batch.get(), &rejected);
  if (!reply.ok()) return FinishWith(reply.error());
  shared_->intake.Take(
      tenant_, std::move(batch), rejected,
      [shared = shared_, claim = claim_, reply = std::move(*reply)](const Error& pushed) {
        if (Call* call = claim->Take()) {
          call->Answer(pushed.ok() ? reply.error : pushed, reply.response);
        }
      });
}

// Called by whoever has claimed the call.
void Call::Answer(const Error& error, const std::string& response) {
  const RpcCode code = RpcCodeOf(error);
  shared_->intake.CountRequest(std::string(RpcCodeName(code)));
  if (!error.ok()) return Finish(ToGrpc(code, error));
  const grpc::Slice slice(response);
  response_ = grpc::ByteBuffer(&slice, 1);
  StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
}

void Call::OnDone() {
  read_timer_.Cancel();
  Release();
}

// gRPC writes its own lines to standard error; what matters of them comes back as statuses too.
void LogFromGrpc(gpr_log_func_args* line) {
  LogDebug("grpc", {{"message", line->message}, {"file", line->file}});
}

class ExportService : public grpc::CallbackGenericService {
 public:
  explicit ExportService(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    net::GrpcMethods* const others = shared_->options.other_methods;
    if (others != nullptr && others->Has(context->method())) return others->Create(*context);
    return new Call(shared_, *context);
  }

 private:
  const std::shared_ptr<Shared> shared_;
};

}  // namespace

class GrpcReceiver::Impl {
 public:
  Impl(const GrpcReceiverOptions& options, std::unique_ptr<GrpcFormat> format,
       model::SpanSink* sink, MetricRegistry* metrics)
      : options_(options),
        quota_name_(format->protocol()),
        service_(std::make_shared<Shared>(options, std::move(format), sink, metrics)) {}

  Error Listen(const std::string& address);
  void Stop(uint32_t grace_ms);
  const std::string& bound_address() const { return bound_address_; }

 private:
  void SetLimits(grpc::ServerBuilder* builder) const;

  const GrpcReceiverOptions options_;
  const std::string quota_name_;
  ExportService service_;
  std::string bound_address_;
  Mutex mutex_;
  std::unique_ptr<grpc::Server> server_ WEFT_GUARDED_BY(mutex_);
};

void GrpcReceiver::Impl::SetLimits(grpc::ServerBuilder* builder) const {
  grpc::ResourceQuota quota(quota_name_);
  quota.Resize(options_.transport_bytes_max);
  builder->SetResourceQuota(quota);
  builder->SetMaxReceiveMessageSize(static_cast<int>(options_.message_bytes_max));
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              static_cast<int>(options_.streams_per_connection_max));
  // Two servers on one port would share its connections at random.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // SDKs that ping more often than gRPC's own five minutes are not to be cut off.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
}

Error GrpcReceiver::Impl::Listen(const std::string& address) {
  WEFT_ASSIGN_OR_RETURN(net::HostPort to, net::ParseHostPort(address));
  if (to.host.empty()) to.host = "0.0.0.0";
  gpr_set_log_function(LogFromGrpc);
  grpc::ServerBuilder builder;
  SetLimits(&builder);
  int port = 0;
  builder.AddListeningPort(net::FormatHostPort(to), grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(&service_);
  const MutexLock lock(mutex_);
  server_ = builder.BuildAndStart();
  if (!server_ || port == 0) {
    return Error(ErrorCode::kIo, "cannot listen on " + address +
                                     ": another program may have the port, or the address is not "
                                     "one of this machine; choose another address");
  }
  to.port = static_cast<uint16_t>(port);
  bound_address_ = net::FormatHostPort(to);
  return Error::Ok();
}

void GrpcReceiver::Impl::Stop(uint32_t grace_ms) {
  const MutexLock lock(mutex_);
  if (!server_) return;
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(grace_ms));
  server_->Wait();
  server_.reset();
}

Result<std::unique_ptr<GrpcReceiver>> GrpcReceiver::Start(const std::string& address,
                                                          const GrpcReceiverOptions& options,
                                                          std::unique_ptr<GrpcFormat> format,
                                                          model::SpanSink* sink,
                                                          MetricRegistry* metrics) {
  auto impl = std::make_unique<Impl>(options, std::move(format), sink, metrics);
  WEFT_RETURN_IF_ERROR(impl->Listen(address));
  return std::unique_ptr<GrpcReceiver>(new GrpcReceiver(std::move(impl)));
}

GrpcReceiver::GrpcReceiver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcReceiver::~GrpcReceiver() { Stop(0); }
std::string GrpcReceiver::bound_address() const { return impl_->bound_address(); }
void GrpcReceiver::Stop(uint32_t grace_ms) { impl_->Stop(grace_ms); }

}  // namespace weft::receive
