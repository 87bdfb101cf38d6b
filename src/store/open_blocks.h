// OpenBlocks: blocks opened when first asked for, the least recently used closed when there are too
// many.
#pragma once

#include <list>
#include <map>
#include <memory>

#include "base/metrics.h"
#include "base/mutex.h"
#include "block/column_cache.h"
#include "block/reader.h"
#include "store/catalog.h"
#include "store/file_pool.h"
#include "store/object_store.h"

namespace weft::store {

// Any thread. What it gives stays usable after it was closed here, as long as someone holds it.
class OpenBlocks {
 public:
  struct Limits {
    size_t blocks_max = 512;                // a footer each in memory
    size_t files_max = 256;                 // open at a time
    size_t cache_bytes_max = 128ull << 20;  // of decoded columns, dictionaries, directories
  };

  OpenBlocks(const ObjectStore& objects, Limits limits, MetricRegistry& metrics);

  Result<std::shared_ptr<const block::Block>> Get(const CatalogBlock& block) WEFT_EXCLUDES(mutex_);
  // Opens it once more, with a cache of its own.
  Result<std::shared_ptr<const block::Block>> OpenApart(const CatalogBlock& block,
                                                        uint64_t cache_bytes);
  void Forget(const BlockName& name) WEFT_EXCLUDES(mutex_);

 private:
  using Opened = std::shared_ptr<const block::Block>;
  struct Entry {
    BlockName name;
    Opened block;
  };

  Opened Find(const BlockName& name) WEFT_EXCLUDES(mutex_);

  const Limits limits_;
  FilePool files_;
  const std::shared_ptr<block::ColumnCache> cache_;
  Counter& opened_counter_;

  Mutex mutex_;
  std::list<Entry> entries_ WEFT_GUARDED_BY(mutex_);  // most recently used first
  std::map<BlockName, std::list<Entry>::iterator> index_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::store
