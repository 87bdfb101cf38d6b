#include "test/sim/oracle.h"

#include <algorithm>
#include <utility>

namespace weft::sim {

void Oracle::Sent(const Spans& spans) {
  const auto batch = live::MakeBatch(spans);
  for (uint32_t i = 0; i < batch->size(); ++i) {
    sent_[batch->trace_id(i).low].try_emplace(
        model::ContentHash(*batch, i),
        Span{batch->span_id[i].value, spans[i].name, spans[i].start_ns});
  }
}

void Oracle::Acknowledged(const Spans& spans) {
  const auto batch = live::MakeBatch(spans);
  for (uint32_t i = 0; i < batch->size(); ++i) {
    Span& span = sent_[batch->trace_id(i).low][model::ContentHash(*batch, i)];
    span.acknowledged = true;
    span.deleted = false;
  }
}

void Oracle::Refused(const Spans& spans) {
  const auto batch = live::MakeBatch(spans);
  for (uint32_t i = 0; i < batch->size(); ++i) {
    Span& span = sent_[batch->trace_id(i).low][model::ContentHash(*batch, i)];
    span.refused = true;
    span.deleted = false;
  }
}

void Oracle::Deleted(const std::function<bool(uint64_t, const std::string&)>& is_deleted,
                     bool surely) {
  for (auto& [trace, spans] : sent_) {
    for (auto& [hash, span] : spans) {
      if (!is_deleted(trace, span.name)) continue;
      span.deleted = surely && !span.refused && (span.acknowledged || span.deleted);
      span.acknowledged = false;
    }
  }
}

void Oracle::MayExpire(uint64_t before_ns) {
  for (auto& [trace, spans] : sent_) {
    for (auto& [hash, span] : spans) {
      if (span.start_ns >= before_ns) continue;
      span.acknowledged = false;
      may_be_expired_.insert(span.id);
    }
  }
}

void Oracle::Repeated(const Spans& spans) {
  for (const live::TestSpan& span : spans) {
    repeated_.insert(span.id);
    live_again_.insert(span.id);
  }
}

void Oracle::BlockDamaged() {
  for (const auto& [trace, spans] : sent_) {
    for (const auto& [hash, span] : spans) may_be_unrecognised_.insert(span.id);
  }
}

Oracle::Answer Oracle::Ask(const Server& server) const {
  Answer answer;
  Keys found;
  bool complete = true;
  for (const auto& [trace, spans] : sent_) {
    if (!AskTrace(server, trace, &found, &answer)) complete = false;
    if (!answer.wrong.empty()) return answer;
  }
  Keys rows;
  if (const Error error = ReadRows(server, &rows); !error.ok()) {
    answer.unreadable = error.message();
  } else if (complete) {
    CompareRows(found, rows, &answer);
  }
  return answer;
}

// False when the trace could not be read.
bool Oracle::AskTrace(const Server& server, uint64_t trace, Keys* found, Answer* answer) const {
  const auto spans = server.live().FindTrace(TenantOf(trace), {0, trace});
  if (!spans.ok()) {
    answer->unreadable = spans.error().message();
    return false;
  }
  std::set<uint64_t> hashes;
  for (uint32_t i = 0; i < spans->size(); ++i) {
    const uint64_t hash = model::ContentHash(*spans, i);
    const std::string name = "span " + std::to_string(spans->span_id[i].value);
    const auto sent = sent_.at(trace).find(hash);
    if (sent == sent_.at(trace).end()) {
      answer->wrong = name + " was never sent like this";
    } else if (sent->second.deleted) {
      answer->wrong = name + " was deleted and is there";
    }
    if (!hashes.insert(hash).second) answer->wrong = name + " is in its trace twice";
    found->insert({trace, spans->span_id[i].value});
  }
  for (const auto& [hash, span] : sent_.at(trace)) {
    if (span.acknowledged && !hashes.contains(hash)) answer->missing_ids.push_back(span.id);
  }
  const auto summary = server.live().SummarizeTrace(TenantOf(trace), {0, trace});
  if (!summary.ok()) {
    answer->unreadable = summary.error().message();
  } else if (summary->summary.span_count != spans->size()) {
    answer->wrong = "the summary of trace " + std::to_string(trace) + " counts " +
                    std::to_string(summary->summary.span_count) + " spans, not " +
                    std::to_string(spans->size());
  }
  return true;
}

Error Oracle::ReadRows(const Server& server, Keys* rows) {
  for (const char* tenant : {kTenant, kOtherTenant}) {
    WEFT_RETURN_IF_ERROR(ReadRowsOf(server, tenant, rows));
  }
  return Error::Ok();
}

Error Oracle::ReadRowsOf(const Server& server, const char* tenant, Keys* rows) {
  WEFT_ASSIGN_OR_RETURN(const auto groups, server.live().Snapshot(tenant, {}, {.lazy = true}));
  for (const auto& group : groups) {
    WEFT_RETURN_IF_ERROR(group->Load());
    if (group->row_count() == 0) continue;
    WEFT_ASSIGN_OR_RETURN(const block::ColumnPtr ids, group->Read(block::Intrinsic::kSpanId));
    WEFT_RETURN_IF_ERROR(group->LoadTraces());
    const std::vector<uint64_t>& excluded = group->excluded_rows();
    for (uint32_t row = 0; row < group->row_count(); ++row) {
      if (row / 64 < excluded.size() && (excluded[row / 64] >> (row % 64) & 1) != 0) continue;
      rows->insert(
          {group->trace_id(group->trace_of_row()[row]).low, static_cast<uint64_t>(ids->ints[row])});
    }
  }
  return Error::Ok();
}

void Oracle::CompareRows(const Keys& found, const Keys& rows, Answer* answer) const {
  for (const auto& key : found) {
    if (!rows.contains(key)) {
      answer->wrong = "span " + std::to_string(key.second) + " is in its trace and in no row";
    }
  }
  for (const auto& key : rows) {
    const std::string name = "span " + std::to_string(key.second);
    if (!found.contains(key)) answer->wrong = name + " is in a row and not in its trace";
    const bool may_be_twice =
        live_again_.contains(key.second) || may_be_unrecognised_.contains(key.second) ||
        (repeated_.contains(key.second) && may_be_expired_.contains(key.second));
    if (rows.count(key) > 1 && !may_be_twice) {
      answer->wrong = name + " is in " + std::to_string(rows.count(key)) + " rows";
    }
  }
}

}  // namespace weft::sim
