// The answer may not depend on where the spans are: TraceQL's corpus over the real live traces and
// store, on a disk in memory.
#include <future>
#include <numeric>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/env_fake.h"
#include "base/folder.h"
#include "base/log.h"
#include "compact/compactor.h"
#include "deletion/deleter.h"
#include "live/live_traces.h"
#include "model/span_batch.h"
#include "query/lang/traceql/compile.h"
#include "store/block_store.h"
#include "store/local_object_store.h"
#include "test/corpus/corpus.h"

namespace weft {
namespace {

// A server's data path without its sockets.
class Server : public block::RowSource {
 public:
  Error Start() {
    live_.reset();
    store_.reset();
    metrics_ = std::make_unique<MetricRegistry>();
    WEFT_RETURN_IF_ERROR(MakeDurableFolder(env_, "data"));
    WEFT_ASSIGN_OR_RETURN(store_, store::BlockStore::Open(objects_, {}, *metrics_));
    live::LiveOptions options;
    options.wal.folder = "data/wal";
    options.wal.disk_reserve_bytes = 0;
    WEFT_ASSIGN_OR_RETURN(
        live_, live::LiveTraces::Open(env_, options, *metrics_, *store_, *store_, nullptr));
    return Error::Ok();
  }

  Error Push(const model::SpanBatch& spans, const std::vector<uint32_t>& rows) {
    auto batch = std::make_unique<model::SpanBatch>();
    model::BatchAppender(batch.get()).Append(spans, rows);
    std::promise<Error> done;
    live_->Push("default", std::move(batch),
                [&](Error error) { done.set_value(std::move(error)); });
    return done.get_future().get();
  }
  Error Flush() { return live_->Flush().error(); }
  Error Delete(const std::string& query) {
    deletion::Deleter deleter(env_, {}, *store_,
                              [this] { return live_->FlushAndReleaseLog().error(); });
    query::exec::DeletionRequest request{.tenant = "default"};
    request.predicate = *query::lang::traceql::Compile(query)->filter();
    return deleter.Delete(request).error();
  }
  // What deletions have hidden is taken out.
  Error Compact() {
    compact::CompactorOptions options;
    options.cpu_percent = 0;
    compact::Compactor compactor(env_, options, *store_, *metrics_, nullptr);
    for (int i = 0; i < 20; ++i) {
      env_.SetNowNs(env_.NowNs() + 60'000'000'000);
      WEFT_RETURN_IF_ERROR(compactor.RunOnce().error());
    }
    return Error::Ok();
  }
  // As after a kill: nothing is flushed.
  Error Restart() {
    live_->Stop(0);
    env_.PowerCycle();
    return Start();
  }

  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId& tenant, TimeRange range,
      const block::SnapshotOptions& options) const override {
    return live_->Snapshot(tenant, range, options);
  }
  Result<model::SpanBatch> FindTrace(const model::TenantId& tenant,
                                     model::TraceId id) const override {
    return live_->FindTrace(tenant, id);
  }
  Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenant,
                                       model::TraceId id) const override {
    return live_->SummarizeTrace(tenant, id);
  }

