#include "api/static_files.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/embedded_files.h"
#include "api/file_pack.h"
#include "net/compression.h"

namespace weft::api {
namespace {

using testing::HasSubstr;

const std::string& Script() {
  static const std::string script(5000, 'x');
  return script;
}

std::string MakePack(bool with_ui) {
  const std::string gzip = net::Compress(net::ContentCoding::kGzip, Script());
  std::vector<PackedFile> files = {
      {"/api/v1/openapi.yaml", "application/yaml", "aa", "openapi: 3.1.0", false, 14}};
  if (with_ui) {
    files.push_back({"/index.html", "text/html; charset=utf-8", "bb", "<html>", false, 6});
    files.push_back({"/assets/index-h4sh.js", "text/javascript; charset=utf-8", "cc", gzip, true,
                     Script().size()});
  }
  return EncodePack(files);
}

// The UI's files and a way to ask for them.
struct Site {
  explicit Site(bool with_ui = true)
      : pack(MakePack(with_ui)), files(*StaticFiles::FromPack(pack)) {}

  std::optional<net::HttpResponse> Get(std::string path, std::string accept = "*/*",
                                       std::string encoding = "", std::string etag = "") const {
    net::HttpRequest request;
    request.method = "GET";
    request.path = std::move(path);
    request.headers.Add("Accept", accept);
    if (!encoding.empty()) request.headers.Add("Accept-Encoding", encoding);
    if (!etag.empty()) request.headers.Add("If-None-Match", etag);
    return files.Answer(request);
  }

  std::string pack;
  StaticFiles files;
};

TEST(FilePack, ComesBackAsItWas) {
  const std::string pack = MakePack(true);
  const auto files = DecodePack(pack);
  ASSERT_TRUE(files.ok());
  ASSERT_EQ(files->size(), 3u);
  EXPECT_EQ((*files)[2].name, "/assets/index-h4sh.js");
  EXPECT_TRUE((*files)[2].gzip);
  EXPECT_EQ((*files)[2].raw_bytes, Script().size());
}

TEST(FilePack, RefusesAnythingElse) {
  const std::string pack = MakePack(true);
  for (size_t size = 0; size < pack.size(); size += 7)
    EXPECT_FALSE(DecodePack(pack.substr(0, size)).ok()) << size;
  EXPECT_FALSE(DecodePack(pack + "x").ok());
}

TEST(StaticFiles, HashedAssetsAreCachedForEver) {
  const auto answer = Site().Get("/assets/index-h4sh.js", "*/*", "gzip, br");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->content_type, "text/javascript; charset=utf-8");
  EXPECT_THAT(answer->headers.Get("Cache-Control"), HasSubstr("immutable"));
  EXPECT_EQ(answer->headers.Get("Content-Encoding"), "gzip");
  EXPECT_EQ(answer->headers.Get("Vary"), "Accept-Encoding");
  EXPECT_EQ(*net::Decompress(net::ContentCoding::kGzip, answer->payload(), 1 << 20), Script());
}

TEST(StaticFiles, ClientsWithoutGzipGetThePlainBytes) {
  for (const char* encoding : {"", "br", "gzip;q=0"}) {
    const auto answer = Site().Get("/assets/index-h4sh.js", "*/*", encoding);
    EXPECT_EQ(answer->payload(), Script());
    EXPECT_FALSE(answer->headers.Has("Content-Encoding"));
  }
}

TEST(StaticFiles, APageThatTheClientHasIsNotSentAgain) {
  const Site site;
  const std::string etag(site.Get("/")->headers.Get("ETag"));
  EXPECT_EQ(site.Get("/")->headers.Get("Cache-Control"), "no-cache");
  const auto again = site.Get("/", "text/html", "", etag);
  EXPECT_EQ(again->status, 304);
  EXPECT_EQ(again->payload(), "");
  EXPECT_EQ(site.Get("/", "text/html", "", "\"other\"")->status, 200);
  // Each encoding has its own tag, and either is known again.
  const std::string zipped(site.Get("/assets/index-h4sh.js", "*/*", "gzip")->headers.Get("ETag"));
  EXPECT_NE(zipped, site.Get("/assets/index-h4sh.js")->headers.Get("ETag"));
  EXPECT_EQ(site.Get("/assets/index-h4sh.js", "*/*", "", "W/" + zipped)->status, 304);
}

TEST(StaticFiles, PagesOfTheUiAreIndexHtmlForBrowsersOnly) {
  const Site site;
  EXPECT_EQ(site.Get("/trace/abc", "text/html,*/*;q=0.8")->payload(), "<html>");
  EXPECT_FALSE(site.Get("/trace/abc", "application/json"));
  EXPECT_FALSE(site.Get("/api/v1/nothing", "text/html"));
  EXPECT_FALSE(site.Get("/assets/index-old.js", "text/html"));
}

TEST(StaticFiles, ABrowserIsToldWhatItMayNotDo) {
  const auto answer = Site().Get("/");
  EXPECT_EQ(answer->headers.Get("X-Content-Type-Options"), "nosniff");
  EXPECT_THAT(answer->headers.Get("Content-Security-Policy"), HasSubstr("default-src 'self'"));
  EXPECT_THAT(answer->headers.Get("Content-Security-Policy"), HasSubstr("frame-ancestors 'none'"));
}

TEST(StaticFiles, ABinaryWithoutTheUiSaysHowToBuildIt) {
  const Site site(false);
  EXPECT_FALSE(site.files.has_ui());
  const auto answer = site.Get("/", "text/html");
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(std::string(answer->payload()), HasSubstr("npm run build"));
  EXPECT_EQ(site.Get("/api/v1/openapi.yaml")->payload(), "openapi: 3.1.0");
}

TEST(StaticFiles, TheBinaryHoldsTheDescriptionOfTheApi) {
  const auto files = StaticFiles::FromPack(EmbeddedPack());
  ASSERT_TRUE(files.ok()) << files.error().message();
  net::HttpRequest request;
  request.path = "/api/v1/openapi.yaml";
  const auto answer = files->Answer(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->content_type, "application/yaml");
  EXPECT_THAT(std::string(answer->payload()), testing::StartsWith("openapi: 3.1"));
}

}  // namespace
}  // namespace weft::api
