#include "wal/segment_reader.h"

#include <gtest/gtest.h>

#include "wal/wal_testing.h"

namespace weft::wal {
namespace {

constexpr SegmentId kId{100, 0xabcdef};
constexpr size_t kPayloadBytes = 300;

std::string Payload(uint32_t i) {
  return std::string(kPayloadBytes, static_cast<char>('a' + i % 26));
}

constexpr size_t RecordBytes() { return kRecordHeaderBytes + 1 + kPayloadBytes; }
constexpr size_t RecordOffset(uint32_t i) { return kSegmentHeaderBytes + i * RecordBytes(); }

// A segment of `count` records of which each one vouches for all before it.
std::string MakeSegment(uint32_t count, bool closed) {
  const RecordCodec codec(kId.salt);
  std::string bytes = EncodedHeader(kId);
  for (uint32_t i = 0; i < count; ++i) {
    codec.Append({.index = i, .synced_bytes = bytes.size()}, "t", Payload(i), &bytes);
  }
  if (closed) {
    codec.Append({.index = count, .flags = kRecordEnd, .synced_bytes = bytes.size()}, "", "",
                 &bytes);
  }
  return bytes;
}

struct Outcome {
  RememberingHandler handler;
  SegmentScan scan;
};

Outcome Read(std::string bytes) {
  FakeEnv env(1);
  env.Plant("f", std::move(bytes));
  Outcome outcome;
  const auto file = env.NewReadableFile("f");
  const auto scan = SegmentReader(**file, kId, outcome.handler).Scan();
  EXPECT_TRUE(scan.ok()) << scan.error().message();
  if (scan.ok()) outcome.scan = *scan;
  return outcome;
}

void Flip(std::string* bytes, size_t offset) { (*bytes)[offset] ^= 4; }

TEST(SegmentReaderTest, ReadsWhatWasWritten) {
  const Outcome outcome = Read(MakeSegment(5, true));
  EXPECT_EQ(outcome.scan.records, 5u);
  EXPECT_TRUE(outcome.scan.closed);
  EXPECT_EQ(outcome.scan.torn_bytes, 0u);
  EXPECT_TRUE(outcome.handler.damages.empty());
  ASSERT_EQ(outcome.handler.records.size(), 5u);
  for (uint32_t i = 0; i < 5; ++i) {
    EXPECT_EQ(outcome.handler.order[i], (RecordPosition{kId.number, i}));
    EXPECT_EQ(outcome.handler.records.at({kId.number, i}), std::pair(std::string("t"), Payload(i)));
  }
}

TEST(SegmentReaderTest, ACutAnywhereLosesOnlyTheRecordThatWasCut) {
  const std::string whole = MakeSegment(3, false);
  for (size_t size = 0; size < whole.size(); ++size) {
    const Outcome outcome = Read(whole.substr(0, size));
    const size_t intact =
        size < kSegmentHeaderBytes ? 0 : (size - kSegmentHeaderBytes) / RecordBytes();
    EXPECT_EQ(outcome.scan.records, intact) << size;
    EXPECT_TRUE(outcome.handler.damages.empty()) << size;
    const size_t kept = size < kSegmentHeaderBytes ? 0 : RecordOffset(intact);
    EXPECT_EQ(outcome.scan.torn_bytes, size - kept) << size;
  }
}

TEST(SegmentReaderTest, AFlippedBitInABodyLosesThatRecordAndNoOther) {
  std::string bytes = MakeSegment(5, true);
  Flip(&bytes, RecordOffset(2) + kRecordHeaderBytes + 100);
  const Outcome outcome = Read(bytes);
  EXPECT_EQ(outcome.scan.records, 4u);
  EXPECT_FALSE(outcome.handler.records.contains({kId.number, 2}));
  EXPECT_EQ(outcome.handler.records.at({kId.number, 4}).second, Payload(4)) << "keeps its number";
  ASSERT_EQ(outcome.handler.damages.size(), 1u);
  const Damage& damage = outcome.handler.damages[0];
  EXPECT_EQ(damage.offset, RecordOffset(2));
  EXPECT_EQ(damage.bytes, RecordBytes());
  EXPECT_EQ(damage.records, 1u);
  EXPECT_FALSE(damage.maybe_interrupted);
}

TEST(SegmentReaderTest, AFlippedBitInAHeaderLosesThatRecordAndNoOther) {
  for (size_t at = 0; at < kRecordHeaderBytes; ++at) {
    std::string bytes = MakeSegment(5, true);
    Flip(&bytes, RecordOffset(1) + at);
    const Outcome outcome = Read(bytes);
    EXPECT_EQ(outcome.scan.records, 4u) << at;
    ASSERT_EQ(outcome.handler.damages.size(), 1u) << at;
    EXPECT_EQ(outcome.handler.damages[0].bytes, RecordBytes()) << at;
    EXPECT_EQ(outcome.handler.damages[0].records, 1u) << at;
  }
}

TEST(SegmentReaderTest, ADamagedSegmentHeaderLosesNoRecord) {
  for (size_t at = 0; at < kSegmentHeaderBytes; ++at) {
    std::string bytes = MakeSegment(2, true);
    Flip(&bytes, at);
    const Outcome outcome = Read(bytes);
    EXPECT_EQ(outcome.scan.records, 2u) << at;
    EXPECT_EQ(outcome.handler.damages.size(), 1u) << at;
  }
}

TEST(SegmentReaderTest, TheLastRecordOfAClosedSegmentIsDamagedAndNotTorn) {
  std::string bytes = MakeSegment(3, true);
  Flip(&bytes, RecordOffset(2) + 50);
  const Outcome closed = Read(bytes);
  ASSERT_EQ(closed.handler.damages.size(), 1u);
  EXPECT_FALSE(closed.handler.damages[0].maybe_interrupted);
  EXPECT_EQ(closed.scan.torn_bytes, 0u);

  bytes = MakeSegment(3, false);
  Flip(&bytes, RecordOffset(2) + 50);
  const Outcome open = Read(bytes);
  EXPECT_TRUE(open.handler.damages.empty());
  EXPECT_EQ(open.scan.torn_bytes, RecordBytes());
}

TEST(SegmentReaderTest, AHoleInWhatNoOneVouchesForMayBeAnInterruptedWrite) {
  // Three records of one group: written together, synced never.
  const RecordCodec codec(kId.salt);
  std::string bytes = EncodedHeader(kId);
  const size_t synced = bytes.size();
  for (uint32_t i = 0; i < 3; ++i) {
    codec.Append({.index = i, .synced_bytes = synced}, "t", Payload(i), &bytes);
  }
  std::fill_n(bytes.begin() + RecordOffset(1) + 40, 100, '\0');
  const Outcome outcome = Read(bytes);
  EXPECT_EQ(outcome.scan.records, 2u);
  ASSERT_EQ(outcome.handler.damages.size(), 1u);
  EXPECT_TRUE(outcome.handler.damages[0].maybe_interrupted);
}

TEST(SegmentReaderTest, AMissingTailThatWasVouchedForIsDamage) {
  // Two records, and the second says that 5 more records' worth of bytes were durable.
  const RecordCodec codec(kId.salt);
  std::string bytes = EncodedHeader(kId);
  codec.Append({.index = 0}, "t", Payload(0), &bytes);
  codec.Append({.index = 1, .synced_bytes = 10 * RecordBytes()}, "t", Payload(1), &bytes);
  bytes += std::string(500, 'x');
  const Outcome outcome = Read(bytes);
  EXPECT_EQ(outcome.scan.records, 2u);
  ASSERT_EQ(outcome.handler.damages.size(), 1u);
  EXPECT_EQ(outcome.handler.damages[0].bytes, 500u);
}

TEST(SegmentReaderTest, APayloadCannotPassForRecords) {
  // A sender that knows the format, but not the salt, sends a segment's worth of records as
  // payload.
  std::string forged;
  for (uint32_t i = 0; i < 50; ++i) RecordCodec(0).Append({.index = i}, "root", "forged", &forged);
  const RecordCodec codec(kId.salt);
  std::string bytes = EncodedHeader(kId);
  codec.Append({.index = 0}, "t", forged, &bytes);
  codec.Append({.index = 1, .synced_bytes = bytes.size()}, "t", "after", &bytes);
  Flip(&bytes, kSegmentHeaderBytes + 4);  // the length: the reader has to search the payload
  const Outcome outcome = Read(bytes);
  EXPECT_EQ(outcome.scan.records, 1u);
  EXPECT_EQ(outcome.handler.records.at({kId.number, 1}).second, "after");
}

TEST(SegmentReaderTest, RecordsLargerThanTheWindowAreRead) {
  const RecordCodec codec(kId.salt);
  std::string bytes = EncodedHeader(kId);
  const std::string large(9 << 20, 'L');
  codec.Append({.index = 0}, "t", large, &bytes);
  codec.Append({.index = 1, .synced_bytes = bytes.size()}, "t", "small", &bytes);
  std::string damaged = bytes;
  Flip(&damaged, kSegmentHeaderBytes + 1);
  EXPECT_EQ(Read(bytes).handler.records.at({kId.number, 0}).second, large);
  const Outcome outcome = Read(damaged);
  EXPECT_EQ(outcome.handler.records.at({kId.number, 1}).second, "small");
  EXPECT_EQ(outcome.handler.damages.size(), 1u);
}

// Refuses to read a range, as a disk with a bad sector does.
class BadSectorFile : public ReadableFile {
 public:
  BadSectorFile(std::string bytes, uint64_t from, uint64_t to)
      : bytes_(std::move(bytes)), from_(from), to_(to) {}
  Error ReadAt(uint64_t offset, size_t length, char* out) const override {
    if (offset < to_ && offset + length > from_) return Error(ErrorCode::kIo, "bad sector");
    bytes_.copy(out, length, offset);
    return Error::Ok();
  }
  uint64_t size_bytes() const override { return bytes_.size(); }

