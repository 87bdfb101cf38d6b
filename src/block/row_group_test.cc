// A stored row group against the spans it was written from: every column, row by row.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/attribute_plan.h"
#include "block/block.h"
#include "block/block_fixture.h"
#include "block/json_text.h"
#include "block/reader.h"
#include "block/trace_summary.h"

namespace weft::block {
namespace {

using model::SpanBatch;
using model::ValueType;

// A value as text, told apart by type: the same for what was written and what is read.
std::string ValueText(const SpanBatch& batch, const model::Attribute& a) {
  std::string text = model::ValueTypeName(a.type);
  text += ' ';
  switch (a.type) {
    case ValueType::kString:
    case ValueType::kBytes: return text.append(batch.strings[a.as_code()]);
    case ValueType::kArray:
    case ValueType::kKvList: AppendJsonText(batch, a, &text); return text;
    default: return text + std::to_string(a.value);
  }
}

std::string ValueText(const Column& column, uint32_t row) {
  std::string text = model::ValueTypeName(column.type);
  text += ' ';
  if (!column.dictionary) {
    return text + (column.type == ValueType::kDouble
                       ? std::to_string(std::bit_cast<uint64_t>(column.doubles[row]))
                       : std::to_string(static_cast<uint64_t>(column.ints[row])));
  }
  const Dictionary& dictionary = *column.dictionary;
  const uint32_t code = column.codes[row];
  if (!dictionary.strings.empty()) return text.append(dictionary.strings[code]);
  if (!dictionary.doubles.empty()) {
    return text + std::to_string(std::bit_cast<uint64_t>(dictionary.doubles[code]));
  }
  return text + std::to_string(static_cast<uint64_t>(dictionary.ints[code]));
}

// The first value of each key and type of an owner, which is what a query sees: a key without a
// value is as good as absent.
std::map<std::string, std::set<std::string>> FirstValues(const SpanBatch& batch, Scope scope,
                                                         uint32_t owner) {
  std::map<std::string, std::set<std::string>> values;
  std::set<std::pair<std::string, ValueType>> seen;
  const ScopeAttributes own = AttributesOf(batch, scope);
  const model::IndexRange range = own.RangeOf(owner);
  for (uint32_t i = range.begin; i < range.end; ++i) {
    const model::Attribute a = (*own.attributes)[i];
    if (a.type == ValueType::kEmpty) continue;
    const std::string key(batch.strings[a.key]);
    if (seen.emplace(key, a.type).second) values[key].insert(ValueText(batch, a));
  }
  return values;
}

class RowGroupTest : public testing::TestWithParam<uint64_t> {
 protected:
  void SetUp() override {
    batch_ = MakeOddBatch(GetParam(), 40);
    input_ = MakeBlockInput({&batch_});
    const BlockWriterOptions options{
        .row_group_rows_max = 150, .page_rows = 16, .filter_from_bytes = 64};
    encoded_ = WriteBlock(input_, BlockMeta{.id = "b", .tenant = "t"}, options).value();
    block_ = Block::Open(encoded_.meta, MemoryFiles(encoded_.files), cache_).value();
    groups_ = block_->RowGroups();
    for (const auto& group : groups_) ASSERT_TRUE(group->LoadTraces().ok());
    for (uint32_t t = 0; t < input_.traces.size(); ++t) trace_of_[input_.traces[t].id] = t;
  }

  // The span of the input that stands at a row.
  RowRef SourceOf(const RowGroup& group, uint32_t row) const {
    const uint32_t trace = group.trace_of_row()[row];
    uint32_t first = row;
    while (first > 0 && group.trace_of_row()[first - 1] == trace) --first;
    const BlockInput::Trace& source = input_.traces[trace_of_.at(group.trace_id(trace))];
    return input_.rows[source.first_row + (row - first)];
  }

