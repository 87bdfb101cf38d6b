#include "app/config.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include <yaml-cpp/yaml.h>

#include "app/setting_text.h"

namespace weft::app {
namespace {

using Read = std::function<Error(const std::string&, Config*)>;

Read Text(std::string Config::* field) {
  return [field](const std::string& text, Config* c) {
    if (text.empty()) return Error(ErrorCode::kInvalidArgument, "must not be empty");
    c->*field = text;
    return Error::Ok();
  };
}

Read TextOrNothing(std::string Config::* field) {
  return [field](const std::string& text, Config* c) {
    c->*field = text;
    return Error::Ok();
  };
}

Read Address(OptionalAddress Config::* field) {
  return [field](const std::string& text, Config* c) {
    if (text.empty()) return Error(ErrorCode::kInvalidArgument, "must be an address, or off");
    (c->*field).address = text == "off" ? "" : text;
    return Error::Ok();
  };
}

Read Switch(bool Config::* field) {
  return [field](const std::string& text, Config* c) {
    if (text != "true" && text != "false") {
      return Error(ErrorCode::kInvalidArgument, "'" + text + "' is neither true nor false");
    }
    c->*field = text == "true";
    return Error::Ok();
  };
}

Read Duration(int64_t Config::* field) {
  return [field](const std::string& text, Config* c) {
    WEFT_ASSIGN_OR_RETURN(c->*field, ParseDuration(text));
    return Error::Ok();
  };
}

Read Size(uint64_t Config::* field, uint64_t min_bytes, bool share_of_memory = false) {
  return [field, min_bytes, share_of_memory](const std::string& text, Config* c) {
    WEFT_ASSIGN_OR_RETURN(c->*field, ParseSize(text, share_of_memory ? MachineMemoryBytes() : 0));
    if (c->*field >= min_bytes) return Error::Ok();
    return Error(ErrorCode::kInvalidArgument,
                 "'" + text + "' is too small: at least " + std::to_string(min_bytes) + " bytes");
  };
}

Read Count(uint64_t Config::* field, uint64_t min, uint64_t max) {
  return [field, min, max](const std::string& text, Config* c) {
    WEFT_ASSIGN_OR_RETURN(c->*field, ParseCount(text, min, max));
    return Error::Ok();
  };
}

Error Refresh(const std::string& text, Config* c) {
  WEFT_ASSIGN_OR_RETURN(c->catalog_refresh_ns, ParseDuration(text));
  if (c->catalog_refresh_ns >= 100'000'000) return Error::Ok();
  return Error(ErrorCode::kInvalidArgument, "'" + text + "' is too short: at least 100ms");
}

Error ReadLogLevel(const std::string& text, Config* c) {
  WEFT_ASSIGN_OR_RETURN(c->log_level, ParseLogLevel(text));
  return Error::Ok();
}

Error ReadLogFormat(const std::string& text, Config* c) {
  WEFT_ASSIGN_OR_RETURN(c->log_format, ParseLogFormat(text));
  return Error::Ok();
}

Error ReadDurability(const std::string& text, Config* c) {
  if (text != "sync" && text != "async") {
    return Error(ErrorCode::kInvalidArgument, "'" + text + "' is neither sync nor async");
  }
  c->durability_sync = text == "sync";
  return Error::Ok();
}

// "" or "/a/b": what every path of Tempo's API begins with.
Error ReadPathPrefix(const std::string& text, Config* c) {
  const auto is_plain = [](char ch) {
    return std::isalnum(static_cast<unsigned char>(ch)) ||
           std::string_view("/-._~").find(ch) != std::string_view::npos;
  };
  const bool good = text.empty() || (text.front() == '/' && text.back() != '/' &&
                                     text.find("//") == std::string::npos &&
                                     std::all_of(text.begin(), text.end(), is_plain));
  if (!good) {
    return Error(ErrorCode::kInvalidArgument,
                 "'" + text + "' is no path such as /tempo: segments of A-Z a-z 0-9 - . _ ~");
  }
  c->tempo_path_prefix = text;
  return Error::Ok();
}

// "a, b" is a and b: without the spaces around them.
std::vector<std::string> SplitList(const std::string& text) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string one = text.substr(begin, end - begin);
    const size_t first = one.find_first_not_of(' ');
    if (first != one.npos) out.push_back(one.substr(first, one.find_last_not_of(' ') - first + 1));
    begin = end + 1;
  }
  return out;
}

