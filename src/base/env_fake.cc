#include "base/env_fake.h"

#include <algorithm>
#include <cstring>

namespace weft {
namespace {

constexpr size_t kSectorBytes = 512;

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string NameOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// Whether `path` lies under the folder `root`, at any depth.
bool IsUnder(const std::string& path, const std::string& root) {
  return path.size() > root.size() && path.starts_with(root) && path[root.size()] == '/';
}

Error NotFound(const std::string& path) {
  return Error(ErrorCode::kNotFound, path + " does not exist");
}

}  // namespace

class FakeEnv::Writable : public WritableFile {
 public:
  Writable(FakeEnv* env, InodePtr inode) : env_(env), inode_(std::move(inode)) {}

  Error Append(std::string_view bytes) override {
    const Error error = env_->AppendTo(*inode_, bytes);
    if (error.ok()) size_bytes_ += bytes.size();
    return error;
  }
  Error Sync() override { return env_->SyncInode(*inode_); }
  Error Close() override { return Error::Ok(); }
  uint64_t size_bytes() const override { return size_bytes_; }

 private:
  FakeEnv* const env_;
  const InodePtr inode_;
  uint64_t size_bytes_ = 0;
};

class FakeEnv::Readable : public ReadableFile {
 public:
  explicit Readable(std::string bytes) : bytes_(std::move(bytes)) {}

  Error ReadAt(uint64_t offset, size_t length, char* out) const override {
    if (offset > bytes_.size() || length > bytes_.size() - offset) {
      return Error(ErrorCode::kCorrupt, "the file ends before the read does");
    }
    std::memcpy(out, bytes_.data() + offset, length);
    return Error::Ok();
  }
  uint64_t size_bytes() const override { return bytes_.size(); }

 private:
  const std::string bytes_;
};

class FakeEnv::Lock : public FileLock {
 public:
  Lock(FakeEnv* env, std::string path) : env_(env), path_(std::move(path)) {}
  ~Lock() override { env_->ReleaseLock(path_); }

 private:
  FakeEnv* const env_;
  const std::string path_;
};

FakeEnv::FakeEnv(uint64_t seed) : random_(seed) {
  const auto root = std::make_shared<Inode>();
  root->is_folder = true;
  names_[""] = root;
  durable_[""] = root;
}

FakeEnv::~FakeEnv() = default;

void FakeEnv::FailSyncs(uint32_t count) {
  const MutexLock lock(mutex_);
  syncs_to_fail_ = count;
}

void FakeEnv::FailFolderSyncs(uint32_t count, uint32_t after) {
  const MutexLock lock(mutex_);
  folder_syncs_to_fail_ = count;
  folder_syncs_before_ = after;
}

void FakeEnv::SetDiskBytes(uint64_t disk_bytes) {
  const MutexLock lock(mutex_);
  disk_bytes_ = disk_bytes;
}

void FakeEnv::CutPowerAfter(uint64_t changes) {
  const MutexLock lock(mutex_);
  changes_left_ = changes;
}

void FakeEnv::PowerCycle() {
  const MutexLock lock(mutex_);
  for (const NameChange& change : pending_) {
    if (Chance(2)) Apply(change, &durable_);
  }
  pending_.clear();
  // Open handles of the old life must not write into the new one.
  for (auto& [path, inode] : names_) inode->lost = true;
  Names survivors;
  for (const auto& [path, inode] : durable_) {
    // A file needs its folder; the map is sorted, so folders come first.
    if (!path.empty() && !survivors.contains(ParentOf(path))) continue;
    auto copy = std::make_shared<Inode>(*inode);
    copy->lost = false;
    LoseUnsynced(*copy);
    survivors[path] = std::move(copy);
  }
  durable_ = survivors;
  names_ = std::move(survivors);
  locks_.clear();
  syncs_to_fail_ = 0;
  folder_syncs_to_fail_ = 0;
  changes_left_ = UINT64_MAX;
}

void FakeEnv::LoseUnsynced(Inode& inode) {
  const uint64_t unsynced = inode.bytes.size() - inode.synced_bytes;
  if (unsynced == 0) return;
  // All of it and none of it are the likely fates; anything between is possible.
  uint64_t kept = NextRandom() % (unsynced + 1);
  if (Chance(4)) kept = unsynced;
  if (Chance(4)) kept = 0;
  inode.bytes.resize(inode.synced_bytes + kept);
  const bool torn = Chance(2);
  size_t at = inode.synced_bytes;
  while (torn && at < inode.bytes.size()) {
    const size_t end = std::min(inode.bytes.size(), (at / kSectorBytes + 1) * kSectorBytes);
    if (Chance(3)) std::fill(inode.bytes.begin() + at, inode.bytes.begin() + end, '\0');
    at = end;
  }
  inode.synced_bytes = inode.bytes.size();
}

void FakeEnv::FlipBit(const std::string& path, uint64_t bit) {
  const MutexLock lock(mutex_);
  const auto it = names_.find(path);
  if (it == names_.end() || bit / 8 >= it->second->bytes.size()) return;
  it->second->bytes[bit / 8] ^= static_cast<char>(1 << (bit % 8));
}

void FakeEnv::Plant(const std::string& path, std::string bytes) {
  const MutexLock lock(mutex_);
  for (std::string folder = ParentOf(path); !names_.contains(folder); folder = ParentOf(folder)) {
    const auto inode = std::make_shared<Inode>();
    inode->is_folder = true;
    names_[folder] = inode;
    durable_[folder] = inode;
  }
  const auto inode = std::make_shared<Inode>();
  inode->synced_bytes = bytes.size();
  inode->bytes = std::move(bytes);
  names_[path] = inode;
  durable_[path] = inode;
}

uint64_t FakeEnv::change_count() const {
  const MutexLock lock(mutex_);
  return change_count_;
}

uint64_t FakeEnv::sync_count() const {
  const MutexLock lock(mutex_);
  return sync_count_;
}

std::vector<std::string> FakeEnv::Files() const {
  const MutexLock lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, inode] : names_) {
    if (!inode->is_folder) paths.push_back(path);
  }
  return paths;
}

