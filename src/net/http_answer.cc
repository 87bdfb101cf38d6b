#include "net/http_answer.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "net/compression.h"

namespace weft::net {
namespace {

bool IsCompressible(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  if (type.starts_with("text/") || type.ends_with("+json")) return true;
  constexpr std::array<std::string_view, 6> kTypes = {
      "application/json",     "application/javascript", "application/x-protobuf",
      "application/protobuf", "application/x-ndjson",   "image/svg+xml"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

bool HasNoBody(int status) { return status < 200 || status == 204 || status == 304; }

void AppendField(std::string_view name, std::string_view value, std::string* out) {
  *out += name;
  *out += ": ";
  for (const char c : value)
    out->push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  *out += "\r\n";
}

// Fields that the server alone decides.
bool IsOurs(std::string_view name) {
  constexpr std::array<std::string_view, 4> kOurs = {"Content-Length", "Connection",
                                                     "Transfer-Encoding", "Date"};
  return std::any_of(kOurs.begin(), kOurs.end(),
                     [name](std::string_view ours) { return EqualsIgnoringCase(ours, name); });
}

}  // namespace

void CompressAnswer(const HttpAnswerTraits& traits, uint32_t gzip_bytes_min,
                    HttpResponse* response) {
  if (response->payload().size() < gzip_bytes_min || HasNoBody(response->status)) return;
  if (!IsCompressible(response->content_type) || response->headers.Has("Content-Encoding")) return;
  response->headers.Add("Vary", "Accept-Encoding");
  if (!traits.accepts_gzip) return;
  std::string packed = Compress(ContentCoding::kGzip, response->payload());
  if (packed.empty() || packed.size() >= response->payload().size()) return;
  response->body = std::move(packed);
  response->shared_body.reset();
  response->headers.Add("Content-Encoding", "gzip");
}

std::string SerializeAnswerHead(const HttpAnswerTraits& traits, const HttpResponse& response,
                                std::string_view date) {
  std::string out;
  out.reserve(256);
  out += traits.is_http10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += HttpReason(response.status);
  out += "\r\n";
  AppendField("Date", date, &out);
  if (!response.content_type.empty()) AppendField("Content-Type", response.content_type, &out);
  for (const auto& [name, value] : response.headers.fields()) {
    if (!IsOurs(name)) AppendField(name, value, &out);
  }
  if (!HasNoBody(response.status))
    AppendField("Content-Length", std::to_string(response.payload().size()), &out);
  if (!traits.keep_alive) {
    AppendField("Connection", "close", &out);
  } else if (traits.is_http10) {
    AppendField("Connection", "keep-alive", &out);
  }
  out += "\r\n";
  return out;
}

std::string HttpDate(int64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 64> text;
  const size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return std::string(text.data(), size);
}

}  // namespace weft::net
