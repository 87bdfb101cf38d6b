// What a search found, as Tempo's message.
#pragma once

#include "query/exec/search.h"
#include "query/plan/plan.h"
#include "tempo.pb.h"

namespace weft::api::tempo {

struct SearchShape {
  bool spansets = true;  // and how many spans each service has; a search by tags has neither
  bool strip_trace_ids = false;  // leading zeros
};

// A value as `key` and AnyValue: nil as "nil", durations as Go prints them, statuses and kinds by
// name.
void AddKeyValue(const query::exec::FoundValue& value, tempopb::KeyValue* out);

// Adds the traces of `answer`, which is of `plan`.
void AddTraces(const query::exec::SearchAnswer& answer, const query::plan::Plan& plan,
               const SearchShape& shape, tempopb::SearchResponse* response);

// Adds up what was looked at. Jobs are row groups; an answer that is not complete has fewer of them
// done than there are.
void AddEffort(const query::exec::SearchAnswer& answer, tempopb::SearchResponse* response);

}  // namespace weft::api::tempo
