#include "demo/calls.h"
#include "demo/journeys.h"

namespace weft::demo {

void LogIn(Visit& visit) {
  BrowserRequest request(visit, Service::kFrontend, {"POST", "/api/login", "/api/login"});
  visit.Work(500);
  HttpCall call(visit, Service::kAccount, {"POST", "/login", "/login"});
  // The leak: a name that people read as "some number" carries the address itself.
  call.server().Set("enduser.id", visit.shopper().email);
  visit.Work(300);
  RunSql(visit, {"SELECT", "account.users",
                 "SELECT id, password_hash, locale FROM account.users WHERE email = %s", 900, 1});
  bool accepted = true;
  {
    OwnWork verify(visit, "verify password", "account.passwords.verify");
    verify->Set("app.password.algorithm", "argon2id");
    visit.Work(38'000, 0.15);
    accepted = visit.random().Chance(0.95);
    verify->Set("app.password.accepted", accepted);
  }
  if (!accepted) {
    call.Finish(401);
    request.Finish(401);
    return;
  }
  RunSql(visit,
         {"UPDATE", "account.users",
          "UPDATE account.users SET last_login = now() WHERE id = " + visit.shopper().user_id,
          1'300, 0});
}

// The N+1 query: one for the list of orders, then one for each order's items.
void ViewOrders(Visit& visit) {
  const std::string& user = visit.shopper().user_id;
  BrowserRequest request(visit, Service::kFrontend, {"GET", "/api/orders", "/api/orders"});
  visit.Work(500);
  HttpCall call(visit, Service::kAccounting,
                {"GET", "/users/{userId}/orders", "/users/" + user + "/orders"});
  visit.Work(500);
  const auto orders = static_cast<int64_t>(visit.random().LogNormal(14, 0.7)) + 1;
  RunSql(visit,
         {"SELECT", "accounting.orders",
          "SELECT order_id, created_at, amount FROM accounting.orders WHERE user_id = " + user,
          2'000, orders});
  for (int64_t i = 0; i < orders; ++i) {
    RunSql(visit, {"SELECT", "accounting.order_items",
                   "SELECT product_id, quantity FROM accounting.order_items WHERE order_id = $1",
                   1'100, visit.random().Between(1, 4)});
    visit.Work(90);
  }
}

void ProbeHealth(Visit& visit) {
  static constexpr Service kProbed[] = {Service::kAccount, Service::kQuote, Service::kEmail,
                                        Service::kSearch};
  const Instance& at = visit.PickInstance(kProbed[visit.random().Below(std::size(kProbed))]);
  OpenSpan span(visit, at, Library::kHttpServer, SpanKind::kServer, "GET /healthz",
                visit.current());
  span->Set("http.request.method", "GET");
  span->Set("url.scheme", "http");
  span->Set("url.path", "/healthz");
  span->Set("http.route", "/healthz");
  span->Set("server.address", at.address);
  span->Set("server.port", InfoOf(at.service).port);
  span->Set("client.address", "10.244.0.1");
  span->Set("user_agent.original", "kube-probe/1.33");
  span->Set("http.response.status_code", 200);
  visit.Work(300);
}

}  // namespace weft::demo
