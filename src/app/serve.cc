// The server's life:
//
// 1. Lock the data folder; take the store, unless this server only reads it; list its blocks.
// 2. Serve HTTP, so that /ready and /metrics say what is going on; replay the write-ahead log.
// 3. Start the receivers, write server.json: ready.
// 4. At a signal: stop the receivers, write everything to blocks, stop answering.
#include "app/serve.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <unistd.h>

#include "api/api_server.h"
#include "api/embedded_files.h"
#include "app/read_only_sink.h"
#include "app/server_file.h"
#include "app/starting_source.h"
#include "app/version.h"
#include "base/env.h"
#include "base/folder.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "compact/compactor.h"
#include "deletion/deleter.h"
#include "generate/generating_sink.h"
#include "generate/remote_writer.h"
#include "generate/series_store.h"
#include "live/live_traces.h"
#include "net/address.h"
#include "net/http_router.h"
#include "net/http_server.h"
#include "query/exec/budget.h"
#include "query/exec/task_runner.h"
#include "receive/grpc_receiver.h"
#include "receive/jaeger/format.h"
#include "receive/jaeger/udp_receiver.h"
#include "receive/otlp/grpc_format.h"
#include "receive/otlp/http_receiver.h"
#include "receive/posted_receiver.h"
#include "receive/rate_limited_sink.h"
#include "receive/zipkin/format.h"
#include "store/block_store.h"
#include "store/open_object_store.h"
#include "store/store_owner.h"

namespace weft::app {
namespace {

constexpr uint32_t kReceiverGraceMs = 3000;

// How often the replay of a long log says how far it is.
constexpr int64_t kReplayReportNs = 2'000'000'000;
// Blocks of the catalog that are read at a time: a disk has a short way, an object store a long
// one.
constexpr uint32_t kLocalReads = 4;
constexpr uint32_t kRemoteReads = 32;
// For each block that is looked at for its usage.
constexpr uint64_t kUsageCacheBytes = 8u << 20;

// Signals are taken by Wait() alone: blocked here before any thread exists, every thread inherits
// that.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }

  void Wait() {
    int signal = 0;
    sigwait(&set_, &signal);
    LogInfo("stopping", {{"signal", signal}});
  }

  // From now on a signal ends the process at once.
  void ExitOnNext() {
    std::thread([set = set_] {
      int signal = 0;
      sigwait(&set, &signal);
      LogWarn("second signal: ending at once; the write-ahead log covers what is not in blocks");
      _exit(1);
    }).detach();
  }

 private:
  sigset_t set_;
};

class Server {
 public:
  // Also after a start that failed.
  ~Server() { StopUpkeep(); }

  // `config_text` is what everyone may read of the settings.
  Server(const Config& config, std::string config_text)
      : config_(config), config_text_(std::move(config_text)), runner_(config.query_threads - 1) {}

  Error Start() {
    start_ns_ = static_cast<uint64_t>(env_.NowNs());
    WEFT_RETURN_IF_ERROR(MakeGenerator());
    WEFT_RETURN_IF_ERROR(OpenStore());
    WEFT_RETURN_IF_ERROR(StartHttp());
    if (config_.read_only) {
      source_.Set(store_.get());
      MakeDeleter();
      upkeep_ = std::thread([this] { FollowStore(); });
    } else {
      WEFT_RETURN_IF_ERROR(OpenLive());
      StartCompactor();
      MakeDeleter();
    }
    WEFT_RETURN_IF_ERROR(StartReceivers());
    const ServerAddresses addresses{.http = http_->bound_address(),
                                    .otlp_grpc = grpc_receiver_->bound_address(),
                                    .otlp_http = http_receiver_->bound_address(),
                                    .zipkin_http = AddressOf(zipkin_receiver_),
                                    .jaeger_http = AddressOf(jaeger_receiver_),
                                    .jaeger_grpc = AddressOf(jaeger_grpc_receiver_),
                                    .jaeger_compact = AddressOf(jaeger_compact_receiver_),
                                    .jaeger_binary = AddressOf(jaeger_binary_receiver_),
                                    .store = config_.store};
    WEFT_RETURN_IF_ERROR(WriteServerFile(env_, config_.data, addresses));
    ready_ = true;
    LogInfo("ready", {{"http", addresses.http},
                      {"otlp_grpc", addresses.otlp_grpc},
                      {"otlp_http", addresses.otlp_http},
                      {"zipkin_http", OrOff(addresses.zipkin_http)},
                      {"jaeger_http", OrOff(addresses.jaeger_http)},
                      {"jaeger_grpc", OrOff(addresses.jaeger_grpc)},
                      {"jaeger_compact", OrOff(addresses.jaeger_compact)},
                      {"jaeger_binary", OrOff(addresses.jaeger_binary)},
                      {"data", config_.data},
                      {"read_only", config_.read_only ? "true" : "false"},
                      {"store", config_.store.empty() ? "local" : config_.store}});
    return Error::Ok();
  }

