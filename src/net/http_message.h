// HTTP requests and responses as values, shared by the server, the router and the client.
//
// Plain data: not thread-safe to mutate, may be moved between threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace weft::net {

// Header field names and most of their values are compared like this: without case, ASCII only.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

// Header fields in the order received; names are compared without case.
class HttpHeaders {
 public:
  using Field = std::pair<std::string, std::string>;

  void Add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }
  // Replaces every field of that name.
  void Set(std::string_view name, std::string_view value);
  void Remove(std::string_view name);
  // The value of the first field of that name; empty when there is none.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

// Decoded name-value pairs in the order received; a name may come more than once.
using HttpParameters = std::vector<std::pair<std::string, std::string>>;

// The first value of `name`; nothing when it is absent (an empty value is a value).
std::optional<std::string_view> FindParameter(const HttpParameters& parameters,
                                              std::string_view name);

// Everything that comes before the body.
struct HttpRequestHead {
  std::string method;  // as sent: "GET"
  std::string target;  // as sent: "/api/v1/search?q=%7B%7D"
  std::string path;    // the part before '?', percent-decoded: "/api/v1/search"
  HttpParameters query;
  HttpHeaders headers;
  std::string peer;                        // "127.0.0.1:52044"
  std::optional<uint64_t> content_length;  // bytes on the wire; nothing when chunked

  std::optional<std::string_view> Query(std::string_view name) const {
    return FindParameter(query, name);
  }
};

struct HttpRequest : HttpRequestHead {
  std::string body;                // decompressed, unless the handler asked for it as it came
  HttpParameters path_parameters;  // filled by HttpRouter: the {names} of its pattern
  // Turns true when the client has gone away; long work may then stop. Any thread may read it.
  std::shared_ptr<const std::atomic<bool>> gone;

  std::string_view PathParameter(std::string_view name) const {
    return FindParameter(path_parameters, name).value_or(std::string_view());
  }
  bool client_gone() const { return gone && gone->load(std::memory_order_relaxed); }
};

// The server adds Content-Length, Connection, Date and, where the client accepts it and the body is
// worth it, gzip (unless the handler has set Content-Encoding itself).
struct HttpResponse {
  int status = 200;
  std::string content_type;  // empty: no Content-Type field
  HttpHeaders headers;
  std::string body;
  std::shared_ptr<const std::string>
      shared_body;  // sent in place of `body` when set; never changed

  std::string_view payload() const {
    return shared_body ? std::string_view(*shared_body) : std::string_view(body);
  }

  static HttpResponse Text(int status, std::string text);  // text/plain; charset=utf-8
  static HttpResponse Json(int status, std::string json);  // application/json
  // An answer in the shape of `components/schemas/Error` of the API description, with Retry-After
  // where the error has a retry time.
  static HttpResponse FromError(const Error& error);
};

// The status for an error: 400, 404, 413, 501, 429, 503, 499 or 500.
int HttpStatusOf(ErrorCode code);
// "Not Found" for 404; empty when unknown.
std::string_view HttpReason(int status);
// Retry-After in whole seconds, at least 1.
std::string RetryAfterSeconds(uint32_t retry_after_ms);

}  // namespace weft::net
