#include "api/static_files.h"

#include <utility>

#include "api/file_pack.h"
#include "net/compression.h"

namespace weft::api {
namespace {

constexpr std::string_view kNoUi = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>weft</title>
<h1>weft is running; its user interface was not built into this binary</h1>
<p>Build the interface and then the server again:
<pre>cd ui
npm ci
npm run build
cd ..
./dev build</pre>
<p>The HTTP API works all the same: its description is at <a href="/api/v1/openapi.yaml">/api/v1/openapi.yaml</a>.
)";

// CodeMirror adds its style sheets as <style> elements, hence 'unsafe-inline' for styles and for
// nothing else.
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src "
    "'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

// Whether an If-None-Match field names the tag, in whichever encoding it was sent.
bool Matches(std::string_view if_none_match, std::string_view etag) {
  return if_none_match == "*" ||
         if_none_match.find("\"" + std::string(etag)) != std::string_view::npos;
}

bool IsPageOfUi(const net::HttpRequest& request) {
  // Paths of the API and of well-known endpoints are never pages, so that a wrong address shows as
  // an error.
  if (request.path == "/api" || request.path.starts_with("/api/") ||
      request.path.starts_with("/assets/"))
    return false;
  return request.path == "/" ||
         request.headers.Get("Accept").find("text/html") != std::string_view::npos;
}

}  // namespace

void AddSecurityHeaders(net::HttpResponse* response) {
  response->headers.Set("X-Content-Type-Options", "nosniff");
  response->headers.Set("Referrer-Policy", "same-origin");
  response->headers.Set("Content-Security-Policy", kContentSecurityPolicy);
}

Result<StaticFiles> StaticFiles::FromPack(std::string_view pack) {
  WEFT_ASSIGN_OR_RETURN(const auto packed, DecodePack(pack));
  StaticFiles all;
  for (const PackedFile& from : packed) {
    File& file = all.files_[std::string(from.name)];
    file.content_type = from.content_type;
    file.etag = from.etag;
    file.body = std::make_shared<const std::string>(from.body);
    file.gzip = from.gzip;
    file.raw_bytes = from.raw_bytes;
    file.immutable = from.name.starts_with("/assets/");
  }
  return all;
}

net::HttpResponse StaticFiles::Serve(const File& file, const net::HttpRequest& request) {
  const bool send_gzip = file.gzip && net::AcceptsGzip(request.headers.Get("Accept-Encoding"));
  net::HttpResponse response;
  response.headers.Set("Cache-Control",
                       file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.Set("ETag", "\"" + file.etag + (send_gzip ? "-gz\"" : "\""));
  if (file.gzip) response.headers.Set("Vary", "Accept-Encoding");
  AddSecurityHeaders(&response);
  if (Matches(request.headers.Get("If-None-Match"), file.etag)) {
    response.status = 304;
    return response;
  }
  response.content_type = file.content_type;
  if (!file.gzip || send_gzip) {
    response.shared_body = file.body;
    if (send_gzip) response.headers.Set("Content-Encoding", "gzip");
    return response;
  }
  auto raw = net::Decompress(net::ContentCoding::kGzip, *file.body, file.raw_bytes);
  if (!raw.ok()) return net::HttpResponse::FromError(raw.error().WithContext("embedded file"));
  response.body = std::move(*raw);
  return response;
}

std::optional<net::HttpResponse> StaticFiles::Answer(const net::HttpRequest& request) const {
  auto found = files_.find(request.path);
  if (found == files_.end() && IsPageOfUi(request)) {
    found = files_.find("/index.html");
    if (found == files_.end()) {
      net::HttpResponse response;
      response.content_type = "text/html; charset=utf-8";
      response.headers.Set("Cache-Control", "no-cache");
      response.body = kNoUi;
      AddSecurityHeaders(&response);
      return response;
    }
  }
  if (found == files_.end()) return std::nullopt;
  return Serve(found->second, request);
}

}  // namespace weft::api
