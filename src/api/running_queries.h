// The requests that are being answered or wait for it, so that they can be listed and cancelled.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/mutex.h"
#include "model/tenant.h"

namespace weft::api {

// Names the request, for whoever wants to cancel it; the answer has it, too.
inline constexpr char kQueryIdHeader[] = "X-Weft-Query-Id";

// Whether a client may call its request so: 1 to 64 letters, digits, '.', '_' and '-'.
bool IsQueryId(std::string_view id);

// Any thread.
class RunningQueries {
 public:
  struct Info {
    std::string id;
    std::string path;
    std::string text;       // of the query; empty where there is none
    uint64_t begin_ns = 0;  // Unix
    bool waiting = false;   // for a thread
  };

  // A request from its arrival to its answer. Must not outlive the RunningQueries.
  class Entry {
   public:
    ~Entry() { owner_->Remove(*this); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    const std::string& id() const { return info_.id; }
    const model::TenantId& tenant() const { return tenant_; }
    // Turns true when somebody cancels it, and stays so.
    const std::atomic<bool>& cancelled() const { return cancelled_; }
    void SetText(std::string_view text);  // its first 4 KiB are kept
    void SetRunning() { waiting_ = false; }

   private:
    friend class RunningQueries;
    Entry(RunningQueries* owner, model::TenantId tenant, Info info)
        : owner_(owner), tenant_(std::move(tenant)), info_(std::move(info)) {}

    RunningQueries* const owner_;
    const model::TenantId tenant_;
    Info info_;  // its text under the owner's mutex
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> waiting_{true};
    std::list<Entry*>::iterator place_;  // in the owner's list
  };

  explicit RunningQueries(const Env& env);

  // `id`: what the client calls it; empty: it gets one of its own. Several may have one id.
  std::shared_ptr<Entry> Begin(const model::TenantId& tenant, std::string_view path,
                               std::string_view id);
  // Of a tenant, oldest first.
  std::vector<Info> List(const model::TenantId& tenant) const;
  // How many of the tenant's requests with this id were told to stop.
  size_t Cancel(const model::TenantId& tenant, std::string_view id);

 private:
  void Remove(const Entry& entry);

  const Env& env_;
  const std::string prefix_;  // of ids: other processes' must not be taken for ours
  std::atomic<uint64_t> next_{1};
  mutable Mutex mutex_;
  std::list<Entry*> entries_ WEFT_GUARDED_BY(mutex_);
};

}  // namespace weft::api
