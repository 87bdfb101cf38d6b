// A valid block with some bytes of its files changed, read in every way. The input is a list of
// edits: which file, where, what. Checksums of files and pages are not verified here (that they
// catch a flip is a test of its own): behind them nothing may crash either.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "block/block_fixture.h"
#include "block/check.h"
#include "block/reader.h"

namespace {

using namespace weft::block;

const EncodedBlock& ValidBlock() {
  static const EncodedBlock kBlock = [] {
    // Small, so that many variants are tried: about two row groups, all types of values.
    const weft::model::SpanBatch batch = MakeOddBatch(3, 4);
    const BlockWriterOptions options{
        .row_group_rows_max = 20, .page_rows = 8, .filter_from_bytes = 1};
    return WriteBlock(MakeBlockInput({&batch}), BlockMeta{.id = "f", .tenant = "t"}, options)
        .value();
  }();
  return kBlock;
}

void ReadEverything(const Block& block) {
  const auto groups = block.RowGroups();
  for (const auto& group : groups) {
    for (int i = 0; i <= static_cast<int>(Intrinsic::kScopeVersion); ++i) {
      (void)group->Read(static_cast<Intrinsic>(i)).ok();
    }
    const std::array<uint32_t, 2> rows = {0, group->row_count() - 1};
    (void)group->ReadAt(Intrinsic::kDuration, rows).ok();
    const auto keys = group->AttributeKeys();
    for (size_t k = 0; keys.ok() && k < keys->size(); ++k) {
      (void)group->ReadAttribute((*keys)[k].scope, (*keys)[k].key).ok();
    }
    for (size_t k = 0; keys.ok() && k < keys->size(); ++k) {
      (void)group->MayHave((*keys)[k].scope, (*keys)[k].key, {.text = "a"}).ok();
      (void)group
          ->MayHave((*keys)[k].scope, (*keys)[k].key,
                    {.type = weft::model::ValueType::kInt, .number = 1})
          .ok();
    }
    if (!group->LoadTraces().ok()) continue;
    for (uint32_t t = 0; t < group->trace_count(); ++t) {
      (void)group->Summary(t).ok();
      const auto spans = block.FindTrace(group->trace_id(t));
      if (spans.ok() && !IsWellFormed(*spans)) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  EncodedBlock block = ValidBlock();
  for (; size >= 5; data += 5, size -= 5) {
    std::string& bytes = block.files[data[0] % block.files.size()].bytes;
    // Offsets count from either end, so that small numbers reach footers too.
    const size_t offset = (data[1] | data[2] << 8 | (data[3] & 127) << 16) % bytes.size();
    bytes[data[3] & 128 ? bytes.size() - 1 - offset : offset] ^= static_cast<char>(data[4]);
  }
  const MemoryFiles files(block.files);
  const TableReader::Options options{.verify_checksums = false, .rows_max = 1 << 16};
  const auto opened =
      Block::Open(block.meta, files, std::make_shared<ColumnCache>(1 << 20), options);
  if (opened.ok()) ReadEverything(**opened);
  (void)CheckBlock(block.meta, files);
  return 0;
}
