#include "demo/calls.h"
#include "demo/failures.h"
#include "demo/journeys.h"

namespace weft::demo {
namespace {

constexpr int kShippingAttempts = 3;
constexpr int kCheckoutAttempts = 3;
constexpr int kFrontendAttempts = 2;

// One call of shipping to quote; false on a 503.
bool AskQuote(Visit& visit, int items, int resend) {
  HttpCall call(visit, Service::kQuote, {"POST", "/getquote", "/getquote"});
  if (resend != 0) call.client().Set("http.request.resend_count", resend);
  if (visit.world().timeline.QuoteIsDown(visit.now_ns()) && visit.random().Chance(0.9)) {
    visit.Work(200'000, 0.02);
    Fail(call.server(), kQuoteUnavailable, visit.now_ns());
    call.Finish(503);
    return false;
  }
  OwnWork work(visit, "calculate-quote", "Shop\\Quote\\Calculator::quote");
  work->Set("app.quote.items.count", items);
  work->Set("app.quote.cost.total", 4.99 + 1.25 * items);
  visit.Work(1'200, 0.5);
  return true;
}

// Payment asks the bank; its next version asks a risk service first, and waits.
bool Charge(Visit& visit, double amount) {
  GrpcCall call(visit, Service::kPayment, "shop.Payment/Charge");
  OwnWork charge(visit, "charge");
  charge->Set("app.payment.card_type", visit.random().Chance(0.6) ? "visa" : "mastercard");
  charge->Set("app.payment.amount", amount);
  charge->Set("app.payment.currency", visit.shopper().currency);
  visit.Work(400);
  if (visit.here().next_version) {
    const bool late = visit.random().Chance(0.05);
    CallThirdParty(visit, {"api.card-risk.example",
                           {"POST", "", "/v2/score", ""},
                           late ? 3'000'000.0 : 1'150'000.0,
                           late ? 0 : 200});
    charge->AddEvent("risk scored", visit.now_ns(), "app.risk.level", late ? "unknown" : "low");
  }
  const bool declined = visit.random().Chance(0.02);
  CallThirdParty(
      visit, {"api.bank.example", {"POST", "", "/v1/charges", ""}, 85'000, declined ? 402 : 200});
  charge->Set("app.payment.charged", !declined);
  if (!declined) return true;
  Fail(*charge, kCardDeclined, visit.now_ns());
  charge.End();
  call.Finish("FAILED_PRECONDITION");
  return false;
}

void ShipOrder(Visit& visit) {
  GrpcCall call(visit, Service::kShipping, "shop.Shipping/ShipOrder");
  call.server().Set("app.shipping.tracking.id", visit.random().Uuid());
  visit.Work(8'000, 0.4);
}

// The mail gateway passes no trace headers on: what the mail service does is a trace of its own.
void SendConfirmation(Visit& visit, std::string_view order) {
  HttpCall call(visit, Service::kEmail,
                {"POST", "/send_order_confirmation", "/send_order_confirmation"},
                Propagation::kDropped);
  call.server().Set("app.order.id", order);
  visit.Work(700);
  OwnWork work(visit, "render and send", "Mailer#order_confirmation");
  work->Set("app.email.template", "order_confirmation.erb");
  visit.Work(24'000, 0.6);
}

void EmptyCart(Visit& visit) {
  GrpcCall call(visit, Service::kCart, "shop.Cart/EmptyCart");
  visit.Work(140);
  RunRedis(visit, "HMSET", "HMSET " + visit.shopper().user_id + " cart ?");
}

// Accounting continues the order's trace.
void RecordOrder(Visit& visit, const SpanContext& message, std::string_view order, double amount) {
  visit.Wait(static_cast<uint64_t>(visit.random().LogNormal(25e6, 0.8)));
  ProcessMessage process(visit,
                         {Service::kAccounting, "orders", "accounting", order, message, true});
  visit.Work(900);
  const std::string text =
      "INSERT INTO accounting.orders (order_id, user_id, amount, currency) VALUES ('" +
      std::string(order) + "', " + visit.shopper().user_id + ", " + std::to_string(amount) + ", '" +
      std::string(visit.shopper().currency) + "')";
  RunSql(visit, {"INSERT", "accounting.orders", text, 1'900, 0});
  RunSql(visit,
         {"INSERT", "accounting.order_items",
          "INSERT INTO accounting.order_items (order_id, product_id, quantity) VALUES ($1, $2, $3)",
          1'500, 0});
}

// Fraud detection looks at orders in batches of its own time: a new trace, linked.
void DetectFraud(Visit& visit, const SpanContext& message, std::string_view order) {
  visit.Wait(static_cast<uint64_t>(visit.random().LogNormal(300e6, 0.9)));
  ProcessMessage process(
      visit, {Service::kFraudDetection, "orders", "fraud-detection", order, message, false});
  visit.Work(600);
  RunSql(
      visit,
      {"SELECT", "accounting.orders",
       "SELECT count(*), sum(amount) FROM accounting.orders WHERE user_id = ? AND created_at > ?",
       3'000, 1});
  OwnWork score(visit, "FraudModel.score", "shop.fraud.FraudModel.score");
  const double risk = visit.random().Unit() * visit.random().Unit();
  score->Set("app.fraud.score", risk);
  score->Set("app.fraud.suspicious", risk > 0.9);
  visit.Work(6'000, 0.5);
}

struct Order {
  std::string id;
  double amount = 0;
  SpanContext message;
  bool placed = false;
};

// Checkout's part, up to the message that tells the others; a gRPC status.
std::string_view Checkout(Visit& visit, Order* order) {
  GrpcCall call(visit, Service::kCheckout, "shop.Checkout/PlaceOrder");
  const auto items = static_cast<int>(visit.random().Between(1, 4));
  call.server().Set("app.order.id", order->id);
  call.server().Set("app.order.items.count", items);
  {
    OwnWork prepare(visit, "prepareOrderItemsAndShippingQuoteFromCart",
                    "main.(*checkout).prepareOrder");
    GetCart(visit);
    for (int i = 0; i < items; ++i) {
      GetProduct(visit, visit.PickProduct());
      ConvertPrice(visit);
    }
    bool quoted = false;
    for (int attempt = 0; attempt < kCheckoutAttempts && !quoted; ++attempt) {
      if (attempt != 0) visit.Work(20'000 << attempt, 0.1);
      quoted = GetShippingQuote(visit, items);
    }
    if (!quoted) {
      prepare->SetError(
          "shipping quote failure: rpc error: code = Unavailable desc = quote: 503 Service "
          "Unavailable");
      prepare.End();
      call.Finish("UNAVAILABLE");
      return "UNAVAILABLE";
    }
  }
  call.server().AddEvent("prepared", visit.now_ns());
  if (!Charge(visit, order->amount)) {
    call.Finish("FAILED_PRECONDITION");
    return "FAILED_PRECONDITION";
  }
  call.server().AddEvent("charged", visit.now_ns(), "app.payment.transaction.id",
                         visit.random().Uuid());
  ShipOrder(visit);
  call.server().AddEvent("shipped", visit.now_ns());
  EmptyCart(visit);
  SendConfirmation(visit, order->id);
  order->message = SendMessage(visit, "orders", order->id, visit.random().Between(300, 900));
  order->placed = true;
  return "OK";
}

}  // namespace

bool GetShippingQuote(Visit& visit, int items) {
  GrpcCall call(visit, Service::kShipping, "shop.Shipping/GetQuote");
  call.server().Set("app.shipping.items.count", items);
  visit.Work(200);
  for (int attempt = 0; attempt < kShippingAttempts; ++attempt) {
    if (attempt != 0) visit.Work(10'000 << attempt, 0.1);
    if (AskQuote(visit, items, attempt)) return true;
  }
  call.Finish("UNAVAILABLE");
  return false;
}

void EstimateShipping(Visit& visit) {
  BrowserRequest request(visit, Service::kFrontend,
                         {"GET", "/api/shipping", "/api/shipping",
                          "currencyCode=" + std::string(visit.shopper().currency)});
  visit.Work(500);
  if (!GetShippingQuote(visit, static_cast<int>(visit.random().Between(1, 4)))) request.Finish(503);
}

void PlaceOrder(Visit& visit) {
  Order order;
  order.id = visit.random().Uuid();
  order.amount = static_cast<double>(visit.random().Between(990, 89'900)) / 100;
  {
    BrowserRequest request(visit, Service::kFrontend, {"POST", "/api/checkout", "/api/checkout"});
    request.server().Set("app.order.id", order.id);
    visit.Work(900);
    std::string_view status;
    for (int attempt = 0; attempt < kFrontendAttempts; ++attempt) {
      status = Checkout(visit, &order);
      if (status != "UNAVAILABLE") break;
    }
    if (status == "UNAVAILABLE") request.Finish(503);
    if (status == "FAILED_PRECONDITION") request.Finish(402);
  }
  if (!order.placed) return;
  const uint64_t answered_ns = visit.now_ns();
  RecordOrder(visit, order.message, order.id, order.amount);
  visit.JumpTo(answered_ns);
  DetectFraud(visit, order.message, order.id);
}

}  // namespace weft::demo
