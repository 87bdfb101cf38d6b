#include "api/file_pack.h"

#include <array>
#include <cstring>
#include <utility>

namespace weft::api {
namespace {

constexpr std::string_view kMagic = "WEFTPACK";

template <typename T>
void AppendNumber(T value, std::string* out) {
  for (size_t i = 0; i < sizeof(T); ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

void AppendText(std::string_view text, std::string* out) {
  AppendNumber(static_cast<uint32_t>(text.size()), out);
  out->append(text);
}

// Reads from the front of a pack; once it has run out, every further read gives nothing and `ok` is
// false.
struct Reader {
  std::string_view rest;
  bool ok = true;

  std::string_view Bytes(size_t count) {
    if (count > rest.size()) {
      ok = false;
      return {};
    }
    const std::string_view bytes = rest.substr(0, count);
    rest.remove_prefix(count);
    return bytes;
  }
  template <typename T>
  T Number() {
    T value = 0;
    const std::string_view bytes = Bytes(sizeof(T));
    for (size_t i = 0; i < bytes.size(); ++i)
      value |= static_cast<T>(static_cast<T>(static_cast<uint8_t>(bytes[i])) << (8 * i));
    return value;
  }
  std::string_view Text() { return Bytes(Number<uint32_t>()); }
};

}  // namespace

std::string EncodePack(std::span<const PackedFile> files) {
  std::string out(kMagic);
  AppendNumber(static_cast<uint32_t>(files.size()), &out);
  for (const PackedFile& file : files) {
    for (const std::string_view text : {file.name, file.content_type, file.etag, file.body})
      AppendText(text, &out);
    AppendNumber(static_cast<uint8_t>(file.gzip), &out);
    AppendNumber(file.raw_bytes, &out);
  }
  return out;
}

Result<std::vector<PackedFile>> DecodePack(std::string_view pack) {
  Reader in{pack};
  if (in.Bytes(kMagic.size()) != kMagic) return Error(ErrorCode::kCorrupt, "not a pack of files");
  const auto count = in.Number<uint32_t>();
  std::vector<PackedFile> files;
  for (uint32_t i = 0; i < count && in.ok; ++i) {
    PackedFile file;
    file.name = in.Text();
    file.content_type = in.Text();
    file.etag = in.Text();
    file.body = in.Text();
    file.gzip = in.Number<uint8_t>() != 0;
    file.raw_bytes = in.Number<uint64_t>();
    files.push_back(file);
  }
  if (!in.ok || !in.rest.empty())
    return Error(ErrorCode::kCorrupt, "the pack of files is cut short or too long");
  return files;
}

std::string_view ContentTypeOf(std::string_view file_name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".map", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".webp", "image/webp"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".wasm", "application/wasm"},
      {".txt", "text/plain; charset=utf-8"},
      {".yaml", "application/yaml"},
      {".xml", "application/xml"},
  }};
  for (const auto& [extension, type] : kTypes) {
    if (file_name.ends_with(extension)) return type;
  }
  return "application/octet-stream";
}

}  // namespace weft::api
