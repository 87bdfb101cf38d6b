// Any bytes may be given to `weft import`.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "app/commands/import_reader.h"
#include "app/commands/import_sender.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using weft::app::commands::ByteSource;
  using weft::app::commands::ImportReader;
  using weft::app::commands::ImportRecord;
  auto source = ByteSource::FromString(std::string(reinterpret_cast<const char*>(data), size));
  auto reader = ImportReader::Open(std::move(source), [](uint64_t, const weft::Error&) {});
  if (!reader.ok()) return 0;
  while (true) {
    std::vector<ImportRecord> records;
    const uint64_t before = (*reader)->source().offset();
    const auto more = (*reader)->Next(&records);
    if (!more.ok() || !*more) return 0;
    // Each step takes something off the file, or it would never end.
    if ((*reader)->source().offset() == before) std::abort();
    (void)weft::app::commands::JoinRecords(records);
  }
}
