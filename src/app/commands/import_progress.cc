#include "app/commands/import_progress.h"

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>

#include <sys/stat.h>
#include <xxhash.h>

#include "api/json_writer.h"
#include "app/commands/json_fields.h"

namespace weft::app::commands {
namespace {

constexpr size_t kHeadBytes = 64 << 10;
constexpr int64_t kSaveEveryNs = 500'000'000;

std::string StateFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/weft/import";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return std::string(home) + "/.local/state/weft/import";
}

// What makes a file this file; empty when that can't be told.
std::string IdentityOf(Env& env, const std::string& path) {
  struct stat info{};
  char absolute[PATH_MAX];
  if (path == "-" || stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  if (realpath(path.c_str(), absolute) == nullptr) return {};
  const auto file = env.NewReadableFile(path);
  if (!file.ok()) return {};
  std::string head(std::min<uint64_t>(kHeadBytes, (*file)->size_bytes()), '\0');
  if (!(*file)->ReadAt(0, head.size(), head.data()).ok()) return {};
  return std::string(absolute) + "|" + std::to_string(info.st_size) + "|" +
         std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + "|" +
         std::to_string(XXH3_64bits(head.data(), head.size()));
}

}  // namespace

ImportProgress::ImportProgress(Env& env, const std::string& path, const std::string& destination)
    : env_(env), folder_(StateFolder()), path_(path) {
  const std::string identity = IdentityOf(env, path);
  if (folder_.empty() || identity.empty()) return;
  const std::string key = identity + "|" + destination;
  char name[24];
  std::snprintf(name, sizeof name, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(key.data(), key.size())));
  file_ = folder_ + "/" + name + ".json";
}

ImportCounts ImportProgress::Load() const {
  ImportCounts counts;
  if (!enabled()) return counts;
  const auto text = env_.ReadWholeFile(file_);
  if (!text.ok()) return counts;
  const auto value = ParseJson(*text);
  if (!value) return counts;
  counts.offset = NumberOf(&*value, "offset");
  counts.spans = NumberOf(&*value, "spans");
  counts.rejected = NumberOf(&*value, "rejected");
  counts.broken = NumberOf(&*value, "broken");
  counts.foreign = NumberOf(&*value, "foreign");
  return counts;
}

void ImportProgress::Save(const ImportCounts& counts, bool now) {
  if (!enabled()) return;
  const int64_t now_ns = env_.MonotonicNs();
  if (!now && saved_ns_ != 0 && now_ns - saved_ns_ < kSaveEveryNs) return;
  saved_ns_ = now_ns;
  std::string text;
  api::JsonWriter json(&text);
  json.BeginObject();
  json.Field("file", path_);
  json.UintField("offset", counts.offset);
  json.UintField("spans", counts.spans);
  json.UintField("rejected", counts.rejected);
  json.UintField("broken", counts.broken);
  json.UintField("foreign", counts.foreign);
  json.EndObject();
  if (!env_.CreateFolder(folder_).ok() || !env_.ReplaceFile(file_, text).ok()) file_.clear();
}

void ImportProgress::Remove() {
  if (enabled() && env_.Exists(file_)) (void)env_.RemoveFile(file_).ok();
}

}  // namespace weft::app::commands
