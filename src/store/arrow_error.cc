// Arrow's file systems return IOError for everything; what it was stands only in the text, in words
// that each service's client library puts there. So: 1. the path goes out of the text, as a tenant
// may be named anything; 2. the first sign of the table that occurs in it decides.
#include "store/arrow_error.h"

#include <array>
#include <string>

namespace weft::store {
namespace {

constexpr uint32_t kRetryAfterMs = 1000;
constexpr size_t kMessageBytesMax = 400;

struct Sign {
  std::string_view words;
  ErrorCode code;
  std::string_view advice;
};

constexpr std::string_view kNoBucket =
    "there is no such bucket or container; make it first, weft does not";
constexpr std::string_view kRefused =
    "the object store refused the credentials; see docs/operating.md, Object stores, for where "
    "they are taken from and what they must allow";
constexpr std::string_view kUnreachable =
    "the object store can't be reached; is the address right, and the service running?";
constexpr std::string_view kUntrusted =
    "the object store's TLS certificate is not trusted; name its authority's file in SSL_CERT_FILE";
constexpr std::string_view kBusy = "the object store is busy or failing";

// S3's are in the words of the AWS SDK, Google's gRPC-like codes, Azure's its own error codes.
constexpr std::array kSigns{
    Sign{"NO_SUCH_BUCKET", ErrorCode::kIo, kNoBucket},
    Sign{"NoSuchBucket", ErrorCode::kIo, kNoBucket},
    Sign{"ContainerNotFound", ErrorCode::kIo, kNoBucket},
    Sign{"NO_SUCH_KEY", ErrorCode::kNotFound, ""},
    Sign{"BlobNotFound", ErrorCode::kNotFound, ""},
    Sign{"PathNotFound", ErrorCode::kNotFound, ""},
    Sign{"RESOURCE_NOT_FOUND", ErrorCode::kNotFound, ""},
    Sign{"Status(NOT_FOUND", ErrorCode::kNotFound, ""},
    Sign{"ACCESS_DENIED", ErrorCode::kIo, kRefused},
    Sign{"INVALID_ACCESS_KEY_ID", ErrorCode::kIo, kRefused},
    Sign{"SIGNATURE_DOES_NOT_MATCH", ErrorCode::kIo, kRefused},
    Sign{"EXPIRED_TOKEN", ErrorCode::kIo, kRefused},
    Sign{"ExpiredToken", ErrorCode::kIo, kRefused},
    Sign{"MISSING_AUTHENTICATION_TOKEN", ErrorCode::kIo, kRefused},
    Sign{"INVALID_CLIENT_TOKEN_ID", ErrorCode::kIo, kRefused},
    Sign{"UNRECOGNIZED_CLIENT", ErrorCode::kIo, kRefused},
    Sign{"HTTP status 401", ErrorCode::kIo, kRefused},
    Sign{"HTTP status 403", ErrorCode::kIo, kRefused},
    Sign{"PERMISSION_DENIED", ErrorCode::kIo, kRefused},
    Sign{"UNAUTHENTICATED", ErrorCode::kIo, kRefused},
    Sign{"AuthenticationFailed", ErrorCode::kIo, kRefused},
    Sign{"AuthorizationFailure", ErrorCode::kIo, kRefused},
    Sign{"AuthorizationPermissionMismatch", ErrorCode::kIo, kRefused},
    Sign{"GetToken", ErrorCode::kIo, kRefused},
    Sign{"Could not create a OAuth2", ErrorCode::kIo, kRefused},
    Sign{"SSL peer certificate", ErrorCode::kIo, kUntrusted},
    Sign{"SSL certificate", ErrorCode::kIo, kUntrusted},
    Sign{"certificate verify failed", ErrorCode::kIo, kUntrusted},
    Sign{"Problem with the SSL CA cert", ErrorCode::kIo, kUntrusted},
    Sign{"NETWORK_CONNECTION", ErrorCode::kUnavailable, kUnreachable},
    Sign{"curlCode", ErrorCode::kUnavailable, kUnreachable},
    Sign{"Fail to get a new connection", ErrorCode::kUnavailable, kUnreachable},
    Sign{"onnection refused", ErrorCode::kUnavailable, kUnreachable},
    Sign{"ouldn't connect", ErrorCode::kUnavailable, kUnreachable},
    Sign{"Could not connect", ErrorCode::kUnavailable, kUnreachable},
    Sign{"ouldn't resolve host", ErrorCode::kUnavailable, kUnreachable},
    Sign{"Could not resolve host", ErrorCode::kUnavailable, kUnreachable},
    Sign{"SLOW_DOWN", ErrorCode::kUnavailable, kBusy},
    Sign{"THROTTLING", ErrorCode::kUnavailable, kBusy},
    Sign{"SERVICE_UNAVAILABLE", ErrorCode::kUnavailable, kBusy},
    Sign{"INTERNAL_FAILURE", ErrorCode::kUnavailable, kBusy},
    Sign{"REQUEST_TIMEOUT", ErrorCode::kUnavailable, kBusy},
    Sign{"RequestTimeout", ErrorCode::kUnavailable, kBusy},
    Sign{"HTTP status 5", ErrorCode::kUnavailable, kBusy},
    Sign{"HTTP status 429", ErrorCode::kUnavailable, kBusy},
    Sign{"ServerBusy", ErrorCode::kUnavailable, kBusy},
    Sign{"OperationTimedOut", ErrorCode::kUnavailable, kBusy},
    Sign{"InternalError", ErrorCode::kUnavailable, kBusy},
    Sign{"UNAVAILABLE", ErrorCode::kUnavailable, kBusy},
    Sign{"DEADLINE_EXCEEDED", ErrorCode::kUnavailable, kBusy},
    Sign{"RESOURCE_EXHAUSTED", ErrorCode::kUnavailable, kBusy},
    Sign{"imed out", ErrorCode::kUnavailable, kBusy},
    Sign{"imeout was reached", ErrorCode::kUnavailable, kBusy},
};

std::string Without(std::string_view text, std::string_view path) {
  std::string rest(text);
  if (path.empty()) return rest;
  for (size_t at = rest.find(path); at != std::string::npos; at = rest.find(path, at)) {
    rest.erase(at, path.size());
  }
  return rest;
}

// One line, and not longer than a person reads.
std::string Shortened(std::string_view message) {
  std::string text;
  for (const char c : message.substr(0, kMessageBytesMax)) {
    text += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  if (message.size() > kMessageBytesMax) text += "...";
  return text;
}

}  // namespace

Error ErrorOfStore(std::string_view message, std::string_view path) {
  const std::string words = Without(message, path);
  for (const Sign& sign : kSigns) {
    if (words.find(sign.words) == std::string::npos) continue;
    std::string text(sign.advice);
    text += text.empty() ? Shortened(message) : " (" + Shortened(message) + ")";
    return Error(sign.code, std::move(text),
                 sign.code == ErrorCode::kUnavailable ? kRetryAfterMs : 0);
  }
  return Error(ErrorCode::kIo, "the object store refused: " + Shortened(message));
}

}  // namespace weft::store
