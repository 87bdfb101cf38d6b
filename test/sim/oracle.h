// The oracle: knows every span that was ever sent and which of them a server promised to keep, and
// asks a server for all of them.
//
// Every span is told by its trace and its content hash. Asked are FindTrace of every trace, and all
// rows of a Snapshot minus the excluded ones; both must hold the same.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "live/testing_batches.h"
#include "test/sim/server.h"

namespace weft::sim {

class Oracle {
 public:
  using Spans = std::vector<live::TestSpan>;

  void Sent(const Spans& spans);
  void Acknowledged(const Spans& spans);
  // Nobody knows whether they are there.
  void Refused(const Spans& spans);
  // Spans for which is_deleted(trace, name) holds were deleted; when not `surely`, perhaps.
  void Deleted(const std::function<bool(uint64_t, const std::string&)>& is_deleted, bool surely);
  // Spans that started before that may be gone, or be there still.
  void MayExpire(uint64_t before_ns);
  // They were sent before: until the builder has met them a search may see them more than once.
  void Repeated(const Spans& spans);
  // Everything is in blocks: repetitions have been recognised.
  void Flushed() { live_again_.clear(); }
  // Where all spans of a record were repetitions no block says so: the log may bring them again.
  void Restarted() { live_again_ = repeated_; }

  // While a block can't be read its spans are not recognised when the log brings them again, or a
  // sender; and it may come to be readable again.
  void BlockDamaged();

  struct Answer {
    std::string wrong;                  // what must never be; empty when all is right
    std::vector<uint64_t> missing_ids;  // of spans that were acknowledged and are not there
    std::string unreadable;             // an error that a query got; what it covers was not checked
  };
  Answer Ask(const Server& server) const;

 private:
  using Keys = std::multiset<std::pair<uint64_t, uint64_t>>;  // trace, span id

  bool AskTrace(const Server& server, uint64_t trace, Keys* found, Answer* answer) const;
  static Error ReadRows(const Server& server, Keys* rows);
  static Error ReadRowsOf(const Server& server, const char* tenant, Keys* rows);
  void CompareRows(const Keys& found, const Keys& rows, Answer* answer) const;

  struct Span {
    uint64_t id = 0;
    std::string name;
    uint64_t start_ns = 0;
    bool acknowledged = false;
    bool deleted = false;  // and not acknowledged since
    bool refused = false;  // once: a copy of it may be in the log, not acknowledged
  };
  std::map<uint64_t, std::map<uint64_t, Span>> sent_;  // by trace and content hash
  std::set<uint64_t> repeated_;                        // ids
  std::set<uint64_t> live_again_;                      // of these, not flushed since
  // Ids. One that is sent again after its block has expired is a new span; a restart may bring the
  // old block back, when it could not be removed yet and the clock was set back: then the span is
  // in two blocks until these are merged.
  std::set<uint64_t> may_be_expired_;
  std::set<uint64_t> may_be_unrecognised_;
};

}  // namespace weft::sim
