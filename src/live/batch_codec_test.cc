#include "live/batch_codec.h"

#include <gtest/gtest.h>

#include "live/testing_batches.h"

namespace weft::live {
namespace {

TEST(BatchCodec, GivesBackEverySpan) {
  std::vector<TestSpan> spans;
  for (uint64_t i = 1; i < 300; ++i) {
    spans.push_back({.trace = 1 + i / 7,
                     .id = i,
                     .parent = i / 2,
                     .start_ns = 1'700'000'000'000'000'000 + i * 977,
                     .end_ns = 1'700'000'000'000'000'000 + i * 55,
                     .name = "op " + std::to_string(i % 9),
                     .service = i % 2 ? "a" : "b",
                     .number = -static_cast<int64_t>(i)});
  }
  const auto batch = MakeBatch(spans);
  const auto bytes = EncodeBatch(*batch);
  ASSERT_TRUE(bytes.ok());
  const auto back = DecodeBatch(*bytes);
  ASSERT_TRUE(back.ok()) << back.error().message();
  ASSERT_EQ((*back)->size(), batch->size());
  for (uint32_t i = 0; i < batch->size(); ++i) {
    EXPECT_EQ(model::ContentHash(**back, i), model::ContentHash(*batch, i));
  }
}

TEST(BatchCodec, KeepsManyEmptyEvents) {
  auto batch = MakeBatch({{}});
  for (int i = 0; i < 10000; ++i) {
    batch->events.time_ns.push_back(0);
    batch->events.name.push_back(0);
    batch->events.dropped_attributes.push_back(0);
    batch->events.attribute_end.push_back(0);
  }
  batch->event_end[0] = batch->events.size();
  const auto back = DecodeBatch(*EncodeBatch(*batch));
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ((*back)->events.size(), 10001u);
}

TEST(BatchCodec, RefusesWhatItDidNotWrite) {
  const std::string good = *EncodeBatch(*MakeBatch({{}, {.id = 2}}));
  EXPECT_EQ(DecodeBatch("").error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(DecodeBatch(good.substr(0, good.size() - 1)).error().code(), ErrorCode::kCorrupt);
  std::string later = good;
  later[0] = 2;
  EXPECT_EQ(DecodeBatch(later).error().code(), ErrorCode::kUnsupported);
  std::string huge = good;
  huge[4] = 0x3f;
  EXPECT_EQ(DecodeBatch(huge).error().code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace weft::live
