#include "test/sim/faulty_object_store.h"

#include <utility>

#include "base/checksum.h"

namespace weft::sim {

// Reads may be refused after the file was opened.
class FaultyObjectStore::File : public ReadableFile {
 public:
  File(const FaultyObjectStore& store, std::unique_ptr<ReadableFile> inner)
      : store_(store), inner_(std::move(inner)) {}

  Error ReadAt(uint64_t offset, size_t length, char* out) const override {
    WEFT_RETURN_IF_ERROR(store_.RefusedRead());
    return inner_->ReadAt(offset, length, out);
  }
  uint64_t size_bytes() const override { return inner_->size_bytes(); }

 private:
  const FaultyObjectStore& store_;
  const std::unique_ptr<ReadableFile> inner_;
};

FaultyObjectStore::FaultyObjectStore(store::ObjectStore& inner, uint64_t seed,
                                     std::function<void()> slow)
    : inner_(inner), seed_(seed), slow_(std::move(slow)), random_(seed) {}

void FaultyObjectStore::SetFaults(const ObjectFaults& faults) {
  const MutexLock lock(mutex_);
  faults_ = faults;
}

bool FaultyObjectStore::Chance(uint32_t one_in) const {
  if (one_in == 0) return false;
  random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
  return (random_ >> 33) % one_in == 0;
}

uint64_t FaultyObjectStore::Random(uint64_t below) const {
  const MutexLock lock(mutex_);
  random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
  return (random_ >> 33) % below;
}

FaultyObjectStore::Fate FaultyObjectStore::NextFate(bool read) const {
  Fate fate;
  bool slow = false;
  {
    const MutexLock lock(mutex_);
    fate.refused = Chance(read ? faults_.reads_refused : faults_.refused);
    fate.partly = Chance(faults_.partly);
    fate.lied = Chance(faults_.lied);
    fate.twice = Chance(faults_.twice);
    slow = Chance(faults_.slow);
  }
  if (slow && slow_) slow_();
  return fate;
}

Error FaultyObjectStore::RefusedRead() const {
  if (!NextFate(/*read=*/true).refused) return Error::Ok();
  return Error(ErrorCode::kUnavailable, "503 slow down", 1000);
}

Error FaultyObjectStore::Change(const std::function<Error()>& change) {
  const Fate fate = NextFate(/*read=*/false);
  const Error refusal(ErrorCode::kUnavailable, "503 slow down", 1000);
  if (fate.refused) return refusal;
  WEFT_RETURN_IF_ERROR(change());
  if (fate.twice) WEFT_RETURN_IF_ERROR(change());
  return fate.lied ? Error(ErrorCode::kIo, "the connection was lost") : Error::Ok();
}

Error FaultyObjectStore::Put(std::span<const store::NamedBytes> objects) {
  if (objects.size() > 1 && NextFate(/*read=*/false).partly) {
    for (const store::NamedBytes& object : objects.first(Random(objects.size()))) {
      WEFT_RETURN_IF_ERROR(inner_.Put({&object, 1}));
    }
    return Error(ErrorCode::kUnavailable, "503 slow down, half-way", 1000);
  }
  return Change([&] { return inner_.Put(objects); });
}

// Blocks are folders <tenant>/<id>.
Error FaultyObjectStore::RefusedDelete(const std::string& name) const {
  const MutexLock lock(mutex_);
  if (faults_.kept == 0) return Error::Ok();
  const std::string folder = name.substr(0, name.find('/', name.find('/') + 1));
  if ((Crc32c(folder) ^ seed_) % faults_.kept != 0) return Error::Ok();
  return Error(ErrorCode::kIo, "403 this one can't be deleted");
}

Error FaultyObjectStore::MakeDurable(const std::string& name) { return inner_.MakeDurable(name); }

Error FaultyObjectStore::Delete(const std::string& name) {
  WEFT_RETURN_IF_ERROR(RefusedDelete(name));
  return Change([&] { return inner_.Delete(name); });
}

Error FaultyObjectStore::DeleteFolder(const std::string& folder) {
  WEFT_RETURN_IF_ERROR(RefusedDelete(folder));
  return Change([&] { return inner_.DeleteFolder(folder); });
}

Result<std::unique_ptr<ReadableFile>> FaultyObjectStore::Open(const std::string& name) const {
  WEFT_RETURN_IF_ERROR(RefusedRead());
  WEFT_ASSIGN_OR_RETURN(auto file, inner_.Open(name));
  return std::unique_ptr<ReadableFile>(new File(*this, std::move(file)));
}

Result<std::string> FaultyObjectStore::Get(const std::string& name) const {
  WEFT_RETURN_IF_ERROR(RefusedRead());
  return inner_.Get(name);
}

Result<store::Listing> FaultyObjectStore::List(const std::string& folder) const {
  WEFT_RETURN_IF_ERROR(RefusedRead());
  return inner_.List(folder);
}

}  // namespace weft::sim
