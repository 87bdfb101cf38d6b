// Env over the calls of POSIX.
//
// Files are read with pread, not mapped: a read error of the device is then an Error and not a
// SIGBUS, and pages of the file do not count as memory of the process.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "base/folder.h"

namespace weft {
namespace {

constexpr uint32_t kDiskFullRetryMs = 5000;

// The error of a failed system call, from errno.
Error SystemError(std::string_view what, const std::string& path) {
  const int code = errno;
  const std::string message = std::string(what) + " " + path + ": " + std::strerror(code);
  switch (code) {
    case ENOENT: return Error(ErrorCode::kNotFound, message);
    case ENOSPC:
    case EDQUOT: return Error(ErrorCode::kUnavailable, message, kDiskFullRetryMs);
    default: return Error(ErrorCode::kIo, message);
  }
}

template <typename Call>
auto RetryInterrupted(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result;
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.Release()) {}

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

FileDescriptor OpenPath(const std::string& path, int flags) {
  return FileDescriptor(
      RetryInterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); }));
}

class PosixWritableFile : public WritableFile {
 public:
  PosixWritableFile(FileDescriptor fd, std::string path)
      : fd_(std::move(fd)), path_(std::move(path)) {}

  Error Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n =
          RetryInterrupted([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
      if (n < 0) return SystemError("cannot write", path_);
      size_bytes_ += static_cast<uint64_t>(n);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return Error::Ok();
  }

  Error Sync() override {
    // Only the size and the data matter; fdatasync writes the new size too.
    if (RetryInterrupted([&] { return ::fdatasync(fd_.get()); }) != 0) {
      return SystemError("cannot sync", path_);
    }
    return Error::Ok();
  }

  Error Close() override {
    // Not retried when interrupted: on Linux the descriptor is gone either way.
    const int fd = fd_.Release();
    if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) return SystemError("cannot close", path_);
    return Error::Ok();
  }

  uint64_t size_bytes() const override { return size_bytes_; }

 private:
  FileDescriptor fd_;
  const std::string path_;
  uint64_t size_bytes_ = 0;
};

class PosixReadableFile : public ReadableFile {
 public:
  PosixReadableFile(FileDescriptor fd, std::string path, uint64_t size_bytes)
      : fd_(std::move(fd)), path_(std::move(path)), size_bytes_(size_bytes) {}

  Error ReadAt(uint64_t offset, size_t length, char* out) const override {
    while (length > 0) {
      const ssize_t n = RetryInterrupted(
          [&] { return ::pread(fd_.get(), out, length, static_cast<off_t>(offset)); });
      if (n < 0) return SystemError("cannot read", path_);
      if (n == 0) {
        return Error(ErrorCode::kCorrupt, path_ + " ends before byte " +
                                              std::to_string(offset + length) + ": it was cut");
      }
      out += n;
      offset += static_cast<uint64_t>(n);
      length -= static_cast<size_t>(n);
    }
    return Error::Ok();
  }

  uint64_t size_bytes() const override { return size_bytes_; }

 private:
  FileDescriptor fd_;
  const std::string path_;
  const uint64_t size_bytes_;
};

class PosixFileLock : public FileLock {
 public:
  explicit PosixFileLock(FileDescriptor fd) : fd_(std::move(fd)) {}

 private:
  FileDescriptor fd_;
};

