#include "net/http_router.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "net/url.h"

namespace weft::net {
namespace {

// An Endpoint as a handler, so that routes are all of one type.
class EndpointHandler : public HttpHandler {
 public:
  explicit EndpointHandler(HttpRouter::Endpoint endpoint) : endpoint_(std::move(endpoint)) {}
  void OnRequest(HttpRequest request, HttpRespond respond) override {
    endpoint_(std::move(request), std::move(respond));
  }

 private:
  HttpRouter::Endpoint endpoint_;
};

// How specific a segment is: routes are tried in this order.
enum class SegmentKind { kLiteral, kName, kRest };

struct Segment {
  SegmentKind kind = SegmentKind::kLiteral;
  std::string text;  // the literal, or the name
};

Segment ParseSegment(std::string_view text) {
  if (text.size() < 3 || text.front() != '{' || text.back() != '}')
    return {SegmentKind::kLiteral, std::string(text)};
  std::string_view name = text.substr(1, text.size() - 2);
  if (!name.ends_with("...")) return {SegmentKind::kName, std::string(name)};
  name.remove_suffix(3);
  return {SegmentKind::kRest, std::string(name)};
}

// "/a//b" -> "a", "", "b".
std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> out;
  if (path.starts_with('/')) path.remove_prefix(1);
  for (;;) {
    const size_t slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
}

bool MatchSegment(const Segment& pattern, std::string_view raw, HttpParameters* parameters) {
  auto text = PercentDecode(raw);
  if (!text) return false;
  if (pattern.kind == SegmentKind::kLiteral) return *text == pattern.text;
  if (text->empty()) return false;
  parameters->emplace_back(pattern.text, std::move(*text));
  return true;
}

// The rest of the path from segment `i` on; `segments` point into one string.
std::string_view RestFrom(const std::vector<std::string_view>& segments, size_t i) {
  if (i >= segments.size()) return {};
  const char* begin = segments[i].data();
  return {begin, static_cast<size_t>(segments.back().data() + segments.back().size() - begin)};
}

std::optional<HttpParameters> MatchPattern(const std::vector<Segment>& pattern,
                                           const std::vector<std::string_view>& segments) {
  HttpParameters parameters;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i].kind == SegmentKind::kRest) {
      auto rest = PercentDecode(RestFrom(segments, i));
      if (!rest) return std::nullopt;
      parameters.emplace_back(pattern[i].text, std::move(*rest));
      return parameters;
    }
    if (i >= segments.size() || !MatchSegment(pattern[i], segments[i], &parameters))
      return std::nullopt;
  }
  if (segments.size() != pattern.size()) return std::nullopt;
  return parameters;
}

}  // namespace

struct HttpRouter::Route {
  std::string method;
  std::vector<Segment> pattern;
  std::shared_ptr<HttpHandler> handler;
};

struct HttpRouter::Match {
  HttpHandler* handler = nullptr;
  HttpParameters parameters;
  std::set<std::string> allowed;  // methods of the path when the asked one is not among them
};

HttpRouter::HttpRouter() = default;
HttpRouter::~HttpRouter() = default;

void HttpRouter::Add(std::string_view method, std::string_view pattern, Endpoint endpoint) {
  AddHandler(method, pattern, std::make_shared<EndpointHandler>(std::move(endpoint)));
}

void HttpRouter::AddHandler(std::string_view method, std::string_view pattern,
                            std::shared_ptr<HttpHandler> handler) {
  Route route{std::string(method), {}, std::move(handler)};
  for (const std::string_view segment : SplitPath(pattern))
    route.pattern.push_back(ParseSegment(segment));
  // Kept in the order in which they are tried: compared segment by segment, literals first.
  const auto more_specific = [](const Route& a, const Route& b) {
    return std::lexicographical_compare(
        a.pattern.begin(), a.pattern.end(), b.pattern.begin(), b.pattern.end(),
        [](const Segment& x, const Segment& y) { return x.kind < y.kind; });
  };
  routes_.insert(std::upper_bound(routes_.begin(), routes_.end(), route, more_specific),
                 std::move(route));
}

HttpRouter::Match HttpRouter::Find(const HttpRequestHead& head) const {
  Match match;
  const std::vector<std::string_view> segments = SplitPath(RawPath(head.target));
  for (const Route& route : routes_) {
    const bool method_fits =
        route.method == head.method || (head.method == "HEAD" && route.method == "GET");
    auto parameters = MatchPattern(route.pattern, segments);
    if (!parameters) continue;
    // "The rest" does not catch what an exact path refuses for its method.
    const bool shadowed = !match.allowed.empty() && route.pattern.back().kind == SegmentKind::kRest;
    if (shadowed) continue;
    if (method_fits) {
      match.handler = route.handler.get();
      match.parameters = std::move(*parameters);
      return match;
    }
    match.allowed.insert(route.method);
    if (route.method == "GET") match.allowed.insert("HEAD");
  }
  return match;
}

HttpBodyPlan HttpRouter::OnHead(const HttpRequestHead& head) {
  Match match = Find(head);
  if (match.handler != nullptr) return match.handler->OnHead(head);
  HttpBodyPlan plan;
  if (match.allowed.empty()) {
    plan.refusal =
        HttpResponse::FromError(Error(ErrorCode::kNotFound, "there is nothing at " + head.path));
    return plan;
  }
  std::string allow;
  for (const std::string& method : match.allowed) allow += (allow.empty() ? "" : ", ") + method;
  plan.refusal = HttpResponse::FromError(
      Error(ErrorCode::kInvalidArgument,
            head.path + " does not answer " + head.method + "; it answers " + allow));
  plan.refusal->status = 405;
  plan.refusal->headers.Set("Allow", allow);
  return plan;
}

void HttpRouter::OnRequest(HttpRequest request, HttpRespond respond) {
  Match match = Find(request);
  if (match.handler ==
      nullptr) {  // the server asks OnHead first: only a caller of its own comes here
    respond(HttpResponse::FromError(
        Error(ErrorCode::kNotFound, "there is nothing at " + request.path)));
    return;
  }
  request.path_parameters = std::move(match.parameters);
  match.handler->OnRequest(std::move(request), std::move(respond));
}

HttpResponse HttpRouter::OnRefused(const HttpRequestHead& head, int status, const Error& error) {
  Match match = Find(head);
  return match.handler != nullptr ? match.handler->OnRefused(head, status, error)
                                  : HttpHandler::OnRefused(head, status, error);
}

}  // namespace weft::net
