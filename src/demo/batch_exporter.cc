#include "demo/batch_exporter.h"

namespace weft::demo {
namespace {

constexpr std::string_view kSchemaUrl = "https://opentelemetry.io/schemas/1.37.0";

}  // namespace

BatchExporter::BatchExporter(const Fleet& fleet, const BatchOptions& options)
    : fleet_(fleet), options_(options), batches_(fleet.instances().size()) {}

void BatchExporter::Add(const FinishedSpan& span, std::vector<ExportRequest>* out) {
  Batch& batch = batches_[span.instance];
  if (batch.span_count == 0) batch.oldest_ns = span.end_ns;
  batch.spans[static_cast<size_t>(span.library)].Bytes(2, span.message);
  if (++batch.span_count == options_.spans_max) Flush(span.instance, out);
}

void BatchExporter::FlushDue(uint64_t now_ns, std::vector<ExportRequest>* out) {
  for (uint32_t i = 0; i < batches_.size(); ++i) {
    if (batches_[i].span_count != 0 && batches_[i].oldest_ns + options_.delay_ns <= now_ns)
      Flush(i, out);
  }
}

void BatchExporter::FlushAll(std::vector<ExportRequest>* out) {
  for (uint32_t i = 0; i < batches_.size(); ++i) {
    if (batches_[i].span_count != 0) Flush(i, out);
  }
}

// ResourceSpans { resource = 1, scope_spans = 2 ScopeSpans { scope = 1, spans = 2 }, schema_url = 3
// }
void BatchExporter::Flush(uint32_t instance, std::vector<ExportRequest>* out) {
  Batch& batch = batches_[instance];
  const Instance& process = fleet_.instances()[instance];
  resource_spans_.Clear();
  resource_spans_.Bytes(1, process.resource);
  for (size_t library = 0; library < kLibraryCount; ++library) {
    WireBuffer& spans = batch.spans[library];
    if (spans.bytes().empty()) continue;
    const ScopeInfo& scope = ScopeOf(process.language, static_cast<Library>(library));
    scope_.Clear();
    scope_.Bytes(1, scope.name);
    if (!scope.version.empty()) scope_.Bytes(2, scope.version);
    scope_spans_.Clear();
    scope_spans_.Bytes(1, scope_.bytes());
    scope_spans_.Append(spans.bytes());
    resource_spans_.Bytes(2, scope_spans_.bytes());
    spans.Clear();
  }
  resource_spans_.Bytes(3, kSchemaUrl);
  request_.Clear();
  request_.Bytes(1, resource_spans_.bytes());
  out->push_back({std::string(request_.bytes()), batch.span_count});
  batch.span_count = 0;
}

}  // namespace weft::demo