int64_t ReadClock(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

class PosixEnv : public Env {
 public:
  int64_t NowNs() const override { return ReadClock(CLOCK_REALTIME); }
  int64_t MonotonicNs() const override { return ReadClock(CLOCK_MONOTONIC); }

  uint64_t RandomU64() override {
    uint64_t value = 0;
    // Up to 256 bytes come whole; it can only fail where the kernel lacks the call.
    if (RetryInterrupted([&] { return ::getrandom(&value, sizeof value, 0); }) != sizeof value) {
      std::abort();
    }
    return value;
  }

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path) override {
    FileDescriptor fd = OpenPath(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
    if (!fd.valid()) return SystemError("cannot create", path);
    return std::unique_ptr<WritableFile>(new PosixWritableFile(std::move(fd), path));
  }

  Result<std::unique_ptr<ReadableFile>> NewReadableFile(const std::string& path) override {
    FileDescriptor fd = OpenPath(path, O_RDONLY);
    struct stat info{};
    if (!fd.valid() || ::fstat(fd.get(), &info) != 0) return SystemError("cannot open", path);
    if (!S_ISREG(info.st_mode)) return Error(ErrorCode::kIo, path + " is not a regular file");
    return std::unique_ptr<ReadableFile>(
        new PosixReadableFile(std::move(fd), path, static_cast<uint64_t>(info.st_size)));
  }

  Result<std::string> ReadWholeFile(const std::string& path) override {
    WEFT_ASSIGN_OR_RETURN(const auto file, NewReadableFile(path));
    std::string bytes(file->size_bytes(), '\0');
    WEFT_RETURN_IF_ERROR(file->ReadAt(0, bytes.size(), bytes.data()));
    return bytes;
  }

  Error ReplaceFile(const std::string& path, std::string_view bytes) override {
    const std::string temporary = path + ".tmp" + std::to_string(RandomU64());
    Error error = WriteAndSync(temporary, bytes);
    if (error.ok()) error = RenamePath(temporary, path);
    if (!error.ok()) {
      ::unlink(temporary.c_str());
      return error;
    }
    return SyncFolder(ParentFolder(path));
  }

  Error RenamePath(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return SystemError("cannot rename", from);
    return Error::Ok();
  }

  Error RemoveFile(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return SystemError("cannot remove", path);
    return Error::Ok();
  }

  Error RemoveTree(const std::string& path) override {
    std::error_code code;
    std::filesystem::remove_all(path, code);
    if (code) {
      errno = code.value();
      return SystemError("cannot remove", path);
    }
    return Error::Ok();
  }

  Error TruncateFile(const std::string& path, uint64_t size_bytes) override {
    const FileDescriptor fd = OpenPath(path, O_WRONLY);
    if (!fd.valid() ||
        RetryInterrupted([&] { return ::ftruncate(fd.get(), static_cast<off_t>(size_bytes)); }) ||
        RetryInterrupted([&] { return ::fsync(fd.get()); })) {
      return SystemError("cannot truncate", path);
    }
    return Error::Ok();
  }

  Error CreateFolder(const std::string& path) override {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    if (code) {
      errno = code.value();
      return SystemError("cannot create", path);
    }
    return Error::Ok();
  }

  Error SyncFolder(const std::string& path) override {
    const FileDescriptor fd = OpenPath(path, O_RDONLY | O_DIRECTORY);
    if (!fd.valid() || RetryInterrupted([&] { return ::fsync(fd.get()); })) {
      return SystemError("cannot sync", path);
    }
    return Error::Ok();
  }

  Result<std::vector<FileInfo>> ListFolder(const std::string& path) override {
    std::error_code code;
    std::vector<FileInfo> entries;
    auto it = std::filesystem::directory_iterator(path, code);
    for (; !code && it != std::filesystem::directory_iterator(); it.increment(code)) {
      // An entry may vanish between the listing and the look: it is then left out.
      std::error_code gone;
      FileInfo info{it->path().filename().string(), it->is_directory(gone), 0};
      if (!gone && it->is_regular_file(gone)) info.size_bytes = it->file_size(gone);
      if (!gone) entries.push_back(std::move(info));
    }
    if (code) {
      errno = code.value();
      return SystemError("cannot list", path);
    }
    std::sort(entries.begin(), entries.end(),
              [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
    return entries;
  }

  bool Exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<uint64_t> FreeDiskBytes(const std::string& path) override {
    struct statvfs info{};
    if (::statvfs(path.c_str(), &info) != 0) return SystemError("cannot ask the size of", path);
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  }

  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) override {
    FileDescriptor fd = OpenPath(path, O_RDWR | O_CREAT);
    if (!fd.valid()) return SystemError("cannot open", path);
    // Of the open file, not of the process: it goes with the descriptor, also when killed.
    if (RetryInterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return SystemError("cannot lock", path);
      return Error(ErrorCode::kUnavailable, path + " is locked by another process");
    }
    return std::unique_ptr<FileLock>(new PosixFileLock(std::move(fd)));
  }

 private:
  Error WriteAndSync(const std::string& path, std::string_view bytes) {
    WEFT_ASSIGN_OR_RETURN(const auto file, NewWritableFile(path));
    WEFT_RETURN_IF_ERROR(file->Append(bytes));
    WEFT_RETURN_IF_ERROR(file->Sync());
    return file->Close();
  }
};

}  // namespace

Env& Env::Posix() {
  static auto* env = new PosixEnv;  // outlives every thread
  return *env;
}

}  // namespace weft
