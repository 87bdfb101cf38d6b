// One Call (a reactor) per RPC:
// 1. Its request is read, within a time and a size.
// 2. A job on the worker pool answers it; messages wait in a queue, and gRPC takes one after
// another.
// 3. The call is finished when the job has ended and the queue is empty, or at once when the client
//    has gone away, but never before the job has ended: the job is told to stop.
// A call is held by gRPC, by its timer and by its job; who lets go last deletes it.

#include "api/tempo/streaming_querier.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include "api/dialect.h"
#include "api/tempo/lenient_filter.h"
#include "api/tempo/metrics_run.h"
#include "api/tempo/packets.h"
#include "api/tempo/request.h"
#include "api/tempo/tag_messages.h"
#include "base/mutex.h"
#include "net/compression.h"

namespace weft::api::tempo {
namespace {

constexpr std::string_view kService = "/tempopb.StreamingQuerier/";
constexpr size_t kRequestBytesMax = 1 << 20;
constexpr int64_t kReadTimeoutMs = 10'000;
constexpr int64_t kMs = 1'000'000;
constexpr size_t kTagBytesMax = 4096;

grpc::Status ToGrpc(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kOk: return grpc::Status::OK;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kTooLarge: return {grpc::StatusCode::INVALID_ARGUMENT, error.message()};
    case ErrorCode::kUnsupported: return {grpc::StatusCode::UNIMPLEMENTED, error.message()};
    case ErrorCode::kNotFound: return {grpc::StatusCode::NOT_FOUND, error.message()};
    case ErrorCode::kResourceExhausted:
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, error.message()};
    case ErrorCode::kUnavailable: return {grpc::StatusCode::UNAVAILABLE, error.message()};
    case ErrorCode::kCancelled: return {grpc::StatusCode::CANCELLED, error.message()};
    default: return {grpc::StatusCode::INTERNAL, error.message()};
  }
}

// The message, unpacked when it is compressed: no request of this service begins as gzip does.
Result<std::string> ReadMessage(const grpc::ByteBuffer& buffer) {
  const Error too_large(ErrorCode::kTooLarge,
                        "the request exceeds " + std::to_string(kRequestBytesMax) + " bytes");
  if (buffer.Length() > kRequestBytesMax) return too_large;
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return Error(ErrorCode::kInternal, "the request can't be read");
  std::string bytes;
  for (const grpc::Slice& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  if (!bytes.starts_with("\x1f\x8b")) return bytes;
  return net::Decompress(net::ContentCoding::kGzip, bytes, kRequestBytesMax);
}

template <typename Message>
Result<Message> Parse(std::string_view bytes) {
  Message message;
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return message;
  return Error(ErrorCode::kInvalidArgument, "the request is not a " + message.GetTypeName());
}

// What a request asks, for people; empty where it can't be read.
std::string QueryText(std::string_view method, std::string_view request) {
  const auto of = [](const auto& message) {
    return message.ok() ? message->query() : std::string();
  };
  if (method == "Search") return of(Parse<tempopb::SearchRequest>(request));
  if (method == "MetricsQueryRange") return of(Parse<tempopb::QueryRangeRequest>(request));
  if (method == "MetricsQueryInstant") return of(Parse<tempopb::QueryInstantRequest>(request));
  if (method.starts_with("SearchTagValues")) {
    return of(Parse<tempopb::SearchTagValuesRequest>(request));
  }
  return of(Parse<tempopb::SearchTagsRequest>(request));
}

// Seconds of a message, where 0 is none.
std::optional<uint32_t> Given(uint32_t seconds) {
  return seconds == 0 ? std::nullopt : std::optional(seconds);
}

Result<SearchQuestion> ReadQuestion(const tempopb::SearchRequest& asked, int64_t now_ns,
                                    int64_t range_max_ns) {
  SearchQuestion question;
  question.by_tags = asked.query().empty();
  if (!question.by_tags && !asked.tags().empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 "invalid request: can't specify tags and q in the same query");
  }
  WEFT_ASSIGN_OR_RETURN(
      question.range, MakeRange(Given(asked.start()), Given(asked.end()), kRecentSearchNs, now_ns));
  WEFT_RETURN_IF_ERROR(CheckSearchRange(question.range, range_max_ns));
  WEFT_ASSIGN_OR_RETURN(question.limit, CheckSearchLimit(asked.limit()));
  WEFT_ASSIGN_OR_RETURN(question.spans_per_spanset, CheckSpansPerSpanset(asked.spansperspanset()));
  question.query = asked.query();
  if (question.by_tags) {
    const Tags tags(asked.tags().begin(), asked.tags().end());
    if (tags.size() > kTagsMax) return Error(ErrorCode::kInvalidArgument, "invalid tags; too many");
    const auto ms = [](uint32_t given) { return given == 0 ? -1 : given * kMs; };
    question.query = QueryOfTagSearch(tags, ms(asked.mindurationms()), ms(asked.maxdurationms()));
  }
  WEFT_RETURN_IF_ERROR(CheckQuerySize(question.query));
  return question;
}

