#include "store/lazy_row_group.h"

namespace weft::store {

Error LazyRowGroup::Load() const {
  const MutexLock lock(mutex_);
  if (loaded_) return Error::Ok();
  WEFT_ASSIGN_OR_RETURN(group_, opener_(block_, row_group_));
  loaded_ = true;
  return Error::Ok();
}

Error LazyRowGroup::LoadTraces() const {
  WEFT_RETURN_IF_ERROR(Load());
  const block::RowGroup* loaded = group();
  return loaded != nullptr ? loaded->LoadTraces() : Error::Ok();
}

uint32_t LazyRowGroup::row_count() const {
  const MutexLock lock(mutex_);
  if (loaded_ && group_ == nullptr) return 0;
  return static_cast<uint32_t>(meta().span_count);
}

uint64_t LazyRowGroup::bytes_read() const {
  const MutexLock lock(mutex_);
  return group_ ? group_->bytes_read() : 0;
}

}  // namespace weft::store
