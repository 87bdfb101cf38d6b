#include "store/shared_traces.h"

#include <algorithm>
#include <bit>

namespace weft::store {
namespace {

constexpr uint32_t kNumberBits = 64 - kTraceHashBits;
constexpr uint64_t kEntriesPerWindow = uint64_t{1} << 17;

// Those of one stretch of hashes that have been met, in a table that fits a processor's cache.
class Window {
 public:
  explicit Window(size_t entries)
      : slots_(std::bit_ceil(std::max<size_t>(entries * 2, 64)), kEmpty) {}

  void Add(uint64_t hash, uint32_t number, absl::flat_hash_set<uint64_t>* shared) {
    if (count_ * 2 >= slots_.size()) Grow();
    const uint64_t entry = hash << kNumberBits | number;
    uint64_t& slot = SlotOf(hash);
    if (slot == kEmpty) {
      slot = entry;
      ++count_;
    } else if (slot != entry) {
      shared->insert(hash);
    }
  }
  void Clear() {
    std::fill(slots_.begin(), slots_.end(), kEmpty);
    count_ = 0;
  }

 private:
  // No entry: block numbers end before the last.
  static constexpr uint64_t kEmpty = ~uint64_t{0};

  // Where the hash stands, or would. A window's hashes differ in their low bits.
  uint64_t& SlotOf(uint64_t hash) {
    const uint64_t mask = slots_.size() - 1;
    uint64_t at = hash & mask;
    while (slots_[at] != kEmpty && slots_[at] >> kNumberBits != hash) at = (at + 1) & mask;
    return slots_[at];
  }
  // Hashes that are not spread evenly, as another's table may have them.
  void Grow() {
    std::vector<uint64_t> before(slots_.size() * 2, kEmpty);
    before.swap(slots_);
    for (const uint64_t entry : before) {
      if (entry != kEmpty) SlotOf(entry >> kNumberBits) = entry;
    }
  }

  std::vector<uint64_t> slots_;
  size_t count_ = 0;
};

}  // namespace

uint64_t TraceLists::entry_count() const {
  uint64_t entries = 0;
  for (const Block& block : blocks) entries += block.hashes->size();
  for (const Table& one : tables) entries += one.table->entry_count();
  return entries;
}

Result<absl::flat_hash_set<uint64_t>> FindSharedTraces(const TraceLists& lists) {
  absl::flat_hash_set<uint64_t> shared;
  const uint64_t entries = lists.entry_count();
  uint32_t bits = 0;
  while (bits < 16 && entries >> bits > kEntriesPerWindow) ++bits;
  Window window(entries >> bits);
  for (const TraceLists::Table& one : lists.tables) one.table->WillReadAll();
  std::vector<size_t> next(lists.blocks.size(), 0);
  for (uint64_t i = 0; i < uint64_t{1} << bits; ++i) {
    const uint64_t begin = i << (kTraceHashBits - bits);
    const uint64_t end = (i + 1) << (kTraceHashBits - bits);
    window.Clear();
    for (size_t b = 0; b < next.size(); ++b) {
      const std::vector<uint64_t>& hashes = *lists.blocks[b].hashes;
      for (; next[b] < hashes.size() && hashes[next[b]] < end; ++next[b]) {
        window.Add(hashes[next[b]], lists.blocks[b].number, &shared);
      }
    }
    for (const TraceLists::Table& one : lists.tables) {
      WEFT_RETURN_IF_ERROR(one.table->ForEach(begin, end, [&](uint64_t hash, uint32_t block) {
        if (one.numbers[block]) window.Add(hash, *one.numbers[block], &shared);
      }));
    }
  }
  return shared;
}

}  // namespace weft::store
