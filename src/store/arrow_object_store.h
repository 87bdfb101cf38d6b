// An ObjectStore over one of Arrow's file systems: S3, Google Cloud Storage, Azure Blob Storage.
//
// One object is one object of the service, `<root>/<name>`. Where it differs from the folder of
// this machine:
//
// - An empty object counts as none and can't be put. Azure shows an object as empty before its
//   bytes are there, so this is what keeps "whole or not at all" true. For the same reason an
//   object that is replaced there is gone when that fails (weft never replaces one: blocks don't
//   change).
// - A folder may stay listed after its last object is gone: Arrow leaves a marker object.
// - Several objects of one Put() are sent side by side.
// - Reads are served from chunks kept in memory, kCacheBytesMax of them, and on disk where there is
//   a cache (chunk_cache.h); those that take unusually long are asked for twice (range_request.h).
//   What another process replaces or deletes may still be read from there, but not by Get and
//   GetSized.
//
// Requests are tried again inside the service's client, for seconds. After that the error is
// kUnavailable when it may pass by itself (unreachable, overloaded, timed out), kNotFound when the
// object is not there, else kIo with what to do. No message holds a credential.
//
// weft_store_hedged_requests_total counts requests that were made twice.
// weft_store_requests_total{op}, weft_store_request_bytes_total{op} and
// weft_store_request_failures_total{op} count by op: get, head, put, list, delete. One is one call
// of Arrow's: what its client does on its own (another try, the parts of a large object, markers of
// folders) is not seen. "Not found" is no failure. Any thread.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/mutex.h"
#include "store/chunk_cache.h"
#include "store/disk_chunks.h"
#include "store/object_store.h"
#include "store/range_request.h"

namespace arrow {
class Buffer;
class Status;
template <class T>
class Result;
namespace fs {
class FileSystem;
}
namespace io {
class RandomAccessFile;
}
}  // namespace arrow

namespace weft::store {

class ArrowObjectStore : public ObjectStore {
 public:
  using ObjectStore::Put;

  static constexpr uint64_t kCacheBytesMax = 64 << 20;

  // `root` is a path of the file system: "bucket" or "bucket/prefix". The folders of an object are
  // not made, as none of the services needs that. `disk` may be null. `metrics` must outlive the
  // store and its files, the store its files.
  ArrowObjectStore(std::shared_ptr<arrow::fs::FileSystem> files, std::string root,
                   MetricRegistry& metrics, std::unique_ptr<DiskChunks> disk = nullptr);
  ~ArrowObjectStore() override;  // waits for what was asked for and nobody needs

  // Whether the bucket (the first part of the root) is there and lets us in: one request. The
  // message says what to do.
  Error CheckBucket() const;

  Error Put(std::span<const NamedBytes> objects) override;
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& name) const override;
  Result<std::string> Get(const std::string& name) const override;
  Result<std::unique_ptr<ReadableFile>> OpenSized(const std::string& name,
                                                  uint64_t size_bytes) const override;
  Result<std::string> GetSized(const std::string& name, uint64_t size_bytes) const override;
  bool IsRemote() const override { return true; }
  Result<Listing> List(const std::string& folder) const override;
  Error Delete(const std::string& name) override;
  Error DeleteFolder(const std::string& folder) override;

 private:
  class RangeFile;
  class Upload;
  enum class Op : uint8_t { kGet, kHead, kPut, kList, kDelete };
  static constexpr size_t kOpCount = 5;
  struct OpCounters {
    Counter* requests;
    Counter* bytes;
    Counter* failures;
  };

  // Counts a request that has ended, and makes its status an Error.
  Error Finish(Op op, const arrow::Status& status, const std::string& path, uint64_t bytes) const;
  void StartRead(const std::string& path, arrow::io::RandomAccessFile& file, uint64_t offset,
                 size_t length, RangeDone done) const WEFT_EXCLUDES(mutex_);
  // What a read of an object has brought.
  Result<std::string> FinishRead(const arrow::Result<std::shared_ptr<arrow::Buffer>>& read,
                                 const std::string& path, uint64_t length) const;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenArrow(const std::string& path,
                                                                 uint64_t size_bytes) const;
  Result<uint64_t> SizeOf(const std::string& path) const;
  std::string PathOf(std::string_view name) const;

  const std::shared_ptr<arrow::fs::FileSystem> files_;
  const std::string root_;
  std::array<OpCounters, kOpCount> counters_;
  const std::unique_ptr<DiskChunks> disk_;
  mutable RequestPace pace_;
  mutable Mutex mutex_;
  mutable CondVar changed_;
  mutable uint64_t reads_under_way_ WEFT_GUARDED_BY(mutex_) = 0;
  mutable ChunkCache chunks_;
};

}  // namespace weft::store
