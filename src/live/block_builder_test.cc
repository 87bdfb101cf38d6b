#include "live/block_builder.h"

#include <gtest/gtest.h>

#include "live/shard.h"
#include "live/testing_batches.h"

namespace weft::live {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// A store that holds one batch, and counts how often a whole trace was read.
class StoredBatch : public block::RowSource {
 public:
  explicit StoredBatch(std::unique_ptr<model::SpanBatch> spans) : spans_(std::move(spans)) {}

  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId&, TimeRange, const block::SnapshotOptions&) const override {
    return std::vector<std::shared_ptr<const block::RowGroup>>();
  }
  Result<model::SpanBatch> FindTrace(const model::TenantId&, model::TraceId) const override {
    ++traces_read;
    return *spans_;
  }
  Result<std::vector<model::SpanId>> SpanIdsOf(const model::TenantId&,
                                               model::TraceId) const override {
    if (damaged) return Error(ErrorCode::kCorrupt, "damaged");
    return spans_->span_id;
  }
  Result<JoinedSummary> SummarizeTrace(const model::TenantId&, model::TraceId) const override {
    return JoinedSummary();
  }

  mutable int traces_read = 0;
  bool damaged = false;

 private:
  std::unique_ptr<model::SpanBatch> spans_;
};

// The store holds the root; `late` comes when its block has begun.
class LateSpansTest : public ::testing::Test {
 protected:
  BuiltBlock BuildWithLate(const std::vector<TestSpan>& late) {
    Merge({kRoot});
    shard_.Cut(0, true);
    const auto first = shard_.TakeJob(0, true);
    shard_.Release(*first);
    Merge(late);
    shard_.Cut(0, true);
    const auto job = shard_.TakeJob(0, true);
    auto built = BuildBlock(*job, stored_, &earlier_, kSecond, {});
    EXPECT_TRUE(built.ok()) << built.error().message();
    return std::move(built).value();
  }

  const TestSpan kRoot{.trace = 1, .id = 1};
  StoredBatch stored_{MakeBatch({kRoot})};

 private:
  void Merge(const std::vector<TestSpan>& spans) {
    const auto batch = MakeBatch(spans);
    std::vector<uint32_t> rows(batch->size());
    for (uint32_t i = 0; i < rows.size(); ++i) rows[i] = i;
    shard_.Merge("t", *batch, rows, 1, record_++, 0);
  }

  uint32_t record_ = 0;
  uint32_t blocks_ = 0;
  Shard shard_{CutLimits{}, [this] { return "block" + std::to_string(blocks_++); }};
  EarlierTraces earlier_{stored_};
};

// Under pressure traces are cut early and late spans are many. Reading all that the store knows of
// each of their traces made writing blocks three times as slow just then.
TEST_F(LateSpansTest, AreNotComparedWithWholeStoredTraces) {
  const BuiltBlock built = BuildWithLate({{.trace = 1, .id = 2, .parent = 1}});
  EXPECT_EQ(built.stored_spans, 1u);
  EXPECT_EQ(stored_.traces_read, 0);
}

TEST_F(LateSpansTest, ThatAreStoredAlreadyAreLeftOut) {
  const BuiltBlock built = BuildWithLate({kRoot, {.trace = 1, .id = 2, .parent = 1}});
  EXPECT_EQ(built.stored_spans, 1u);
  EXPECT_EQ(built.duplicate_spans, 1u);
  EXPECT_EQ(built.wal_rows.size(), 2u);
}

TEST_F(LateSpansTest, ThatShareAnIdAndSaySomethingElseAreKept) {
  const BuiltBlock built = BuildWithLate({{.trace = 1, .id = 1, .name = "another"}});
  EXPECT_EQ(built.stored_spans, 1u);
  EXPECT_EQ(built.duplicate_spans, 0u);
}

TEST_F(LateSpansTest, AreStoredAlthoughTheirTracesBlockIsDamaged) {
  stored_.damaged = true;
  EXPECT_EQ(BuildWithLate({{.trace = 1, .id = 2, .parent = 1}}).stored_spans, 1u);
}

}  // namespace
}  // namespace weft::live
