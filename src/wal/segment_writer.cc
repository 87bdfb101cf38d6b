#include "wal/segment_writer.h"

#include "base/log.h"

namespace weft::wal {
namespace {

constexpr uint32_t kDiskFullRetryMs = 5000;
constexpr size_t kBufferKeptBytes = 16 << 20;

}  // namespace

SegmentWriter::SegmentWriter(Env& env, const Options& options, SegmentTable& table,
                             MetricRegistry& metrics)
    : env_(env),
      options_(options),
      table_(table),
      bytes_counter_(metrics.GetCounter("weft_wal_written_bytes_total", "Bytes made durable.")),
      records_counter_(metrics.GetCounter("weft_wal_records_total", "Records made durable.")),
      syncs_counter_(metrics.GetCounter("weft_wal_syncs_total", "Syncs of segment files.")),
      sync_failures_counter_(
          metrics.GetCounter("weft_wal_sync_failures_total", "Syncs that the disk refused.")),
      disk_full_gauge_(metrics.GetGauge("weft_wal_disk_full",
                                        "1 while records are refused because the disk is full.")) {}

Error SegmentWriter::Prepare(uint64_t body_bytes) {
  Error error = CheckReserve();
  if (error.ok() && file_ != nullptr && !Fits(body_bytes)) CloseSegment();
  if (error.ok() && file_ == nullptr) error = Create();
  // That a file could be made does not mean that its records will fit: Commit() tells.
  if (!error.ok()) NoteDisk(error);
  return error;
}

bool SegmentWriter::Fits(uint64_t body_bytes) const {
  const uint64_t after =
      written_bytes_ + buffer_.size() + 2 * kRecordHeaderBytes + body_bytes;  // and an end record
  return after <= options_.segment_bytes || (records_ == 0 && buffer_records_ == 0);
}

RecordPosition SegmentWriter::Add(std::string_view tenant, std::string_view payload) {
  RecordHeader header;
  header.index = records_ + buffer_records_++;
  header.synced_bytes = synced_bytes_;
  codec_->Append(header, tenant, payload, &buffer_);
  return {id_.number, header.index};
}

Error SegmentWriter::Commit() {
  Error error = file_->Append(buffer_);
  if (error.ok()) written_bytes_ += buffer_.size();
  if (error.ok() && options_.sync) error = Sync();
  NoteDisk(error);
  if (error.ok()) {
    acknowledged_bytes_ = written_bytes_;
    records_ += buffer_records_;
    bytes_counter_.Add(buffer_.size());
    records_counter_.Add(buffer_records_);
    table_.Update(id_.number, written_bytes_, records_);
  } else {
    Abandon(error);
  }
  buffer_records_ = 0;
  buffer_.clear();
  if (buffer_.capacity() > kBufferKeptBytes) buffer_.shrink_to_fit();
  return error;
}

Error SegmentWriter::Sync() {
  const Error error = file_->Sync();
  syncs_counter_.Add();
  if (error.ok()) {
    synced_bytes_ = written_bytes_;
  } else {
    sync_failures_counter_.Add();
  }
  return error;
}

void SegmentWriter::SyncWritten() {
  if (!has_unsynced()) return;
  if (const Error error = Sync(); !error.ok()) {
    LogError("acknowledged wal records may not be durable (durability is async)",
             {{"segment", id_.number}, {"bytes", written_bytes_ - synced_bytes_}});
    Abandon(error);
  }
}

Error SegmentWriter::Rotate() {
  if (file_ != nullptr && records_ == 0) return Error::Ok();
  CloseSegment();
  const Error error = Create();
  if (!error.ok()) NoteDisk(error);
  return error;
}

void SegmentWriter::Close() { CloseSegment(); }

void SegmentWriter::CloseSegment() {
  SyncWritten();
  if (file_ == nullptr) return;
  // Says to a reader that all before it was synced. It needs no sync of its own: without it the
  // segment is read just the same.
  std::string end;
  RecordHeader header;
  header.index = records_;
  header.flags = kRecordEnd;
  header.synced_bytes = synced_bytes_;
  codec_->Append(header, {}, {}, &end);
  Error error = file_->Append(end);
  if (error.ok()) error = file_->Close();
  if (!error.ok()) {
    LogWarn("a wal segment was not closed in order; its records are durable",
            {{"segment", id_.number}, {"error", error.message()}});
  }
  file_.reset();
  table_.Close(id_.number);
}

void SegmentWriter::Abandon(const Error& why) {
  // A full disk is told once, by NoteDisk().
  if (why.code() != ErrorCode::kUnavailable) {
    LogError("wal segment closed after a failed write",
             {{"segment", id_.number}, {"records", records_}, {"error", why.message()}});
  }
  file_.reset();
  // What was not acknowledged should not come back; where the disk refuses this too, it may.
  const Error cut = env_.TruncateFile(table_.PathOf(id_), acknowledged_bytes_);
  if (!cut.ok()) {
    LogWarn("records that were not acknowledged may be replayed",
            {{"segment", id_.number}, {"error", cut.message()}});
  }
  table_.Close(id_.number);
  if (records_ > 0) return;
  if (const Error removed = table_.Release(id_.number); !removed.ok()) {
    LogWarn("an empty wal segment could not be deleted", {{"error", removed.message()}});
  }
}

Error SegmentWriter::Create() {
  id_ = {table_.TakeNumber(env_.NowNs()), env_.RandomU64()};
  codec_ = std::make_unique<RecordCodec>(id_.salt);
  records_ = 0;
  written_bytes_ = 0;
  acknowledged_bytes_ = 0;
  synced_bytes_ = 0;
  const Error error = WriteHeader();
  if (!error.ok()) {
    file_.reset();
    // What stands there is a torn header: the next start deletes it.
    const Error removed = env_.RemoveFile(table_.PathOf(id_));
    return removed.ok() ? error : error.WithContext("wal segment");
  }
  table_.AddOpen(id_);
  table_.Update(id_.number, written_bytes_, 0);
  return Error::Ok();
}

Error SegmentWriter::WriteHeader() {
  WEFT_ASSIGN_OR_RETURN(file_, env_.NewWritableFile(table_.PathOf(id_)));
  char header[kSegmentHeaderBytes];
  EncodeSegmentHeader({kFormatVersion, id_}, header);
  WEFT_RETURN_IF_ERROR(file_->Append({header, sizeof header}));
  written_bytes_ = sizeof header;
  acknowledged_bytes_ = sizeof header;
  // The name must outlive a power cut before the first record is acknowledged. The header is synced
  // with that record.
  return env_.SyncFolder(table_.folder());
}

Error SegmentWriter::CheckReserve() {
  if (options_.disk_reserve_bytes == 0) return Error::Ok();
  const auto free = env_.FreeDiskBytes(table_.folder());
  // Where the system can't say, the write itself will tell.
  if (!free.ok() || *free >= options_.disk_reserve_bytes) return Error::Ok();
  return Error(ErrorCode::kUnavailable,
               "the disk is full: " + std::to_string(*free >> 20) + " MiB are free, " +
                   std::to_string(options_.disk_reserve_bytes >> 20) + " MiB are kept in reserve",
               kDiskFullRetryMs);
}

void SegmentWriter::NoteDisk(const Error& error) {
  const bool full = error.code() == ErrorCode::kUnavailable;
  if (full == disk_full_) return;
  disk_full_ = full;
  disk_full_gauge_.Set(full ? 1 : 0);
  if (full) {
    LogError("the disk is full: new spans are refused until space returns",
             {{"folder", table_.folder()}, {"error", error.message()}});
  } else {
    LogInfo("the disk has space again: new spans are accepted", {{"folder", table_.folder()}});
  }
}

}  // namespace weft::wal
