#include "wal/replay.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/folder.h"
#include "base/log.h"
#include "wal/segment_reader.h"

namespace weft::wal {
namespace {

struct FoundSegment {
  SegmentId id;
  uint64_t size_bytes = 0;
};

Result<std::vector<FoundSegment>> FindSegments(Env& env, const std::string& folder) {
  WEFT_ASSIGN_OR_RETURN(const auto files, env.ListFolder(folder));
  std::vector<FoundSegment> found;
  for (const FileInfo& file : files) {
    const auto id = ParseSegmentFileName(file.name);
    if (id && !file.is_directory) {
      found.push_back({*id, file.size_bytes});
    } else {
      LogWarn("a file in the wal folder is not a segment and is left alone", {{"name", file.name}});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const FoundSegment& a, const FoundSegment& b) { return a.id < b.id; });
  for (size_t i = 1; i < found.size(); ++i) {
    if (found[i].id.number == found[i - 1].id.number) {
      return Error(ErrorCode::kCorrupt, "two wal segments have the number " +
                                            std::to_string(found[i].id.number) + ": move one of " +
                                            SegmentFileName(found[i].id) + " and " +
                                            SegmentFileName(found[i - 1].id) + " out of " + folder);
    }
  }
  return found;
}

// Logs and counts on the way to the real handler, and turns the progress of a segment into that of
// all.
class CountingHandler : public ReplayHandler {
 public:
  CountingHandler(ReplayHandler& inner, MetricRegistry& metrics)
      : inner_(inner),
        records_(metrics.GetCounter("weft_wal_replayed_records_total", "Records read at start.")),
        damaged_bytes_(metrics.GetCounter("weft_wal_damaged_bytes_total",
                                          "Bytes of the log that were not what was written.")),
        damaged_records_(metrics.GetCounter("weft_wal_damaged_records_total",
                                            "Records known to be lost in damaged bytes.")) {}

  Error OnRecord(RecordPosition position, std::string_view tenant,
                 std::string_view payload) override {
    records_.Add();
    return inner_.OnRecord(position, tenant, payload);
  }
  void OnDamage(const Damage& damage) override {
    damaged_ = true;
    damaged_bytes_.Add(damage.bytes);
    damaged_records_.Add(damage.records);
    LogError("damaged bytes in the wal were skipped",
             {{"segment", damage.segment},
              {"offset", damage.offset},
              {"bytes", damage.bytes},
              {"records_lost", damage.records},
              {"maybe_interrupted", damage.maybe_interrupted},
              {"what", damage.message}});
    inner_.OnDamage(damage);
  }
  void OnProgress(uint64_t done, uint64_t total) override { inner_.OnProgress(done, total); }

  // Whether there was damage since the last call.
  bool TakeDamaged() { return std::exchange(damaged_, false); }

 private:
  ReplayHandler& inner_;
  Counter& records_;
  Counter& damaged_bytes_;
  Counter& damaged_records_;
  bool damaged_ = false;
};

void CutTornTail(Env& env, const SegmentTable& table, MetricRegistry& metrics,
                 const SegmentScan& scan) {
  if (scan.torn_bytes == 0) return;
  metrics.GetCounter("weft_wal_torn_bytes_total", "Bytes of interrupted writes, cut at start.")
      .Add(scan.torn_bytes);
  LogInfo("an interrupted write at the end of a wal segment was cut",
          {{"segment", scan.id.number}, {"bytes", scan.torn_bytes}});
  const Error error = env.TruncateFile(table.PathOf(scan.id), scan.size_bytes - scan.torn_bytes);
  if (!error.ok()) LogWarn("a torn wal segment could not be cut", {{"error", error.message()}});
}

}  // namespace

Result<std::vector<SegmentId>> ReplaySegments(Env& env, SegmentTable& table,
                                              MetricRegistry& metrics, ReplayHandler& handler) {
  WEFT_RETURN_IF_ERROR(MakeDurableFolder(env, table.folder()));
  WEFT_ASSIGN_OR_RETURN(const auto found, FindSegments(env, table.folder()));
  uint64_t total = 0;
  for (const FoundSegment& segment : found) total += segment.size_bytes;
  CountingHandler counting(handler, metrics);
  std::vector<SegmentId> empty;
  uint64_t before = 0;
  for (const FoundSegment& segment : found) {
    const std::string path = table.PathOf(segment.id);
    WEFT_ASSIGN_OR_RETURN(const auto file, env.NewReadableFile(path));
    SegmentReader reader(*file, segment.id, counting);
    reader.set_progress([&](uint64_t done) { counting.OnProgress(before + done, total); });
    const auto scan = reader.Scan();
    if (!scan.ok()) return scan.error().WithContext(path);
    before += segment.size_bytes;
    CutTornTail(env, table, metrics, *scan);
    const bool damaged = counting.TakeDamaged();
    table.AddFound(segment.id, scan->size_bytes - scan->torn_bytes, scan->records);
    if (scan->records == 0 && !damaged) empty.push_back(segment.id);
  }
  counting.OnProgress(total, total);
  return empty;
}

void DeleteEmptySegments(SegmentTable& table, const std::vector<SegmentId>& segments) {
  for (const SegmentId id : segments) {
    if (const Error error = table.Release(id.number); !error.ok()) {
      LogWarn("an empty wal segment could not be deleted", {{"error", error.message()}});
    }
  }
}

}  // namespace weft::wal
