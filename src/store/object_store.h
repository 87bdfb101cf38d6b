// ObjectStore: a place for whole objects under names, on this machine or another.
//
// A name is a path of components joined by '/', each 1 to 200 of [A-Za-z0-9!-_.*'()@], and neither
// "." nor ".."; anything else is refused with kInvalidArgument, so that no name can leave the
// store's own place. Thread rule: every method from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/error.h"

namespace weft::store {

struct ObjectInfo {
  std::string name;  // last component
  uint64_t size_bytes = 0;
};

// What lies directly in a folder, each sorted by name.
struct Listing {
  std::vector<ObjectInfo> objects;
  std::vector<std::string> folders;  // last components
};

struct NamedBytes {
  std::string name;
  std::string_view bytes;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Each object is whole and durable when this returns ok, and replaces one of the same name. On
  // failure each of them is there whole, or as it was before.
  virtual Error Put(std::span<const NamedBytes> objects) = 0;
  Error Put(const std::string& name, std::string_view bytes) {
    const NamedBytes object{name, bytes};
    return Put({&object, 1});
  }

  // That the object is there is durable when this returns ok, also when the Put that made it
  // failed, or was cut off in an earlier life. Before anything is destroyed because it is there.
  // Nothing to do for stores in which what is seen is durable.
  virtual Error MakeDurable(const std::string& name);

  // kNotFound when there is none.
  virtual Result<std::unique_ptr<ReadableFile>> Open(const std::string& name) const = 0;
  virtual Result<std::string> Get(const std::string& name) const = 0;  // as it is now
  // The same for an object that is `size_bytes` long, as a listing says: spares a store on another
  // machine the question. That there is none may then be the answer to the first read.
  virtual Result<std::unique_ptr<ReadableFile>> OpenSized(const std::string& name,
                                                          uint64_t size_bytes) const;
  virtual Result<std::string> GetSized(const std::string& name, uint64_t size_bytes) const;

  // Empty for a folder that does not exist: a folder exists while something is in it. "" is the
  // whole store.
  virtual Result<Listing> List(const std::string& folder) const = 0;

  // Whether each read is a request to another machine, so that one large read is better than many.
  virtual bool IsRemote() const { return false; }

  // Durable when this returns. Ok when there is none.
  virtual Error Delete(const std::string& name) = 0;
  // Everything under the folder; not in one step, and not durable at once: a power cut may bring
  // some of it back.
  virtual Error DeleteFolder(const std::string& folder) = 0;

  // Removes what writes that were cut off left in a folder and no listing shows. Only by the one
  // process that writes there, before it does.
  virtual Error RemoveRemains(const std::string& folder);
};

// Whether asking a store again may give another answer: then nothing is known of what was asked
// for.
inline bool IsTransient(const Error& error) {
  return error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kResourceExhausted ||
         error.code() == ErrorCode::kCancelled;
}

// Whether `name` keeps the rules above.
Error CheckObjectName(std::string_view name);

}  // namespace weft::store
