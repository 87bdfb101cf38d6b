#include "test/sim/server.h"

#include <future>
#include <utility>

#include "base/folder.h"

namespace weft::sim {

Server::~Server() {
  if (live_) live_->Stop(0);
}

Error Server::Start() {
  WEFT_RETURN_IF_ERROR(MakeDurableFolder(env_, "data"));
  store::BlockStoreOptions stored;
  stored.shelf.catalog = {options_.catalog_blocks_min, 1};
  stored.traces.blocks_min = options_.catalog_blocks_min;
  WEFT_ASSIGN_OR_RETURN(store_, store::BlockStore::Open(objects_, stored, metrics_));
  live::LiveOptions options;
  options.wal.folder = "data/wal";
  options.wal.segment_bytes = options_.segment_bytes;
  options.wal.disk_reserve_bytes = options_.disk_reserve_bytes;
  options.memory_bytes_max = options_.memory_bytes_max;
  options.build_retry_ns = options_.build_retry_ns;
  WEFT_ASSIGN_OR_RETURN(live_,
                        live::LiveTraces::Open(env_, options, metrics_, *store_, *store_, nullptr));
  compact::CompactorOptions compaction;
  compaction.choose.fan_in = options_.fan_in;
  compaction.choose.spans_max = options_.merged_spans_max;
  compaction.choose.age_min_ns = 0;
  compaction.retire_grace_ns = 5'000'000'000;
  compaction.retention.age_ns = options_.retention_age_ns;
  compactor_ = std::make_unique<compact::Compactor>(env_, compaction, *store_, metrics_, nullptr);
  deleter_ = std::make_unique<deletion::Deleter>(env_, deletion::DeleterOptions{}, *store_, [this] {
    const Error error = live_->FlushAndReleaseLog().error();
    stuck_ = !error.ok();
    fresh_spans_ = false;
    return error;
  });
  return Error::Ok();
}

Error Server::Push(const std::vector<live::TestSpan>& spans) {
  std::promise<Error> done;
  live_->Push(TenantOf(spans.front().trace), live::MakeBatch(spans),
              [&](Error error) { done.set_value(std::move(error)); });
  Error error = done.get_future().get();
  if (error.ok()) {
    accepted_spans_ += spans.size();
    fresh_spans_ = true;
  }
  return error;
}

bool Server::TryFlush(Error* error) {
  if (stuck_ && !fresh_spans_) return false;
  *error = live_->Flush().error();
  stuck_ = !error->ok();
  fresh_spans_ = false;
  return true;
}

bool Server::TryDelete(const query::exec::DeletionRequest& request, Error* error) {
  if (stuck_ && !fresh_spans_) return false;
  *error = deleter_->Delete(request).error();
  return true;
}

Error Server::Compact() { return compactor_->RunOnce().error(); }

void Server::Stop(bool flush) {
  live_->Stop(flush && !stuck_ ? 1'000'000'000 : 0);
  // That it fails costs time alone.
  if (flush && !store_->SaveCatalog(true).ok()) return;
}

int64_t Server::CounterGap() const {
  // The log's replay counts what it brings; what senders bring is counted by the receivers, here by
  // Push().
  const uint64_t received = accepted_spans_ + Count("weft_received_spans_total");
  const uint64_t kept =
      Count("weft_stored_spans_total") + live_->counts().spans + Count("weft_refused_spans_total");
  return static_cast<int64_t>(received - kept);
}

}  // namespace weft::sim
