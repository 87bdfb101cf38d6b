// A SpanSink that counts what goes through it. Spans count once the sink behind has taken them:
// whoever has been told "accepted" finds them in the series.
#pragma once

#include <memory>

#include "generate/call_matcher.h"
#include "generate/options.h"
#include "generate/series_store.h"
#include "model/span_sink.h"

namespace weft::generate {

// Any thread. References outlive this and every Done that is still to come.
class GeneratingSink : public model::SpanSink {
 public:
  GeneratingSink(const Env& env, MetricRegistry& metrics, const Options& options,
                 SeriesStore* store, model::SpanSink* next)
      : options_(options), store_(*store), calls_(env, metrics, store), next_(*next) {}

  Error Admit(const model::TenantId& tenant, uint64_t announced_bytes) override {
    return next_.Admit(tenant, announced_bytes);
  }
  void Push(const model::TenantId& tenant, std::unique_ptr<model::SpanBatch> batch,
            Done done) override;

 private:
  const Options options_;
  SeriesStore& store_;
  CallMatcher calls_;
  model::SpanSink& next_;
};

}  // namespace weft::generate
