// HttpRouter: requests to endpoints by method and path pattern.
//
// Patterns are absolute paths of segments: a literal ("traces"), "{name}" (any one non-empty
// segment) or, last, "{name...}" (the rest, may be empty). Literals win over {name}, which wins
// over {name...}. Values are percent-decoded after splitting, so an encoded slash stays inside its
// segment. GET endpoints also answer HEAD. Unknown path: 404; known path, other method: 405 with
// Allow.
//
// Add everything before the server starts; then any number of threads may call it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_message.h"
#include "net/http_server.h"

namespace weft::net {

class HttpRouter : public HttpHandler {
 public:
  using Endpoint = std::function<void(HttpRequest, HttpRespond)>;

  HttpRouter();
  ~HttpRouter() override;

  void Add(std::string_view method, std::string_view pattern, Endpoint endpoint);
  // The same for a handler with its own OnHead and OnRefused.
  void AddHandler(std::string_view method, std::string_view pattern,
                  std::shared_ptr<HttpHandler> handler);

  HttpBodyPlan OnHead(const HttpRequestHead& head) override;
  void OnRequest(HttpRequest request, HttpRespond respond) override;
  HttpResponse OnRefused(const HttpRequestHead& head, int status, const Error& error) override;

 private:
  struct Route;
  struct Match;
  Match Find(const HttpRequestHead& head) const;

  std::vector<Route> routes_;
};

}  // namespace weft::net
