// weft_parquet_columns FILE...: bytes on disk of each column of Parquet files, summed over files of
// the same name, as one JSON object
// {"spans.parquet": {"name": 1234, ...}, ...}; pages, dictionaries and their headers included,
// footers not.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <string>

#include <parquet/file_reader.h>
#include <parquet/metadata.h>

namespace {

using ColumnBytes = std::map<std::string, int64_t>;

void AddColumns(const std::string& path, ColumnBytes* columns) {
  const auto reader = parquet::ParquetFileReader::OpenFile(path);
  const auto metadata = reader->metadata();
  for (int group = 0; group < metadata->num_row_groups(); ++group) {
    const auto row_group = metadata->RowGroup(group);
    for (int column = 0; column < row_group->num_columns(); ++column) {
      const auto chunk = row_group->ColumnChunk(column);
      (*columns)[chunk->path_in_schema()->ToDotString()] += chunk->total_compressed_size();
    }
  }
}

// Column names are attribute keys: anything may be in them.
std::string Quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    char escape[8];
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

void Print(const std::map<std::string, ColumnBytes>& files) {
  const char* file_separator = "{";
  for (const auto& [file, columns] : files) {
    std::printf("%s%s: {", file_separator, Quote(file).c_str());
    const char* separator = "";
    for (const auto& [name, bytes] : columns) {
      std::printf("%s%s: %lld", separator, Quote(name).c_str(), static_cast<long long>(bytes));
      separator = ", ";
    }
    std::printf("}");
    file_separator = ", ";
  }
  std::printf("%s}\n", files.empty() ? "{" : "");
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, ColumnBytes> files;
  for (int i = 1; i < argc; ++i) {
    const std::string path = argv[i];
    try {
      AddColumns(path, &files[path.substr(path.rfind('/') + 1)]);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: %s\n", path.c_str(), error.what());
      return 1;
    }
  }
  Print(files);
  return 0;
}
