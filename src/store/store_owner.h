// StoreOwner: sees to it that one process at a time writes to a store.
//
// In a folder of this machine it is a lock of the operating system, gone with its process. In an
// object store, which knows no locks, it is the object "@writer" (a name that no tenant can have):
//
// 1. Whoever wants to write reads it. There is none, it was given back, or it is of the same data
//    folder (whose own lock proves that no other server runs on it): it is taken at once.
// 2. Else it is watched: its owner rewrites it every beat_ns. It changes: the store is in use. It
//    does not change for gone_after_ns: its owner is gone, and it is taken.
// 3. Taken is: written, and still the same settle_ns later. Of two who take it at once the later
//    one stays.
// 4. While it is held every beat reads it before writing it. Another's means that this process was
//    taken for gone: from then on it must not write. Nor may it while its beats do not come through
//    for hold_ns, which is well before anybody takes it for gone.
//
// Times are of each process's own monotonic clock; clocks are not compared.
// Thread rule: one thread takes and beats; CheckHeld from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/error.h"
#include "store/object_store.h"

namespace weft::store {

inline constexpr char kOwnerObject[] = "@writer";

// A new random identity of a data folder: 32 hex digits.
std::string NewInstanceId(Env& env);
bool IsInstanceId(std::string_view text);

struct StoreOwnerOptions {
  std::string instance;     // of the data folder
  std::string description;  // for whoever is refused: host and folder; no quotes or backslashes
  int64_t beat_ns = 5'000'000'000;
  int64_t hold_ns = 12'000'000'000;
  int64_t gone_after_ns = 20'000'000'000;
  int64_t settle_ns = 1'000'000'000;
};

class StoreOwner {
 public:
  using Wait = std::function<void(int64_t ns)>;

  // `env` and `objects` must outlive it. `wait` lets time pass.
  StoreOwner(Env& env, ObjectStore& objects, StoreOwnerOptions options, Wait wait);

  // Steps 1 to 3. kUnavailable, with what to do, when another server writes to the store.
  Error Take();
  // Step 4, to be called every beat_ns. kCancelled: the store is another's now.
  Error Beat();
  // Gives it back, so that the next one need not wait.
  Error Release();
  // Whether writing is allowed now.
  Error CheckHeld() const;

 private:
  struct Record {
    std::string instance;
    std::string description;
    uint64_t beat = 0;
    bool released = false;

    bool operator==(const Record&) const = default;
  };

  // kNotFound when there is none; what is no record counts as one of nobody, that never beats.
  Result<Record> Read() const;
  Error Write(bool released);
  Error WatchOther(const Record& first);

  Env& env_;
  ObjectStore& objects_;
  const StoreOwnerOptions options_;
  const Wait wait_;
  uint64_t beat_ = 0;
  std::atomic<bool> lost_{false};
  std::atomic<int64_t> held_until_ns_{0};  // of the monotonic clock
};

// Another store, in which nothing can be changed unless `owner` holds it. Both must outlive it.
class OwnedObjectStore : public ObjectStore {
 public:
  using ObjectStore::Put;

  OwnedObjectStore(ObjectStore& inner, const StoreOwner& owner) : inner_(inner), owner_(owner) {}

  Error Put(std::span<const NamedBytes> objects) override {
    WEFT_RETURN_IF_ERROR(owner_.CheckHeld());
    return inner_.Put(objects);
  }
  Error MakeDurable(const std::string& name) override { return inner_.MakeDurable(name); }
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& name) const override {
    return inner_.Open(name);
  }
  Result<std::unique_ptr<ReadableFile>> OpenSized(const std::string& name,
                                                  uint64_t size_bytes) const override {
    return inner_.OpenSized(name, size_bytes);
  }
  Result<std::string> Get(const std::string& name) const override { return inner_.Get(name); }
  Result<std::string> GetSized(const std::string& name, uint64_t size_bytes) const override {
    return inner_.GetSized(name, size_bytes);
  }
  bool IsRemote() const override { return inner_.IsRemote(); }
  Result<Listing> List(const std::string& folder) const override { return inner_.List(folder); }
  Error Delete(const std::string& name) override {
    WEFT_RETURN_IF_ERROR(owner_.CheckHeld());
    return inner_.Delete(name);
  }
  Error DeleteFolder(const std::string& folder) override {
    WEFT_RETURN_IF_ERROR(owner_.CheckHeld());
    return inner_.DeleteFolder(folder);
  }
  Error RemoveRemains(const std::string& folder) override {
    WEFT_RETURN_IF_ERROR(owner_.CheckHeld());
    return inner_.RemoveRemains(folder);
  }

 private:
  ObjectStore& inner_;
  const StoreOwner& owner_;
};

}  // namespace weft::store
