// One trace by its id, and two side by side, as Tempo's API gives it.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/dialect.h"
#include "api/tempo/answers.h"
#include "api/tempo/diff_request.h"
#include "api/tempo/request.h"
#include "api/tempo/tempo_api.h"
#include "api/tempo/trace_filter.h"
#include "api/tempo/trace_text.h"
#include "api/trace_diff_text.h"
#include "model/otlp_encode.h"

namespace weft::api::tempo {
namespace {

constexpr uint64_t kAttachedPatchBytesMax = 64 << 10;

// What is asked. The times of the request say to Tempo which blocks to open; weft knows where a
// trace is, and gives all of it.
Result<model::TraceId> ReadTraceRequest(const Call& call, int64_t now_ns) {
  WEFT_ASSIGN_OR_RETURN(const model::TraceId id,
                        ReadTraceId(call.request.PathParameter("traceID")));
  WEFT_RETURN_IF_ERROR(ReadRange(call.request, now_ns, 0).error());
  constexpr std::array<std::string_view, 4> kModes = {"all", "ingesters", "blocks", "external"};
  const auto mode = FindValue(call.request, "mode");
  if (mode && std::find(kModes.begin(), kModes.end(), *mode) == kModes.end()) {
    return Error(ErrorCode::kInvalidArgument,
                 "invalid mode: must be one of all, ingesters, blocks, external");
  }
  return id;
}

// A trace with its rows in preorder, cut so that its protobuf form keeps to the limit: parents
// stay, the last of the tree go.
struct FoundTrace {
  model::SpanBatch batch;
  OrderedTrace ordered;
  std::vector<uint32_t> rows;  // of the batch
  bool filtered = false;       // spans were left out by a filter
  bool cut = false;
};

Error KeepFiltered(const TraceFilter& filter, FoundTrace* trace) {
  WEFT_ASSIGN_OR_RETURN(const std::vector<uint32_t> kept, FilterTrace(trace->ordered, filter));
  trace->filtered = kept.size() < trace->rows.size();
  trace->rows.clear();
  for (const uint32_t row : kept) trace->rows.push_back(trace->ordered.tree.input[row]);
  return Error::Ok();
}

void CutTo(uint64_t bytes_max, FoundTrace* trace) {
  std::string encoded;
  for (;;) {
    encoded.clear();
    model::EncodeOtlpProto(trace->batch, trace->rows, &encoded);
    if (encoded.size() <= bytes_max) return;
    trace->cut = true;
    const double share = static_cast<double>(bytes_max) / static_cast<double>(encoded.size());
    const auto fitting = static_cast<size_t>(share * static_cast<double>(trace->rows.size()));
    trace->rows.resize(std::min(fitting, trace->rows.size() - 1));
  }
}

Error Find(const block::RowSource& source, const Call& call, model::TraceId id, uint64_t bytes_max,
           const std::optional<TraceFilter>& filter, FoundTrace* trace) {
  WEFT_ASSIGN_OR_RETURN(trace->batch, source.FindTrace(call.tenant, id));
  if (call.request.client_gone()) return {ErrorCode::kCancelled, "the client went away"};
  SortAttributes(&trace->batch);
  trace->ordered = OrderTrace(trace->batch);
  trace->rows = trace->ordered.tree.input;
  if (filter) WEFT_RETURN_IF_ERROR(KeepFiltered(*filter, trace));
  CutTo(bytes_max, trace);
  return Error::Ok();
}

// Why an answer is not the whole trace.
std::string PartialMessage(const FoundTrace& trace, uint64_t bytes_max) {
  std::string message;
  if (trace.cut) {
    message = "Trace exceeds maximum size of " + std::to_string(bytes_max) +
              " bytes, a partial trace is returned";
  }
  if (trace.filtered) {
    if (!message.empty()) message += "; ";
    message += "Trace filtered, only a subset of spans matching the filter is returned";
  }
  return message;
}

}  // namespace

net::HttpResponse TempoApi::TraceV1(const Call& call) const {
  const auto id = ReadTraceRequest(call, parts_.env->NowNs());
  if (!id.ok()) return AnswerError(id.error());
  // The whole trace would be a wrong answer.
  if (FindValue(call.request, "q")) {
    return AnswerError(Error(ErrorCode::kInvalidArgument,
                             "q is not a parameter of /api/traces; /api/v2/traces has it"));
  }
  FoundTrace trace;
  const Error error = Find(source_, call, *id, options_.trace_bytes_max, std::nullopt, &trace);
  if (!error.ok()) return AnswerError(error);
  if (trace.cut) {
    net::HttpResponse response =
        AnswerError(Error(ErrorCode::kTooLarge, "trace exceeds max size (max bytes: " +
                                                    std::to_string(options_.trace_bytes_max) +
                                                    "); /api/v2/traces gives a part of it"));
    response.status = 422;
    return response;
  }
  if (trace.rows.empty()) {
    net::HttpResponse response = AnswerText("");
    response.status = 404;
    return response;
  }
  const TraceAnswer answer{&trace.ordered, trace.rows, {}};
  if (FormOf(call.request) == AnswerForm::kProtobuf)
    return Answer(AnswerForm::kProtobuf, EncodeV1Proto(answer));
  return Answer(AnswerForm::kJson, EncodeV1Json(answer));
}

net::HttpResponse TempoApi::TraceV2(const Call& call) const {
  const auto id = ReadTraceRequest(call, parts_.env->NowNs());
  if (!id.ok()) return AnswerError(id.error());
  const auto dialect = ReadDialect(call.request, call.tenant, options_.compat_tenants);
  if (!dialect.ok()) return AnswerError(dialect.error());
  const auto filter = ReadTraceFilter(call.request, *dialect);
  if (!filter.ok()) return AnswerError(filter.error());
  FoundTrace trace;
  const Error error = Find(source_, call, *id, options_.trace_bytes_max, *filter, &trace);
  if (!error.ok()) return AnswerError(error);
  const TraceAnswer answer{&trace.ordered, trace.rows,
                           PartialMessage(trace, options_.trace_bytes_max)};
  const AnswerForm form = FormOf(call.request);
  switch (form) {
    case AnswerForm::kProtobuf: return Answer(form, EncodeV2Proto(answer));
    case AnswerForm::kLlm: return Answer(form, EncodeLlm(answer, *id));
    case AnswerForm::kJson: break;
  }
  return Answer(form, EncodeV2Json(answer));
}

net::HttpResponse TempoApi::TraceDiff(const Call& call) const {
  const auto request = ReadDiffRequest(call.request.body);
  if (!request.ok()) return AnswerError(request.error());
  const auto diff = DiffTraces(source_, call, request->ids, options_.trace_bytes_max);
  if (!diff.ok()) return AnswerError(diff.error());
  return Answer(AnswerForm::kJson,
                EncodeDiff(*diff, request->ids, request->format, kAttachedPatchBytesMax));
}

}  // namespace weft::api::tempo
