// Where the blocks are that a command reads: `weft blocks`, `weft check`.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/metrics.h"
#include "store/object_store.h"

namespace weft::app::commands {

struct BlockPlace {
  std::string data_dir = "weft-data";  // --data
  std::string store;                   // --store or WEFT_STORE: see store/open_object_store.h; wins
};

class OpenedPlace {
 public:
  // Without a store named: the one that the server running on the data folder uses, else the
  // folder's own blocks. The message of a failure says what to do.
  static Result<OpenedPlace> Open(const BlockPlace& place);

  const store::ObjectStore& objects() const { return *objects_; }
  // Something that the user should know about the choice; mostly empty.
  const std::string& hint() const { return hint_; }

 private:
  OpenedPlace() = default;

  std::unique_ptr<MetricRegistry> metrics_ = std::make_unique<MetricRegistry>();
  std::unique_ptr<store::ObjectStore> objects_;
  std::string hint_;
};

}  // namespace weft::app::commands
