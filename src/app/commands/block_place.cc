#include "app/commands/block_place.h"

#include <utility>

#include "app/commands/server_address.h"
#include "base/env.h"
#include "store/open_object_store.h"

namespace weft::app::commands {

Result<OpenedPlace> OpenedPlace::Open(const BlockPlace& place) {
  Env& env = Env::Posix();
  OpenedPlace opened;
  std::string store = place.store;
  if (store.empty()) {
    if (!env.Exists(place.data_dir)) {
      return Error(ErrorCode::kNotFound, "there is no folder " + place.data_dir +
                                             "; name the data folder with --data, or the object "
                                             "store with --store");
    }
    if (auto in_use = AddressInUse(place.data_dir, "store"); in_use.ok()) store = *in_use;
  }
  const std::string folder = place.data_dir + "/blocks";
  if (store.empty() && !env.Exists(folder)) {
    opened.hint_ = "there are no blocks in " + place.data_dir +
                   "; if its server kept them in an object store, name that with --store";
  }
  WEFT_ASSIGN_OR_RETURN(opened.objects_,
                        store::OpenObjectStore(env, store, folder, *opened.metrics_));
  return opened;
}

}  // namespace weft::app::commands
