#include "query/exec/profile.h"

#include <utility>

namespace weft::query::exec {

const char* Profile::NameOf(Stage stage) {
  switch (stage) {
    case Stage::kList: return "list";
    case Stage::kOpen: return "open";
    case Stage::kSkip: return "skip";
    case Stage::kFilter: return "filter";
    case Stage::kTree: return "tree";
    case Stage::kJoin: return "join";
    case Stage::kCompute: return "compute";
    case Stage::kDescribe: return "describe";
  }
  return "";
}

void Profile::AddSkipped(const std::string& why, uint64_t count) {
  if (count == 0) return;
  const MutexLock lock(mutex_);
  const bool is_new_and_too_many = skipped_.size() >= kReasonsMax && !skipped_.contains(why);
  skipped_[is_new_and_too_many ? "other reasons" : why] += count;
}

void Profile::SetPlan(std::vector<std::string> lines) {
  const MutexLock lock(mutex_);
  plan_ = std::move(lines);
}

std::vector<std::string> Profile::plan() const {
  const MutexLock lock(mutex_);
  return plan_;
}

std::map<std::string, uint64_t> Profile::skipped() const {
  const MutexLock lock(mutex_);
  return skipped_;
}

}  // namespace weft::query::exec
