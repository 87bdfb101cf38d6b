// 1. The reader gives records: pieces of the file that can be sent alone.
// 2. Records are joined to batches of about 2 MiB and sent, one after the other.
// 3. A batch that is refused is sent again record by record, so that only the broken ones are left
// out.
// 4. After each batch the progress is saved; a record that was read but not saved is sent again
// next time, and the
//    server stores it once.

#include "app/commands/import_command.h"

#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include "app/commands/import_progress.h"
#include "app/commands/import_reader.h"
#include "app/commands/import_sender.h"
#include "app/commands/progress_bar.h"
#include "base/env.h"

namespace weft::app::commands {
namespace {

constexpr size_t kBatchBytes = 2 << 20;
constexpr uint64_t kComplaintsMax = 20;  // per file; further ones are only counted
constexpr int kExitInterrupted = 130;

std::atomic<bool> g_interrupted = false;

// While alive, SIGINT and SIGTERM ask the import to stop after the batch in flight; a second one
// ends it at once.
class InterruptGuard {
 public:
  InterruptGuard() {
    g_interrupted = false;
    for (size_t i = 0; i < 2; ++i) before_[i] = std::signal(kSignals[i], &OnSignal);
  }
  ~InterruptGuard() {
    for (size_t i = 0; i < 2; ++i) std::signal(kSignals[i], before_[i]);
  }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  static constexpr int kSignals[2] = {SIGINT, SIGTERM};
  static void OnSignal(int signal) {
    g_interrupted = true;
    std::signal(signal, SIG_DFL);
  }
  void (*before_[2])(int);
};

// The import of one file.
class FileImport {
 public:
  FileImport(const ImportOptions& options, const Console& console, std::string path,
             std::string address, const std::string& destination)
      : console_(console),
        env_(Env::Posix()),
        path_(std::move(path)),
        progress_(env_, path_, destination),
        sender_(SenderOptions(options, std::move(address)), env_) {
    if (options.restart) progress_.Remove();
    counts_ = progress_.Load();
    resume_offset_ = counts_.offset;
  }

  // Ok when the file was read to its end, whatever was left out.
  Error Run() {
    WEFT_ASSIGN_OR_RETURN(auto source, ByteSource::Open(path_));
    bar_ = std::make_unique<ProgressBar>(console_.err, "import " + Printable(path_),
                                         source->file_bytes());
    started_ns_ = env_.MonotonicNs();
    if (resume_offset_ > 0) {
      Say("goes on behind " + FormatCount(counts_.spans) + " spans that were imported before");
    }
    WEFT_ASSIGN_OR_RETURN(
        reader_, ImportReader::Open(std::move(source), [this](uint64_t place, const Error& why) {
          LeaveOut(place, why);
        }));
    const Error error = ReadAll();
    bar_->Clear();
    if (error.ok()) {
      progress_.Remove();
    } else {
      progress_.Save(counts_, true);
    }
    return error;
  }

  const ImportCounts& counts() const { return counts_; }
  int64_t elapsed_ns() const { return env_.MonotonicNs() - started_ns_; }

 private:
  ImportSender::Options SenderOptions(const ImportOptions& options, std::string address) {
    ImportSender::Options sender;
    sender.address = std::move(address);
    sender.tenant = options.tenant;
    sender.interrupted = &g_interrupted;
    sender.on_wait = [this](std::string_view why) {
      wait_note_ = why;
      Draw();
    };
    return sender;
  }

  Error ReadAll() {
    while (true) {
      if (g_interrupted) return Error(ErrorCode::kCancelled, "interrupted");
      std::vector<ImportRecord> records;
      WEFT_ASSIGN_OR_RETURN(const bool more, reader_->Next(&records));
      const bool done_before = reader_->source().offset() <= resume_offset_;
      for (ImportRecord& record : records) {
        if (!done_before) WEFT_RETURN_IF_ERROR(Add(std::move(record)));
      }
      if (!more) return SendBatch();
      Draw();
    }
  }

  Error Add(ImportRecord record) {
    const bool other = !batch_.empty() && batch_[0].encoding != record.encoding;
    if (other || batch_bytes_ + record.bytes.size() > kBatchBytes)
      WEFT_RETURN_IF_ERROR(SendBatch());
    batch_bytes_ += record.bytes.size();
    batch_.push_back(std::move(record));
    return Error::Ok();
  }

  Error SendBatch() {
    if (batch_.empty()) return Error::Ok();
    WEFT_RETURN_IF_ERROR(SendOrSplit(batch_));
    for (const ImportRecord& record : batch_)
      counts_.offset = std::max(counts_.offset, record.end_offset);
    batch_.clear();
    batch_bytes_ = 0;
    progress_.Save(counts_, false);
    Draw();
    return Error::Ok();
  }

