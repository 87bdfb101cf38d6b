#include "net/url.h"

#include <utility>

namespace weft::net {
namespace {

constexpr size_t kParametersMax = 1000;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// "http://host:1/a?b" -> "/a?b": proxies send the absolute form (RFC 9112 §3.2.2).
std::string_view StripAuthority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const size_t path = target.find_first_of("/?", scheme.size());
    return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  return target;
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high << 4 | low));
      i += 2;
    }
  }
  return out;
}

std::string PercentEncode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out.push_back(c);
      continue;
    }
    out.push_back('%');
    out.push_back(kDigits[c >> 4 & 15]);
    out.push_back(kDigits[c & 15]);
  }
  return out;
}

std::optional<HttpParameters> ParseQuery(std::string_view query) {
  HttpParameters parameters;
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view piece = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (piece.empty()) continue;
    if (parameters.size() == kParametersMax) return std::nullopt;
    const size_t equals = piece.find('=');
    auto name = PercentDecode(piece.substr(0, equals), true);
    auto value = PercentDecode(
        equals == std::string_view::npos ? std::string_view() : piece.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return parameters;
}

std::string_view RawPath(std::string_view target) {
  const std::string_view origin = StripAuthority(target);
  const std::string_view path = origin.substr(0, origin.find('?'));
  return path.empty() ? std::string_view("/") : path;
}

Error ParseTarget(std::string_view target, HttpRequestHead* head) {
  head->target = target;
  const std::string_view origin = StripAuthority(target);
  const std::string_view raw_path = RawPath(target);
  if (raw_path.front() != '/' && raw_path != "*") {
    return Error(ErrorCode::kInvalidArgument,
                 "the request target must be a path that begins with '/'");
  }
  auto path = PercentDecode(raw_path);
  if (!path)
    return Error(ErrorCode::kInvalidArgument,
                 "the path holds a '%' that two hex digits do not follow");
  const size_t mark = origin.find('?');
  auto query =
      ParseQuery(mark == std::string_view::npos ? std::string_view() : origin.substr(mark + 1));
  if (!query) {
    return Error(
        ErrorCode::kInvalidArgument,
        "the query holds a '%' that two hex digits do not follow, or more than 1000 parameters");
  }
  head->path = std::move(*path);
  head->query = std::move(*query);
  return Error::Ok();
}

}  // namespace weft::net