  std::string http_address() const { return http_->bound_address(); }

  void Stop() {
    ready_ = false;
    const int64_t stop_ns = env_.MonotonicNs();
    if (compactor_) compactor_->Stop();
    StopReceivers();
    if (remote_writer_) remote_writer_->Stop();
    if (live_)
      live_->Stop(
          std::max<int64_t>(1, config_.shutdown_timeout_ns - (env_.MonotonicNs() - stop_ns)));
    SaveCatalog();
    StopUpkeep();
    if (http_) http_->Stop(kReceiverGraceMs);
    if (api_) api_->Stop();
    RemoveServerFile(env_, config_.data);
    if (owner_) {
      if (const Error error = owner_->Release(); !error.ok()) {
        LogWarn("the store could not be given back; the next server waits until it sees that",
                {{"error", error.message()}});
      }
    }
    const uint64_t left = live_ ? live_->counts().spans : 0;
    LogInfo("stopped", {{"spans_left_in_wal", left}});
  }

 private:
  Error OpenStore() {
    WEFT_RETURN_IF_ERROR(MakeDurableFolder(env_, config_.data));
    auto lock = env_.LockFile(config_.data + "/lock");
    if (!lock.ok())
      return lock.error().WithContext("the data folder " + config_.data +
                                      " is in use by another server");
    lock_ = std::move(*lock);
    const std::string folder = config_.data + "/blocks";
    disk_path_ = store::FolderOfStore(config_.store, config_.data);
    if (disk_path_.empty() && config_.retention_disk_free_bytes > 0) {
      return Error(ErrorCode::kInvalidArgument,
                   "retention.disk-free is for blocks on a disk of this machine; with the store " +
                       config_.store + ", use retention.age or retention.tenant-bytes");
    }
    const store::DiskChunksOptions cache{.folder = config_.data + "/cache",
                                         .bytes_max = config_.cache_disk_bytes};
    WEFT_ASSIGN_OR_RETURN(objects_,
                          store::OpenObjectStore(env_, config_.store, folder, metrics_, cache));
    if (!config_.store.empty() && env_.Exists(folder)) {
      LogWarn("the data folder has blocks of its own, which are not seen with this store",
              {{"folder", folder}, {"store", config_.store}});
    }
    if (!config_.read_only) WEFT_RETURN_IF_ERROR(TakeStore(folder));
    store::BlockStoreOptions options;
    options.read_only = config_.read_only;
    options.cache_bytes_max = config_.cache_max_bytes;
    options.shelf.parallel_reads = disk_path_.empty() ? kRemoteReads : kLocalReads;
    store::ObjectStore& objects = owned_ ? *owned_ : *objects_;
    WEFT_ASSIGN_OR_RETURN(store_, store::BlockStore::Open(objects, options, metrics_));
    return Error::Ok();
  }

  // One server at a time writes to a store: see store/store_owner.h.
  Error TakeStore(const std::string& own_folder) {
    if (!disk_path_.empty()) {
      const std::string folder = store::FolderOfStore(config_.store, own_folder);
      WEFT_RETURN_IF_ERROR(MakeDurableFolder(env_, folder));
      auto lock = env_.LockFile(folder + "/" + store::kOwnerObject);
      if (!lock.ok()) {
        return lock.error().WithContext("another server writes to the store " + folder +
                                        " (start this one with --read-only to ask it)");
      }
      store_lock_ = std::move(*lock);
      return Error::Ok();
    }
    store::StoreOwnerOptions options;
    WEFT_ASSIGN_OR_RETURN(options.instance, InstanceOf(config_.data));
    options.description =
        "pid " + std::to_string(getpid()) + " on " + HostName() + ", data folder " + config_.data;
    owner_ = std::make_unique<store::StoreOwner>(
        env_, *objects_, std::move(options),
        [](int64_t ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); });
    WEFT_RETURN_IF_ERROR(owner_->Take().WithContext("store " + config_.store));
    owned_ = std::make_unique<store::OwnedObjectStore>(*objects_, *owner_);
    upkeep_ = std::thread([this] { HoldStore(); });
    return Error::Ok();
  }

