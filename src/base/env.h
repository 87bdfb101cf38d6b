// Env: the world as the server sees it - clock, random numbers, files. Given to whoever needs it,
// never asked for through globals, so that tests can run the same code on a simulated world (lost
// unsynced writes, torn tails, clock jumps).
//
// Thread rule: an Env and a Clock may be used from any thread; a WritableFile from one thread at a
// time; a ReadableFile from any. Paths are UTF-8, '/'-separated.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weft {

// An append-only file. Nothing is durable before Sync() has returned ok; after a failed Sync() the
// data since the last good Sync is lost for good and the file must not be appended to again.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Error Append(std::string_view bytes) = 0;
  virtual Error Sync() = 0;
  virtual Error Close() = 0;
  virtual uint64_t size_bytes() const = 0;
};

struct ByteRange {
  uint64_t offset = 0;
  uint64_t size = 0;
};

// Random-access reads of a file that does not change any more.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  // Reads exactly `length` bytes at `offset` into `out`; kCorrupt when the file is shorter.
  virtual Error ReadAt(uint64_t offset, size_t length, char* out) const = 0;
  virtual uint64_t size_bytes() const = 0;
  // A hint: these ranges, inside the file, will be read soon. Returns at once; a file that is far
  // away may begin to fetch them.
  virtual void WillRead(std::span<const ByteRange>) const {}
  // The whole file when it is mapped to memory (valid while this object lives), else empty.
  virtual std::string_view mapped() const { return {}; }
};

struct FileInfo {
  std::string name;  // last component
  bool is_directory = false;
  uint64_t size_bytes = 0;
};

// Held while alive; the operating system releases it when the process dies.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class Env {
 public:
  virtual ~Env() = default;

  // Wall clock, ns since 1970; may jump. Monotonic clock, ns since an arbitrary point; never jumps.
  virtual int64_t NowNs() const = 0;
  virtual int64_t MonotonicNs() const = 0;
  // A uniformly random 64-bit number, unpredictable in the real Env, seeded in a simulated one.
  virtual uint64_t RandomU64() = 0;

  // Creates the file, which must not exist.
  virtual Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> NewReadableFile(const std::string& path) = 0;
  virtual Result<std::string> ReadWholeFile(const std::string& path) = 0;
  // Writes a new file, syncs it, and moves it over `path` in one step (the folder is synced too).
  virtual Error ReplaceFile(const std::string& path, std::string_view bytes) = 0;
  virtual Error RenamePath(const std::string& from, const std::string& to) = 0;
  virtual Error RemoveFile(const std::string& path) = 0;
  virtual Error RemoveTree(const std::string& path) = 0;
  // Cuts the file to `size_bytes` and syncs it.
  virtual Error TruncateFile(const std::string& path, uint64_t size_bytes) = 0;
  // Creates the folder and its parents; ok when it exists.
  virtual Error CreateFolder(const std::string& path) = 0;
  // Makes renames, creations and removals inside the folder durable.
  virtual Error SyncFolder(const std::string& path) = 0;
  // Entries of a folder sorted by name; kNotFound when there is none.
  virtual Result<std::vector<FileInfo>> ListFolder(const std::string& path) = 0;
  virtual bool Exists(const std::string& path) = 0;
  virtual Result<uint64_t> FreeDiskBytes(const std::string& path) = 0;
  // kUnavailable when another process holds it.
  virtual Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) = 0;

  // The real world of this process.
  static Env& Posix();
};

}  // namespace weft
