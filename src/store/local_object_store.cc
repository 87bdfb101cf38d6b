#include "store/local_object_store.h"

#include "base/folder.h"

namespace weft::store {

std::string LocalObjectStore::PathOf(std::string_view name) const {
  return name.empty() ? root_ : root_ + "/" + std::string(name);
}

Error LocalObjectStore::Put(std::span<const NamedBytes> objects) {
  for (const NamedBytes& object : objects) WEFT_RETURN_IF_ERROR(CheckObjectName(object.name));
  std::vector<std::string> temporaries;
  for (const NamedBytes& object : objects) {
    temporaries.push_back(PathOf(object.name) + "~" + std::to_string(env_.RandomU64()));
  }
  const Error error = PutAll(objects, temporaries);
  if (error.ok()) return error;
  for (const std::string& path : temporaries) {
    // Those that were renamed already are not there; the others must not fill the disk.
    if (const Error removed = env_.RemoveFile(path); removed.code() == ErrorCode::kIo) return error;
  }
  return error;
}

Error LocalObjectStore::PutAll(std::span<const NamedBytes> objects,
                               std::span<const std::string> temporaries) {
  std::set<std::string> folders;
  for (size_t i = 0; i < objects.size(); ++i) {
    const std::string folder = ParentFolder(temporaries[i]);
    if (folders.insert(folder).second) WEFT_RETURN_IF_ERROR(MakeFolder(folder));
    WEFT_RETURN_IF_ERROR(WriteTemporary(temporaries[i], objects[i].bytes));
  }
  for (size_t i = 0; i < objects.size(); ++i) {
    WEFT_RETURN_IF_ERROR(env_.RenamePath(temporaries[i], PathOf(objects[i].name)));
  }
  for (const std::string& folder : folders) WEFT_RETURN_IF_ERROR(env_.SyncFolder(folder));
  return Error::Ok();
}

Error LocalObjectStore::MakeFolder(const std::string& path) {
  if (path == root_) return MakeKeptFolder(root_);
  WEFT_RETURN_IF_ERROR(MakeKeptFolder(root_));
  WEFT_RETURN_IF_ERROR(MakeKeptFolder(ParentFolder(path)));
  return MakeDurableFolder(env_, path);
}

Error LocalObjectStore::MakeKeptFolder(const std::string& path) {
  {
    const MutexLock lock(mutex_);
    if (kept_folders_.contains(path)) return Error::Ok();
  }
  WEFT_RETURN_IF_ERROR(MakeDurableFolder(env_, path));
  const MutexLock lock(mutex_);
  kept_folders_.insert(path);
  return Error::Ok();
}

Error LocalObjectStore::WriteTemporary(const std::string& path, std::string_view bytes) {
  WEFT_ASSIGN_OR_RETURN(const auto file, env_.NewWritableFile(path));
  WEFT_RETURN_IF_ERROR(file->Append(bytes));
  WEFT_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

Result<std::unique_ptr<ReadableFile>> LocalObjectStore::Open(const std::string& name) const {
  WEFT_RETURN_IF_ERROR(CheckObjectName(name));
  return env_.NewReadableFile(PathOf(name));
}

Result<std::string> LocalObjectStore::Get(const std::string& name) const {
  WEFT_RETURN_IF_ERROR(CheckObjectName(name));
  return env_.ReadWholeFile(PathOf(name));
}

// Its content was synced before it got its name.
Error LocalObjectStore::MakeDurable(const std::string& name) {
  WEFT_RETURN_IF_ERROR(CheckObjectName(name));
  return env_.SyncFolder(ParentFolder(PathOf(name)));
}

Result<Listing> LocalObjectStore::List(const std::string& folder) const {
  if (!folder.empty()) WEFT_RETURN_IF_ERROR(CheckObjectName(folder));
  auto entries = env_.ListFolder(PathOf(folder));
  if (entries.error().code() == ErrorCode::kNotFound) return Listing{};
  if (!entries.ok()) return entries.error();
  Listing listing;
  for (FileInfo& entry : *entries) {
    if (!CheckObjectName(entry.name).ok()) continue;  // temporary, or not ours
    if (entry.is_directory) {
      listing.folders.push_back(std::move(entry.name));
    } else {
      listing.objects.push_back({std::move(entry.name), entry.size_bytes});
    }
  }
  return listing;
}

Error LocalObjectStore::Delete(const std::string& name) {
  WEFT_RETURN_IF_ERROR(CheckObjectName(name));
  const std::string path = PathOf(name);
  Error error = env_.RemoveFile(path);
  if (!error.ok() && error.code() != ErrorCode::kNotFound) return error;
  // Also when it is not there: an earlier call may have failed at this point.
  Error synced = env_.SyncFolder(ParentFolder(path));
  return synced.code() == ErrorCode::kNotFound ? Error::Ok() : synced;
}

Error LocalObjectStore::DeleteFolder(const std::string& folder) {
  WEFT_RETURN_IF_ERROR(CheckObjectName(folder));
  const std::string path = PathOf(folder);
  {
    const MutexLock lock(mutex_);
    std::erase_if(kept_folders_, [&](const std::string& kept) { return kept.starts_with(path); });
  }
  return env_.RemoveTree(path);
}

Error LocalObjectStore::RemoveRemains(const std::string& folder) {
  if (!folder.empty()) WEFT_RETURN_IF_ERROR(CheckObjectName(folder));
  const auto entries = env_.ListFolder(PathOf(folder));
  if (entries.error().code() == ErrorCode::kNotFound) return Error::Ok();
  if (!entries.ok()) return entries.error();
  for (const FileInfo& entry : *entries) {
    if (entry.is_directory || entry.name.find('~') == std::string::npos) continue;
    WEFT_RETURN_IF_ERROR(env_.RemoveFile(PathOf(folder) + "/" + entry.name));
  }
  return Error::Ok();
}

}  // namespace weft::store