 private:
  const std::string bytes_;
  const uint64_t from_;
  const uint64_t to_;
};

TEST(SegmentReaderTest, ABadSectorCostsTheRecordsInItAndNoOthers) {
  const BadSectorFile file(MakeSegment(200, true), 8192, 8704);
  RememberingHandler handler;
  const auto scan = SegmentReader(file, kId, handler).Scan();
  ASSERT_TRUE(scan.ok());
  EXPECT_TRUE(scan->closed);
  ASSERT_EQ(handler.damages.size(), 1u);
  // 4 KiB is given up, and the records that reach into it.
  EXPECT_GE(scan->records, 200u - 4096 / RecordBytes() - 2);
  EXPECT_EQ(scan->records + handler.damages[0].records, 200u);
}

// It was taken for an interrupted write and cut off, with records that had been acknowledged.
TEST(SegmentReaderTest, ATailThatCantBeReadIsDamageAndNotTorn) {
  const std::string segment = MakeSegment(5, false);
  for (uint64_t at = kSegmentHeaderBytes; at < segment.size(); at += 7) {
    const BadSectorFile file(segment, at, segment.size());
    RememberingHandler handler;
    const auto scan = SegmentReader(file, kId, handler).Scan();
    ASSERT_TRUE(scan.ok());
    EXPECT_EQ(scan->torn_bytes, 0u) << at;
    EXPECT_FALSE(handler.damages.empty()) << at;
  }
}

TEST(SegmentReaderTest, ANewerVersionIsNotGuessedAt) {
  FakeEnv env(1);
  env.Plant("f", EncodedHeader(kId, kFormatVersion + 1));
  RememberingHandler handler;
  const auto file = env.NewReadableFile("f");
  EXPECT_EQ(SegmentReader(**file, kId, handler).Scan().error().code(), ErrorCode::kUnsupported);
}

TEST(SegmentReaderTest, TheHandlersErrorEndsTheScan) {
  FakeEnv env(1);
  env.Plant("f", MakeSegment(3, true));
  RememberingHandler handler;
  handler.fail_at = 1;
  const auto file = env.NewReadableFile("f");
  EXPECT_EQ(SegmentReader(**file, kId, handler).Scan().error().code(), ErrorCode::kInternal);
  EXPECT_EQ(handler.records.size(), 1u);
}

}  // namespace
}  // namespace weft::wal