  // The data folder's identity, made once.
  Result<std::string> InstanceOf(const std::string& data) {
    const std::string path = data + "/instance";
    if (env_.Exists(path)) {
      WEFT_ASSIGN_OR_RETURN(std::string known, env_.ReadWholeFile(path));
      if (store::IsInstanceId(known)) return known;
      return Error(ErrorCode::kCorrupt, path + " is not what a server has written: remove it");
    }
    const std::string instance = store::NewInstanceId(env_);
    WEFT_RETURN_IF_ERROR(env_.ReplaceFile(path, instance));
    return instance;
  }

  static std::string HostName() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown host";
  }

  // Whether to go on after so long.
  bool Rest(int64_t ns) {
    const int64_t until_ns = env_.MonotonicNs() + ns;
    MutexLock lock(upkeep_mutex_);
    while (!upkeep_stop_) {
      const int64_t left_ns = until_ns - env_.MonotonicNs();
      if (left_ns <= 0) return true;
      upkeep_changed_.WaitFor(upkeep_mutex_, left_ns);
    }
    return false;
  }

  void HoldStore() {
    while (Rest(store::StoreOwnerOptions{}.beat_ns)) {
      const Error error = owner_->Beat();
      if (error.ok()) continue;
      LogWarn("this server's hold on the store could not be renewed", {{"error", error.message()}});
      if (error.code() != ErrorCode::kCancelled) continue;
      LogError("ending at once; what is not in blocks is in the write-ahead log",
               {{"error", error.message()}});
      _exit(1);
    }
  }

  void FollowStore() {
    while (Rest(config_.catalog_refresh_ns)) {
      const Error error = store_->Refresh();
      if (error.ok()) continue;
      LogWarn("the store's list of blocks could not be read; answers are of what was there before",
              {{"error", error.message()}});
    }
  }

  void StopUpkeep() {
    {
      const MutexLock lock(upkeep_mutex_);
      upkeep_stop_ = true;
    }
    upkeep_changed_.NotifyAll();
    if (upkeep_.joinable()) upkeep_.join();
  }

  Error StartHttp() {
    api::ApiParts parts;
    parts.source = &source_;
    parts.env = &env_;
    parts.metrics = &metrics_;
    parts.runner = &runner_;
    parts.version = kVersion;
    parts.config_text = config_text_;
    parts.flush = [this] { return Flush(); };
    parts.status = [this](const model::TenantId& tenant) { return Status(tenant); };
    parts.usage = [this](const model::TenantId& tenant, TimeRange range, block::UsageBy by,
                         const query::exec::Budget& budget) {
      return Usage(tenant, range, by, budget);
    };
    parts.generated = series_.get();
    parts.dimensions = generating_.dimensions;
    parts.deleter = [this] { return deleter_.get(); };
    parts.not_ready = [this] { return NotReady(); };
    WEFT_ASSIGN_OR_RETURN(api::StaticFiles files, api::StaticFiles::FromPack(api::EmbeddedPack()));
    api::ApiOptions options;
    options.threads = static_cast<int>(config_.query_threads);
    options.time_ms = config_.query_timeout_ns / 1'000'000;
    options.memory_bytes = config_.query_memory_max;
    options.read_bytes = config_.query_read_max;
    options.tempo.path_prefix = config_.tempo_path_prefix;
    options.tempo.trace_bytes_max = config_.tempo_trace_bytes_max;
    options.tempo.range_max_ns = config_.tempo_range_max_ns;
    options.tempo.strip_trace_ids = config_.tempo_strip_trace_ids;
    options.tempo.compat_tenants = config_.tempo_compat_tenants;
    api_ = std::make_unique<api::ApiServer>(std::move(parts), std::move(files), options);
    auto router = std::make_shared<net::HttpRouter>();
    api_->AddTo(router.get());
    net::HttpServerOptions http;
    http.name = "api";
    http.head_bytes_max = api::ApiServer::kHeadBytesMax;
    http.wire_body_bytes_max = http.body_bytes_max = api::ApiServer::kBodyBytesMax;
    http.metrics = &metrics_;
    http.http2_address = [this] { return GrpcAddress(); };
    WEFT_ASSIGN_OR_RETURN(http_, net::HttpServer::Start(config_.http, http, std::move(router)));
    return Error::Ok();
  }

  // Of the gRPC server, from this machine; empty before it has started.
  std::string GrpcAddress() const {
    const MutexLock lock(grpc_address_mutex_);
    return grpc_address_;
  }

  void SetGrpcAddress(const std::string& bound) {
    auto address = net::ParseHostPort(bound);
    if (!address.ok()) return;
    if (address->host == "0.0.0.0") address->host = "127.0.0.1";
    if (address->host == "::") address->host = "::1";
    const MutexLock lock(grpc_address_mutex_);
    grpc_address_ = net::FormatHostPort(*address);
  }

  Error OpenLive() {
    live::LiveOptions options;
    options.wal.folder = config_.data + "/wal";
    options.wal.segment_bytes = config_.wal_segment_bytes;
    options.wal.sync = config_.durability_sync;
    options.wal.group_wait_us = static_cast<uint32_t>(config_.wal_group_wait_ns / 1000);
    options.wal.disk_reserve_bytes = config_.wal_disk_reserve_bytes;
    options.cut.root_grace_ns = config_.cut_root_grace_ns;
    options.cut.idle_ns = config_.cut_idle_ns;
    options.cut.age_max_ns = config_.cut_age_max_ns;
    options.cut.trace_spans_max = static_cast<uint32_t>(config_.cut_trace_spans_max);
    options.cut.block_spans = config_.block_spans;
    options.cut.block_age_ns = config_.block_age_ns;
    options.block.row_group_rows_max = static_cast<uint32_t>(config_.block_row_group_rows);
    options.block.zstd_level = static_cast<int>(config_.block_zstd_level);
    options.shard_count = static_cast<uint32_t>(config_.live_shards);
    options.memory_bytes_max = config_.memory_max_bytes;
    const int64_t begin_ns = env_.MonotonicNs();
    uint64_t replayed_bytes = 0;
    const auto progress = [&, next_ns = begin_ns + kReplayReportNs](uint64_t done,
                                                                    uint64_t total) mutable {
      replayed_bytes = done;
      replay_percent_ = total == 0 ? 100 : static_cast<int>(done * 100 / total);
      if (env_.MonotonicNs() < next_ns) return;
      next_ns = env_.MonotonicNs() + kReplayReportNs;
      LogInfo("replaying the write-ahead log",
              {{"percent", replay_percent_.load()}, {"bytes", done}, {"of", total}});
    };
    WEFT_ASSIGN_OR_RETURN(live_, live::LiveTraces::Open(env_, std::move(options), metrics_, *store_,
                                                        *store_, progress));
    if (replayed_bytes > 0) {
      LogInfo("the write-ahead log has been replayed",
              {{"bytes", replayed_bytes},
               {"live_spans", live_->counts().spans},
               {"milliseconds", (env_.MonotonicNs() - begin_ns) / 1'000'000}});
    }
    source_.Set(live_.get());
    return Error::Ok();
  }

  void StartCompactor() {
    compact::CompactorOptions options;
    options.choose.window_ns = config_.compaction_window_ns;
    options.choose.fan_in = static_cast<uint32_t>(config_.compaction_blocks);
    options.choose.spans_max = config_.compaction_spans;
    options.choose.age_min_ns = config_.compaction_age_min_ns;
    options.retention.age_ns = config_.retention_age_ns;
    options.retention.tenant_bytes = config_.retention_tenant_bytes;
    options.retention.disk_free_bytes = config_.retention_disk_free_bytes;
    options.disk_path = disk_path_;
    options.block.row_group_rows_max = static_cast<uint32_t>(config_.compaction_row_group_rows);
    options.block.zstd_level = static_cast<int>(config_.compaction_zstd_level);
    options.cpu_percent = static_cast<uint32_t>(config_.compaction_cpu_percent);
    // Twice what a query may take, for those that run over.
    options.retire_grace_ns = 2 * config_.query_timeout_ns;
    compactor_ = std::make_unique<compact::Compactor>(env_, std::move(options), *store_, metrics_,
                                                      [this] { return live_->UnderPressure(); });
    compactor_->Start();
  }

  // What receivers push to.
  model::SpanSink* MakeSink() {
    if (config_.read_only) return &refusing_;
    model::SpanSink* sink = live_.get();
    if (series_) {
      counting_ = std::make_unique<generate::GeneratingSink>(env_, metrics_, generating_,
                                                             series_.get(), sink);
      sink = counting_.get();
    }
    if (config_.receive_tenant_rate_bytes == 0) return sink;
    const policy::RateLimit limit{.bytes_per_second = config_.receive_tenant_rate_bytes,
                                  .burst_bytes = config_.receive_tenant_burst_bytes};
    limiting_ = std::make_unique<receive::RateLimitedSink>(env_, limit, sink);
    return limiting_.get();
  }

  // What is counted of spans on arrival, where a server takes any.
  Error MakeGenerator() {
    WEFT_ASSIGN_OR_RETURN(generating_.dimensions,
                          model::SpanDimensions(config_.generator_dimensions));
    if (config_.read_only || config_.generator_processors.empty()) return Error::Ok();
    const auto wants = [this](const char* processor) {
      return std::ranges::find(config_.generator_processors, processor) !=
             config_.generator_processors.end();
    };
    generating_.span_metrics = wants("span-metrics");
    generating_.service_graphs = wants("service-graphs");
    generating_.target_info = config_.generator_target_info;
    generating_.memory_bytes_max = config_.generator_memory_max_bytes;
    generating_.stale_ns = config_.generator_stale_after_ns;
    series_ = std::make_unique<generate::SeriesStore>(env_, metrics_, generating_);
    if (config_.generator_remote_write_url.empty()) return Error::Ok();
    auto options = generate::MakeRemoteWriteOptions(config_.generator_remote_write_url,
                                                    config_.generator_remote_write_headers);
    if (!options.ok()) return options.error().WithContext("generator.remote-write");
    options->interval_ns = config_.generator_remote_write_interval_ns;
    remote_writer_ = std::make_unique<generate::RemoteWriter>(env_, metrics_, *options, *series_,
                                                              generate::HttpPost(*options));
    remote_writer_->Start();
    return Error::Ok();
  }

  void MakeDeleter() {
    deletion::DeleterOptions options;
    options.block.row_group_rows_max = static_cast<uint32_t>(config_.block_row_group_rows);
    options.block.zstd_level = static_cast<int>(config_.block_zstd_level);
    deleter_ = std::make_unique<deletion::Deleter>(env_, options, *store_, [this]() -> Error {
      if (!config_.read_only) return live_->FlushAndReleaseLog().error();
      return {ErrorCode::kUnsupported,
              "this server only reads (--read-only): ask the one that writes to delete"};
    });
  }

  Error StartReceivers() {
    receive::otlp::HttpReceiverOptions http;
    model::SpanSink* const sink = MakeSink();
    http.cors_origins = config_.receive_cors_origins;
    http.server.io_threads = static_cast<int>(config_.receive_threads);
    http.server.body_bytes_max = config_.receive_body_max_bytes;
    WEFT_ASSIGN_OR_RETURN(http_receiver_, receive::otlp::HttpReceiver::Start(
                                              config_.otlp_http, http, sink, &metrics_));
    WEFT_ASSIGN_OR_RETURN(
        grpc_receiver_,
        StartGrpc(config_.otlp_grpc, receive::otlp::MakeGrpcFormat(), sink, api_->grpc_methods()));
    SetGrpcAddress(grpc_receiver_->bound_address());
    return StartReceiversBesideOtlp(sink);
  }

  Error StartReceiversBesideOtlp(model::SpanSink* sink) {
    WEFT_RETURN_IF_ERROR(StartOptional(
        "zipkin-http", config_.zipkin_http, &zipkin_receiver_, [&](const std::string& address) {
          return StartPosted(address, receive::zipkin::MakeFormat(), sink);
        }));
    WEFT_RETURN_IF_ERROR(StartOptional(
        "jaeger-http", config_.jaeger_http, &jaeger_receiver_, [&](const std::string& address) {
          return StartPosted(address, receive::jaeger::MakePostedFormat(), sink);
        }));
    WEFT_RETURN_IF_ERROR(
        StartOptional("jaeger-grpc", config_.jaeger_grpc, &jaeger_grpc_receiver_,
                      [&](const std::string& address) {
                        return StartGrpc(address, receive::jaeger::MakeGrpcFormat(), sink, nullptr);
                      }));
    const auto start_udp = [&](receive::ThriftProtocol protocol) {
      return [this, sink, protocol](const std::string& address) {
        return receive::jaeger::UdpReceiver::Start(address, {.protocol = protocol}, sink,
                                                   &metrics_);
      };
    };
    WEFT_RETURN_IF_ERROR(StartOptional("jaeger-compact", config_.jaeger_compact,
                                       &jaeger_compact_receiver_,
                                       start_udp(receive::ThriftProtocol::kCompact)));
    return StartOptional("jaeger-binary", config_.jaeger_binary, &jaeger_binary_receiver_,
                         start_udp(receive::ThriftProtocol::kBinary));
  }

  Result<std::unique_ptr<receive::GrpcReceiver>> StartGrpc(
      const std::string& address, std::unique_ptr<receive::GrpcFormat> format,
      model::SpanSink* sink, net::GrpcMethods* other_methods) {
    receive::GrpcReceiverOptions options;
    options.message_bytes_max = config_.receive_body_max_bytes;
    options.other_methods = other_methods;
    return receive::GrpcReceiver::Start(address, options, std::move(format), sink, &metrics_);
  }

  Result<std::unique_ptr<receive::PostedReceiver>> StartPosted(
      const std::string& address, std::unique_ptr<receive::PostedFormat> format,
      model::SpanSink* sink) {
    receive::PostedReceiverOptions options;
    options.cors_origins = config_.receive_cors_origins;
    options.server.body_bytes_max = config_.receive_body_max_bytes;
    return receive::PostedReceiver::Start(address, options, std::move(format), sink, &metrics_);
  }

  // All at once: together they take no longer than one.
  void StopReceivers() {
    std::vector<std::thread> stopping;
    const auto stop = [&stopping](auto& receiver) {
      if (receiver) stopping.emplace_back([&receiver] { receiver->Stop(kReceiverGraceMs); });
    };
    stop(http_receiver_);
    stop(grpc_receiver_);
    stop(zipkin_receiver_);
    stop(jaeger_receiver_);
    stop(jaeger_grpc_receiver_);
    stop(jaeger_compact_receiver_);
    stop(jaeger_binary_receiver_);
    for (std::thread& one : stopping) one.join();
  }

  // A receiver beside OTLP's.
  template <typename Receiver, typename Start>
  static Error StartOptional(const std::string& setting, const OptionalAddress& to,
                             std::unique_ptr<Receiver>* receiver, Start start) {
    if (to.address.empty()) return Error::Ok();
    auto started = start(to.address);
    if (started.ok()) {
      *receiver = std::move(*started);
      return Error::Ok();
    }
    if (to.is_chosen) return started.error().WithContext(setting);
    LogWarn("a receiver is off: its usual address is taken; give it another one, or `off`",
            {{"setting", setting}, {"address", to.address}, {"error", started.error().message()}});
    return Error::Ok();
  }

  template <typename Receiver>
  static std::string AddressOf(const std::unique_ptr<Receiver>& receiver) {
    return receiver ? receiver->bound_address() : "";
  }
  static std::string OrOff(const std::string& address) { return address.empty() ? "off" : address; }

  // So that the next start is a quick one.
  void SaveCatalog() {
    if (!store_ || config_.read_only) return;
    if (const Error error = store_->SaveCatalog(true); !error.ok()) {
      LogWarn("the catalog could not be saved; the next start takes longer",
              {{"error", error.message()}});
    }
  }

  Result<std::vector<block::UsageRow>> Usage(const model::TenantId& tenant, TimeRange range,
                                             block::UsageBy by, const query::exec::Budget& budget) {
    const query::exec::BudgetClock clock(budget, env_);
    block::UsageTable table(by);
    const auto blocks = store_->Blocks(tenant);
    for (const store::BlockPtr& block : *blocks) {
      if (!range.Contains(block->meta.last_start_ns)) continue;
      if (const std::string limit = clock.Exhausted(); !limit.empty()) {
        return Error(ErrorCode::kUnavailable, limit + "; ask for a shorter range of time");
      }
      const auto opened = store_->OpenForReading(*block, kUsageCacheBytes);
      const Error error =
          opened.ok() ? table.Add(**opened, block->total_bytes, block->deleted) : opened.error();
      if (!error.ok()) return error.WithContext("block " + store::FolderOf(block->name));
    }
    return table.Rows();
  }

  Result<api::FlushReport> Flush() {
    if (!ready_) return Error(ErrorCode::kUnavailable, NotReady(), 1000);
    if (config_.read_only) {
      return Error(ErrorCode::kUnsupported,
                   "this server only reads (--read-only): ask the one that writes to flush");
    }
    WEFT_ASSIGN_OR_RETURN(const live::FlushReport report, live_->Flush());
    return api::FlushReport{report.spans, report.blocks};
  }

  std::string NotReady() const {
    if (ready_) return "";
    if (source_.has_source()) return "starting or stopping";
    return "replaying the write-ahead log, " + std::to_string(replay_percent_) + " % done";
  }

  api::StatusReport Status(const model::TenantId& tenant) const {
    api::StatusReport report;
    report.version = kVersion;
    report.start_ns = start_ns_;
    if (ready_ && live_) {
      const auto live = live_->SpansByTenant();
      const auto at = live.find(tenant);
      report.live_spans = at == live.end() ? 0 : at->second;
    }
    const store::TenantTotals totals = store_->TotalsOf(tenant);
    report.stored_spans = totals.spans;
    report.blocks = totals.blocks;
    report.bytes = totals.bytes;
    if (totals.blocks > 0) {
      report.oldest_ns = totals.oldest_ns;
      report.newest_ns = totals.newest_ns;
    }
    return report;
  }

  const Config config_;
  const std::string config_text_;
  Env& env_ = Env::Posix();
  MetricRegistry metrics_;
  uint64_t start_ns_ = 0;
  std::string disk_path_;  // of the blocks; empty when they are on no disk of this machine
  std::atomic<bool> ready_{false};
  std::atomic<int> replay_percent_{0};

  // In the order in which they depend on each other.
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<store::ObjectStore> objects_;
  std::unique_ptr<FileLock> store_lock_;      // of a store in a folder
  std::unique_ptr<store::StoreOwner> owner_;  // of one that is not
  std::unique_ptr<store::OwnedObjectStore> owned_;
  ReadOnlySink refusing_;
  std::unique_ptr<store::BlockStore> store_;
  generate::Options generating_;
  std::unique_ptr<generate::SeriesStore> series_;
  std::unique_ptr<generate::GeneratingSink> counting_;
  std::unique_ptr<receive::RateLimitedSink> limiting_;
  std::unique_ptr<generate::RemoteWriter> remote_writer_;
  StartingSource source_;
  query::exec::TaskRunner runner_;
  std::unique_ptr<live::LiveTraces> live_;
  std::unique_ptr<compact::Compactor> compactor_;
  std::unique_ptr<deletion::Deleter> deleter_;
  std::unique_ptr<api::ApiServer> api_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<receive::otlp::HttpReceiver> http_receiver_;
  std::unique_ptr<receive::GrpcReceiver> grpc_receiver_;
  std::unique_ptr<receive::PostedReceiver> zipkin_receiver_;
  std::unique_ptr<receive::PostedReceiver> jaeger_receiver_;
  std::unique_ptr<receive::GrpcReceiver> jaeger_grpc_receiver_;
  std::unique_ptr<receive::jaeger::UdpReceiver> jaeger_compact_receiver_;
  std::unique_ptr<receive::jaeger::UdpReceiver> jaeger_binary_receiver_;

  mutable Mutex grpc_address_mutex_;
  std::string grpc_address_ WEFT_GUARDED_BY(grpc_address_mutex_);

  Mutex upkeep_mutex_;
  CondVar upkeep_changed_;
  bool upkeep_stop_ WEFT_GUARDED_BY(upkeep_mutex_) = false;
  std::thread upkeep_;  // holds the store, or follows it
};

}  // namespace

int RunServe(const ConfigReading& reading) {
  const Config& config = reading.config;
  StopSignals signals;
  SetUpLog(config.log_level, config.log_format);
  Server server(config, PrintConfigWithoutSecrets(reading));
  const Error error = server.Start();
  if (!error.ok()) {
    std::fprintf(stderr, "weft: %s\n", error.message().c_str());
    return 1;
  }
  std::printf("weft is ready: open http://%s\n", server.http_address().c_str());
  std::fflush(stdout);
  signals.Wait();
  signals.ExitOnNext();
  server.Stop();
  return 0;
}

}  // namespace weft::app
