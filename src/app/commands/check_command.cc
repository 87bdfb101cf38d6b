#include "app/commands/check_command.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "app/commands/progress_bar.h"
#include "app/commands/stored_files.h"
#include "base/env.h"
#include "block/check.h"
#include "store/catalog.h"

namespace weft::app::commands {
namespace {

bool IsNamed(const store::BlockName& block, const std::string& text) {
  return text == block.id || text == store::FolderOf(block);
}

// What the user asked for, out of what there is.
struct Selection {
  std::vector<const store::CatalogBlock*> blocks;
  std::vector<const store::Catalog::Damaged*> damaged;
  std::vector<std::string> missing;  // named, and not there
  uint64_t bytes = 0;
};

Selection Select(const store::Catalog& catalog, const std::vector<std::string>& names) {
  std::vector<bool> found(names.size());
  const auto is_wanted = [&](const store::BlockName& block) {
    bool wanted = names.empty();
    for (size_t i = 0; i < names.size(); ++i) {
      if (!IsNamed(block, names[i])) continue;
      wanted = true;
      found[i] = true;
    }
    return wanted;
  };
  Selection selection;
  for (const auto& block : catalog.blocks) {
    if (!is_wanted(block.name)) continue;
    selection.blocks.push_back(&block);
    selection.bytes += block.total_bytes;
  }
  for (const auto& damaged : catalog.damaged) {
    if (is_wanted(damaged.name)) selection.damaged.push_back(&damaged);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (!found[i]) selection.missing.push_back(names[i]);
  }
  return selection;
}

// Whether the block is still listed: compaction or retention may take one away while it is being
// read.
bool IsStillThere(const store::ObjectStore& objects, const store::BlockName& name) {
  return store::ReadCatalogBlock(objects, name).error().code() != ErrorCode::kNotFound;
}

// Checks the blocks one after the other. The number of findings.
uint64_t CheckAll(const store::ObjectStore& objects, const Selection& selection,
                  const Console& console) {
  uint64_t findings = 0;
  uint64_t bytes = 0;
  uint64_t count = 0;
  ProgressBar bar(console.err, "check", selection.bytes);
  const auto report = [&](const store::BlockName& block, const std::string& what) {
    bar.Clear();
    console.out.Print(Printable(store::FolderOf(block) + ": " + what) + "\n");
    ++findings;
  };
  for (const auto* damaged : selection.damaged) report(damaged->name, damaged->error.message());
  for (const auto* block : selection.blocks) {
    bar.Update(bytes,
               "block " + FormatCount(++count) + " of " + FormatCount(selection.blocks.size()));
    const auto meta = block->ReadMeta();
    if (!meta.ok()) {
      report(block->name, meta.error().message());
      continue;
    }
    const auto found = block::CheckBlock(*meta, StoredFiles(objects, block->name));
    if (found.empty() || IsStillThere(objects, block->name)) {
      for (const block::CheckFinding& finding : found) report(block->name, finding.ToText());
    }
    bytes += block->total_bytes;
  }
  return findings;
}

// Records of deletions, which say what of the blocks does not count. The number of findings.
uint64_t CheckDeletions(const store::Catalog& catalog, const Console& console) {
  for (const auto& damaged : catalog.damaged_deletions) {
    console.out.Print(Printable(damaged.object + ": " + damaged.error.message()) + "\n");
  }
  return catalog.damaged_deletions.size();
}

std::string Summary(const Selection& selection, uint64_t findings, int64_t elapsed_ns) {
  const size_t blocks = selection.blocks.size() + selection.damaged.size();
  const double seconds = std::max(1e-3, static_cast<double>(elapsed_ns) / 1e9);
  const auto rate = static_cast<uint64_t>(static_cast<double>(selection.bytes) / seconds);
  std::string text = FormatCount(blocks) + (blocks == 1 ? " block, " : " blocks, ") +
                     FormatBytes(selection.bytes) + " checked (" + FormatBytes(rate) + "/s): ";
  if (findings == 0) return text + "sound\n";
  return text + FormatCount(findings) + (findings == 1 ? " finding\n" : " findings\n");
}

}  // namespace

int RunCheck(const CheckOptions& options, const Console& console) {
  const auto place = OpenedPlace::Open(options.place);
  if (!place.ok()) {
    console.Complain(place.error().message());
    return 1;
  }
  if (!place->hint().empty()) console.Complain(place->hint());
  const store::ObjectStore& objects = place->objects();
  // Every block by its own files: a snapshot knows nothing of damage since.
  const auto catalog = store::ReadCatalog(objects, {.parallel_reads = 8, .use_snapshots = false});
  if (!catalog.ok()) {
    console.Complain(catalog.error().message());
    return 1;
  }
  const Selection selection = Select(*catalog, options.blocks);
  for (const std::string& name : selection.missing)
    console.Complain("there is no block " + Printable(name));
  Env& env = Env::Posix();
  const int64_t begin_ns = env.MonotonicNs();
  const uint64_t findings =
      CheckAll(objects, selection, console) + CheckDeletions(*catalog, console);
  console.out.Print(Summary(selection, findings, env.MonotonicNs() - begin_ns));
  if (findings > 0) return 1;
  return selection.missing.empty() ? 0 : 2;
}

}  // namespace weft::app::commands
