#include "store/open_object_store.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <utility>

#include <arrow/filesystem/api.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include "base/log.h"
#include "store/arrow_error.h"
#include "store/arrow_object_store.h"
#include "store/local_object_store.h"

namespace weft::store {
namespace {

constexpr std::string_view kFileScheme = "file://";
// A request is tried again so often, and so long; then the caller decides.
constexpr int64_t kS3AttemptsMax = 5;
constexpr double kS3ConnectSeconds = 5;
constexpr double kGcsRetrySeconds = 20;

// What makes up a credential in the query of a URI: AWS's, Azure's (a SAS is signed by `sig`).
constexpr std::array<std::string_view, 7> kSecretKeys{
    "sig", "client_secret", "access_key", "secret_key", "session_token", "account_key", "token"};

Error Invalid(std::string message) {
  return Error(ErrorCode::kInvalidArgument, std::move(message));
}

std::string_view SchemeOf(std::string_view text) {
  const size_t end = text.find("://");
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end);
}

bool HoldsCredential(std::string_view uri) {
  const std::string_view rest = uri.substr(uri.find("://") + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const size_t at = authority.rfind('@');
  if (at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos) {
    return true;
  }
  const size_t query = rest.find('?');
  if (query == std::string_view::npos) return false;
  for (size_t begin = query + 1; begin < rest.size();) {
    const size_t end = std::min(rest.find('&', begin), rest.size());
    const std::string_view parameter = rest.substr(begin, end - begin);
    const std::string_view key = parameter.substr(0, parameter.find('='));
    if (std::find(kSecretKeys.begin(), kSecretKeys.end(), key) != kSecretKeys.end()) return true;
    begin = end + 1;
  }
  return false;
}

bool IsFolder(std::string_view text) {
  return text.starts_with('/') || text.starts_with(kFileScheme);
}

std::string FromEnvironment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::string() : std::string(text);
}

// Arrow's own copy of OpenSSL and curl looks for the authorities where its builder had them. Once.
Error SetUpTls(Env& env) {
  static const Error result = [&env] {
    arrow::fs::FileSystemGlobalOptions options;
    options.tls_ca_file_path = FromEnvironment("SSL_CERT_FILE");
    options.tls_ca_dir_path = FromEnvironment("SSL_CERT_DIR");
    for (const char* path : {"/etc/ssl/certs/ca-certificates.crt",  // Debian, Alpine
                             "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora
                             "/etc/ssl/ca-bundle.pem"}) {           // SUSE
      if (!options.tls_ca_file_path.empty() || !options.tls_ca_dir_path.empty()) break;
      if (env.Exists(path)) options.tls_ca_file_path = path;
    }
    const arrow::Status status = arrow::fs::Initialize(options);
    return status.ok() ? Error::Ok() : Error(ErrorCode::kInternal, status.message());
  }();
  return result;
}

// A file system and the path in it.
struct Place {
  std::shared_ptr<arrow::fs::FileSystem> files;
  std::string root;
};

arrow::Result<Place> OpenS3(const std::string& uri) {
#ifdef WEFT_HAS_S3
  static const arrow::Status started = [] {
    return arrow::fs::InitializeS3(arrow::fs::S3GlobalOptions::Defaults());
  }();
  ARROW_RETURN_NOT_OK(started);
  Place place;
  ARROW_ASSIGN_OR_RAISE(auto options, arrow::fs::S3Options::FromUri(uri, &place.root));
  options.allow_delayed_open = true;  // a small object is one request
  options.background_writes = true;   // the parts of a large one, and several objects, side by side
  options.connect_timeout = kS3ConnectSeconds;
  options.retry_strategy = arrow::fs::S3RetryStrategy::GetAwsStandardRetryStrategy(kS3AttemptsMax);
  ARROW_ASSIGN_OR_RAISE(place.files, arrow::fs::S3FileSystem::Make(options));
  return place;
#else
  return arrow::Status::NotImplemented("this weft was built with an Arrow without S3");
#endif
}

arrow::Result<Place> OpenGcs(const std::string& uri) {
#ifdef ARROW_GCS
  Place place;
  ARROW_ASSIGN_OR_RAISE(auto options, arrow::fs::GcsOptions::FromUri(uri, &place.root));
  if (!options.retry_limit_seconds) options.retry_limit_seconds = kGcsRetrySeconds;
  ARROW_ASSIGN_OR_RAISE(place.files, arrow::fs::GcsFileSystem::Make(options));
  return place;
#else
  return arrow::Status::NotImplemented(
      "this weft was built with an Arrow without Google Cloud Storage");
#endif
}

arrow::Result<Place> OpenAzure(const std::string& uri) {
#ifdef ARROW_AZURE
  Place place;
  ARROW_ASSIGN_OR_RAISE(auto options, arrow::fs::AzureOptions::FromUri(uri, &place.root));
  if (const std::string key = FromEnvironment("AZURE_STORAGE_KEY"); !key.empty()) {
    ARROW_RETURN_NOT_OK(options.ConfigureAccountKeyCredential(key));
  } else if (const std::string sas = FromEnvironment("AZURE_STORAGE_SAS_TOKEN"); !sas.empty()) {
    ARROW_RETURN_NOT_OK(options.ConfigureSASCredential(sas));
  }
  ARROW_ASSIGN_OR_RAISE(place.files, arrow::fs::AzureFileSystem::Make(options));
  return place;
#else
  return arrow::Status::NotImplemented("this weft was built with an Arrow without Azure");
#endif
}

arrow::Result<Place> OpenPlace(const std::string& uri) {
  const std::string_view scheme = SchemeOf(uri);
  if (scheme == "s3") return OpenS3(uri);
  if (scheme == "gs" || scheme == "gcs") return OpenGcs(uri);
  return OpenAzure(uri);
}

// Reads that are under way at a time, of all objects.
constexpr int kRequestsAtOnce = 32;

// Without a cache everything works as well, only slower.
std::unique_ptr<DiskChunks> OpenDiskChunks(Env& env, const std::string& store,
                                           DiskChunksOptions options, MetricRegistry& metrics) {
  if (options.bytes_max == 0) return nullptr;
  options.store = store;
  auto chunks = std::make_unique<DiskChunks>(env, options, metrics);
  if (const Error error = chunks->Load(); !error.ok()) {
    LogWarn("the cache on disk can't be used",
            {{"folder", options.folder}, {"error", error.message()}});
    return nullptr;
  }
  return chunks;
}

}  // namespace

