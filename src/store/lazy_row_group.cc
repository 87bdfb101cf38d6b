#include "store/lazy_row_group.h"

namespace weft::store {

Error LazyRowGroup::Load() const {
  const MutexLock lock(mutex_);
  if (loaded_) return Error::Ok();
  WEFT_ASSIGN_OR_RETURN(group_, opener_(block_, row_group_));
  ready_.store(group_.get(), std::memory_order_release);
  is_empty_.store(group_ == nullptr, std::memory_order_release);
  loaded_ = true;
  return Error::Ok();
}

Error LazyRowGroup::LoadTraces() const {
  WEFT_RETURN_IF_ERROR(Load());
  const block::RowGroup* loaded = group();
  return loaded != nullptr ? loaded->LoadTraces() : Error::Ok();
}

}  // namespace weft::store
