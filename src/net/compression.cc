#include "net/compression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <zlib.h>
#include <zstd.h>

namespace weft::net {
namespace {

constexpr size_t kOutputPieceBytes = 64 << 10;
constexpr int kZstdWindowLogMax = 23;  // 8 MiB, what RFC 8878 asks every decoder to bear
constexpr size_t kZstdHeaderBytesMax =
    18;  // RFC 8878, 3.1.1: magic, descriptor, window, dictionary, size
constexpr int kRawDeflateBits = -15;
constexpr int kZlibBits = 15;
constexpr int kGzipBits = 15 + 16;

Error TooLarge(uint64_t limit) {
  return Error(ErrorCode::kTooLarge,
               "the body decompresses to more than " + std::to_string(limit) + " bytes");
}
Error Malformed(const char* coding) {
  return Error(ErrorCode::kInvalidArgument, std::string("the body is not valid ") + coding);
}
Error CutShort(const char* coding) {
  return Error(ErrorCode::kInvalidArgument, std::string("the ") + coding + " body is cut short");
}

// What all decompressors share: the account of the output.
class LimitedOutput {
 public:
  explicit LimitedOutput(uint64_t limit) : limit_(limit) {}
  char* piece() { return piece_.data(); }
  size_t piece_bytes() const { return piece_.size(); }
  Error Take(size_t bytes, std::string* out) {
    if (bytes > limit_ - produced_) return TooLarge(limit_);
    produced_ += bytes;
    out->append(piece_.data(), bytes);
    return Error::Ok();
  }

 private:
  uint64_t limit_;
  uint64_t produced_ = 0;
  std::array<char, kOutputPieceBytes> piece_;
};

class IdentityDecompressor : public Decompressor {
 public:
  explicit IdentityDecompressor(uint64_t limit) : limit_(limit) {}
  Error Add(std::string_view piece, std::string* out) override {
    if (piece.size() > limit_ - produced_) {
      return Error(ErrorCode::kTooLarge,
                   "the body is larger than " + std::to_string(limit_) + " bytes");
    }
    produced_ += piece.size();
    out->append(piece);
    return Error::Ok();
  }
  Error Finish() override { return Error::Ok(); }

 private:
  uint64_t limit_;
  uint64_t produced_ = 0;
};

class ZlibDecompressor : public Decompressor {
 public:
  // With `gzip`, members may follow one another; else the first two bytes tell zlib's format from
  // raw deflate: RFC 9110 means the former, and clients have sent the latter ever since.
  ZlibDecompressor(bool gzip, uint64_t limit) : gzip_(gzip), output_(limit) {}
  ~ZlibDecompressor() override {
    if (open_) inflateEnd(&stream_);
  }

  Error Add(std::string_view piece, std::string* out) override {
    if (piece.empty()) return Error::Ok();
    if (open_) return Inflate(piece, out);
    start_.append(piece);
    if (!gzip_ && start_.size() < 2) return Error::Ok();
    WEFT_RETURN_IF_ERROR(Open());
    const std::string start = std::exchange(start_, {});
    return Inflate(start, out);
  }

  Error Finish() override {
    if (!open_ && start_.empty()) return Error::Ok();
    return open_ && at_end_ ? Error::Ok() : CutShort(name());
  }

 private:
  const char* name() const { return gzip_ ? "gzip" : "deflate"; }

  int WindowBits() const {
    if (gzip_) return kGzipBits;
    const auto first = static_cast<unsigned char>(start_[0]);
    const auto second = static_cast<unsigned char>(start_[1]);
    const bool zlib = (first & 15) == 8 && (first >> 4) <= 7 && (first * 256 + second) % 31 == 0;
    return zlib ? kZlibBits : kRawDeflateBits;
  }

  Error Open() {
    if (inflateInit2(&stream_, WindowBits()) != Z_OK)
      return Error(ErrorCode::kInternal, "zlib could not be started");
    open_ = true;
    return Error::Ok();
  }