Error CheckStoreName(std::string_view text) {
  if (text.empty()) return Error::Ok();
  if (std::any_of(text.begin(), text.end(),
                  [](unsigned char c) { return c <= ' ' || c == '"' || c == '\\' || c == 0x7f; })) {
    return Invalid("the name of a store holds no spaces, quotes or backslashes");
  }
  if (text.starts_with('/')) return Error::Ok();
  if (text.starts_with(kFileScheme)) {
    if (text.substr(kFileScheme.size()).starts_with('/')) return Error::Ok();
    return Invalid("a folder is named as file:///path, with three slashes");
  }
  constexpr std::array<std::string_view, 5> kSchemes{"s3", "gs", "gcs", "abfs", "abfss"};
  if (std::find(kSchemes.begin(), kSchemes.end(), SchemeOf(text)) == kSchemes.end()) {
    return Invalid("a store is s3://..., gs://..., abfs://... or file:///path");
  }
  if (HoldsCredential(text)) {
    return Invalid(
        "the name of a store must not hold a password, key or token, as it is printed and logged; "
        "give it in the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
        "GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_KEY)");
  }
  return Error::Ok();
}

std::string FolderOfStore(std::string_view text, const std::string& local_folder) {
  if (text.empty()) return local_folder;
  if (!IsFolder(text)) return "";
  std::string folder(text.starts_with('/') ? text : text.substr(kFileScheme.size()));
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  return folder;
}

Result<std::unique_ptr<ObjectStore>> OpenObjectStore(Env& env, const std::string& text,
                                                     const std::string& local_folder,
                                                     MetricRegistry& metrics,
                                                     const DiskChunksOptions& disk) {
  WEFT_RETURN_IF_ERROR(CheckStoreName(text));
  if (std::string folder = FolderOfStore(text, local_folder); !folder.empty()) {
    return std::unique_ptr<ObjectStore>(std::make_unique<LocalObjectStore>(env, std::move(folder)));
  }
  WEFT_RETURN_IF_ERROR(SetUpTls(env));
  (void)arrow::io::SetIOThreadPoolCapacity(kRequestsAtOnce);
  auto place = OpenPlace(text);
  if (!place.ok()) {
    if (place.status().IsIOError()) {
      return ErrorOfStore(place.status().message(), "").WithContext("store " + text);
    }
    return Invalid("store " + text + ": " + place.status().message());
  }
  std::string root = std::move(place->root);
  while (root.ends_with('/')) root.pop_back();
  if (root.empty() || root.starts_with('/')) {
    return Invalid("store " + text + " names no bucket or container");
  }
  auto store = std::make_unique<ArrowObjectStore>(std::move(place->files), std::move(root), metrics,
                                                  OpenDiskChunks(env, text, disk, metrics));
  WEFT_RETURN_IF_ERROR(store->CheckBucket().WithContext("store " + text));
  return std::unique_ptr<ObjectStore>(std::move(store));
}

void CloseObjectStores() {
#ifdef WEFT_HAS_S3
  if (!arrow::fs::IsS3Initialized()) return;
  const arrow::Status status = arrow::fs::EnsureS3Finalized();
  if (!status.ok()) LogWarn("the S3 client did not stop in order", {{"error", status.message()}});
#endif
}

}  // namespace weft::store
