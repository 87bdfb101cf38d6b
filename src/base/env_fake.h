// FakeEnv: a world in memory for tests, deterministic from its seed, whose disk is as unkind as
// POSIX allows.
//
//   FakeEnv env(seed);
//   env.FailSyncs(1);            // the next Sync() fails, and what it covered is gone or garbage
//   env.SetDiskBytes(1 << 20);   // appends beyond that fail half-way with kUnavailable
//   env.CutPowerAfter(100);      // the 101st change and all after it fail: the process is dying
//   env.PowerCycle();            // what was not synced is lost, torn or kept, by chance
//
// What a power cut keeps: bytes that Sync() covered; of the bytes after them any prefix, in which
// any 512-byte sector may read as zeros; names that SyncFolder() covered; of later creations,
// renames and removals any subset, in order. A file whose name is not durable is gone even when its
// bytes were synced. Any thread may use it. Files open across PowerCycle() fail from then on.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/mutex.h"

namespace weft {

class FakeEnv : public Env {
 public:
  explicit FakeEnv(uint64_t seed);
  ~FakeEnv() override;

  // --- faults
  // The next `count` calls of Sync() (of files) fail with kIo.
  void FailSyncs(uint32_t count) WEFT_EXCLUDES(mutex_);
  // After `after` more calls of SyncFolder() the next `count` fail with kIo: the names are as
  // durable as before, and the next good call covers them.
  void FailFolderSyncs(uint32_t count, uint32_t after = 0) WEFT_EXCLUDES(mutex_);
  // Bytes of all files together; UINT64_MAX (default) for no limit.
  void SetDiskBytes(uint64_t disk_bytes) WEFT_EXCLUDES(mutex_);
  // After `changes` more changes to the disk each further one fails with kIo, until PowerCycle().
  void CutPowerAfter(uint64_t changes) WEFT_EXCLUDES(mutex_);
  // Loses what a power cut would lose and ends the cut.
  void PowerCycle() WEFT_EXCLUDES(mutex_);
  // Flips one bit of a file, as it is now and on the disk.
  void FlipBit(const std::string& path, uint64_t bit) WEFT_EXCLUDES(mutex_);
  // Puts a file there as if it had always been.
  void Plant(const std::string& path, std::string bytes) WEFT_EXCLUDES(mutex_);

  // --- what a test may want to know
  // Changes made to the disk so far: CutPowerAfter counts in these.
  uint64_t change_count() const WEFT_EXCLUDES(mutex_);
  uint64_t sync_count() const WEFT_EXCLUDES(mutex_);
  // Paths of all files, sorted.
  std::vector<std::string> Files() const WEFT_EXCLUDES(mutex_);
  void AdvanceNs(int64_t ns) WEFT_EXCLUDES(mutex_);     // both clocks
  void SetNowNs(int64_t now_ns) WEFT_EXCLUDES(mutex_);  // a jump of the wall clock

  // --- Env
  int64_t NowNs() const override;
  int64_t MonotonicNs() const override;
  uint64_t RandomU64() override;
  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path) override;
  Result<std::unique_ptr<ReadableFile>> NewReadableFile(const std::string& path) override;
  Result<std::string> ReadWholeFile(const std::string& path) override;
  Error ReplaceFile(const std::string& path, std::string_view bytes) override;
  Error RenamePath(const std::string& from, const std::string& to) override;
  Error RemoveFile(const std::string& path) override;
  Error RemoveTree(const std::string& path) override;
  Error TruncateFile(const std::string& path, uint64_t size_bytes) override;
  Error CreateFolder(const std::string& path) override;
  Error SyncFolder(const std::string& path) override;
  Result<std::vector<FileInfo>> ListFolder(const std::string& path) override;
  bool Exists(const std::string& path) override;
  Result<uint64_t> FreeDiskBytes(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) override;

 private:
  class Writable;
  class Readable;
  class Lock;

  // The bytes of a file, whatever its name. A folder is one too.
  struct Inode {
    bool is_folder = false;
    std::string bytes;
    uint64_t synced_bytes = 0;
    bool lost = false;  // by a power cut: open files of it fail
  };
  using InodePtr = std::shared_ptr<Inode>;
  using Names = std::map<std::string, InodePtr>;

  // A change of names that is not durable yet: `from` goes away, `to` appears; either may be empty.
  struct NameChange {
    std::string from;
    std::string to;
    InodePtr inode;
  };

  uint64_t NextRandom() const WEFT_REQUIRES(mutex_);
  bool Chance(uint32_t one_in) const WEFT_REQUIRES(mutex_) { return NextRandom() % one_in == 0; }
  // Counts a change; kIo when the power is cut.
  Error BeginChange() WEFT_REQUIRES(mutex_);
  Result<InodePtr> FindFile(const std::string& path) const WEFT_REQUIRES(mutex_);
  Error CheckParent(const std::string& path) const WEFT_REQUIRES(mutex_);
  void ChangeNames(NameChange change) WEFT_REQUIRES(mutex_);
  static void Apply(const NameChange& change, Names* names);
  Error AppendTo(Inode& inode, std::string_view bytes) WEFT_EXCLUDES(mutex_);
  Error SyncInode(Inode& inode) WEFT_EXCLUDES(mutex_);
  void LoseUnsynced(Inode& inode) WEFT_REQUIRES(mutex_);
  uint64_t UsedBytes() const WEFT_REQUIRES(mutex_);
  void ReleaseLock(const std::string& path) WEFT_EXCLUDES(mutex_);

  mutable Mutex mutex_;
  mutable uint64_t random_ WEFT_GUARDED_BY(mutex_);
  int64_t now_ns_ WEFT_GUARDED_BY(mutex_) = 1'700'000'000'000'000'000;
  int64_t monotonic_ns_ WEFT_GUARDED_BY(mutex_) = 1'000'000'000;
  Names names_ WEFT_GUARDED_BY(mutex_);    // as the process sees them
  Names durable_ WEFT_GUARDED_BY(mutex_);  // as they would be after a power cut
  std::vector<NameChange> pending_ WEFT_GUARDED_BY(mutex_);
  std::set<std::string> locks_ WEFT_GUARDED_BY(mutex_);
  uint32_t syncs_to_fail_ WEFT_GUARDED_BY(mutex_) = 0;
  uint32_t folder_syncs_to_fail_ WEFT_GUARDED_BY(mutex_) = 0;
  uint32_t folder_syncs_before_ WEFT_GUARDED_BY(mutex_) = 0;  // that succeed before these
  uint64_t disk_bytes_ WEFT_GUARDED_BY(mutex_) = UINT64_MAX;
  uint64_t changes_left_ WEFT_GUARDED_BY(mutex_) = UINT64_MAX;
  uint64_t change_count_ WEFT_GUARDED_BY(mutex_) = 0;
  uint64_t sync_count_ WEFT_GUARDED_BY(mutex_) = 0;
};

}  // namespace weft
