// An ObjectStore in a folder of this machine.
//
// An object is written to a temporary file beside its place, synced, renamed, and the folder is
// synced: one folder sync serves all objects of a Put(). Temporary names hold a '~', which no
// object's name may: they are never listed, and those that a crash left behind go away with their
// folder, or by RemoveRemains.
#pragma once

#include <set>
#include <string>

#include "base/mutex.h"
#include "store/object_store.h"

namespace weft::store {

class LocalObjectStore : public ObjectStore {
 public:
  using ObjectStore::Put;

  // `env` must outlive the store. The folder is made when something is put into it.
  LocalObjectStore(Env& env, std::string root) : env_(env), root_(std::move(root)) {}

  Error Put(std::span<const NamedBytes> objects) override;
  Error MakeDurable(const std::string& name) override;
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& name) const override;
  Result<std::string> Get(const std::string& name) const override;
  Result<Listing> List(const std::string& folder) const override;
  Error Delete(const std::string& name) override;
  Error DeleteFolder(const std::string& folder) override;
  Error RemoveRemains(const std::string& folder) override;

 private:
  std::string PathOf(std::string_view name) const;
  // Creates the folder and its missing parents so that they survive a power cut.
  Error MakeFolder(const std::string& path);
  // The same for a folder of folders (the root, a tenant), done once.
  Error MakeKeptFolder(const std::string& path) WEFT_EXCLUDES(mutex_);
  Error WriteTemporary(const std::string& path, std::string_view bytes);
  Error PutAll(std::span<const NamedBytes> objects, std::span<const std::string> temporaries);

  Env& env_;
  const std::string root_;
  Mutex mutex_;
  std::set<std::string> kept_folders_ WEFT_GUARDED_BY(mutex_);  // known to be durable
};

}  // namespace weft::store