  Error Inflate(std::string_view piece, std::string* out) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream_.avail_in = static_cast<uInt>(piece.size());
    do {
      if (at_end_) WEFT_RETURN_IF_ERROR(NextMember());
      stream_.next_out = reinterpret_cast<Bytef*>(output_.piece());
      stream_.avail_out = static_cast<uInt>(output_.piece_bytes());
      const int code = inflate(&stream_, Z_NO_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return Malformed(name());
      WEFT_RETURN_IF_ERROR(output_.Take(output_.piece_bytes() - stream_.avail_out, out));
      at_end_ = code == Z_STREAM_END;
    } while (stream_.avail_in > 0 || (!at_end_ && stream_.avail_out == 0));
    return Error::Ok();
  }

  Error NextMember() {
    if (!gzip_) return Malformed(name());
    at_end_ = false;
    return inflateReset(&stream_) == Z_OK ? Error::Ok() : Malformed(name());
  }

  const bool gzip_;
  LimitedOutput output_;
  z_stream stream_{};
  bool open_ = false;
  bool at_end_ = false;  // of a member
  std::string start_;    // the first bytes, until the format is known
};

class ZstdDecompressor : public Decompressor {
 public:
  explicit ZstdDecompressor(uint64_t limit) : output_(limit), stream_(ZSTD_createDStream()) {
    if (stream_ != nullptr) ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kZstdWindowLogMax);
  }
  ~ZstdDecompressor() override { ZSTD_freeDStream(stream_); }

  Error Add(std::string_view piece, std::string* out) override {
    if (stream_ == nullptr) return Error(ErrorCode::kInternal, "zstd could not be started");
    while (!piece.empty()) {
      if (within_frame_) {
        WEFT_RETURN_IF_ERROR(header_left_ > 0 ? DecodeHeaderByte(&piece, out)
                                              : Decode(&piece, out));
      } else if (TakeMagic(&piece)) {
        if (!IsFrameMagic()) return Malformed("zstd");
        std::string_view magic(magic_.data(), magic_.size());
        magic_bytes_ = 0;
        within_frame_ = true;
        header_left_ = kZstdHeaderBytesMax - magic.size();
        WEFT_RETURN_IF_ERROR(Decode(&magic, out));
      }
    }
    return Error::Ok();
  }
  Error Finish() override {
    return within_frame_ || magic_bytes_ != 0 ? CutShort("zstd") : Error::Ok();
  }

 private:
  // Each frame begins with four bytes that say what it is. They are looked at here, because the
  // library also reads formats of its past, which know no limit on the window.
  bool TakeMagic(std::string_view* piece) {
    const size_t n = std::min(magic_.size() - magic_bytes_, piece->size());
    std::copy_n(piece->data(), n, magic_.data() + magic_bytes_);
    piece->remove_prefix(n);
    magic_bytes_ += n;
    return magic_bytes_ == magic_.size();
  }
  bool IsFrameMagic() const {
    uint32_t magic = 0;
    for (size_t i = 4; i-- > 0;) magic = magic << 8 | static_cast<unsigned char>(magic_[i]);
    return magic == ZSTD_MAGICNUMBER ||
           (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
  }
  // When a frame's header is wrong, the library looks for the magic of its past formats again, in
  // the middle of the frame, at the start of what it was given: one byte is too short for one.
  Error DecodeHeaderByte(std::string_view* piece, std::string* out) {
    --header_left_;
    std::string_view byte = piece->substr(0, 1);
    piece->remove_prefix(1);
    return Decode(&byte, out);
  }
  // Decodes up to the end of the frame or of the piece.
  Error Decode(std::string_view* piece, std::string* out) {
    ZSTD_inBuffer in{piece->data(), piece->size(), 0};
    bool full = false;
    while (within_frame_ && (in.pos < in.size || full)) {
      ZSTD_outBuffer space{output_.piece(), output_.piece_bytes(), 0};
      const size_t hint = ZSTD_decompressStream(stream_, &space, &in);
      if (ZSTD_isError(hint)) return Malformed("zstd");
      WEFT_RETURN_IF_ERROR(output_.Take(space.pos, out));
      within_frame_ = hint != 0;
      full = space.pos == space.size;
    }
    piece->remove_prefix(in.pos);
    return Error::Ok();
  }

  LimitedOutput output_;
  ZSTD_DStream* stream_;
  bool within_frame_ = false;
  size_t header_left_ = 0;       // bytes that may still belong to the frame's header
  std::array<char, 4> magic_{};  // of the next frame, as far as it has come
  size_t magic_bytes_ = 0;
};

std::string CompressZlib(std::string_view bytes, int window_bits) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  size_t in_left = bytes.size();
  size_t out_left = out.size();
  // zlib counts in 32 bits, a body may be larger.
  int code = Z_OK;
  while (code == Z_OK) {
    const auto in_step = static_cast<uInt>(std::min<size_t>(in_left, 1U << 30));
    const auto out_step = static_cast<uInt>(std::min<size_t>(out_left, 1U << 30));
    stream.avail_in = in_step;
    stream.avail_out = out_step;
    code = deflate(&stream, in_step == in_left ? Z_FINISH : Z_NO_FLUSH);
    in_left -= in_step - stream.avail_in;
    out_left -= out_step - stream.avail_out;
  }
  deflateEnd(&stream);
  out.resize(out.size() - out_left);
  return out;
}

std::string CompressZstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3);
  out.resize(ZSTD_isError(size) ? 0 : size);
  return out;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Whether the parameters of one Accept-Encoding item ("q=0.000") forbid it.