void FakeEnv::AdvanceNs(int64_t ns) {
  const MutexLock lock(mutex_);
  now_ns_ += ns;
  monotonic_ns_ += ns;
}

void FakeEnv::SetNowNs(int64_t now_ns) {
  const MutexLock lock(mutex_);
  now_ns_ = now_ns;
}

int64_t FakeEnv::NowNs() const {
  const MutexLock lock(mutex_);
  return now_ns_;
}

int64_t FakeEnv::MonotonicNs() const {
  const MutexLock lock(mutex_);
  return monotonic_ns_;
}

uint64_t FakeEnv::RandomU64() {
  const MutexLock lock(mutex_);
  return NextRandom();
}

// splitmix64.
uint64_t FakeEnv::NextRandom() const {
  uint64_t z = (random_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

Error FakeEnv::BeginChange() {
  if (changes_left_ == 0) return Error(ErrorCode::kIo, "the power is cut");
  --changes_left_;
  ++change_count_;
  return Error::Ok();
}

Result<FakeEnv::InodePtr> FakeEnv::FindFile(const std::string& path) const {
  const auto it = names_.find(path);
  if (it == names_.end()) return NotFound(path);
  if (it->second->is_folder) return Error(ErrorCode::kIo, path + " is a folder");
  return it->second;
}

Error FakeEnv::CheckParent(const std::string& path) const {
  const auto it = names_.find(ParentOf(path));
  if (it == names_.end() || !it->second->is_folder) return NotFound(ParentOf(path));
  return Error::Ok();
}

void FakeEnv::Apply(const NameChange& change, Names* names) {
  if (!change.from.empty()) names->erase(change.from);
  if (!change.to.empty()) (*names)[change.to] = change.inode;
}

void FakeEnv::ChangeNames(NameChange change) {
  Apply(change, &names_);
  pending_.push_back(std::move(change));
}

uint64_t FakeEnv::UsedBytes() const {
  uint64_t used = 0;
  for (const auto& [path, inode] : names_) used += inode->bytes.size();
  return used;
}

Error FakeEnv::AppendTo(Inode& inode, std::string_view bytes) {
  const MutexLock lock(mutex_);
  if (inode.lost) return Error(ErrorCode::kIo, "the file was open across a power cut");
  const bool alive = changes_left_ > 0;
  if (!alive || disk_bytes_ != UINT64_MAX) {
    const uint64_t used = UsedBytes();
    const uint64_t room = disk_bytes_ > used ? disk_bytes_ - used : 0;
    if (!alive || bytes.size() > room) {
      // A part of a failed write may be there.
      const uint64_t most = alive ? room : std::min<uint64_t>(bytes.size(), room);
      inode.bytes.append(bytes.substr(0, most == 0 ? 0 : NextRandom() % (most + 1)));
      if (!alive) return BeginChange();
      return Error(ErrorCode::kUnavailable, "no space left on the disk", 5000);
    }
  }
  WEFT_RETURN_IF_ERROR(BeginChange());
  inode.bytes.append(bytes);
  return Error::Ok();
}

Error FakeEnv::SyncInode(Inode& inode) {
  const MutexLock lock(mutex_);
  if (inode.lost) return Error(ErrorCode::kIo, "the file was open across a power cut");
  WEFT_RETURN_IF_ERROR(BeginChange());
  ++sync_count_;
  if (syncs_to_fail_ > 0) {
    --syncs_to_fail_;
    // The kernel has dropped the dirty pages and calls them clean: reads may show either, and no
    // later sync brings them back.
    const uint64_t size = inode.bytes.size();
    LoseUnsynced(inode);
    inode.bytes.resize(size, '\0');
    inode.synced_bytes = size;
    return Error(ErrorCode::kIo, "cannot sync: input/output error");
  }
  inode.synced_bytes = inode.bytes.size();
  return Error::Ok();
}

Result<std::unique_ptr<WritableFile>> FakeEnv::NewWritableFile(const std::string& path) {
  const MutexLock lock(mutex_);
  WEFT_RETURN_IF_ERROR(CheckParent(path));
  if (names_.contains(path)) return Error(ErrorCode::kIo, path + " exists");
  WEFT_RETURN_IF_ERROR(BeginChange());
  const auto inode = std::make_shared<Inode>();
  ChangeNames({"", path, inode});
  return std::unique_ptr<WritableFile>(new Writable(this, inode));
}

Result<std::unique_ptr<ReadableFile>> FakeEnv::NewReadableFile(const std::string& path) {
  WEFT_ASSIGN_OR_RETURN(std::string bytes, ReadWholeFile(path));
  return std::unique_ptr<ReadableFile>(new Readable(std::move(bytes)));
}

Result<std::string> FakeEnv::ReadWholeFile(const std::string& path) {
  const MutexLock lock(mutex_);
  WEFT_ASSIGN_OR_RETURN(const InodePtr inode, FindFile(path));
  return inode->bytes;
}

Error FakeEnv::ReplaceFile(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp" + std::to_string(RandomU64());
  {
    WEFT_ASSIGN_OR_RETURN(const auto file, NewWritableFile(temporary));
    Error error = file->Append(bytes);
    if (error.ok()) error = file->Sync();
    if (!error.ok()) {
      if (const Error removed = RemoveFile(temporary); !removed.ok()) return error;
      return error;
    }
  }
  WEFT_RETURN_IF_ERROR(RenamePath(temporary, path));
  return SyncFolder(ParentOf(path));
}

Error FakeEnv::RenamePath(const std::string& from, const std::string& to) {
  const MutexLock lock(mutex_);
  const auto it = names_.find(from);
  if (it == names_.end()) return NotFound(from);
  WEFT_RETURN_IF_ERROR(CheckParent(to));
  WEFT_RETURN_IF_ERROR(BeginChange());
  // What lies in a renamed folder goes with it, durable or not as it is.
  for (Names* names : {&names_, &durable_}) {
    std::vector<std::pair<std::string, InodePtr>> moved;
    for (const auto& [path, inode] : *names) {
      if (IsUnder(path, from)) moved.emplace_back(to + path.substr(from.size()), inode);
    }
    for (auto& [path, inode] : moved) (*names)[path] = inode;
    if (names == &names_) std::erase_if(*names, [&](auto& e) { return IsUnder(e.first, from); });
  }
  for (NameChange& change : pending_) {
    if (IsUnder(change.to, from)) change.to = to + change.to.substr(from.size());
    if (IsUnder(change.from, from)) change.from = to + change.from.substr(from.size());
  }
  ChangeNames({from, to, it->second});
  return Error::Ok();
}

Error FakeEnv::RemoveFile(const std::string& path) {
  const MutexLock lock(mutex_);
  WEFT_RETURN_IF_ERROR(FindFile(path).error());
  WEFT_RETURN_IF_ERROR(BeginChange());
  ChangeNames({path, "", nullptr});
  return Error::Ok();
}

Error FakeEnv::RemoveTree(const std::string& path) {
  const MutexLock lock(mutex_);
  std::vector<std::string> doomed;
  for (const auto& [name, inode] : names_) {
    if (name == path || IsUnder(name, path)) doomed.push_back(name);
  }
  // Leaves first: a power cut in between leaves a part.
  for (auto it = doomed.rbegin(); it != doomed.rend(); ++it) {
    WEFT_RETURN_IF_ERROR(BeginChange());
    ChangeNames({*it, "", nullptr});
  }
  return Error::Ok();
}

Error FakeEnv::TruncateFile(const std::string& path, uint64_t size_bytes) {
  const MutexLock lock(mutex_);
  WEFT_ASSIGN_OR_RETURN(const InodePtr inode, FindFile(path));
  WEFT_RETURN_IF_ERROR(BeginChange());
  inode->bytes.resize(size_bytes);
  inode->synced_bytes = size_bytes;
  return Error::Ok();
}

Error FakeEnv::CreateFolder(const std::string& path) {
  const MutexLock lock(mutex_);
  std::vector<std::string> missing;
  for (std::string folder = path; !names_.contains(folder); folder = ParentOf(folder)) {
    missing.push_back(folder);
  }
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    WEFT_RETURN_IF_ERROR(BeginChange());
    const auto inode = std::make_shared<Inode>();
    inode->is_folder = true;
    ChangeNames({"", *it, inode});
  }
  return Error::Ok();
}

Error FakeEnv::SyncFolder(const std::string& folder) {
  const std::string path = folder == "." ? "" : folder;  // as for a relative path
  const MutexLock lock(mutex_);
  WEFT_RETURN_IF_ERROR(CheckParent(path + "/x"));
  WEFT_RETURN_IF_ERROR(BeginChange());
  if (folder_syncs_before_ > 0) {
    --folder_syncs_before_;
  } else if (folder_syncs_to_fail_ > 0) {
    --folder_syncs_to_fail_;
    return Error(ErrorCode::kIo, "cannot sync the folder: input/output error");
  }
  std::erase_if(pending_, [&](const NameChange& change) {
    const bool touches = (!change.from.empty() && ParentOf(change.from) == path) ||
                         (!change.to.empty() && ParentOf(change.to) == path);
    if (touches) Apply(change, &durable_);
    return touches;
  });
  return Error::Ok();
}

Result<std::vector<FileInfo>> FakeEnv::ListFolder(const std::string& folder) {
  const std::string path = folder == "." ? "" : folder;
  const MutexLock lock(mutex_);
  const auto it = names_.find(path);
  if (it == names_.end() || !it->second->is_folder) return NotFound(folder);
  std::vector<FileInfo> entries;
  for (const auto& [name, inode] : names_) {
    if (!name.empty() && ParentOf(name) == path) {
      entries.push_back({NameOf(name), inode->is_folder, inode->bytes.size()});
    }
  }
  return entries;
}

bool FakeEnv::Exists(const std::string& path) {
  const MutexLock lock(mutex_);
  return names_.contains(path);
}

Result<uint64_t> FakeEnv::FreeDiskBytes(const std::string&) {
  const MutexLock lock(mutex_);
  const uint64_t used = UsedBytes();
  return disk_bytes_ > used ? disk_bytes_ - used : 0;
}

Result<std::unique_ptr<FileLock>> FakeEnv::LockFile(const std::string& path) {
  const MutexLock lock(mutex_);
  WEFT_RETURN_IF_ERROR(CheckParent(path));
  if (!locks_.insert(path).second) {
    return Error(ErrorCode::kUnavailable, path + " is locked by another process");
  }
  return std::unique_ptr<FileLock>(new Lock(this, path));
}

void FakeEnv::ReleaseLock(const std::string& path) {
  const MutexLock lock(mutex_);
  locks_.erase(path);
}

}  // namespace weft
