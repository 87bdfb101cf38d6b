// Any text as a request target, an Accept-Encoding field and an address: nothing crashes, and what
// is percent-encoded decodes to itself.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/address.h"
#include "net/compression.h"
#include "net/http_router.h"
#include "net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  weft::net::HttpRequestHead head;
  head.method = "GET";
  if (weft::net::ParseTarget(text, &head).ok()) {
    if (head.path.empty()) std::abort();
    weft::net::HttpRouter router;
    const auto nothing = [](weft::net::HttpRequest, const weft::net::HttpRespond&) {};
    router.Add("GET", "/a/{name}/b", nothing);
    router.Add("POST", "/a/{rest...}", nothing);
    (void)router.OnHead(head);
  }
  const auto decoded = weft::net::PercentDecode(weft::net::PercentEncode(text));
  if (!decoded || *decoded != text) std::abort();
  (void)weft::net::AcceptsGzip(text);
  (void)weft::net::ParseContentCoding(text);
  const auto address = weft::net::ParseHostPort(text);
  if (address.ok() && !weft::net::ParseHostPort(weft::net::FormatHostPort(*address)).ok()) {
    std::abort();
  }
  return 0;
}