template <typename Message>
Error SendAll(const Message& message, const StreamingQuerier::Send& send) {
  for (const std::string& packet : CutPackets(message, kPacketBytesMax)) {
    if (!send(packet)) return {ErrorCode::kCancelled, "the client went away"};
  }
  return Error::Ok();
}

}  // namespace

// What gRPC calls never comes twice at once, but it may come while the job runs.
class StreamingQuerier::Call : public grpc::ServerGenericBidiReactor {
 public:
  Call(StreamingQuerier* querier, const grpc::GenericCallbackServerContext& context)
      : querier_(*querier),
        method_(context.method().substr(kService.size())),
        begin_ns_(querier->parts_.env->MonotonicNs()) {
    const bool too_many = querier_.calls_.fetch_add(1) >= querier_.options_.calls_max;
    const Error error = Check(context, too_many);
    if (!error.ok()) {
      begun_ = true;
      End(error);
      return;
    }
    holders_.fetch_add(1);
    const auto deadline =
        std::chrono::system_clock::now() + std::chrono::milliseconds(kReadTimeoutMs);
    read_timer_.Set(deadline, [this](bool fired) {
      if (fired) EndOnce(Error(ErrorCode::kCancelled, "the request took too long to arrive"));
      Release();
    });
    StartRead(&request_);
  }
  ~Call() override { querier_.calls_.fetch_sub(1); }

  void OnReadDone(bool ok) override {
    read_timer_.Cancel();
    if (!ok) {
      return EndOnce(Error(ErrorCode::kInvalidArgument, "the call ended without a request"));
    }
    if (begun_.exchange(true)) return;  // the timer was first
    auto request = ReadMessage(request_);
    request_.Clear();
    if (!request.ok()) return End(request.error());
    holders_.fetch_add(1);
    auto text = std::make_shared<const std::string>(std::move(*request));
    const StreamingWork& work = querier_.parts_.work;
    query_ = work.running->Begin(tenant_, std::string(kService) + method_, {});
    query_->SetText(QueryText(method_, *text));
    const bool queued = work.pool->TryRun(tenant_, [this, text] {
      End(RunInTurn(*text));
      Release();
    });
    if (queued) return;
    holders_.fetch_sub(1);  // gRPC still holds it
    End(Error(ErrorCode::kUnavailable, "too many requests are waiting; try again"));
  }

  void OnWriteDone(bool ok) override {
    if (!ok) gone_ = true;
    {
      const MutexLock lock(mutex_);
      queue_.pop_front();
      writing_ = false;
    }
    Advance();
  }

  void OnCancel() override {
    gone_ = true;
    EndOnce(Error(ErrorCode::kCancelled, "the client went away"));
  }

  void OnDone() override {
    read_timer_.Cancel();
    Release();
  }

 private:
  Error Check(const grpc::GenericCallbackServerContext& context, bool too_many) {
    if (too_many) return {ErrorCode::kUnavailable, "too many calls at once; try again"};
    const auto named = context.client_metadata().find("x-scope-orgid");
    const bool has_name = named != context.client_metadata().end();
    WEFT_ASSIGN_OR_RETURN(
        tenant_, ReadTenants(has_name ? std::string_view(named->second.data(), named->second.size())
                                      : std::string_view()));
    return Error::Ok();
  }

  // On the pool.
  Error RunInTurn(const std::string& request) {
    FairShare::Work share(querier_.parts_.work.share, tenant_);
    const FairShare::Turn turn(&share);
    query_->SetRunning();
    const Error error = Run(request);
    query_.reset();
    return error;
  }

  Error Run(const std::string& request) {
    if (gone_) return {ErrorCode::kCancelled, "the client went away"};
    if (query_->cancelled()) return {ErrorCode::kCancelled, "the query was cancelled"};
    if (const std::string why = querier_.parts_.not_ready(); !why.empty())
      return {ErrorCode::kUnavailable, "not ready: " + why};
    query::exec::Budget budget;
    budget.time_ms =
        querier_.options_.time_ms - (querier_.parts_.env->MonotonicNs() - begin_ns_) / kMs;
    if (budget.time_ms <= 0)
      return {ErrorCode::kUnavailable, "the request waited longer than it may take; try again"};
    budget.memory_bytes = querier_.options_.memory_bytes;
    budget.read_bytes = querier_.options_.read_bytes;
    budget.client_gone = &gone_;
    budget.cancelled = &query_->cancelled();
    return querier_.Answer(method_, tenant_, request, budget, [this](const std::string& message) {
      const grpc::Slice slice(message);
      if (gone_) return false;
      {
        const MutexLock lock(mutex_);
        queue_.emplace_back(&slice, 1);
      }
      Advance();
      return true;
    });
  }

