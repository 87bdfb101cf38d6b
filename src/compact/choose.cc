#include "compact/choose.h"

#include <algorithm>
#include <map>
#include <utility>

namespace weft::compact {
namespace {

using store::BlockPtr;

// A block of this share of the largest size is not worth rewriting.
constexpr uint64_t kFullPercent = 80;

bool IsFull(uint64_t spans, const ChooseOptions& options) {
  return spans * 100 >= options.spans_max * kFullPercent;
}

bool IsYoung(const store::CatalogBlock& block, const ChooseOptions& options, int64_t now_ns) {
  const uint64_t now = static_cast<uint64_t>(std::max<int64_t>(now_ns, 0));
  return block.meta.created_ns + static_cast<uint64_t>(options.age_min_ns) > now;
}

bool OlderFirst(const BlockPtr& a, const BlockPtr& b) {
  if (a->meta.last_start_ns != b->meta.last_start_ns) {
    return a->meta.last_start_ns < b->meta.last_start_ns;
  }
  return a->name.id < b->name.id;
}

// Cuts a row of blocks, oldest first, into choices of at most `spans_max` spans. What is left at
// the end is chosen too when `all`, else only as a full number of blocks or of spans.
void CutIntoChoices(const std::vector<BlockPtr>& blocks, uint32_t level, bool all,
                    const ChooseOptions& options, std::vector<Choice>* out) {
  Choice next{{}, level};
  uint64_t spans = 0;
  const auto flush = [&](bool wanted) {
    if (wanted && next.blocks.size() >= 2) out->push_back(std::move(next));
    next = {{}, level};
    spans = 0;
  };
  for (const BlockPtr& block : blocks) {
    const bool fits = spans + block->meta.span_count <= options.spans_max;
    if (!next.blocks.empty() && !fits) flush(all || IsFull(spans, options));
    next.blocks.push_back(block);
    spans += block->meta.span_count;
    if (!all && next.blocks.size() == options.fan_in) flush(true);
  }
  flush(all || IsFull(spans, options));
}

}  // namespace

uint64_t Choice::span_count() const {
  uint64_t spans = 0;
  for (const BlockPtr& block : blocks) spans += block->meta.span_count - block->deleted_spans();
  return spans;
}

std::vector<Choice> ChooseBlocks(const store::BlockVector& blocks,
                                 const std::set<store::BlockName>& skipped,
                                 const ChooseOptions& options, int64_t now_ns) {
  const uint64_t now = static_cast<uint64_t>(std::max<int64_t>(now_ns, 0));
  // By window, newest first.
  std::map<uint64_t, std::vector<BlockPtr>, std::greater<>> windows;
  for (const BlockPtr& block : blocks) {
    if (IsYoung(*block, options, now_ns) || IsFull(block->meta.span_count, options) ||
        block->deleted != nullptr || skipped.contains(block->name)) {
      continue;
    }
    windows[block->meta.last_start_ns / static_cast<uint64_t>(options.window_ns)].push_back(block);
  }
  std::vector<Choice> choices;
  for (auto& [window, members] : windows) {
    std::sort(members.begin(), members.end(), OlderFirst);
    const uint64_t end = (window + 1) * static_cast<uint64_t>(options.window_ns);
    if (end + static_cast<uint64_t>(options.window_grace_ns) <= now) {
      uint32_t level = 0;
      for (const BlockPtr& block : members) level = std::max(level, block->meta.level);
      CutIntoChoices(members, level + 1, /*all=*/true, options, &choices);
      continue;
    }
    std::map<uint32_t, std::vector<BlockPtr>> levels;
    for (const BlockPtr& block : members) levels[block->meta.level].push_back(block);
    for (const auto& [level, same] : levels) {
      CutIntoChoices(same, level + 1, /*all=*/false, options, &choices);
    }
  }
  std::stable_sort(choices.begin(), choices.end(),
                   [](const Choice& a, const Choice& b) { return a.level < b.level; });
  return choices;
}

std::vector<Choice> ChooseDeleted(const store::BlockVector& blocks,
                                  const std::set<store::BlockName>& skipped,
                                  const ChooseOptions& options, int64_t now_ns) {
  std::vector<Choice> choices;
  for (const BlockPtr& block : blocks) {
    if (block->deleted == nullptr || skipped.contains(block->name)) continue;
    if (!IsYoung(*block, options, now_ns)) choices.push_back({{block}, block->meta.level});
  }
  return choices;
}

}  // namespace weft::compact
