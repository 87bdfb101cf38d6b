#include "store/arrow_object_store.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/filesystem/filesystem.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/util/future.h>
#include <arrow/util/io_util.h>

#include "base/log.h"
#include "store/arrow_error.h"

namespace weft::store {
namespace {

constexpr std::array<std::string_view, 5> kOpNames{"get", "head", "put", "list", "delete"};

Error NotFound(const std::string& path) {
  return Error(ErrorCode::kNotFound, "there is no object " + path);
}

}  // namespace

// An object's bytes, through the caches.
class ArrowObjectStore::RangeFile : public ReadableFile {
 public:
  RangeFile(const ArrowObjectStore& store, const std::string& path,
            std::shared_ptr<arrow::io::RandomAccessFile> file, uint64_t size_bytes)
      : store_(store),
        object_{
            // what is put in its place with another size is not confused with it
            path + "?" + std::to_string(size_bytes), size_bytes,
            [&store, path, file = std::move(file)](uint64_t offset, size_t length, RangeDone done) {
              store.StartRead(path, *file, offset, length, std::move(done));
            }} {}

  Error ReadAt(uint64_t offset, size_t length, char* out) const override {
    if (offset > object_.size_bytes || length > object_.size_bytes - offset) {
      return Error(ErrorCode::kCorrupt, object_.name + " is too short");
    }
    return store_.chunks_.Read(object_, offset, length, out);
  }
  void WillRead(std::span<const ByteRange> ranges) const override {
    store_.chunks_.Prefetch(object_, ranges);
  }
  uint64_t size_bytes() const override { return object_.size_bytes; }

 private:
  const ArrowObjectStore& store_;
  const RemoteObject object_;
};

// An object on its way. What was not finished when this goes is given up.
class ArrowObjectStore::Upload {
 public:
  Upload(const ArrowObjectStore& store, std::string path, uint64_t bytes)
      : store_(store), path_(std::move(path)), bytes_(bytes) {}
  Upload(Upload&&) = default;
  Upload& operator=(Upload&&) = delete;
  ~Upload() {
    if (stream_ == nullptr || finished_) return;
    const arrow::Status status = stream_->Abort();
    if (!status.ok()) LogWarn("an upload could not be given up", {{"path", path_}});
  }

  // Returns while the bytes are still being sent; they must stay until Finish().
  Error Start(std::string_view bytes) {
    auto opened = store_.files_->OpenOutputStream(path_);
    if (!opened.ok()) return Failed(opened.status());
    stream_ = std::move(opened).ValueUnsafe();
    const arrow::Status written = stream_->Write(bytes.data(), static_cast<int64_t>(bytes.size()));
    if (!written.ok()) return Failed(written);
    closed_ = stream_->CloseAsync();
    return Error::Ok();
  }

  Error Finish() {
    finished_ = true;
    return store_.Finish(Op::kPut, closed_.status(), path_, bytes_);
  }

 private:
  Error Failed(const arrow::Status& status) const {
    return store_.Finish(Op::kPut, status, path_, 0);
  }