  // Ends a call whose job has not begun: whoever comes first.
  void EndOnce(const Error& error) {
    if (!begun_.exchange(true)) End(error);
  }

  // Once: nothing is sent afterwards.
  void End(const Error& error) {
    querier_.parts_.metrics
        ->GetCounter("weft_api_stream_calls_total", "Calls of Tempo's streaming API by status.",
                     {{"method", method_}, {"code", std::string(ErrorCodeName(error.code()))}})
        .Add();
    {
      const MutexLock lock(mutex_);
      ended_ = true;
      status_ = ToGrpc(error);
    }
    Advance();
  }

  // Does what is next. Not under the lock: gRPC may call back from inside.
  void Advance() {
    grpc::ByteBuffer* message = nullptr;
    {
      const MutexLock lock(mutex_);
      if (writing_ || finished_) return;
      if (gone_) queue_.clear();
      if (!queue_.empty()) {
        writing_ = true;
        message = &queue_.front();
      } else if (ended_) {
        finished_ = true;
      } else {
        return;
      }
    }
    if (message != nullptr) {
      StartWrite(message);
    } else {
      Finish(status_);
    }
  }

  void Release() {
    if (holders_.fetch_sub(1) == 1) delete this;
  }

  StreamingQuerier& querier_;
  const std::string method_;
  const int64_t begin_ns_;
  model::TenantId tenant_;
  grpc::ByteBuffer request_;
  std::shared_ptr<RunningQueries::Entry> query_;  // until the job has ended
  grpc::Alarm read_timer_;
  std::atomic<int> holders_ = 1;  // gRPC, until OnDone
  std::atomic<bool> begun_ = false;
  std::atomic<bool> gone_ = false;

  Mutex mutex_;
  std::deque<grpc::ByteBuffer> queue_ WEFT_GUARDED_BY(mutex_);
  bool writing_ WEFT_GUARDED_BY(mutex_) = false;
  bool ended_ WEFT_GUARDED_BY(mutex_) = false;
  bool finished_ WEFT_GUARDED_BY(mutex_) = false;
  grpc::Status status_;  // set before `ended_`
};

StreamingQuerier::StreamingQuerier(const StreamingParts& parts, const StreamingOptions& options)
    : parts_(parts), options_(options), source_(*parts_.source) {}

bool StreamingQuerier::Has(const std::string& method) const {
  constexpr std::array<std::string_view, 7> kMethods = {"Search",
                                                        "SearchTags",
                                                        "SearchTagsV2",
                                                        "SearchTagValues",
                                                        "SearchTagValuesV2",
                                                        "MetricsQueryRange",
                                                        "MetricsQueryInstant"};
  if (!method.starts_with(kService)) return false;
  const std::string_view name = std::string_view(method).substr(kService.size());
  return std::find(kMethods.begin(), kMethods.end(), name) != kMethods.end();
}

grpc::ServerGenericBidiReactor* StreamingQuerier::Create(
    const grpc::GenericCallbackServerContext& context) {
  return new Call(this, context);
}

Error StreamingQuerier::Answer(std::string_view method, const model::TenantId& tenant,
                               std::string_view request, const query::exec::Budget& budget,
                               const Send& send) const {
  if (method == "Search") return Search(tenant, request, budget, send);
  if (method == "SearchTags") return Tags(false, tenant, request, budget, send);
  if (method == "SearchTagsV2") return Tags(true, tenant, request, budget, send);
  if (method == "SearchTagValues") return TagValues(false, tenant, request, budget, send);
  if (method == "SearchTagValuesV2") return TagValues(true, tenant, request, budget, send);
  if (method == "MetricsQueryRange") return MetricsRange(tenant, request, budget, send);
  return MetricsInstant(tenant, request, budget, send);
}

Error StreamingQuerier::MetricsRange(const model::TenantId& tenant, std::string_view request,
                                     const query::exec::Budget& budget, const Send& send) const {
  WEFT_ASSIGN_OR_RETURN(const auto asked, Parse<tempopb::QueryRangeRequest>(request));
  WEFT_ASSIGN_OR_RETURN(MetricsQuestion question,
                        ToQuestion(asked, parts_.env->NowNs(), options_.range_max_ns));
  question.dialect = DialectOf(tenant, options_.compat_tenants);
  tempopb::QueryRangeResponse response;
  WEFT_RETURN_IF_ERROR(
      RunRange(source_, *parts_.env, *parts_.runner, tenant, budget, question, &response));
  return SendAll(response, send);
}