  SpanBatch batch_;
  BlockInput input_;
  EncodedBlock encoded_;
  std::shared_ptr<ColumnCache> cache_ = std::make_shared<ColumnCache>(16 << 20);
  std::shared_ptr<const Block> block_;
  std::vector<std::shared_ptr<const RowGroup>> groups_;
  std::map<model::TraceId, uint32_t> trace_of_;
};

TEST_P(RowGroupTest, IntrinsicsAreThoseOfTheSpans) {
  uint64_t rows = 0;
  for (const auto& group : groups_) {
    const auto read = [&](Intrinsic column) { return group->Read(column).value(); };
    const ColumnPtr name = read(Intrinsic::kName), kind = read(Intrinsic::kKind),
                    status = read(Intrinsic::kStatus), message = read(Intrinsic::kStatusMessage),
                    state = read(Intrinsic::kTraceState), start = read(Intrinsic::kStartTime),
                    duration = read(Intrinsic::kDuration), id = read(Intrinsic::kSpanId),
                    parent = read(Intrinsic::kParentSpanId), flags = read(Intrinsic::kFlags),
                    marks = read(Intrinsic::kMarks);
    for (uint32_t row = 0; row < group->row_count(); ++row, ++rows) {
      const uint32_t s = SourceOf(*group, row).row;
      const auto text = [&](const ColumnPtr& column) {
        return column->has(row) ? column->dictionary->strings[column->codes[row]]
                                : std::string_view();
      };
      ASSERT_EQ(text(name), batch_.strings[batch_.name[s]]);
      ASSERT_EQ(text(message), batch_.strings[batch_.status_message[s]]);
      ASSERT_EQ(text(state), batch_.strings[batch_.trace_state[s]]);
      ASSERT_EQ(kind->dictionary->ints[kind->codes[row]], batch_.kind[s]);
      ASSERT_EQ(status->dictionary->ints[status->codes[row]], batch_.status[s]);
      ASSERT_EQ(static_cast<uint64_t>(start->ints[row]), batch_.start_ns[s]);
      ASSERT_EQ(static_cast<uint64_t>(duration->ints[row]), batch_.end_ns[s] - batch_.start_ns[s]);
      ASSERT_EQ(static_cast<uint64_t>(id->ints[row]), batch_.span_id[s].value);
      ASSERT_EQ(static_cast<uint64_t>(parent->ints[row]), batch_.parent_span_id[s].value);
      ASSERT_EQ(flags->ints[row], int64_t{batch_.flags[s]});
    }
    EXPECT_EQ(marks->row_count, group->row_count());
  }
  EXPECT_EQ(rows, input_.rows.size());
}

TEST_P(RowGroupTest, SomeRowsAreTheSameRows) {
  SeededRandom random(GetParam());
  for (int mode = 0; mode < 2; ++mode) {
    // Once with everything read and cached before, once from pages alone.
    const auto cache = std::make_shared<ColumnCache>(mode == 0 ? 16 << 20 : 0);
    const auto block = Block::Open(encoded_.meta, MemoryFiles(encoded_.files), cache).value();
    const auto groups = block->RowGroups();
    for (const auto& group : groups) {
      for (int i = 0; i <= static_cast<int>(Intrinsic::kScopeVersion); ++i) {
        const Intrinsic intrinsic = static_cast<Intrinsic>(i);
        const ColumnPtr whole = group->Read(intrinsic).value();
        std::vector<uint32_t> rows;
        for (uint32_t row = 0; row < whole->row_count; ++row) {
          if (random.OneIn(30)) rows.push_back(row);
        }
        const ColumnPtr some = group->ReadAt(intrinsic, rows).value();
        ASSERT_EQ(some->row_count, rows.size());
        for (uint32_t r = 0; r < rows.size(); ++r) {
          ASSERT_EQ(some->has(r), whole->has(rows[r])) << i;
          if (some->has(r)) {
            ASSERT_EQ(ValueText(*some, r), ValueText(*whole, rows[r])) << i;
          }
        }
      }
    }
  }
}

TEST_P(RowGroupTest, AttributesAreThoseOfTheSpans) {
  for (const auto& group : groups_) {
    std::vector<std::map<std::string, std::set<std::string>>> found(group->row_count());
    const auto keys = group->AttributeKeys().value();
    for (const RowGroup::KeyInfo& key : keys) {
      if (key.scope != Scope::kSpan) continue;
      uint8_t types = 0;
      const auto columns = group->ReadAttribute(Scope::kSpan, key.key).value();
      for (const ColumnPtr& column : columns) {
        EXPECT_EQ(types >> static_cast<int>(column->type) & 1, 0) << "two columns of one type";
        types |= static_cast<uint8_t>(1 << static_cast<int>(column->type));
        ASSERT_EQ(column->row_count, group->row_count());
        for (uint32_t row = 0; row < column->row_count; ++row) {
          if (column->has(row)) found[row][key.key].insert(ValueText(*column, row));
        }
      }
      EXPECT_EQ(types, key.types) << key.key;
    }
    for (uint32_t row = 0; row < group->row_count(); ++row) {
      ASSERT_EQ(found[row], FirstValues(batch_, Scope::kSpan, SourceOf(*group, row).row));
    }
    EXPECT_TRUE(group->ReadAttribute(Scope::kSpan, "no such key").value().empty());
  }
}

TEST_P(RowGroupTest, ResourcesJoinByRowNumber) {
  for (const auto& group : groups_) {
    const uint32_t resources = group->TableRows(Scope::kResource).value();
    const ColumnPtr resource = group->Read(Intrinsic::kResource).value();
    std::vector<std::map<std::string, std::set<std::string>>> found(resources);
    const auto keys = group->AttributeKeys().value();
    for (const RowGroup::KeyInfo& key : keys) {
      if (key.scope != Scope::kResource) continue;
      const auto columns = group->ReadAttribute(Scope::kResource, key.key).value();
      for (const ColumnPtr& column : columns) {
        ASSERT_EQ(column->row_count, resources);
        for (uint32_t row = 0; row < resources; ++row) {
          if (column->has(row)) found[row][key.key].insert(ValueText(*column, row));
        }
      }
    }
    for (uint32_t row = 0; row < group->row_count(); ++row) {
      ASSERT_EQ(found[static_cast<size_t>(resource->ints[row])],
                FirstValues(batch_, Scope::kResource, batch_.resource[SourceOf(*group, row).row]));
    }
  }
}

TEST_P(RowGroupTest, EventsAndLinksJoinByRowNumber) {
  for (const auto& group : groups_) {
    const ColumnPtr owner = group->Read(Intrinsic::kEventSpan).value();
    const ColumnPtr name = group->Read(Intrinsic::kEventName).value();
    const ColumnPtr link_owner = group->Read(Intrinsic::kLinkSpan).value();
    const ColumnPtr link_trace = group->Read(Intrinsic::kLinkTraceId).value();
    const ColumnPtr link_span = group->Read(Intrinsic::kLinkSpanId).value();
    uint32_t event = 0;
    uint32_t link = 0;
    for (uint32_t row = 0; row < group->row_count(); ++row) {
      const uint32_t s = SourceOf(*group, row).row;
      for (uint32_t e = batch_.EventsOf(s).begin; e < batch_.EventsOf(s).end; ++e, ++event) {
        ASSERT_EQ(owner->ints[event], int64_t{row});
        ASSERT_EQ(name->dictionary->strings[name->codes[event]],
                  batch_.strings[batch_.events.name[e]]);
      }
      for (uint32_t l = batch_.LinksOf(s).begin; l < batch_.LinksOf(s).end; ++l, ++link) {
        ASSERT_EQ(link_owner->ints[link], int64_t{row});
        ASSERT_EQ(link_trace->dictionary->strings[link_trace->codes[link]],
                  batch_.links.trace_id[l].ToHex());
        ASSERT_EQ(link_span->dictionary->strings[link_span->codes[link]],
                  batch_.links.span_id[l].ToHex());
      }
    }
    EXPECT_EQ(group->TableRows(Scope::kEvent).value(), event);
    EXPECT_EQ(group->TableRows(Scope::kLink).value(), link);
  }
}

TEST_P(RowGroupTest, SummariesAreThoseOfTheSpans) {
  for (const auto& group : groups_) {
    EXPECT_TRUE(group->has_tree());
    EXPECT_EQ(group->block_id(), "b");
    for (uint32_t t = 0; t < group->trace_count(); ++t) {
      const TraceSummary stored = group->Summary(t).value();
      const TraceSummary direct = SummarizeSpans(block_->FindTrace(group->trace_id(t)).value());
      EXPECT_EQ(stored.id, direct.id);
      EXPECT_EQ(stored.start_ns, direct.start_ns);
      EXPECT_EQ(stored.end_ns, direct.end_ns);
      EXPECT_EQ(stored.root_service, direct.root_service);
      EXPECT_EQ(stored.root_name, direct.root_name);
      EXPECT_EQ(stored.span_count, direct.span_count);
      EXPECT_EQ(stored.error_count, direct.error_count);
      EXPECT_EQ(stored.flags, direct.flags);
      ASSERT_EQ(stored.services.size(), direct.services.size());
      for (size_t i = 0; i < stored.services.size(); ++i) {
        EXPECT_EQ(stored.services[i].name, direct.services[i].name);
        EXPECT_EQ(stored.services[i].span_count, direct.services[i].span_count);
        EXPECT_EQ(stored.services[i].error_count, direct.services[i].error_count);
      }
      EXPECT_LE(group->trace_start_ns(t), group->last_trace_start_ns());
      EXPECT_GE(group->trace_start_ns(t), group->first_start_ns());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RowGroupTest, testing::Values(1, 2, 3, 4));

TEST(Block, RowGroupsOutsideTheRangeAreLeftOut) {
  const SpanBatch batch = MakeShopBatch(1, 5000);
  const EncodedBlock encoded =
      WriteBlock(MakeBlockInput({&batch}), BlockMeta{}, {.row_group_rows_max = 1000}).value();
  const auto block =
      Block::Open(encoded.meta, MemoryFiles(encoded.files), std::make_shared<ColumnCache>(1 << 20))
          .value();
  ASSERT_GE(block->row_group_count(), 5u);
  EXPECT_EQ(block->RowGroups().size(), block->row_group_count());
  const RowGroupMeta& third = encoded.meta.row_groups[2];
  const auto some = block->RowGroups({third.first_start_ns, third.first_start_ns + 1});
  EXPECT_GE(some.size(), 1u);
  EXPECT_LT(some.size(), block->row_group_count());
  EXPECT_TRUE(block->RowGroups({0, 1}).empty());
}

}  // namespace
}  // namespace weft::block
