#include "demo/calls.h"
#include "demo/failures.h"
#include "demo/journeys.h"

namespace weft::demo {
namespace {

constexpr std::string_view kCatalogColumns = "id, name, picture, price";

void GetAds(Visit& visit) {
  GrpcCall call(visit, Service::kAd, "shop.Ad/GetAds");
  call.server().Set("app.ads.context", "binoculars");
  visit.Work(300);
  {
    OwnWork pick(visit, "AdCatalog.pick", "shop.ad.AdCatalog.pick");
    pick->Set("app.ads.category", visit.random().Chance(0.5) ? "telescopes" : "accessories");
    pick->Set("app.ads.count", visit.random().Between(1, 3));
    visit.Work(700, 0.6);
  }
}

void ListRecommendations(Visit& visit, std::string_view product) {
  GrpcCall call(visit, Service::kRecommendation, "shop.Recommendation/ListRecommendations");
  call.server().Set("app.product.id", product);
  visit.Work(900, 0.5);
  {
    OwnWork rank(visit, "rank_candidates", "recommendation.ranking.rank_candidates");
    rank->Set("app.recommendation.cache_hit", visit.random().Chance(0.6));
    rank->Set("app.recommendation.model", "als-2025-07");
    visit.Work(2'800, 0.5);
  }
  ListProducts(visit);
}

int AskReviews(Visit& visit, std::string_view product) {
  const std::string path = "/reviews/" + std::string(product);
  HttpCall call(visit, Service::kProductReviews,
                {"GET", "/reviews/{product_id}", path, "limit=10"});
  call.server().Set("app.product.id", product);
  visit.Work(600);
  if (visit.random().Chance(0.02)) {
    visit.Work(5'000, 0.1);
    Fail(call.server(), kReviewsPoolExhausted, visit.now_ns());
    call.Finish(500);
    return 500;
  }
  const std::string text =
      "SELECT id, stars, title, body, author_id FROM product_reviews WHERE product_id = '" +
      std::string(product) + "' ORDER BY created_at DESC LIMIT 10";
  RunSql(visit, {"SELECT", "product_reviews", text, 1'500, visit.random().Between(0, 10)});
  visit.Work(500);
  return 200;
}

}  // namespace

void GetProduct(Visit& visit, std::string_view product) {
  GrpcCall call(visit, Service::kProductCatalog, "shop.Catalog/GetProduct");
  call.server().Set("app.product.id", product);
  visit.Work(120);
  std::string text("SELECT ");
  text.append(kCatalogColumns).append(" FROM catalog.products WHERE id = $1");
  RunSql(visit, {"SELECT", "catalog.products", text, 700, 1});
  visit.Work(60);
}

void ListProducts(Visit& visit) {
  GrpcCall call(visit, Service::kProductCatalog, "shop.Catalog/ListProducts");
  visit.Work(150);
  std::string text("SELECT ");
  text.append(kCatalogColumns).append(" FROM catalog.products ORDER BY rank LIMIT $1");
  const int64_t rows = visit.random().Between(8, 20);
  RunSql(visit, {"SELECT", "catalog.products", text, 2'400, rows});
  call.server().Set("app.products.count", rows);
  visit.Work(200);
}

void ConvertPrice(Visit& visit) {
  GrpcCall call(visit, Service::kCurrency, "shop.Currency/Convert");
  call.server().Set("app.currency.conversion.from", "USD");
  call.server().Set("app.currency.conversion.to", visit.shopper().currency);
  visit.Work(90);
}

void GetCart(Visit& visit) {
  GrpcCall call(visit, Service::kCart, "shop.Cart/GetCart");
  visit.Work(150);
  RunRedis(visit, "HGET", "HGET " + visit.shopper().user_id + " cart");
  call.server().Set("app.cart.items.count", visit.random().Between(0, 6));
}

void OpenHomePage(Visit& visit) {
  BrowserRequest request(visit, Service::kFrontend, {"GET", "/", "/"});
  visit.Work(1'500);
  visit.AtOnce([&] { ListProducts(visit); }, [&] { GetCart(visit); }, [&] { GetAds(visit); });
  ConvertPrice(visit);
  OwnWork render(visit, "render page");
  render->Set("app.page", "home");
  visit.Work(3'000, 0.5);
}

void OpenProductPage(Visit& visit) {
  const std::string product = visit.PickProduct();
  const std::string path = "/product/" + product;
  BrowserRequest request(
      visit, Service::kFrontend,
      {"GET", "/product/[productId]", path, "currency=" + std::string(visit.shopper().currency)});
  request.server().Set("app.product.id", product);
  visit.Work(1'100);
  GetProduct(visit, product);
  visit.AtOnce([&] { ListRecommendations(visit, product); }, [&] { GetAds(visit); },
               [&] { ConvertPrice(visit); });
  OwnWork render(visit, "render page");
  render->Set("app.page", "product");
  visit.Work(2'600, 0.5);
}

void SearchProducts(Visit& visit) {
  static constexpr std::string_view kWords[] = {"telescope",    "red+dot+finder", "eyepiece+25mm",
                                                "solar+filter", "tripod",         "star+map",
                                                "lens+cloth",   "barlow"};
  std::string query("q=");
  query.append(kWords[visit.random().Below(std::size(kWords))])
      .append("&page=")
      .append(std::to_string(visit.random().Between(1, 4)));
  BrowserRequest request(visit, Service::kFrontend, {"GET", "/api/search", "/api/search", query});
  visit.Work(700);
  HttpCall call(visit, Service::kSearch, {"GET", "/v1/search", "/v1/search", query});
  visit.Work(900);
  OpenSpan span(visit, Library::kSearchClient, SpanKind::kClient, "POST /products/_search");
  span->Set("db.system.name", "opensearch");
  span->Set("db.operation.name", "search");
  span->Set("db.collection.name", "products");
  span->Set("http.request.method", "POST");
  span->Set("url.full", "http://opensearch:9200/products/_search");
  span->Set("server.address", "opensearch");
  span->Set("server.port", 9200);
  if (visit.random().Chance(0.003)) {
    visit.Work(3'000'000, 0.001);
    Fail(*span, kSearchTimeout, visit.now_ns());
    span.End();
    call.Finish(504);
    request.Finish(504);
    return;
  }
  visit.Work(14'000, 0.7);
  span->Set("db.response.returned_rows", visit.random().Between(0, 24));
}

void LoadRecommendations(Visit& visit) {
  const std::string product = visit.PickProduct();
  BrowserRequest request(
      visit, Service::kFrontend,
      {"GET", "/api/recommendations", "/api/recommendations", "productIds=" + product});
  visit.Work(500);
  ListRecommendations(visit, product);
}

void LoadReviews(Visit& visit) {
  const std::string product = visit.PickProduct();
  const std::string path = "/api/products/" + product + "/reviews";
  BrowserRequest request(visit, Service::kFrontend,
                         {"GET", "/api/products/[productId]/reviews", path});
  visit.Work(600);
  const int status = AskReviews(visit, product);
  if (status != 200) request.Finish(502);
}

void LoadImage(Visit& visit) {
  const std::string path = "/images/products/" + visit.PickProduct() + ".webp";
  BrowserRequest request(visit, Service::kImageProvider, {"GET", "/images/", path, "w=640"});
  visit.Work(350, 0.8);
  if (visit.random().Chance(0.01)) request.Finish(404);
}

void AddToCart(Visit& visit) {
  const std::string product = visit.PickProduct();
  BrowserRequest request(visit, Service::kFrontend, {"POST", "/api/cart", "/api/cart"});
  visit.Work(600);
  GetProduct(visit, product);
  GrpcCall call(visit, Service::kCart, "shop.Cart/AddItem");
  call.server().Set("app.product.id", product);
  call.server().Set("app.product.quantity", visit.random().Between(1, 4));
  visit.Work(160);
  const std::string& user = visit.shopper().user_id;
  RunRedis(visit, "HGET", "HGET " + user + " cart");
  RunRedis(visit, "HMSET", "HMSET " + user + " cart ?");
  RunRedis(visit, "EXPIRE", "EXPIRE " + user + " 3600");
}

void ViewCart(Visit& visit) {
  BrowserRequest request(visit, Service::kFrontend, {"GET", "/cart", "/cart"});
  visit.Work(800);
  GetCart(visit);
  const int64_t items = visit.random().Between(1, 3);
  for (int64_t i = 0; i < items; ++i) GetProduct(visit, visit.PickProduct());
  ConvertPrice(visit);
  GetShippingQuote(visit, static_cast<int>(items));
}

}  // namespace weft::demo
