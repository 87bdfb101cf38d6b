#include "demo/shop.h"

#include "demo/journeys.h"

namespace weft::demo {
namespace {

struct Journey {
  void (*play)(Visit&);
  uint32_t weight;  // of kWeightSum
};

constexpr Journey kJourneys[] = {
    {OpenHomePage, 190},    {OpenProductPage, 480}, {SearchProducts, 55}, {LoadRecommendations, 45},
    {LoadReviews, 80},      {LoadImage, 45},        {AddToCart, 80},      {ViewCart, 65},
    {EstimateShipping, 20}, {PlaceOrder, 50},       {LogIn, 35},          {ViewOrders, 15},
    {ProbeHealth, 5},
};

constexpr uint32_t WeightSum() {
  uint32_t sum = 0;
  for (const Journey& journey : kJourneys) sum += journey.weight;
  return sum;
}

}  // namespace

void Shop::PlayRequest(uint64_t start_ns) {
  Visit visit(world_, start_ns);
  auto ticket = static_cast<uint32_t>(world_.random.Below(WeightSum()));
  for (const Journey& journey : kJourneys) {
    if (ticket < journey.weight) return journey.play(visit);
    ticket -= journey.weight;
  }
}

}  // namespace weft::demo
