#include "net/compression.h"

#include <random>

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace weft::net {
namespace {

constexpr ContentCoding kCodings[] = {ContentCoding::kIdentity, ContentCoding::kGzip,
                                      ContentCoding::kDeflate, ContentCoding::kZstd};

std::string SomeText(size_t bytes) {
  std::mt19937 random(1);
  std::string out;
  while (out.size() < bytes) out += "span " + std::to_string(random() % 1000) + "\n";
  out.resize(bytes);
  return out;
}

std::string RawDeflate(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string out(compressBound(text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(CompressionTest, WhatIsCompressedComesBack) {
  for (const ContentCoding coding : kCodings) {
    for (const size_t bytes : {size_t{0}, size_t{1}, size_t{1000}, size_t{3'000'000}}) {
      const std::string text = SomeText(bytes);
      const auto back = Decompress(coding, Compress(coding, text), bytes);
      ASSERT_TRUE(back.ok()) << back.error().message();
      EXPECT_EQ(*back, text);
    }
  }
}

TEST(CompressionTest, PiecesOfOneByteAreEnough) {
  const std::string text = SomeText(100'000);
  for (const ContentCoding coding : kCodings) {
    const auto decompressor = Decompressor::Make(coding, text.size());
    std::string out;
    for (const char c : Compress(coding, text)) ASSERT_TRUE(decompressor->Add({&c, 1}, &out).ok());
    EXPECT_TRUE(decompressor->Finish().ok());
    EXPECT_EQ(out, text);
  }
}

TEST(CompressionTest, OutputStopsAtTheLimit) {
  const std::string bomb(16 << 20, '\0');
  for (const ContentCoding coding : kCodings) {
    const std::string packed = Compress(coding, bomb);
    const auto decompressor = Decompressor::Make(coding, 1 << 20);
    std::string out;
    EXPECT_EQ(decompressor->Add(packed, &out).code(), ErrorCode::kTooLarge);
    EXPECT_LE(out.size(), size_t{1 << 20});
  }
}

TEST(CompressionTest, TheLimitItselfIsAllowed) {
  const std::string text = SomeText(200'000);
  for (const ContentCoding coding : kCodings) {
    const std::string packed = Compress(coding, text);
    EXPECT_TRUE(Decompress(coding, packed, 200'000).ok());
    EXPECT_EQ(Decompress(coding, packed, 199'999).error().code(), ErrorCode::kTooLarge);
  }
}

TEST(CompressionTest, GzipMembersAndZstdFramesMayFollowOneAnother) {
  for (const ContentCoding coding : {ContentCoding::kGzip, ContentCoding::kZstd}) {
    const std::string two = Compress(coding, "warp ") + Compress(coding, "and weft");
    EXPECT_EQ(Decompress(coding, two, 100).value(), "warp and weft");
  }
}

TEST(CompressionTest, DeflateIsReadWithAndWithoutZlibsFrame) {
  const std::string text = SomeText(50'000);
  EXPECT_EQ(Decompress(ContentCoding::kDeflate, RawDeflate(text), 50'000).value(), text);
  EXPECT_EQ(Decompress(ContentCoding::kDeflate, RawDeflate(""), 10).value(), "");
}

TEST(CompressionTest, CutAndForeignBytesAreErrors) {
  const std::string text = SomeText(10'000);
  for (const ContentCoding coding :
       {ContentCoding::kGzip, ContentCoding::kDeflate, ContentCoding::kZstd}) {
    const std::string packed = Compress(coding, text);
    for (const size_t cut : {size_t{1}, size_t{3}, packed.size() / 2, packed.size() - 1}) {
      EXPECT_EQ(Decompress(coding, packed.substr(0, cut), 1 << 20).error().code(),
                ErrorCode::kInvalidArgument)
          << cut;
    }
    EXPECT_EQ(Decompress(coding, "\xff\xff this is none", 1 << 20).error().code(),
              ErrorCode::kInvalidArgument);
    EXPECT_FALSE(Decompress(coding, packed + "trailing", 1 << 20).ok());
    EXPECT_EQ(Decompress(coding, "", 10).value(), "");
  }
}

TEST(CompressionTest, ZstdWindowsBeyondEightMebibytesAreRefused) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  const std::string text = SomeText(1000);
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  ZSTD_outBuffer out{packed.data(), packed.size(), 0};
  ZSTD_inBuffer none{text.data(), 0, 0};
  ZSTD_compressStream2(context, &out, &none, ZSTD_e_flush);  // so that the size is not known
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
  ZSTD_freeCCtx(context);
  packed.resize(out.pos);
  EXPECT_EQ(Decompress(ContentCoding::kZstd, packed, 1 << 20).error().code(),
            ErrorCode::kInvalidArgument);
}

TEST(CompressionTest, FormatsOfZstdsPastAreRefused) {
  // The magic number of version 0.5, which the library would still read.
  EXPECT_EQ(Decompress(ContentCoding::kZstd, std::string("\x25\xb5\x2f\xfd\x04\xf3\0\0", 8), 100)
                .error()
                .code(),
            ErrorCode::kInvalidArgument);
  // The same in the middle of a frame whose header is wrong.
  const std::string_view hidden("\x28\xb5\x2f\xfd\x25\xb5\x2f\xfd\x03\xff\xff\xff", 12);
  EXPECT_EQ(Decompress(ContentCoding::kZstd, hidden, 100).error().code(),
            ErrorCode::kInvalidArgument);
}

TEST(CompressionTest, NamesOfCodings) {
  EXPECT_EQ(ParseContentCoding(""), ContentCoding::kIdentity);
  EXPECT_EQ(ParseContentCoding("Identity"), ContentCoding::kIdentity);
  EXPECT_EQ(ParseContentCoding(" GZIP "), ContentCoding::kGzip);
  EXPECT_EQ(ParseContentCoding("x-gzip"), ContentCoding::kGzip);
  EXPECT_EQ(ParseContentCoding("deflate"), ContentCoding::kDeflate);
  EXPECT_EQ(ParseContentCoding("zstd"), ContentCoding::kZstd);
  EXPECT_EQ(ParseContentCoding("br"), std::nullopt);
  EXPECT_EQ(ParseContentCoding("gzip, gzip"), std::nullopt);
}

TEST(CompressionTest, AcceptEncodingIsReadWithItsWeights) {
  EXPECT_TRUE(AcceptsGzip("gzip"));
  EXPECT_TRUE(AcceptsGzip("br;q=1.0, gzip;q=0.8, *;q=0.1"));
  EXPECT_TRUE(AcceptsGzip("*"));
  EXPECT_FALSE(AcceptsGzip(""));
  EXPECT_FALSE(AcceptsGzip("br, deflate"));
  EXPECT_FALSE(AcceptsGzip("gzip;q=0"));
  EXPECT_FALSE(AcceptsGzip("*, gzip;q=0.000"));
}

}  // namespace
}  // namespace weft::net