  Error SendOrSplit(const std::vector<ImportRecord>& records) {
    WEFT_ASSIGN_OR_RETURN(const auto answer,
                          sender_.Send(records[0].encoding, JoinRecords(records)));
    wait_note_.clear();
    if (answer.accepted) {
      Count(records, answer);
      return Error::Ok();
    }
    if (records.size() == 1) {
      LeaveOut(records[0].place, Error(ErrorCode::kInvalidArgument, "refused: " + answer.message));
      return Error::Ok();
    }
    for (const ImportRecord& record : records) WEFT_RETURN_IF_ERROR(SendOrSplit({record}));
    return Error::Ok();
  }

  void Count(const std::vector<ImportRecord>& records, const ImportSender::Answer& answer) {
    uint64_t sent = 0;
    for (const ImportRecord& record : records) sent += record.span_count;
    counts_.rejected += answer.rejected_spans;
    counts_.spans += sent - std::min(sent, answer.rejected_spans);
    if (answer.rejected_spans > 0) {
      Complain("the server left out " + FormatCount(answer.rejected_spans) +
               " spans: " + answer.message);
    }
  }

  void LeaveOut(uint64_t place, const Error& why) {
    // Before the point of resumption it has been said and counted already.
    if (reader_ && reader_->source().offset() < resume_offset_) return;
    if (why.code() == ErrorCode::kUnsupported) {
      ++counts_.foreign;
      return;
    }
    ++counts_.broken;
    Complain(std::string(reader_->unit()) + " " + std::to_string(place) + ": " + why.message());
  }

  void Complain(const std::string& what) {
    if (++complaints_ <= kComplaintsMax) Say(what);
    if (complaints_ == kComplaintsMax) Say("further complaints about this file are only counted");
  }

  void Say(const std::string& what) {
    bar_->Clear();
    console_.Complain(Printable(path_) + ": " + Printable(what));
  }

  void Draw() {
    const double seconds = static_cast<double>(elapsed_ns()) / 1e9;
    const uint64_t rate =
        seconds > 0.5 ? static_cast<uint64_t>(static_cast<double>(counts_.spans) / seconds) : 0;
    std::string note = FormatCount(counts_.spans) + " spans";
    if (rate > 0 && resume_offset_ == 0) note += ", " + FormatCount(rate) + " spans/s";
    if (!wait_note_.empty()) note += "; " + wait_note_;
    if (bar_) bar_->Update(reader_ ? reader_->source().file_bytes_read() : 0, note);
  }

  const Console& console_;
  Env& env_;
  const std::string path_;
  ImportProgress progress_;
  ImportSender sender_;
  ImportCounts counts_;
  uint64_t resume_offset_ = 0;
  std::unique_ptr<ImportReader> reader_;
  std::unique_ptr<ProgressBar> bar_;
  std::vector<ImportRecord> batch_;
  size_t batch_bytes_ = 0;
  uint64_t complaints_ = 0;
  int64_t started_ns_ = 0;
  std::string wait_note_;
};

std::string Pieces(uint64_t count) {
  return FormatCount(count) + (count == 1 ? " piece" : " pieces");
}

std::string Summary(const ImportCounts& counts, int64_t elapsed_ns) {
  const double seconds = std::max(1e-3, static_cast<double>(elapsed_ns) / 1e9);
  char tail[64];
  std::snprintf(tail, sizeof tail, " in %.1f s", seconds);
  std::string text = FormatCount(counts.spans) + " spans imported" + tail;
  if (counts.rejected > 0) text += ", " + FormatCount(counts.rejected) + " left out by the server";
  if (counts.broken > 0) text += ", " + Pieces(counts.broken) + " skipped as broken";
  if (counts.foreign > 0) text += ", " + Pieces(counts.foreign) + " without traces skipped";
  return text;
}

// Where OTLP/HTTP is, and what to call it in progress files: a folder stays the same when its
// server restarts on another port.
Result<std::pair<std::string, std::string>> FindDestination(const ImportOptions& options) {
  const std::string tenant = "|" + options.tenant;
  if (!options.otlp.empty()) return std::pair(options.otlp, options.otlp + tenant);
  WEFT_ASSIGN_OR_RETURN(const std::string address, AddressInUse(options.data_dir, "otlp_http"));
  return std::pair(address, options.data_dir + tenant);
}

}  // namespace

int RunImport(const ImportOptions& options, const Console& console) {
  const auto destination = FindDestination(options);
  if (!destination.ok()) {
    console.Complain(destination.error().message());
    return 1;
  }
  const InterruptGuard guard;
  int exit_code = 0;
  for (const std::string& path : options.files) {
    FileImport import(options, console, path, destination->first, destination->second);
    const Error error = import.Run();
    if (error.ok() || import.counts().spans > 0) {
      console.out.Print(Printable(path) + ": " + Summary(import.counts(), import.elapsed_ns()) +
                        "\n");
    }
    if (error.code() == ErrorCode::kCancelled && g_interrupted) {
      console.Complain(Printable(path) + ": interrupted; the same command goes on from here");
      return kExitInterrupted;
    }
    if (!error.ok()) console.Complain(Printable(path) + ": " + error.message());
    if (!error.ok() || import.counts().broken > 0 || import.counts().rejected > 0) exit_code = 1;
  }
  return exit_code;
}

}  // namespace weft::app::commands