  const ArrowObjectStore& store_;
  const std::string path_;
  const uint64_t bytes_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
  arrow::Future<> closed_;
  bool finished_ = false;
};

ArrowObjectStore::ArrowObjectStore(std::shared_ptr<arrow::fs::FileSystem> files, std::string root,
                                   MetricRegistry& metrics, std::unique_ptr<DiskChunks> disk)
    : files_(std::move(files)),
      root_(std::move(root)),
      counters_(),
      disk_(std::move(disk)),
      pace_(metrics.GetCounter("weft_store_hedged_requests_total",
                               "Reads of the object store that were slow and made a second time.",
                               {})),
      chunks_(kCacheBytesMax, &pace_, disk_.get()) {
  static_assert(kOpNames.size() == kOpCount);
  for (size_t i = 0; i < kOpCount; ++i) {
    const MetricLabels labels{{"op", std::string(kOpNames[i])}};
    counters_[i] = {
        &metrics.GetCounter("weft_store_requests_total", "Requests to the object store.", labels),
        &metrics.GetCounter("weft_store_request_bytes_total",
                            "Bytes of objects read from and written to the object store.", labels),
        &metrics.GetCounter("weft_store_request_failures_total",
                            "Requests to the object store that failed, after all retries.",
                            labels)};
  }
}

ArrowObjectStore::~ArrowObjectStore() {
  const MutexLock lock(mutex_);
  while (reads_under_way_ > 0) changed_.Wait(mutex_);
}

void ArrowObjectStore::StartRead(const std::string& path, arrow::io::RandomAccessFile& file,
                                 uint64_t offset, size_t length, RangeDone done) const {
  {
    const MutexLock lock(mutex_);
    ++reads_under_way_;
  }
  file.ReadAsync(arrow::io::default_io_context(), static_cast<int64_t>(offset),
                 static_cast<int64_t>(length))
      .AddCallback([this, path, length, done = std::move(done)](
                       const arrow::Result<std::shared_ptr<arrow::Buffer>>& read) mutable {
        done(FinishRead(read, path, length));
        done = nullptr;  // and with it whoever it keeps alive, before the store may go
        const MutexLock lock(mutex_);
        if (--reads_under_way_ == 0) changed_.NotifyAll();
      });
}

Result<std::string> ArrowObjectStore::FinishRead(
    const arrow::Result<std::shared_ptr<arrow::Buffer>>& read, const std::string& path,
    uint64_t length) const {
  const uint64_t bytes = read.ok() ? static_cast<uint64_t>((*read)->size()) : 0;
  WEFT_RETURN_IF_ERROR(Finish(Op::kGet, read.status(), path, bytes));
  if (bytes != length) return Error(ErrorCode::kCorrupt, path + " is too short");
  return (*read)->ToString();
}

std::string ArrowObjectStore::PathOf(std::string_view name) const {
  return name.empty() ? root_ : root_ + "/" + std::string(name);
}

Error ArrowObjectStore::Finish(Op op, const arrow::Status& status, const std::string& path,
                               uint64_t bytes) const {
  const OpCounters& counters = counters_[static_cast<size_t>(op)];
  counters.requests->Add();
  if (status.ok()) {
    counters.bytes->Add(bytes);
    return Error::Ok();
  }
  if (arrow::internal::ErrnoFromStatus(status) == ENOENT) return NotFound(path);
  Error error = ErrorOfStore(status.message(), path);
  if (error.code() != ErrorCode::kNotFound) counters.failures->Add();
  return error;
}

Error ArrowObjectStore::CheckBucket() const {
  const std::string bucket = root_.substr(0, root_.find('/'));
  const auto info = files_->GetFileInfo(bucket);
  WEFT_RETURN_IF_ERROR(Finish(Op::kHead, info.status(), bucket, 0));
  if (info->type() != arrow::fs::FileType::NotFound) return Error::Ok();
  return Error(ErrorCode::kNotFound, "there is no bucket or container " + bucket +
                                         " in the object store, or these credentials may not see "
                                         "it; make it first, weft does not");
}

Error ArrowObjectStore::Put(std::span<const NamedBytes> objects) {
  for (const NamedBytes& object : objects) {
    WEFT_RETURN_IF_ERROR(CheckObjectName(object.name));
    if (object.bytes.empty()) {
      return Error(ErrorCode::kInvalidArgument, "an object store keeps no empty objects");
    }
  }
  std::vector<Upload> uploads;
  uploads.reserve(objects.size());
  Error error;
  for (const NamedBytes& object : objects) {
    Upload upload(*this, PathOf(object.name), object.bytes.size());
    error = upload.Start(object.bytes);
    if (!error.ok()) break;
    uploads.push_back(std::move(upload));
  }
  // Those that were started are waited for even if one has failed: they still read the bytes.
  for (Upload& upload : uploads) {
    if (Error finished = upload.Finish(); error.ok()) error = std::move(finished);
  }
  for (const NamedBytes& object : objects) chunks_.Forget(PathOf(object.name));
  return error;
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> ArrowObjectStore::OpenArrow(
    const std::string& path, uint64_t size_bytes) const {
  // Told the type and the size, none of the file systems asks for them.
  arrow::fs::FileInfo info(path, arrow::fs::FileType::File);
  info.set_size(static_cast<int64_t>(size_bytes));
  auto file = files_->OpenInputFile(info);
  if (!file.ok()) return Finish(Op::kGet, file.status(), path, 0);
  return std::move(file).ValueUnsafe();
}

Result<std::unique_ptr<ReadableFile>> ArrowObjectStore::OpenSized(const std::string& name,
                                                                  uint64_t size_bytes) const {
  WEFT_RETURN_IF_ERROR(CheckObjectName(name));
  const std::string path = PathOf(name);
  WEFT_ASSIGN_OR_RETURN(auto file, OpenArrow(path, size_bytes));
  return std::unique_ptr<ReadableFile>(
      std::make_unique<RangeFile>(*this, path, std::move(file), size_bytes));
}

Result<uint64_t> ArrowObjectStore::SizeOf(const std::string& path) const {
  const auto info = files_->GetFileInfo(path);
  WEFT_RETURN_IF_ERROR(Finish(Op::kHead, info.status(), path, 0));
  if (info->type() != arrow::fs::FileType::File || info->size() <= 0) return NotFound(path);
  return static_cast<uint64_t>(info->size());
}

Result<std::unique_ptr<ReadableFile>> ArrowObjectStore::Open(const std::string& name) const {
  WEFT_RETURN_IF_ERROR(CheckObjectName(name));
  WEFT_ASSIGN_OR_RETURN(const uint64_t size_bytes, SizeOf(PathOf(name)));
  return OpenSized(name, size_bytes);
}

Result<std::string> ArrowObjectStore::Get(const std::string& name) const {
  WEFT_RETURN_IF_ERROR(CheckObjectName(name));
  WEFT_ASSIGN_OR_RETURN(const uint64_t size_bytes, SizeOf(PathOf(name)));
  return GetSized(name, size_bytes);
}

// As it is now, even when another process has replaced it: past the caches.
Result<std::string> ArrowObjectStore::GetSized(const std::string& name, uint64_t size_bytes) const {
  WEFT_RETURN_IF_ERROR(CheckObjectName(name));
  const std::string path = PathOf(name);
  WEFT_ASSIGN_OR_RETURN(const auto file, OpenArrow(path, size_bytes));
  return FinishRead(file->ReadAt(0, static_cast<int64_t>(size_bytes)), path, size_bytes);
}

Result<Listing> ArrowObjectStore::List(const std::string& folder) const {
  if (!folder.empty()) WEFT_RETURN_IF_ERROR(CheckObjectName(folder));
  arrow::fs::FileSelector selector;
  selector.base_dir = PathOf(folder);
  selector.allow_not_found = true;
  // Arrow shows a folder of Google's only where there is a marker object for it; so their names are
  // taken from those of the objects. It asks for all that is below in any case.
  selector.recursive = files_->type_name() == "gcs";
  const auto infos = files_->GetFileInfo(selector);
  const Error error = Finish(Op::kList, infos.status(), selector.base_dir, 0);
  if (error.code() == ErrorCode::kNotFound) return Listing{};
  WEFT_RETURN_IF_ERROR(error);
  Listing listing;
  std::set<std::string> folders;
  for (const arrow::fs::FileInfo& info : *infos) {
    std::string name = info.path().substr(std::min(info.path().size(), selector.base_dir.size()));
    name.erase(0, name.find_first_not_of('/'));
    const size_t end = name.find('/');
    const bool is_folder = end != std::string::npos || info.IsDirectory();
    name.resize(std::min(end, name.size()));
    if (!CheckObjectName(name).ok()) continue;  // not ours
    if (is_folder) {
      folders.insert(std::move(name));
    } else if (info.IsFile() && info.size() > 0) {
      listing.objects.push_back({std::move(name), static_cast<uint64_t>(info.size())});
    }
  }
  listing.folders.assign(folders.begin(), folders.end());
  std::sort(listing.objects.begin(), listing.objects.end(),
            [](const ObjectInfo& a, const ObjectInfo& b) { return a.name < b.name; });
  return listing;
}

Error ArrowObjectStore::Delete(const std::string& name) {
  WEFT_RETURN_IF_ERROR(CheckObjectName(name));
  const std::string path = PathOf(name);
  Error error = Finish(Op::kDelete, files_->DeleteFile(path), path, 0);
  chunks_.Forget(path);
  return error.code() == ErrorCode::kNotFound ? Error::Ok() : error;
}

Error ArrowObjectStore::DeleteFolder(const std::string& folder) {
  WEFT_RETURN_IF_ERROR(CheckObjectName(folder));
  const std::string path = PathOf(folder);
  Error error = Finish(Op::kDelete, files_->DeleteDir(path), path, 0);
  chunks_.Forget(path + "/");
  return error.code() == ErrorCode::kNotFound ? Error::Ok() : error;
}

}  // namespace weft::store
