#include "api/running_queries.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/utf8.h"

namespace weft::api {
namespace {

constexpr size_t kIdBytesMax = 64;
constexpr size_t kTextBytesMax = 4096;

// Of a process that was started then.
std::string PrefixOf(int64_t start_ns) {
  std::array<char, 24> text;
  std::snprintf(text.data(), text.size(), "q%llx-",
                static_cast<unsigned long long>(start_ns / 1'000'000));
  return text.data();
}

}  // namespace

bool IsQueryId(std::string_view id) {
  const auto is_allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= kIdBytesMax && std::ranges::all_of(id, is_allowed);
}

void RunningQueries::Entry::SetText(std::string_view text) {
  const MutexLock lock(owner_->mutex_);
  info_.text = Utf8(text.substr(0, kTextBytesMax));
}

RunningQueries::RunningQueries(const Env& env) : env_(env), prefix_(PrefixOf(env.NowNs())) {}

std::shared_ptr<RunningQueries::Entry> RunningQueries::Begin(const model::TenantId& tenant,
                                                             std::string_view path,
                                                             std::string_view id) {
  Info info;
  info.id = id.empty() ? prefix_ + std::to_string(next_++) : std::string(id);
  info.path = path;
  info.begin_ns = static_cast<uint64_t>(env_.NowNs());
  std::shared_ptr<Entry> entry(new Entry(this, tenant, std::move(info)));
  const MutexLock lock(mutex_);
  entry->place_ = entries_.insert(entries_.end(), entry.get());
  return entry;
}

std::vector<RunningQueries::Info> RunningQueries::List(const model::TenantId& tenant) const {
  std::vector<Info> out;
  const MutexLock lock(mutex_);
  for (const Entry* entry : entries_) {
    if (entry->tenant_ != tenant) continue;
    out.push_back(entry->info_);
    out.back().waiting = entry->waiting_;
  }
  return out;
}

size_t RunningQueries::Cancel(const model::TenantId& tenant, std::string_view id) {
  size_t cancelled = 0;
  const MutexLock lock(mutex_);
  for (Entry* entry : entries_) {
    if (entry->tenant_ != tenant || entry->info_.id != id) continue;
    entry->cancelled_ = true;
    ++cancelled;
  }
  return cancelled;
}

void RunningQueries::Remove(const Entry& entry) {
  const MutexLock lock(mutex_);
  entries_.erase(entry.place_);
}

}  // namespace weft::api
