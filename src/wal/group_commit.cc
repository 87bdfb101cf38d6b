#include "wal/group_commit.h"

#include <utility>

#include "base/log.h"
#include "wal/replay.h"

namespace weft::wal {
namespace {

constexpr uint32_t kQueueFullRetryMs = 1000;
constexpr int64_t kAsyncSyncIntervalNs = 1'000'000'000;
// A group of this size is worth a sync of its own.
constexpr uint64_t kGroupWorthItBytes = 1 << 20;

}  // namespace

Result<std::unique_ptr<Wal>> Wal::Open(Env& env, Options options, MetricRegistry& metrics,
                                       ReplayHandler& handler) {
  auto wal = std::make_unique<GroupCommitWal>(env, std::move(options), metrics);
  WEFT_RETURN_IF_ERROR(wal->Start(handler));
  return std::unique_ptr<Wal>(std::move(wal));
}

GroupCommitWal::GroupCommitWal(Env& env, Options options, MetricRegistry& metrics)
    : env_(env),
      options_(std::move(options)),
      metrics_(metrics),
      table_(env, options_.folder, metrics),
      queue_gauge_(metrics.GetGauge("weft_wal_queue_bytes", "Bytes of records not durable yet.")),
      writer_(env, options_, table_, metrics) {}

GroupCommitWal::~GroupCommitWal() { Stop(); }

Error GroupCommitWal::Start(ReplayHandler& handler) {
  WEFT_ASSIGN_OR_RETURN(const auto empty, ReplaySegments(env_, table_, metrics_, handler));
  Error error = writer_.Rotate();
  // Questions are answered on a full disk too; records are refused until there is room.
  if (!error.ok() && error.code() != ErrorCode::kUnavailable) return error;
  if (error.ok()) DeleteEmptySegments(table_, empty);
  if (options_.own_thread) thread_ = std::thread([this] { Run(); });
  return Error::Ok();
}

void GroupCommitWal::Append(std::string tenant, std::string payload, Done done) {
  Pending record{std::move(tenant), std::move(payload), std::move(done)};
  Error refusal;
  {
    const MutexLock lock(mutex_);
    refusal = Refusal(record);
    if (refusal.ok()) {
      queue_bytes_ += record.bytes();
      queue_gauge_.Set(static_cast<int64_t>(queue_bytes_));
      queue_.push_back(std::move(record));
      if (waiting_) work_.NotifyOne();
      return;
    }
  }
  CountRefusal(refusal);
  record.done(std::move(refusal), {});
}

Error GroupCommitWal::Refusal(const Pending& record) const {
  if (stopping_) return Error(ErrorCode::kUnavailable, "the server is stopping", kQueueFullRetryMs);
  if (record.tenant.size() > kTenantBytesMax || record.bytes() > kBodyBytesMax) {
    return Error(ErrorCode::kTooLarge, "a wal record has at most 1 GiB, its tenant 64 KiB");
  }
  if (queue_bytes_ > 0 && queue_bytes_ + record.bytes() > options_.queue_bytes_max) {
    return Error(ErrorCode::kUnavailable, "the disk is slower than what is received",
                 kQueueFullRetryMs);
  }
  return Error::Ok();
}

void GroupCommitWal::CountRefusal(const Error& error) {
  metrics_
      .GetCounter("weft_wal_refused_records_total", "Records that did not become durable.",
                  {{"reason", std::string(ErrorCodeName(error.code()))}})
      .Add();
}

void GroupCommitWal::Run() {
  while (WaitForWork()) {
    CommitQueued();
    ServeRotation();
    SyncSometimes();
  }
  writer_.Close();
}

bool GroupCommitWal::WaitForWork() {
  const MutexLock lock(mutex_);
  waiting_ = true;
  while (queue_.empty() && rotations_wanted_ == rotations_done_ && !stopping_) {
    if (writer_.has_unsynced() && !options_.sync) {
      work_.WaitFor(mutex_, kAsyncSyncIntervalNs);
      break;
    }
    work_.Wait(mutex_);
  }
  if (!queue_.empty() && !stopping_) WaitForCompany();
  waiting_ = false;
  if (!stopping_ || !queue_.empty() || rotations_wanted_ != rotations_done_) return true;
  ended_ = true;
  rotated_.NotifyAll();
  return false;
}

void GroupCommitWal::WaitForCompany() {
  if (options_.group_wait_us == 0) return;
  const int64_t end_ns = env_.MonotonicNs() + int64_t{options_.group_wait_us} * 1000;
  while (!stopping_ && queue_bytes_ < kGroupWorthItBytes) {
    const int64_t left_ns = end_ns - env_.MonotonicNs();
    if (left_ns <= 0) return;
    work_.WaitFor(mutex_, left_ns);
  }
}

GroupCommitWal::Group GroupCommitWal::TakeGroup() {
  const MutexLock lock(mutex_);
  Group group;
  uint64_t bytes = 0;
  while (!queue_.empty()) {
    const uint64_t next = queue_.front().bytes();
    if (!group.empty() && bytes + next > options_.group_bytes_max) break;
    bytes += next;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
}

bool GroupCommitWal::CommitQueued() {
  Group group = TakeGroup();
  if (group.empty()) return false;
  CommitGroup(std::move(group));
  return true;
}

void GroupCommitWal::CommitGroup(Group group) {
  uint64_t bytes = 0;
  for (const Pending& record : group) bytes += record.bytes();
  for (size_t begin = 0; begin < group.size();) begin = CommitSome(group, begin);
  const MutexLock lock(mutex_);
  queue_bytes_ -= bytes;
  queue_gauge_.Set(static_cast<int64_t>(queue_bytes_));
}

size_t GroupCommitWal::CommitSome(Group& group, size_t begin) {
  positions_.clear();
  size_t end = begin + 1;
  Error error = writer_.Prepare(group[begin].bytes());
  if (error.ok()) {
    positions_.push_back(writer_.Add(group[begin].tenant, group[begin].payload));
    for (; end < group.size() && writer_.Fits(group[end].bytes()); ++end) {
      positions_.push_back(writer_.Add(group[end].tenant, group[end].payload));
    }
    error = writer_.Commit();
  } else {
    end = group.size();
  }
  for (size_t i = begin; i < end; ++i) {
    Pending record = std::move(group[i]);  // its bytes are not needed any more
    if (!error.ok()) CountRefusal(error);
    record.done(error, error.ok() ? positions_[i - begin] : RecordPosition{});
  }
  return end;
}

uint64_t GroupCommitWal::Rotate() {
  {
    const MutexLock lock(mutex_);
    const uint64_t ticket = ++rotations_wanted_;
    if (options_.own_thread) {
      work_.NotifyOne();
      while (rotations_done_ < ticket && !ended_) rotated_.Wait(mutex_);
    }
  }
  if (!options_.own_thread) ServeRotation();
  return current_segment();
}

void GroupCommitWal::ServeRotation() {
  uint64_t wanted = 0;
  {
    const MutexLock lock(mutex_);
    if (rotations_wanted_ == rotations_done_) return;
    wanted = rotations_wanted_;
  }
  // A failure is told and counted; the next record tries again.
  if (const Error error = writer_.Rotate(); !error.ok()) {
    LogWarn("the next wal segment could not be made", {{"error", error.message()}});
  }
  const MutexLock lock(mutex_);
  rotations_done_ = wanted;
  rotated_.NotifyAll();
}

void GroupCommitWal::SyncSometimes() {
  if (options_.sync || !writer_.has_unsynced()) return;
  const int64_t now_ns = env_.MonotonicNs();
  if (now_ns - last_sync_ns_ < kAsyncSyncIntervalNs) return;
  last_sync_ns_ = now_ns;
  writer_.SyncWritten();
}

void GroupCommitWal::Stop() {
  {
    const MutexLock lock(mutex_);
    if (std::exchange(stopping_, true)) return;
    work_.NotifyOne();
  }
  if (thread_.joinable()) {
    thread_.join();
  } else {
    while (CommitQueued()) {
    }
    writer_.Close();
  }
}

}  // namespace weft::wal
