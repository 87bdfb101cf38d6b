// The UI's files and the API's description, served from inside the binary.
//
// Files under /assets/ have a hash in their name and may be cached for ever; everything else is
// asked for again each time, which costs a 304. A page that doesn't exist as a file is the UI's own
// business: it gets index.html. Immutable: any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "net/http_message.h"

namespace weft::api {

class StaticFiles {
 public:
  // Takes the files of a pack (file_pack.h), whose bytes must outlive this. kCorrupt when it isn't
  // one.
  static Result<StaticFiles> FromPack(std::string_view pack);

  // The answer to a GET or HEAD of `request.path`; nothing when there is no such file and the page
  // is not the UI's either. When the binary was built without the UI, its pages are a note that
  // says so and how to build it.
  std::optional<net::HttpResponse> Answer(const net::HttpRequest& request) const;

  bool has_ui() const { return files_.contains("/index.html"); }

 private:
  struct File {
    std::string content_type;
    std::string etag;
    std::shared_ptr<const std::string> body;
    bool gzip = false;
    uint64_t raw_bytes = 0;
    bool immutable = false;
  };
  static net::HttpResponse Serve(const File& file, const net::HttpRequest& request);

  std::unordered_map<std::string, File> files_;  // by request path
};

// The fields that every answer of the main port carries: what a browser must not do with it.
void AddSecurityHeaders(net::HttpResponse* response);

}  // namespace weft::api