Error StreamingQuerier::MetricsInstant(const model::TenantId& tenant, std::string_view request,
                                       const query::exec::Budget& budget, const Send& send) const {
  WEFT_ASSIGN_OR_RETURN(const auto asked, Parse<tempopb::QueryInstantRequest>(request));
  WEFT_ASSIGN_OR_RETURN(MetricsQuestion question,
                        ToQuestion(asked, parts_.env->NowNs(), options_.range_max_ns));
  question.dialect = DialectOf(tenant, options_.compat_tenants);
  tempopb::QueryInstantResponse response;
  WEFT_RETURN_IF_ERROR(
      RunInstant(source_, *parts_.env, *parts_.runner, tenant, budget, question, &response));
  return SendAll(response, send);
}

Error StreamingQuerier::Search(const model::TenantId& tenant, std::string_view request,
                               const query::exec::Budget& budget, const Send& send) const {
  WEFT_ASSIGN_OR_RETURN(const auto asked, Parse<tempopb::SearchRequest>(request));
  WEFT_ASSIGN_OR_RETURN(SearchQuestion question,
                        ReadQuestion(asked, parts_.env->NowNs(), options_.range_max_ns));
  if (!question.by_tags) question.dialect = DialectOf(tenant, options_.compat_tenants);
  const SearchParts parts{&source_, parts_.env, parts_.runner, options_.strip_trace_ids};
  tempopb::SearchResponse response;
  const auto progress = [&](const tempopb::SearchResponse& so_far, int first_new) {
    tempopb::SearchResponse news;
    *news.mutable_metrics() = so_far.metrics();
    for (int i = first_new; i < so_far.traces_size(); ++i) *news.add_traces() = so_far.traces(i);
    (void)SendAll(news, send);  // a client that has gone away ends the search by its budget
  };
  WEFT_RETURN_IF_ERROR(RunSearch(parts, tenant, budget, question, progress, &response));
  return SendAll(response, send);
}

Error StreamingQuerier::Tags(bool v2, const model::TenantId& tenant, std::string_view request,
                             const query::exec::Budget& budget, const Send& send) const {
  WEFT_ASSIGN_OR_RETURN(const auto asked, Parse<tempopb::SearchTagsRequest>(request));
  WEFT_ASSIGN_OR_RETURN(const AskedScope scope, ReadScope(asked.scope()));
  TagRequest tags;
  tags.tenant = tenant;
  tags.limit = asked.maxtagsperscope();
  tags.filter = ReadLenientFilter(asked.query());
  WEFT_ASSIGN_OR_RETURN(tags.range, MakeRange(Given(asked.start()), Given(asked.end()),
                                              kRecentTagsNs, parts_.env->NowNs()));
  const TagMessages messages(source_, *parts_.env, tags, budget);
  if (v2) {
    WEFT_ASSIGN_OR_RETURN(const auto names, messages.NamesV2(scope));
    return SendAll(names, send);
  }
  WEFT_ASSIGN_OR_RETURN(const auto names, messages.NamesV1(scope));
  return SendAll(names, send);
}

Error StreamingQuerier::TagValues(bool v2, const model::TenantId& tenant, std::string_view request,
                                  const query::exec::Budget& budget, const Send& send) const {
  WEFT_ASSIGN_OR_RETURN(const auto asked, Parse<tempopb::SearchTagValuesRequest>(request));
  if (asked.tagname().size() > kTagBytesMax) {
    return {ErrorCode::kInvalidArgument, "please provide a valid tagName: longer than " +
                                             std::to_string(kTagBytesMax) + " bytes"};
  }
  const std::string name = DecodeTagName(asked.tagname());
  TagRequest tags;
  tags.tenant = tenant;
  tags.limit = asked.maxtagvalues();
  tags.filter = ReadLenientFilter(asked.query());
  WEFT_ASSIGN_OR_RETURN(tags.range, MakeRange(Given(asked.start()), Given(asked.end()),
                                              kRecentTagsNs, parts_.env->NowNs()));
  const TagMessages messages(source_, *parts_.env, tags, budget);
  if (v2) {
    WEFT_ASSIGN_OR_RETURN(const query::plan::Field field, ReadTagName(name));
    WEFT_ASSIGN_OR_RETURN(const auto values, messages.ValuesV2(field));
    return SendAll(values, send);
  }
  WEFT_ASSIGN_OR_RETURN(const auto values, messages.ValuesV1(name));
  return SendAll(values, send);
}

}  // namespace weft::api::tempo
