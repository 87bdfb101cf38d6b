// Remembers how far a file has been imported, so that an interrupted import goes on where it was.
//
// One small JSON file per imported file and destination, under
// ${XDG_STATE_HOME:-~/.local/state}/weft/import/. It is found by what the file is - path, size,
// time of change, hash of its head - so a file that has changed begins anew. It is removed when the
// import is complete. One thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "base/env.h"
#include "base/error.h"

namespace weft::app::commands {

struct ImportCounts {
  uint64_t offset = 0;    // decompressed bytes of the file that are done with
  uint64_t spans = 0;     // sent and accepted
  uint64_t rejected = 0;  // sent, and left out by the server
  uint64_t broken = 0;    // pieces that could not be read or sent
  uint64_t foreign = 0;   // pieces that are no traces (logs, metrics)
};

class ImportProgress {
 public:
  // `destination` is where the spans go: a folder or an address. A file that can't be identified
  // (standard input) has no progress: nothing is loaded and nothing saved.
  ImportProgress(Env& env, const std::string& path, const std::string& destination);

  // What was saved; zeros when nothing was.
  ImportCounts Load() const;
  // At most twice a second unless `now` is set. A failure costs only the ability to resume.
  void Save(const ImportCounts& counts, bool now);
  void Remove();

  bool enabled() const { return !file_.empty(); }

 private:
  Env& env_;
  std::string folder_;
  std::string file_;
  std::string path_;
  int64_t saved_ns_ = 0;
};

}  // namespace weft::app::commands
