#include "generate/generating_sink.h"

#include <utility>

#include "generate/batch_counter.h"

namespace weft::generate {

void GeneratingSink::Push(const model::TenantId& tenant, std::unique_ptr<model::SpanBatch> batch,
                          Done done) {
  // Before the batch is given away.
  auto counts = std::make_shared<BatchCounts>(CountBatch(*batch, options_));
  next_.Push(tenant, std::move(batch),
             [this, tenant, counts = std::move(counts), done = std::move(done)](Error error) {
               if (error.ok()) {
                 store_.Add(tenant, Kind::kSpans, std::move(counts->spans));
                 store_.Add(tenant, Kind::kTargets, std::move(counts->targets));
                 if (options_.service_graphs) calls_.Add(tenant, std::move(counts->calls));
               }
               done(std::move(error));
             });
}

}  // namespace weft::generate
