#include "store/open_blocks.h"

#include <algorithm>
#include <utility>

#include "block/bundle.h"
#include "block/schema.h"
#include "store/bundled_file.h"

namespace weft::store {
namespace {

// The files of one block, out of the pool; where it has a bundle, the ends of files out of that.
class PoolOpener : public block::FileOpener {
 public:
  PoolOpener(FilePool& pool, const BlockName& name, const block::BlockMeta& meta)
      : pool_(pool), name_(name), files_(meta.files) {
    for (const block::FileMeta& file : files_) {
      if (file.name != block::kBundleFile) continue;
      std::vector<block::BundledEnd> ends = block::BundledEnds(files_);
      if (ends.empty() || ends.back().offset + ends.back().size != file.size_bytes) continue;
      bundle_ = std::make_shared<Bundle>(Get(file), file, ObjectOf(name, file.name));
      ends_ = std::move(ends);
    }
  }

  Result<std::unique_ptr<ReadableFile>> Open(std::string_view name) const override {
    for (const block::FileMeta& file : files_) {
      if (file.name != name) continue;
      std::unique_ptr<ReadableFile> whole = Get(file);
      for (const block::BundledEnd& end : ends_) {
        if (end.file == name) whole = std::make_unique<BundledFile>(std::move(whole), bundle_, end);
      }
      return whole;
    }
    return Error(ErrorCode::kNotFound, "meta.json lists no " + std::string(name));
  }

 private:
  std::unique_ptr<ReadableFile> Get(const block::FileMeta& file) const {
    return pool_.Get(ObjectOf(name_, file.name), file.size_bytes);
  }

  FilePool& pool_;
  const BlockName& name_;
  const std::vector<block::FileMeta> files_;
  std::shared_ptr<Bundle> bundle_;
  std::vector<block::BundledEnd> ends_;  // with names within files_
};

}  // namespace

OpenBlocks::OpenBlocks(const ObjectStore& objects, Limits limits, MetricRegistry& metrics)
    : limits_(limits),
      files_(objects, limits.files_max),
      cache_(std::make_shared<block::ColumnCache>(limits.cache_bytes_max)),
      opened_counter_(
          metrics.GetCounter("weft_store_blocks_opened_total", "Blocks whose footers were read.")) {
  metrics.AddGaugeFunction("weft_store_cache_bytes", "Decoded columns and directories in memory.",
                           {}, [cache = cache_] { return static_cast<double>(cache->bytes()); });
}

OpenBlocks::Opened OpenBlocks::Find(const BlockName& name) {
  const MutexLock lock(mutex_);
  const auto it = index_.find(name);
  if (it == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, it->second);
  return it->second->block;
}

Result<OpenBlocks::Opened> OpenBlocks::Get(const CatalogBlock& block) {
  if (Opened open = Find(block.name)) return open;
  WEFT_ASSIGN_OR_RETURN(block::BlockMeta meta, block.ReadMeta());
  const PoolOpener opener(files_, block.name, meta);
  WEFT_ASSIGN_OR_RETURN(Opened opened, block::Block::Open(std::move(meta), opener, cache_));
  opened_counter_.Add();
  Entry evicted;  // closed outside the lock
  const MutexLock lock(mutex_);
  if (const auto it = index_.find(block.name); it != index_.end()) return it->second->block;
  entries_.push_front({block.name, opened});
  index_[block.name] = entries_.begin();
  if (entries_.size() > limits_.blocks_max) {
    index_.erase(entries_.back().name);
    evicted = std::move(entries_.back());
    entries_.pop_back();
  }
  return opened;
}

Result<OpenBlocks::Opened> OpenBlocks::OpenApart(const CatalogBlock& block, uint64_t cache_bytes) {
  WEFT_ASSIGN_OR_RETURN(block::BlockMeta meta, block.ReadMeta());
  const PoolOpener opener(files_, block.name, meta);
  return block::Block::Open(std::move(meta), opener,
                            std::make_shared<block::ColumnCache>(cache_bytes));
}

void OpenBlocks::Forget(const BlockName& name) {
  Entry gone;
  {
    const MutexLock lock(mutex_);
    if (const auto it = index_.find(name); it != index_.end()) {
      gone = std::move(*it->second);
      entries_.erase(it->second);
      index_.erase(it);
    }
  }
  files_.Forget(FolderOf(name) + "/");
}

}  // namespace weft::store