Read List(std::vector<std::string> Config::* field) {
  return [field](const std::string& text, Config* c) {
    c->*field = SplitList(text);
    return Error::Ok();
  };
}

Error WriteInterval(const std::string& text, Config* c) {
  WEFT_ASSIGN_OR_RETURN(c->generator_remote_write_interval_ns, ParseDuration(text));
  if (c->generator_remote_write_interval_ns >= 1'000'000'000) return Error::Ok();
  return Error(ErrorCode::kInvalidArgument, "'" + text + "' is too short: at least 1s");
}

Error ReadProcessors(const std::string& text, Config* c) {
  c->generator_processors = SplitList(text);
  for (const std::string& one : c->generator_processors) {
    if (one == "span-metrics" || one == "service-graphs") continue;
    return Error(ErrorCode::kInvalidArgument,
                 "'" + one + "' is neither span-metrics nor service-graphs");
  }
  return Error::Ok();
}

// How many single-character changes make `a` into `b`.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

Error UnknownKey(const std::string& key, const std::string& origin) {
  const std::vector<Setting>& all = Settings();
  const auto nearest =
      std::min_element(all.begin(), all.end(), [&](const Setting& a, const Setting& b) {
        return EditDistance(a.key, key) < EditDistance(b.key, key);
      });
  return Error(ErrorCode::kInvalidArgument, origin + ": there is no setting '" + key +
                                                "'; did you mean '" + nearest->key + "'?");
}

bool IsKnown(const std::string& key) {
  return std::any_of(Settings().begin(), Settings().end(),
                     [&](const Setting& s) { return s.key == key; });
}

// {a: {b: 1}, c: 2} -> a.b = 1, c = 2. A list becomes its elements with commas.
Error Flatten(const YAML::Node& node, const std::string& prefix,
              std::map<std::string, std::string>* out) {
  for (const auto& entry : node) {
    const std::string key = prefix + entry.first.as<std::string>();
    if (entry.second.IsMap()) {
      WEFT_RETURN_IF_ERROR(Flatten(entry.second, key + ".", out));
    } else if (entry.second.IsSequence()) {
      std::string joined;
      for (const auto& element : entry.second)
        joined += (joined.empty() ? "" : ",") + element.as<std::string>();
      (*out)[key] = joined;
    } else {
      (*out)[key] = entry.second.IsNull() ? "" : entry.second.as<std::string>();
    }
  }
  return Error::Ok();
}

Result<std::map<std::string, std::string>> ReadYaml(const std::string& text,
                                                    const std::string& name) {
  std::map<std::string, std::string> values;
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return values;
    if (!root.IsMap())
      return Error(ErrorCode::kInvalidArgument, name + ": must hold `key: value` lines");
    WEFT_RETURN_IF_ERROR(Flatten(root, "", &values));
  } catch (const YAML::Exception& e) {
    return Error(ErrorCode::kInvalidArgument, name + ": " + e.what());
  }
  return values;
}

}  // namespace

