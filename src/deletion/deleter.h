// Deleter: deletes spans for good.
//
// 1. Everything live becomes blocks and the log lets go of it, so that what is to be deleted is in
//    blocks and nowhere else. Spans that are acknowledged later are not concerned.
// 2. In each block the rows are found on which the query is true, or those of the traces named.
// 3. Of a trace that loses only some of its spans the others are written to a new block of their
//    own, in which children of deleted spans are orphans. It does not count yet.
// 4. The record of the deletion is written (block/deletion.h): the rows of all traces that lose
//    spans are hidden, the new blocks count. This is the moment of the deletion.
// 5. Compaction rewrites the blocks without the hidden rows and deletes the old ones; then it notes
//    in the record that the deletion is done.
//
// A crash before 4 leaves blocks that do not count and that the next start removes; one after it
// changes nothing.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/error.h"
#include "block/block.h"
#include "query/exec/span_deleter.h"
#include "store/block_store.h"

namespace weft::deletion {

struct DeleterOptions {
  block::BlockWriterOptions block;
  uint64_t cache_bytes = 16ull << 20;  // for each block that is read
};

// Any thread; one deletion at a time, others are refused meanwhile.
class Deleter : public query::exec::SpanDeleter {
 public:
  // `flush` is step 1. `env` and `store` must outlive it.
  Deleter(Env& env, DeleterOptions options, store::BlockStore& store, std::function<Error()> flush);

  Result<DeletionPtr> Delete(const query::exec::DeletionRequest& request) override;
  // Flushes, too.
  Result<query::exec::DeletionCounts> Count(const query::exec::DeletionRequest& request) override;
  std::vector<DeletionPtr> List(const model::TenantId& tenant) const override;
  DeletionPtr Find(const model::TenantId& tenant, std::string_view id) const override;

 private:
  // What a request selects in one block.
  struct Selection;
  // What a deletion has written so far.
  struct Draft;

  Result<Selection> Select(const query::exec::DeletionRequest& request,
                           const store::CatalogBlock& block) const;
  Error SelectByPredicate(const query::exec::DeletionRequest& request,
                          const store::CatalogBlock& block, Selection* selection) const;
  Error SelectTraces(const query::exec::DeletionRequest& request, const store::CatalogBlock& block,
                     Selection* selection) const;
  // Steps 2 and 3; with `dry_run` 2 alone. The caller holds store.rewriting().
  Error Prepare(const query::exec::DeletionRequest& request, bool dry_run, Draft* draft);
  Error AddBlock(const store::CatalogBlock& block, Selection selection, bool dry_run, Draft* draft);
  Error WriteRest(const store::CatalogBlock& block, const Selection& selection, Draft* draft);

  Env& env_;
  const DeleterOptions options_;
  store::BlockStore& store_;
  const std::function<Error()> flush_;
  std::atomic<bool> running_{false};
};

}  // namespace weft::deletion
