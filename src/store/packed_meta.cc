#include "store/packed_meta.h"

#include <memory>

#include <zstd.h>

namespace weft::store {
namespace {

constexpr int kLevel = 6;
// No meta.json is larger (catalog.cc refuses those that are).
constexpr uint64_t kTextBytesMax = 64u << 20;

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
  void operator()(ZSTD_DDict* dictionary) const { ZSTD_freeDDict(dictionary); }
};
template <typename T>
using Zstd = std::unique_ptr<T, FreeZstd>;

// What a usual block says of itself: names, and digits where they are often alike.
std::string MakeDictionary() {
  block::BlockMeta meta;
  meta.id = "019a00000000000000000000";
  meta.tenant = "default";
  meta.created_ns = 1'764'000'000'000'000'000;
  meta.span_count = 131072;
  meta.trace_count = 8192;
  meta.first_start_ns = meta.last_start_ns = meta.last_end_ns = meta.created_ns;
  for (int i = 0; i < 2; ++i) {
    meta.row_groups.push_back({131072, 8192, meta.created_ns, meta.created_ns, meta.created_ns});
  }
  for (const char* name : {"spans.parquet", "events.parquet", "links.parquet", "resources.parquet",
                           "scopes.parquet", "traces.parquet", "attributes.parquet"}) {
    meta.files.push_back({name, 4096, 1'000'000'000, 1024, 1'000'000'000});
  }
  return meta.ToJson();
}

Error Damaged() { return Error(ErrorCode::kCorrupt, "the description of a block is damaged"); }

Result<block::BlockMeta> Unpack(std::string_view packed, const ZSTD_DDict* dictionary) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kTextBytesMax) {
    return Damaged();
  }
  static thread_local const Zstd<ZSTD_DCtx> kContext(ZSTD_createDCtx());
  std::string text(size, '\0');
  const size_t got = ZSTD_decompress_usingDDict(kContext.get(), text.data(), text.size(),
                                                packed.data(), packed.size(), dictionary);
  if (ZSTD_isError(got) != 0 || got != size) return Damaged();
  return block::BlockMeta::FromJson(text);
}

}  // namespace

std::string_view MetaDictionary() {
  static const std::string kDictionary = MakeDictionary();
  return kDictionary;
}

std::string PackMeta(const block::BlockMeta& meta) {
  static const Zstd<ZSTD_CDict> kDictionary(
      ZSTD_createCDict(MetaDictionary().data(), MetaDictionary().size(), kLevel));
  static thread_local const Zstd<ZSTD_CCtx> kContext(ZSTD_createCCtx());
  const std::string text = meta.ToJson();
  std::string bound(ZSTD_compressBound(text.size()), '\0');
  const size_t size = ZSTD_compress_usingCDict(kContext.get(), bound.data(), bound.size(),
                                               text.data(), text.size(), kDictionary.get());
  // With room for the bound there is nothing that can fail but memory.
  return ZSTD_isError(size) != 0 ? std::string() : bound.substr(0, size);
}

Result<block::BlockMeta> UnpackMeta(std::string_view packed) {
  static const Zstd<ZSTD_DDict> kDictionary(
      ZSTD_createDDict(MetaDictionary().data(), MetaDictionary().size()));
  return Unpack(packed, kDictionary.get());
}

Result<block::BlockMeta> UnpackMeta(std::string_view packed, std::string_view dictionary) {
  if (dictionary == MetaDictionary()) return UnpackMeta(packed);
  const Zstd<ZSTD_DDict> digested(ZSTD_createDDict(dictionary.data(), dictionary.size()));
  return Unpack(packed, digested.get());
}

}  // namespace weft::store