 private:
  FakeEnv env_{1};
  store::LocalObjectStore objects_{env_, "data/blocks"};
  std::unique_ptr<MetricRegistry> metrics_;
  std::unique_ptr<store::BlockStore> store_;
  std::unique_ptr<live::LiveTraces> live_;
};

using Placed = Result<std::shared_ptr<const block::RowSource>>;

// Rows `first`, then - after `between` - the others, then `last`.
template <typename Between, typename Last>
Placed Place(const model::SpanBatch& spans, uint32_t first_rows, Between between, Last last) {
  auto server = std::make_shared<Server>();
  WEFT_RETURN_IF_ERROR(server->Start());
  std::vector<uint32_t> rows(spans.size());
  std::iota(rows.begin(), rows.end(), 0);
  const std::vector<uint32_t> first(rows.begin(), rows.begin() + first_rows),
      rest(rows.begin() + first_rows, rows.end());
  WEFT_RETURN_IF_ERROR(server->Push(spans, first));
  WEFT_RETURN_IF_ERROR(between(server.get()));
  WEFT_RETURN_IF_ERROR(server->Push(spans, rest));
  WEFT_RETURN_IF_ERROR(last(server.get()));
  return std::shared_ptr<const block::RowSource>(std::move(server));
}

// All rows, and - after `between` - all again: a sender that never saw the acknowledgement.
template <typename Between, typename Last>
Placed PlaceTwice(const model::SpanBatch& spans, Between between, Last last) {
  std::vector<uint32_t> rows(spans.size());
  std::iota(rows.begin(), rows.end(), 0);
  const auto and_again = [&](Server* server) -> Error {
    WEFT_RETURN_IF_ERROR(between(server));
    return server->Push(spans, rows);
  };
  return Place(spans, spans.size(), and_again, last);
}

// All rows, half of them in a block of their own, each with a child that is deleted again.
template <typename Last>
Placed PlaceBesideDeleted(const model::SpanBatch& spans, Last last) {
  model::SpanBatch decoys;
  model::BatchAppender(&decoys).AppendAll(spans);
  const model::Code name = decoys.strings.Intern("a decoy");
  for (uint32_t i = 0; i < decoys.size(); ++i) {
    decoys.parent_span_id[i] = decoys.span_id[i];
    decoys.span_id[i].value ^= 0xdec0dec0dec0dec0;
    decoys.name[i] = name;
  }
  const auto push_decoys = [&](Server* server) -> Error {
    std::vector<uint32_t> rows(decoys.size());
    std::iota(rows.begin(), rows.end(), 0);
    WEFT_RETURN_IF_ERROR(server->Push(decoys, rows));
    return server->Flush();
  };
  const auto delete_them = [&](Server* server) -> Error {
    if (decoys.size() > 0) WEFT_RETURN_IF_ERROR(server->Delete("{ name = \"a decoy\" }"));
    return last(server);
  };
  return Place(spans, spans.size() / 2, push_decoys, delete_them);
}

Error Nothing(Server*) { return Error::Ok(); }
Error Flush(Server* server) { return server->Flush(); }
Error Restart(Server* server) { return server->Restart(); }
Error Compact(Server* server) { return server->Compact(); }

std::vector<corpus::Placement> Placements() {
  return {
      {"live", [](const model::SpanBatch& s) { return Place(s, s.size(), Nothing, Nothing); }},
      {"live_in_two_requests",
       [](const model::SpanBatch& s) { return Place(s, s.size() / 2, Nothing, Nothing); }},
      {"block", [](const model::SpanBatch& s) { return Place(s, s.size(), Nothing, Flush); }},
      {"two_blocks",
       [](const model::SpanBatch& s) { return Place(s, s.size() / 2, Flush, Flush); }},
      {"half_block_half_live",
       [](const model::SpanBatch& s) { return Place(s, s.size() / 2, Flush, Nothing); }},
      {"sent_twice", [](const model::SpanBatch& s) { return PlaceTwice(s, Nothing, Nothing); }},
      {"sent_twice_block_and_live",
       [](const model::SpanBatch& s) { return PlaceTwice(s, Flush, Nothing); },
       /*counts_twice=*/true},
      {"sent_twice_two_blocks",
       [](const model::SpanBatch& s) { return PlaceTwice(s, Flush, Flush); }},
      {"restarted",
       [](const model::SpanBatch& s) { return Place(s, s.size() / 2, Flush, Restart); }},
      {"beside_deleted", [](const model::SpanBatch& s) { return PlaceBesideDeleted(s, Nothing); }},
      {"beside_deleted_restarted",
       [](const model::SpanBatch& s) { return PlaceBesideDeleted(s, Restart); }},
      {"beside_deleted_rewritten",
       [](const model::SpanBatch& s) { return PlaceBesideDeleted(s, Compact); }},
  };
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  weft::SetUpLog(weft::LogLevel::kError, weft::LogFormat::kText);
  weft::corpus::RegisterCorpus(
      "traceql", [](std::string_view text) { return weft::query::lang::traceql::Compile(text); },
      weft::Placements());
  return RUN_ALL_TESTS();
}
