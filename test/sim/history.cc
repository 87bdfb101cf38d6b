#include "test/sim/history.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "query/lang/traceql/compile.h"
#include "store/catalog_snapshot.h"

namespace weft::sim {
namespace {

constexpr int64_t kFirstNs = 1'700'000'000'000'000'000;
constexpr int64_t kHourNs = 3'600'000'000'000;
constexpr uint64_t kTraces = 12;

}  // namespace

History::History(uint64_t seed)
    : seed_(seed),
      random_(seed),
      env_(seed),
      local_(env_, "data/blocks"),
      objects_(local_, seed, [this] { env_.SetNowNs(env_.NowNs() + 7'000'000'000); }) {
  options_.segment_bytes = 300 + Random(OneIn(2) ? 300 : 3000);
  options_.fan_in = 2 + static_cast<uint32_t>(Random(3));
  options_.merged_spans_max = OneIn(2) ? 1000 : 20 + Random(100);
  // Failed builds rest until new spans come: a retry by the real clock would not repeat.
  options_.build_retry_ns = kHourNs;
  flips_bits_ = OneIn(4);
  if (OneIn(5)) options_.retention_age_ns = (1 + static_cast<int64_t>(Random(6))) * kHourNs;
  // Old spans are merged whatever the levels of their blocks: compaction has more to do.
  first_span_ns_ = OneIn(2) ? kFirstNs : kFirstNs - 5 * kHourNs;
}

std::string History::Run() {
  const uint64_t lives = 2 + Random(4);
  for (uint64_t life = 0; life < lives && failure_.empty(); ++life) {
    Note("life " + std::to_string(life));
    Begin(!OneIn(3));
    for (uint64_t steps = 5 + Random(30); steps > 0 && failure_.empty(); --steps) Step();
    if (failure_.empty()) End();
  }
  if (failure_.empty()) Settle();
  server_.reset();
  return failure_;
}

void History::Note(const std::string& what) { notes_.push_back(what); }

void History::Fail(const std::string& what) {
  if (!failure_.empty()) return;
  failure_ = "seed " + std::to_string(seed_) + ": " + what + "\n";
  for (const std::string& note : notes_) failure_ += "  " + note + "\n";
}

// --- lives

void History::Begin(bool clean) {
  oracle_.Restarted();
  if (!clean && BeginWithFaults()) {
    Heal();
    return CheckSpans();
  }
  server_ = std::make_unique<Server>(env_, objects_, options_);
  Error error = server_->Start();
  if (!error.ok() && !flips_.empty()) {
    // An operator does what the message says.
    damage_told_ = true;
    UndoFlip();
    server_ = std::make_unique<Server>(env_, objects_, options_);
    error = server_->Start();
  }
  if (!error.ok()) return Fail("a start without faults: " + error.message());
  CheckSpans();
  CheckStore(kTenant);
  CheckStore(kOtherTenant);
  CheckFiles();
}

// Starts while things fail; false when it did not come up, which it may.
bool History::BeginWithFaults() {
  const uint64_t kind = Random(4);
  Note("start with faults " + std::to_string(kind));
  if (kind == 0) env_.CutPowerAfter(Random(40));
  if (kind == 1) BreakObjects();
  if (kind == 2) FillDisk();
  if (kind == 3) env_.FailFolderSyncs(1 + static_cast<uint32_t>(Random(2)));
  server_ = std::make_unique<Server>(env_, objects_, options_);
  const Error error = server_->Start();
  if (error.ok()) return true;
  Note("it did not start: " + error.message());
  ++tally_.failed_starts;
  if (!flips_.empty() && DamageWasTold()) damage_told_ = true;
  server_.reset();
  if (kind == 0) {
    env_.PowerCycle();
    ++tally_.power_cuts;
  }
  Heal();
  return false;
}

void History::Step() {
  env_.SetNowNs(env_.NowNs() + 1'000'000'000);
  const uint64_t kind = Random(25);
  if (kind < 10) {
    PushNew();
  } else if (kind < 11) {
    PushAgain();
  } else if (kind < 14) {
    Flush();
  } else if (kind < 17) {
    Compact();
  } else if (kind < 18) {
    JumpClock();
  } else if (kind < 19) {
    Delete();
  } else if (kind < 21) {
    AskWhileReadsFail();
  } else {
    BreakSomething();
  }
}

void History::End() {
  objects_.Heal();  // reading is checked without it: a query that got an error would just be asked
                    // again
  CheckSpans();
  const bool flush = OneIn(3);
  Note(std::string("stop") + (flush ? " and flush" : ""));
  server_->Stop(flush);
  server_.reset();
  if (!OneIn(4)) {
    Note("power cut");
    env_.PowerCycle();
    ++tally_.power_cuts;
  } else {
    env_.CutPowerAfter(UINT64_MAX);
  }
  Heal();
  if (flips_bits_ && flips_.size() < 3 && OneIn(2)) FlipBit();
}

void History::Settle() {
  Note("settle");
  Begin(true);
  if (!failure_.empty()) return;
  Heal();
  PushNew();
  Error error;
  if (server_->TryFlush(&error) && !error.ok()) {
    return Fail("the last flush: " + error.message());
  }
  oracle_.Flushed();
  env_.SetNowNs(2 * kFirstNs);
  for (int i = 0; i < 20; ++i) {
    if (const Error merged = CompactOnce(); !merged.ok() && flips_.empty()) {
      return Fail("the last compaction: " + merged.message());
    }
  }
  env_.SetNowNs(env_.NowNs() + kHourNs);
  if (const Error removed = CompactOnce(); !removed.ok() && flips_.empty()) {
    return Fail("the last compaction: " + removed.message());
  }
  tally_.merges += server_->Count("weft_compaction_merges_total");
  CheckSpans();
  CheckDeletions();
  CheckNothingIsLeft();
  if (server_->live().counts().spans != 0) Fail("spans are live after the last flush");
  server_->Stop(true);
  server_.reset();
  Begin(true);
  CheckNothingIsLeft();
}

// --- steps

void History::PushNew() {
  Oracle::Spans spans;
  const std::string tenant = TenantOf(Random(kTraces));
  for (uint64_t n = 1 + Random(5); n > 0; --n) {
    uint64_t trace = 1 + Random(kTraces);
    while (TenantOf(trace) != tenant) trace = 1 + Random(kTraces);
    const auto start_ns = static_cast<uint64_t>(first_span_ns_) + Random(3) * kHourNs + next_id_;
    spans.push_back({.trace = trace,
                     .id = next_id_,
                     .parent = OneIn(3) ? 0 : next_id_ - 1,
                     .start_ns = start_ns,
                     .end_ns = start_ns + next_id_,
                     .name = "op" + std::to_string(next_id_ % 7),
                     .service = next_id_ % 2 ? "web" : "shop",
                     .number = static_cast<int64_t>(next_id_)});
    ++next_id_;
  }
  oracle_.Sent(spans);
  const Error error = server_->Push(spans);
  const std::string ids = std::to_string(spans.front().id) + ".." + std::to_string(spans.back().id);
  Note("push " + ids + (error.ok() ? "" : ": " + error.message()));
  if (error.ok()) {
    oracle_.Acknowledged(spans);
    tally_.acknowledged += spans.size();
  } else {
    oracle_.Refused(spans);
    tally_.refused += spans.size();
  }
  requests_.push_back(std::move(spans));
}

// A sender that got no answer, or lost it.
void History::PushAgain() {
  if (requests_.empty()) return;
  const Oracle::Spans& spans = requests_[Random(requests_.size())];
  oracle_.Repeated(spans);
  const Error error = server_->Push(spans);
  Note("push again " + std::to_string(spans.front().id) +
       (error.ok() ? "" : ": " + error.message()));
  if (error.ok()) {
    oracle_.Acknowledged(spans);
  } else {
    oracle_.Refused(spans);
  }
}

void History::Flush() {
  Error error;
  if (!server_->TryFlush(&error)) return;
  Note("flush" + (error.ok() ? "" : ": " + error.message()));
  ++(error.ok() ? tally_.flushes : tally_.failed_flushes);
  if (error.ok()) oracle_.Flushed();
}

// What has expired by now may go, whatever comes of it.
Error History::CompactOnce() {
  const int64_t limit_ns = env_.NowNs() - options_.retention_age_ns;
  if (options_.retention_age_ns > 0 && limit_ns > 0) {
    oracle_.MayExpire(static_cast<uint64_t>(limit_ns));
  }
  const uint64_t before = server_->Count("weft_expired_spans_total");
  Error error = server_->Compact();
  tally_.expired_spans += server_->Count("weft_expired_spans_total") - before;
  return error;
}

void History::Compact() {
  const uint64_t before = server_->Count("weft_compaction_merges_total");
  const Error error = CompactOnce();
  const uint64_t merges = server_->Count("weft_compaction_merges_total") - before;
  Note("compact: " + (error.ok() ? std::to_string(merges) + " merges" : error.message()));
  tally_.merges += merges;
  if (error.code() == ErrorCode::kCorrupt) damage_told_ = true;
}

// A privacy request: one trace, or what a query selects.
void History::Delete() {
  const bool by_trace = OneIn(3);
  const uint64_t trace = 1 + Random(kTraces);
  const std::string tenant = TenantOf(trace);
  query::exec::DeletionRequest request{.tenant = tenant};
  const std::string name = "op" + std::to_string(Random(7));
  if (by_trace) {
    request.trace_ids = {{0, trace}};
  } else {
    request.predicate = *query::lang::traceql::Compile("{ name = \"" + name + "\" }")->filter();
  }
  Error error;
  if (!server_->TryDelete(request, &error)) return;
  Note("delete " + (by_trace ? "trace " + std::to_string(trace) : name) +
       (error.ok() ? "" : ": " + error.message()));
  ++(error.ok() ? tally_.deletions : tally_.failed_deletions);
  if (error.code() == ErrorCode::kCorrupt) damage_told_ = true;
  if (error.ok() || error.code() == ErrorCode::kNotFound) oracle_.Flushed();
  if (error.code() == ErrorCode::kNotFound) return;
  // What a flipped bit hides from a deletion may come back with the bit.
  oracle_.Deleted(
      [&](uint64_t of_trace, const std::string& of_name) {
        if (by_trace) return of_trace == trace;
        return TenantOf(of_trace) == tenant && of_name == name;
      },
      error.ok() && flips_.empty());
}

void History::JumpClock() {
  int64_t now_ns = env_.NowNs();
  // Mostly forward: blocks from the future are not merged.
  switch (Random(8)) {
    case 0: now_ns -= static_cast<int64_t>(Random(2 * kHourNs)); break;
    case 1: now_ns = static_cast<int64_t>(Random(2 * kFirstNs)); break;
    default: now_ns += static_cast<int64_t>(Random(2 * kHourNs));
  }
  Note("clock " + std::to_string(now_ns));
  env_.SetNowNs(now_ns);
}

void History::BreakSomething() {
  switch (Random(6)) {
    case 0: {
      const uint64_t changes = Random(120);
      Note("power goes after " + std::to_string(changes) + " changes");
      return env_.CutPowerAfter(changes);
    }
    case 1: Note("a sync will fail"); return env_.FailSyncs(1 + static_cast<uint32_t>(Random(2)));
    case 2: {
      const uint64_t after = Random(10);
      Note("a folder's sync will fail after " + std::to_string(after));
      return env_.FailFolderSyncs(1, static_cast<uint32_t>(after));
    }
    case 3: return FillDisk();
    case 4: return BreakObjects();
    default: Note("healed"); Heal();
  }
}

void History::BreakObjects() {
  ObjectFaults faults;
  const auto now_and_then = [&] { return OneIn(3) ? 1 + static_cast<uint32_t>(Random(12)) : 0; };
  faults.refused = now_and_then();
  faults.reads_refused = now_and_then();
  faults.partly = now_and_then();
  faults.lied = now_and_then();
  faults.twice = now_and_then();
  faults.slow = now_and_then();
  if (OneIn(3)) faults = {};  // nothing but stubborn blocks
  if (OneIn(2)) faults.kept = 2 + static_cast<uint32_t>(Random(3));
  const auto rate = [](uint32_t one_in) { return " 1/" + std::to_string(one_in); };
  Note("objects: refused" + rate(faults.refused) + " reads refused" + rate(faults.reads_refused) +
       " partly" + rate(faults.partly) + " lied" + rate(faults.lied) + " twice" +
       rate(faults.twice) + " slow" + rate(faults.slow) + " kept" + rate(faults.kept));
  objects_.SetFaults(faults);
}

// Whoever asks while the store refuses some reads gets an error or the whole answer, never a part;
// and nothing is taken for damaged that was only not to be had.
void History::AskWhileReadsFail() {
  if (!failure_.empty()) return;
  ObjectFaults faults;
  faults.reads_refused = 1 + static_cast<uint32_t>(Random(8));
  Note("asked while one read in " + std::to_string(faults.reads_refused) + " is refused");
  objects_.SetFaults(faults);
  const Oracle::Answer answer = oracle_.Ask(*server_);
  objects_.Heal();
  tally_.unreadable += answer.unreadable.empty() ? 0 : 1;
  if (!answer.wrong.empty()) Fail(answer.wrong);
  if (!flips_.empty()) return;  // what a flipped bit may cost is looked at without this
  if (!answer.missing_ids.empty()) {
    Fail("span " + std::to_string(answer.missing_ids[0]) + " is left out without a word");
  }
  if (!server_->store().damaged().empty()) {
    Fail("taken for damaged: " + server_->store().damaged()[0].error.message());
  }
}

void History::FillDisk() {
  env_.SetDiskBytes(UINT64_MAX);
  const uint64_t used = UINT64_MAX - *env_.FreeDiskBytes("data");
  const uint64_t room = Random(OneIn(2) ? 500 : 20'000);
  Note("the disk has " + std::to_string(room) + " bytes left");
  env_.SetDiskBytes(used + room);
}

// Ends every fault but a power cut.
void History::Heal() {
  objects_.Heal();
  env_.FailSyncs(0);
  env_.FailFolderSyncs(0);
  env_.SetDiskBytes(UINT64_MAX);
}

void History::FlipBit() {
  std::vector<std::string> files;
  for (const std::string& path : env_.Files()) {
    if (path.starts_with("data/") && !env_.ReadWholeFile(path)->empty()) files.push_back(path);
  }
  if (files.empty()) return;
  const std::string& path = files[Random(files.size())];
  const uint64_t bit = Random(env_.ReadWholeFile(path)->size() * 8);
  Note("bit " + std::to_string(bit) + " of " + path + " flips");
  spans_at_risk_ += SpansAtRisk(path);
  env_.FlipBit(path, bit);
  flips_.emplace_back(path, bit);
  if (path.starts_with("data/blocks/")) oracle_.BlockDamaged();
  ++tally_.flips;
}

uint64_t History::SpansAtRisk(const std::string& path) {
  constexpr uint64_t kRequestSpansMax = 5;
  if (path.starts_with("data/wal/")) return kRequestSpansMax;
  const std::string folder = path.substr(0, path.rfind('/'));
  const auto json = env_.ReadWholeFile(folder + "/meta.json");
  if (!json.ok()) return 0;  // of no block: snapshots, trace tables, deletions
  const auto meta = block::BlockMeta::FromJson(*json);
  return meta.ok() ? meta->span_count : UINT32_MAX;  // a second bit of it
}

void History::UndoFlip() {
  Note("the last flip is undone");
  env_.FlipBit(flips_.back().first, flips_.back().second);
}

// --- checks

bool History::DamageWasTold() const {
  if (server_->has_damaged_blocks()) return true;
  if (server_->Count("weft_wal_damaged_bytes_total") > 0) return true;
  if (server_->Count("weft_wal_unreadable_records_total") > 0) return true;
  // The last record of a segment looks like an interrupted write when a bit of it flips.
  const bool in_log = std::any_of(flips_.begin(), flips_.end(), [](const auto& flip) {
    return flip.first.starts_with("data/wal/");
  });
  return in_log && server_->Count("weft_wal_torn_bytes_total") > 0;
}

void History::CheckSpans() {
  if (!failure_.empty()) return;
  const Oracle::Answer answer = oracle_.Ask(*server_);
  if (!flips_.empty()) {
    damage_told_ = damage_told_ || !answer.unreadable.empty() || DamageWasTold();
  }
  if (!answer.wrong.empty()) Fail(answer.wrong);
  if (!answer.unreadable.empty() && flips_.empty()) Fail("a query: " + answer.unreadable);
  if (!answer.missing_ids.empty()) {
    ++tally_.reported_missing;
    const std::string what = "acknowledged span " + std::to_string(answer.missing_ids[0]) +
                             " and " + std::to_string(answer.missing_ids.size() - 1) +
                             " more are lost";
    if (flips_.empty()) Fail(what);
    if (!damage_told_) Fail(what + " and nothing was told");
    if (answer.missing_ids.size() > spans_at_risk_) {
      Fail(what + ", and the files with flipped bits held " + std::to_string(spans_at_risk_));
    }
    CheckLostRequests(answer.missing_ids);
  }
  if (flips_.empty() && !server_->store().damaged().empty()) {
    Fail("a block is damaged: " + server_->store().damaged()[0].error.message());
  }
  CheckCounters();
}

// A jump of the clock may have traces cut and built while we look: spans count twice for a moment,
// when they are in a block and not yet out of memory.
void History::CheckCounters() {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  int64_t gap = server_->CounterGap();
  while (gap != 0 && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    gap = server_->CounterGap();
  }
  if (gap != 0) Fail("the counters do not close: received is larger by " + std::to_string(gap));
}

// A flipped bit of the log costs one record, never its neighbours.
void History::CheckLostRequests(const std::vector<uint64_t>& missing_ids) {
  const bool only_log = std::all_of(flips_.begin(), flips_.end(), [](const auto& flip) {
    return flip.first.starts_with("data/wal/");
  });
  if (!only_log) return;
  std::set<uint64_t> lost;  // each request by its first span
  for (const uint64_t id : missing_ids) {
    for (const Oracle::Spans& spans : requests_) {
      if (spans.front().id <= id && id <= spans.back().id) lost.insert(spans.front().id);
    }
  }
  if (lost.size() > flips_.size()) {
    Fail(std::to_string(flips_.size()) + " flipped bits of the log cost " +
         std::to_string(lost.size()) + " records");
  }
}

// After a clean start: the folders of the store are its blocks, and hold nothing else.
void History::CheckStore(const char* tenant) {
  if (!failure_.empty()) return;
  std::set<std::string> expected;
  const auto blocks = server_->store().Blocks(tenant);
  for (const store::BlockPtr& block : *blocks) expected.insert(block->name.id);
  for (const auto& damaged : server_->store().damaged()) {
    if (damaged.name.tenant == tenant) expected.insert(damaged.name.id);
  }
  const auto listing = local_.List(tenant);
  if (!listing.ok()) return Fail("the store can't be listed: " + listing.error().message());
  for (const std::string& folder : listing->folders) {
    if (folder == store::kCatalogFolder || folder == store::kDeletionsFolder) continue;
    if (!expected.contains(folder)) Fail("folder " + folder + " is left over");
  }
}

// At the end compaction has carried out all of them.
void History::CheckDeletions() {
  if (!failure_.empty() || !flips_.empty()) return;
  for (const char* tenant : {kTenant, kOtherTenant}) {
    for (const auto& deletion : server_->store().deletions().List(tenant)) {
      if (!deletion->done()) Fail("deletion " + deletion->id + " is not done");
    }
  }
}

// At the end all spans are too old.
void History::CheckNothingIsLeft() {
  if (!failure_.empty() || !flips_.empty() || options_.retention_age_ns == 0) return;
  for (const char* tenant : {kTenant, kOtherTenant}) {
    if (!server_->store().Blocks(tenant)->empty()) Fail("blocks have outlived their time");
  }
}

void History::CheckFiles() {
  if (!failure_.empty()) return;
  std::set<std::string> expected;
  std::vector<store::BlockPtr> blocks;
  for (const char* tenant : {kTenant, kOtherTenant}) {
    for (const auto& deletion : server_->store().deletions().List(tenant)) {
      expected.insert("data/blocks/" + store::DeletionObject(tenant, deletion->id));
    }
    const auto some = server_->store().Blocks(tenant);
    blocks.insert(blocks.end(), some->begin(), some->end());
  }
  for (const store::BlockPtr& block : blocks) {
    const std::string folder = "data/blocks/" + store::FolderOf(block->name) + "/";
    expected.insert(folder + "meta.json");
    expected.insert(folder + "wal_rows.bin");
    const auto meta = block->ReadMeta();
    if (!meta.ok()) return Fail(meta.error().message());
    for (const block::FileMeta& file : meta->files) expected.insert(folder + file.name);
  }
  for (const std::string& path : env_.Files()) {
    if (!path.starts_with("data/blocks/") || expected.contains(path)) continue;
    const bool of_catalog = path.find("/" + std::string(store::kCatalogFolder) + "/") != path.npos;
    if (of_catalog && path.find('~') == path.npos) continue;
    // A crash while an object was put again: the temporary goes with its block.
    if (expected.contains(path.substr(0, path.find('~')))) continue;
    const auto damaged = server_->store().damaged();
    const bool of_damaged = std::any_of(damaged.begin(), damaged.end(), [&](const auto& d) {
      return path.starts_with("data/blocks/" + store::FolderOf(d.name) + "/");
    });
    if (!of_damaged) Fail("file " + path + " is left over");
  }
}

}  // namespace weft::sim