const std::vector<Setting>& Settings() {
  static const std::vector<Setting> kSettings = {
      {"data", "./weft-data", "folder of everything that is stored", Text(&Config::data)},
      {"store", "",
       "where blocks are kept: s3://..., gs://..., abfs://... or file:///path (see operating.md); "
       "empty for the data folder",
       TextOrNothing(&Config::store)},
      {"read-only", "false",
       "only answer questions about a store that another server writes to (see operating.md)",
       Switch(&Config::read_only), true},
      {"catalog.refresh", "10s", "how often a server that only reads looks for new blocks",
       Refresh},
      {"http", "127.0.0.1:3200",
       "address of the UI, every query API, /metrics and /ready; port 0 picks a free one",
       Text(&Config::http)},
      {"otlp-grpc", "127.0.0.1:4317", "address of the OTLP/gRPC receiver",
       Text(&Config::otlp_grpc)},
      {"otlp-http", "127.0.0.1:4318", "address of the OTLP/HTTP receiver",
       Text(&Config::otlp_http)},
      {"zipkin-http", "127.0.0.1:9411",
       "address of the receiver of Zipkin's spans, or off (see receivers.md)",
       Address(&Config::zipkin_http), false, &Config::zipkin_http},
      {"jaeger-http", "127.0.0.1:14268",
       "address of the receiver of Jaeger's spans in Thrift over HTTP, or off",
       Address(&Config::jaeger_http), false, &Config::jaeger_http},
      {"jaeger-grpc", "127.0.0.1:14250", "address of the receiver of Jaeger's gRPC, or off",
       Address(&Config::jaeger_grpc), false, &Config::jaeger_grpc},
      {"jaeger-compact", "off",
       "UDP address of what Jaeger's clients send to an agent in Thrift's compact protocol "
       "(Jaeger's "
       "own: 127.0.0.1:6831), or off",
       Address(&Config::jaeger_compact), false, &Config::jaeger_compact},
      {"jaeger-binary", "off",
       "the same in the binary protocol (Jaeger's own: 127.0.0.1:6832), or off",
       Address(&Config::jaeger_binary), false, &Config::jaeger_binary},
      {"log.level", "info", "debug, info, warn, error or off", ReadLogLevel},
      {"log.format", "text", "text or json, one line an event, on standard error", ReadLogFormat},
      {"memory.max", "25%",
       "memory that spans may hold before they are in blocks, as a size or a share of the "
       "machine's; near it traces are cut early, at it "
       "senders are asked to wait",
       Size(&Config::memory_max_bytes, 32 << 20, true)},
      {"durability", "sync",
       "sync: spans are acknowledged after fsync; async: after write, a power cut may lose up to a "
       "second",
       ReadDurability},
      {"wal.group-wait", "0",
       "how long a group commit waits for more requests before it is written",
       Duration(&Config::wal_group_wait_ns)},
      {"wal.segment-bytes", "64MiB", "size of a write-ahead log file",
       Size(&Config::wal_segment_bytes, 1 << 20)},
      {"wal.disk-reserve", "64MiB",
       "spans are refused (503) while the disk has less than this free",
       Size(&Config::wal_disk_reserve_bytes, 0)},
      {"cut.root-grace", "3s",
       "a trace is complete when its root has ended and nothing came for so long",
       Duration(&Config::cut_root_grace_ns)},
      {"cut.idle", "10s", "a trace without root is cut when nothing came for so long",
       Duration(&Config::cut_idle_ns)},
      {"cut.age-max", "2m", "a trace is cut when its first span came so long ago",
       Duration(&Config::cut_age_max_ns)},
      {"cut.trace-spans-max", "200000", "a trace is cut when it has so many spans",
       Count(&Config::cut_trace_spans_max, 1000, 10'000'000)},
      {"live.shards", "1", "threads that merge incoming spans, each with its share of the traces",
       Count(&Config::live_shards, 1, 64)},
      {"block.spans", "131072", "a block is written when so many spans of complete traces wait",
       Count(&Config::block_spans, 1000, 10'000'000)},
      {"block.age", "5m", "or when the first of them has waited so long",
       Duration(&Config::block_age_ns)},
      {"block.row-group-rows", "131072",
       "spans of a Parquet row group, at most (a larger trace has its own)",
       Count(&Config::block_row_group_rows, 1024, 10'000'000)},
      {"block.zstd-level", "1", "compression level of block pages",
       Count(&Config::block_zstd_level, 1, 19)},
      {"cache.max", "6%",
       "memory for decoded columns and open blocks, as a size or a share of the machine's",
       Size(&Config::cache_max_bytes, 1 << 20, true)},
      {"cache.disk", "4GiB",
       "disk of the data folder for pieces of blocks that lie in an object store; 0 for none",
       Size(&Config::cache_disk_bytes, 0)},
      {"compaction.cpu-percent", "25",
       "share of one core that merging blocks may take; 0 switches it off, but for carrying out "
       "deletions",
       Count(&Config::compaction_cpu_percent, 0, 100)},
      {"compaction.window", "1h", "blocks whose spans started in one such window are merged",
       Duration(&Config::compaction_window_ns)},
      {"compaction.blocks", "8", "blocks of one level are merged when there are so many",
       Count(&Config::compaction_blocks, 2, 1000)},
      {"compaction.spans", "1048576", "spans of a merged block, at most",
       Count(&Config::compaction_spans, 10'000, 10'000'000)},
      {"compaction.row-group-rows", "524288", "spans of a Parquet row group of a merged block",
       Count(&Config::compaction_row_group_rows, 1024, 10'000'000)},
      {"compaction.zstd-level", "4", "compression level of the pages of merged blocks",
       Count(&Config::compaction_zstd_level, 1, 19)},
      {"compaction.age-min", "10s", "a block younger than this is not merged yet",
       Duration(&Config::compaction_age_min_ns)},
      {"retention.age", "0", "blocks whose latest span is older are deleted; 0 keeps all",
       Duration(&Config::retention_age_ns)},
      {"retention.tenant-bytes", "0",
       "the oldest blocks of a tenant are deleted when it has more; 0 keeps all",
       Size(&Config::retention_tenant_bytes, 0)},
      {"retention.disk-free", "0",
       "the oldest blocks of all tenants are deleted when the disk has less free; 0 keeps all",
       Size(&Config::retention_disk_free_bytes, 0)},
      {"receive.body-max", "64MiB", "largest request, after decompression",
       Size(&Config::receive_body_max_bytes, 1024)},
      {"receive.threads", "2", "threads of the OTLP/HTTP receiver",
       Count(&Config::receive_threads, 1, 256)},
      {"receive.tenant-rate", "0",
       "bytes of spans a second that each tenant may send (see receivers.md); who sends more gets "
       "429 "
       "with a time to wait; 0 does not limit",
       Size(&Config::receive_tenant_rate_bytes, 0)},
      {"receive.tenant-burst", "20MiB",
       "bytes that a tenant may send at once when it was quiet before",
       Size(&Config::receive_tenant_burst_bytes, 1024)},
      {"receive.cors-origins", "*",
       "origins whose pages may send spans, separated by commas; * for all",
       List(&Config::receive_cors_origins)},
      {"generator.processors", "span-metrics",
       "metrics that are made of spans on arrival (see metrics.md): span-metrics, service-graphs, "
       "or "
       "both with a comma; empty for none",
       ReadProcessors},
      {"generator.dimensions", "",
       "attributes that become labels of these metrics, separated by commas",
       List(&Config::generator_dimensions)},
      {"generator.target-info", "false",
       "also count the resources that send spans: traces_target_info, and the labels job and "
       "instance",
       Switch(&Config::generator_target_info), true},
      {"generator.memory-max", "32MiB",
       "memory for these metrics; what finds no place is counted with metric_overflow=\"true\"",
       Size(&Config::generator_memory_max_bytes, 64 << 10)},
      {"generator.stale-after", "15m",
       "a series of these metrics goes when no span came for so long",
       Duration(&Config::generator_stale_after_ns)},
      {"generator.remote-write.url", "",
       "where these metrics are sent by Prometheus' remote write, such as "
       "http://host:9090/api/v1/write; empty for nowhere",
       TextOrNothing(&Config::generator_remote_write_url)},
      {"generator.remote-write.headers", "",
       "headers to send with them, `Name: value`, separated by commas",
       List(&Config::generator_remote_write_headers)},
      {"generator.remote-write.interval", "15s", "how often they are sent", WriteInterval},
      {"query.timeout", "30s", "a query that takes longer answers with what it has found",
       Duration(&Config::query_timeout_ns)},
      {"query.threads", "2",
       "threads that run queries; twice as many queries share them, each tenant getting the same "
       "time",
       Count(&Config::query_threads, 1, 256)},
      {"query.memory-max", "256MiB", "memory that one query may use",
       Size(&Config::query_memory_max, 1 << 20)},
      {"query.read-max", "0",
       "bytes of blocks that one query may read before it answers with what it has found; 0 for no "
       "limit",
       Size(&Config::query_read_max, 0)},
      {"tempo.path-prefix", "",
       "path before each one of Tempo's API (see api/tempo.md), such as /tempo; without it they "
       "are "
       "not answered then",
       ReadPathPrefix},
      {"tempo.trace-bytes-max", "128MiB",
       "largest trace that Tempo's API gives whole, as OTLP protobuf",
       Size(&Config::tempo_trace_bytes_max, 1024)},
      {"tempo.range-max", "0", "longest time range of a search by Tempo's API; 0 does not limit",
       Duration(&Config::tempo_range_max_ns)},
      {"tempo.strip-trace-ids", "false",
       "leave out the leading zeros of trace ids in search results of Tempo's API",
       Switch(&Config::tempo_strip_trace_ids), true},
      {"tempo.compat-tenants", "",
       "tenants, separated by commas, whose TraceQL is answered as Tempo does even where that is "
       "not what it says (see traceql.md); * is all",
       List(&Config::tempo_compat_tenants)},
      {"shutdown.timeout", "30s",
       "how long a stop may take to write blocks; the WAL covers the rest",
       Duration(&Config::shutdown_timeout_ns)},
  };
  return kSettings;
}

std::string FlagName(std::string_view key) {
  std::string name(key);
  std::replace(name.begin(), name.end(), '.', '-');
  return name;
}

std::string EnvironmentName(std::string_view key) {
  std::string name = "WEFT_";
  for (char c : key)
    name += std::isalnum(static_cast<unsigned char>(c))
                ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
                : '_';
  return name;
}

Result<ConfigReading> ReadConfig(const ConfigSources& sources) {
  ConfigReading reading;
  for (const Setting& setting : Settings())
    reading.values[setting.key] = {setting.default_text, "default"};
  if (sources.file_text) {
    WEFT_ASSIGN_OR_RETURN(const auto file, ReadYaml(*sources.file_text, sources.file_name));
    for (const auto& [key, text] : file) {
      if (!IsKnown(key)) return UnknownKey(key, sources.file_name);
      reading.values[key] = {text, "file"};
    }
  }
  for (const Setting& setting : Settings()) {
    const char* text =
        sources.environment ? sources.environment(EnvironmentName(setting.key).c_str()) : nullptr;
    if (text != nullptr) reading.values[setting.key] = {text, "environment"};
  }
  for (const auto& [key, text] : sources.flags) {
    if (!IsKnown(key)) return UnknownKey(key, "flags");
    reading.values[key] = {text, "flag"};
  }
  for (const Setting& setting : Settings()) {
    const SettingValue& value = reading.values[setting.key];
    const Error error = setting.read(value.text, &reading.config);
    if (!error.ok()) return error.WithContext(setting.key + " (" + value.origin + ")");
    if (setting.listens != nullptr) {
      (reading.config.*setting.listens).is_chosen = value.origin != "default";
    }
  }
  return reading;
}

namespace {

constexpr std::string_view kHidden = "<hidden>";

// The text of a setting without what opens doors: headers, and of a URL who asks and with which
// parameters.
std::string WithoutSecrets(const std::string& key, const std::string& text) {
  if (text.empty()) return text;
  if (key.ends_with("headers")) return std::string(kHidden);
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const size_t host = scheme + 3;
  const size_t at = text.substr(0, text.find_first_of("/?#", host)).rfind('@');
  std::string out = text;
  if (const size_t query = out.find('?'); query != std::string::npos)
    out.replace(query + 1, out.size(), kHidden);
  if (at != std::string::npos && at >= host) out.replace(host, at - host, kHidden);
  return out;
}

std::string Print(const ConfigReading& reading, bool hide_secrets) {
  std::string out, section;
  for (const Setting& setting : Settings()) {
    const SettingValue& value = reading.values.at(setting.key);
    const size_t dot = setting.key.find('.');
    std::string name = setting.key;
    if (dot != std::string::npos) {
      if (section != setting.key.substr(0, dot)) {
        section = setting.key.substr(0, dot);
        out += section + ":\n";
      }
      name = "  " + setting.key.substr(dot + 1);
    } else {
      section.clear();
    }
    YAML::Emitter text;
    text << YAML::DoubleQuoted
         << (hide_secrets ? WithoutSecrets(setting.key, value.text) : value.text);
    out += name + ": " + text.c_str() + "  # " + value.origin + "\n";
  }
  return out;
}

}  // namespace

std::string PrintConfig(const ConfigReading& reading) { return Print(reading, false); }

std::string PrintConfigWithoutSecrets(const ConfigReading& reading) { return Print(reading, true); }

std::string PrintReference() {
  std::string out = "| key | default | flag | environment | meaning |\n|---|---|---|---|---|\n";
  for (const Setting& s : Settings()) {
    const std::string standard = s.default_text.empty() ? "" : "`" + s.default_text + "`";
    out += "| `" + s.key + "` | " + standard + " | `--" + FlagName(s.key) + "` | `" +
           EnvironmentName(s.key) + "` | " + s.help + " |\n";
  }
  return out;
}

}  // namespace weft::app