bool IsZeroWeight(std::string_view parameters) {
  const std::string text = LowerCase(Trim(parameters));
  if (!text.starts_with("q=")) return false;
  return text.find_first_not_of("0.", 2) == std::string::npos;
}

}  // namespace

std::optional<ContentCoding> ParseContentCoding(std::string_view name) {
  const std::string text = LowerCase(Trim(name));
  if (text.empty() || text == "identity") return ContentCoding::kIdentity;
  if (text == "gzip" || text == "x-gzip") return ContentCoding::kGzip;
  if (text == "deflate") return ContentCoding::kDeflate;
  if (text == "zstd") return ContentCoding::kZstd;
  return std::nullopt;
}

std::unique_ptr<Decompressor> Decompressor::Make(ContentCoding coding, uint64_t output_bytes_max) {
  switch (coding) {
    case ContentCoding::kGzip: return std::make_unique<ZlibDecompressor>(true, output_bytes_max);
    case ContentCoding::kDeflate:
      return std::make_unique<ZlibDecompressor>(false, output_bytes_max);
    case ContentCoding::kZstd: return std::make_unique<ZstdDecompressor>(output_bytes_max);
    case ContentCoding::kIdentity: break;
  }
  return std::make_unique<IdentityDecompressor>(output_bytes_max);
}

Result<std::string> Decompress(ContentCoding coding, std::string_view bytes,
                               uint64_t output_bytes_max) {
  const auto decompressor = Decompressor::Make(coding, output_bytes_max);
  std::string out;
  // In pieces, as zlib counts its input in 32 bits.
  constexpr size_t kStep = 1 << 30;
  for (size_t at = 0; at < bytes.size(); at += kStep) {
    WEFT_RETURN_IF_ERROR(decompressor->Add(bytes.substr(at, kStep), &out));
  }
  WEFT_RETURN_IF_ERROR(decompressor->Finish());
  return out;
}

std::string Compress(ContentCoding coding, std::string_view bytes) {
  switch (coding) {
    case ContentCoding::kGzip: return CompressZlib(bytes, kGzipBits);
    case ContentCoding::kDeflate: return CompressZlib(bytes, kZlibBits);
    case ContentCoding::kZstd: return CompressZstd(bytes);
    case ContentCoding::kIdentity: break;
  }
  return std::string(bytes);
}

bool AcceptsGzip(std::string_view accept_encoding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    const size_t comma = accept_encoding.find(',');
    const std::string_view item = accept_encoding.substr(0, comma);
    accept_encoding =
        comma == std::string_view::npos ? std::string_view() : accept_encoding.substr(comma + 1);
    const size_t semicolon = item.find(';');
    const std::string name = LowerCase(Trim(item.substr(0, semicolon)));
    const bool allowed =
        semicolon == std::string_view::npos || !IsZeroWeight(item.substr(semicolon + 1));
    if (name == "gzip" || name == "x-gzip") return allowed;
    if (name == "*") any = allowed;
  }
  return any;
}

}  // namespace weft::net
