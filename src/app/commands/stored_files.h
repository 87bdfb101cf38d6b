// The files of one block of an object store, opened by name.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "block/reader.h"
#include "store/catalog.h"

namespace weft::app::commands {

// `objects` must outlive it.
class StoredFiles : public block::FileOpener {
 public:
  StoredFiles(const store::ObjectStore& objects, store::BlockName name)
      : objects_(objects), name_(std::move(name)) {}

  Result<std::unique_ptr<ReadableFile>> Open(std::string_view file) const override {
    return objects_.Open(store::ObjectOf(name_, file));
  }

 private:
  const store::ObjectStore& objects_;
  const store::BlockName name_;
};

}  // namespace weft::app::commands
