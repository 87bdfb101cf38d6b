// A program of the build: packs a folder and single files into what the binary serves from inside
// itself (file_pack.h).
//
//   pack_files OUT [--folder FOLDER] [--file NAME=PATH]...
//
// Every file of FOLDER gets the name "/" + its path inside it; a FOLDER that does not exist has
// none. Files are sorted by name and compressed when that makes them smaller, so equal inputs give
// equal packs. OUT is only written when it changes.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <xxhash.h>
#include <zlib.h>

#include "api/file_pack.h"

namespace weft::api {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// The gzip form at the best level, without a time stamp.
std::string Gzip(const std::string& raw) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, raw.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
  stream.avail_in = static_cast<uInt>(raw.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string HashText(const std::string& raw) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(raw.data(), raw.size())));
  return text;
}

void AddFolder(const fs::path& folder, std::map<std::string, fs::path>* files) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file())
      (*files)["/" + fs::relative(entry.path(), folder).generic_string()] = entry.path();
  }
}

bool Pack(const std::map<std::string, fs::path>& files, std::string* pack) {
  struct Content {
    std::string body;
    std::string etag;
  };
  std::vector<Content> contents(files.size());
  std::vector<PackedFile> packed;
  for (const auto& [name, path] : files) {
    const auto raw = ReadFile(path);
    if (!raw) {
      std::fprintf(stderr, "pack_files: %s can't be read\n", path.c_str());
      return false;
    }
    Content& content = contents[packed.size()];
    content = {Gzip(*raw), HashText(*raw)};
    const bool gzip = content.body.size() < raw->size() * 95 / 100;
    if (!gzip) content.body = *raw;
    packed.push_back({name, ContentTypeOf(name), content.etag, content.body, gzip, raw->size()});
  }
  *pack = EncodePack(packed);
  return true;
}

int Run(const std::vector<std::string>& arguments) {
  std::map<std::string, fs::path> files;
  for (size_t i = 1; i + 1 < arguments.size(); i += 2) {
    const std::string& value = arguments[i + 1];
    const size_t equals = value.find('=');
    if (arguments[i] == "--folder") {
      AddFolder(value, &files);
    } else if (arguments[i] == "--file" && equals != std::string::npos) {
      files[value.substr(0, equals)] = value.substr(equals + 1);
    } else {
      std::fprintf(stderr, "pack_files: what is %s %s?\n", arguments[i].c_str(), value.c_str());
      return 2;
    }
  }
  std::string pack;
  if (!Pack(files, &pack)) return 1;
  if (ReadFile(arguments[0]) == pack) return 0;
  std::ofstream out(arguments[0], std::ios::binary);
  out << pack;
  return out.flush() ? 0 : 1;
}

}  // namespace
}  // namespace weft::api

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: pack_files OUT [--folder FOLDER] [--file NAME=PATH]...\n");
    return 2;
  }
  return weft::api::Run({argv + 1, argv + argc});
}
