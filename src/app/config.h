// The server's settings: one table says each one's key, default, meaning and how its text is read.
//
// A key such as `cut.idle` is `cut: { idle: 10s }` in the YAML file, the flag `--cut-idle`, and
// WEFT_CUT_IDLE in the environment. Flag beats environment beats file beats default. Config is
// final once made: only ReadConfig gives one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/log.h"

namespace weft::app {

// Of a receiver that may be missing.
struct OptionalAddress {
  std::string address;  // empty: off
  // By whoever starts the server: then it must be free. One that nobody chose may be in use, by the
  // product whose port it is.
  bool is_chosen = false;
};

struct Config {
  std::string data;
  std::string store;  // see store/open_object_store.h; empty: the folder `blocks` of `data`
  bool read_only = false;
  int64_t catalog_refresh_ns = 0;
  std::string http;
  std::string otlp_grpc;
  std::string otlp_http;
  OptionalAddress zipkin_http;
  OptionalAddress jaeger_http;
  OptionalAddress jaeger_grpc;
  OptionalAddress jaeger_compact;
  OptionalAddress jaeger_binary;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  uint64_t memory_max_bytes = 0;
  bool durability_sync = true;
  int64_t wal_group_wait_ns = 0;
  uint64_t wal_segment_bytes = 0;
  uint64_t wal_disk_reserve_bytes = 0;
  int64_t cut_root_grace_ns = 0;
  int64_t cut_idle_ns = 0;
  int64_t cut_age_max_ns = 0;
  uint64_t cut_trace_spans_max = 0;
  uint64_t live_shards = 0;
  uint64_t block_spans = 0;
  int64_t block_age_ns = 0;
  uint64_t block_row_group_rows = 0;
  uint64_t block_zstd_level = 0;
  uint64_t cache_max_bytes = 0;
  uint64_t cache_disk_bytes = 0;
  uint64_t compaction_cpu_percent = 0;
  int64_t compaction_window_ns = 0;
  uint64_t compaction_blocks = 0;
  uint64_t compaction_spans = 0;
  uint64_t compaction_row_group_rows = 0;
  uint64_t compaction_zstd_level = 0;
  int64_t compaction_age_min_ns = 0;
  int64_t retention_age_ns = 0;
  uint64_t retention_tenant_bytes = 0;
  uint64_t retention_disk_free_bytes = 0;
  std::vector<std::string> generator_processors;
  std::vector<std::string> generator_dimensions;
  bool generator_target_info = false;
  uint64_t generator_memory_max_bytes = 0;
  int64_t generator_stale_after_ns = 0;
  std::string generator_remote_write_url;
  std::vector<std::string> generator_remote_write_headers;
  int64_t generator_remote_write_interval_ns = 0;
  uint64_t receive_body_max_bytes = 0;
  uint64_t receive_threads = 0;
  uint64_t receive_tenant_rate_bytes = 0;
  uint64_t receive_tenant_burst_bytes = 0;
  std::vector<std::string> receive_cors_origins;
  int64_t query_timeout_ns = 0;
  uint64_t query_threads = 0;
  uint64_t query_memory_max = 0;
  uint64_t query_read_max = 0;
  std::string tempo_path_prefix;
  uint64_t tempo_trace_bytes_max = 0;
  int64_t tempo_range_max_ns = 0;
  bool tempo_strip_trace_ids = false;
  std::vector<std::string> tempo_compat_tenants;
  int64_t shutdown_timeout_ns = 0;
};

// One row of the table.
struct Setting {
  std::string key;
  std::string default_text;
  std::string help;
  // Reads the text into the config; the message of a failure says what is accepted.
  std::function<Error(const std::string& text, Config* config)> read;
  // true or false; the flag alone means true.
  bool is_switch = false;
  // The field of a setting whose origin counts too.
  OptionalAddress Config::* listens = nullptr;
};

const std::vector<Setting>& Settings();

// "cut.idle" -> "cut-idle" and "WEFT_CUT_IDLE".
std::string FlagName(std::string_view key);
std::string EnvironmentName(std::string_view key);

// Where a setting's text came from.
struct SettingValue {
  std::string text;
  std::string origin;  // "default", "file", "environment", "flag"
};

struct ConfigSources {
  std::optional<std::string> file_text;                 // of the YAML file
  std::string file_name;                                // for messages
  std::function<const char*(const char*)> environment;  // as std::getenv
  std::map<std::string, std::string> flags;             // by key
};

struct ConfigReading {
  Config config;
  std::map<std::string, SettingValue> values;  // by key
};

// kInvalidArgument with the key, its origin, and what is accepted; an unknown key names the nearest
// known one.
Result<ConfigReading> ReadConfig(const ConfigSources& sources);

// The effective settings as a YAML file that could be given to --config; origins as comments.
std::string PrintConfig(const ConfigReading& reading);
// The same for everyone who may look at the server: headers that are sent elsewhere, and users,
// passwords and parameters in URLs, are "<hidden>".
std::string PrintConfigWithoutSecrets(const ConfigReading& reading);
// The table as Markdown: docs/configuration.md holds it, and a test compares.
std::string PrintReference();

}  // namespace weft::app
