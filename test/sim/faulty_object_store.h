// FaultyObjectStore: another store as a network and a busy service show it.
//
//   FaultyObjectStore objects(local, seed);
//   objects.SetFaults({.refused = 4, .lied = 8});   // one call in four, one change in eight
//   objects.Heal();                                 // from here on it does what it is told
//
// What a change may meet: it is refused (kUnavailable, nothing done); a part of it is done and then
// refused; all of it is done and the answer is lost (the caller hears "no"); it is done twice. Some
// folders may refuse every delete. What a read may meet: it is refused. Every call may take a while
// of the wall clock. Deterministic from the seed when calls come in a fixed order; any thread.
#pragma once

#include <cstdint>
#include <functional>

#include "base/mutex.h"
#include "store/object_store.h"

namespace weft::sim {

// Each is "one in so many"; 0 for never.
struct ObjectFaults {
  uint32_t refused = 0;  // changes
  uint32_t reads_refused = 0;
  uint32_t partly = 0;
  uint32_t lied = 0;
  uint32_t twice = 0;
  uint32_t slow = 0;
  uint32_t kept = 0;  // folders in which no delete is done, always the same ones
};

class FaultyObjectStore : public store::ObjectStore {
 public:
  using ObjectStore::Put;

  // `inner` must outlive it. `slow` is called when a call takes long: to move a clock.
  FaultyObjectStore(store::ObjectStore& inner, uint64_t seed, std::function<void()> slow);

  void SetFaults(const ObjectFaults& faults) WEFT_EXCLUDES(mutex_);
  void Heal() { SetFaults({}); }

  Error Put(std::span<const store::NamedBytes> objects) override;
  Error MakeDurable(const std::string& name) override;
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& name) const override;
  Result<std::string> Get(const std::string& name) const override;
  bool IsRemote() const override { return true; }
  Result<store::Listing> List(const std::string& folder) const override;
  Error Delete(const std::string& name) override;
  Error DeleteFolder(const std::string& folder) override;
  Error RemoveRemains(const std::string& folder) override { return inner_.RemoveRemains(folder); }

 private:
  class File;
  struct Fate {
    bool refused = false;
    bool partly = false;
    bool lied = false;
    bool twice = false;
  };

  Fate NextFate(bool read) const WEFT_EXCLUDES(mutex_);
  bool Chance(uint32_t one_in) const WEFT_REQUIRES(mutex_);
  uint64_t Random(uint64_t below) const WEFT_EXCLUDES(mutex_);
  Error RefusedRead() const WEFT_EXCLUDES(mutex_);
  Error RefusedDelete(const std::string& name) const WEFT_EXCLUDES(mutex_);
  // A change as fate has it.
  Error Change(const std::function<Error()>& change) WEFT_EXCLUDES(mutex_);

  store::ObjectStore& inner_;
  const uint64_t seed_;
  const std::function<void()> slow_;
  mutable Mutex mutex_;
  mutable uint64_t random_ WEFT_GUARDED_BY(mutex_);
  ObjectFaults faults_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::sim
