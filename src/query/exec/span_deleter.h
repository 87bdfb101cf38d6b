// SpanDeleter: the waist between whoever is asked to delete spans (the API) and whoever can.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time_range.h"
#include "block/deletion.h"
#include "model/ids.h"
#include "query/plan/predicate.h"

namespace weft::query::exec {

// What to delete: the spans on which a predicate is true, or whole traces.
struct DeletionRequest {
  model::TenantId tenant;
  std::string requested_by;  // for the report
  std::optional<plan::Predicate> predicate;
  std::string query;  // the predicate's text for the report, without its values
  std::vector<model::TraceId> trace_ids;
  TimeRange range;  // only spans that start in it are selected by the predicate
  // Raised when the client has gone away: then nothing is deleted.
  const std::atomic<bool>* cancelled = nullptr;
};

struct DeletionCounts {
  uint64_t spans = 0;
  uint64_t traces = 0;  // that have some of them; a trace that is in several blocks counts in each
  uint64_t blocks = 0;
  uint64_t unreadable_blocks = 0;  // damaged, not looked into
};

// Any thread.
class SpanDeleter {
 public:
  using DeletionPtr = std::shared_ptr<const block::Deletion>;

  virtual ~SpanDeleter() = default;

  // Deletes what was acknowledged before the call: when it returns ok no query finds it any more,
  // also after a crash; nothing is left of it in any file when the deletion is done(). On failure
  // nothing has changed as far as this process can tell. kNotFound when nothing matches;
  // kUnavailable while another deletion is being worked on, or when a file can't be written.
  virtual Result<DeletionPtr> Delete(const DeletionRequest& request) = 0;
  // What Delete would delete now.
  virtual Result<DeletionCounts> Count(const DeletionRequest& request) = 0;

  // All that are known, newest first.
  virtual std::vector<DeletionPtr> List(const model::TenantId& tenant) const = 0;
  // Null when there is none.
  virtual DeletionPtr Find(const model::TenantId& tenant, std::string_view id) const = 0;
};

}  // namespace weft::query::exec
