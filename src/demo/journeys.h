// What people do in the shop: one function per kind of request. Each plays the request from the
// visit's present moment on, and leaves no span open.
#pragma once

#include <string>
#include <string_view>

#include "demo/visit.h"

namespace weft::demo {

// browse.cc
void OpenHomePage(Visit& visit);
void OpenProductPage(Visit& visit);
void SearchProducts(Visit& visit);
void LoadRecommendations(Visit& visit);
void LoadReviews(Visit& visit);  // the endpoint with 2 % errors
void LoadImage(Visit& visit);
void AddToCart(Visit& visit);
void ViewCart(Visit& visit);

// order.cc
void EstimateShipping(Visit& visit);
void PlaceOrder(Visit& visit);  // slow since the deployment; retries during the storm; mails in a
                                // trace of their own

// account.cc
void LogIn(Visit& visit);        // the attribute with an e-mail address
void ViewOrders(Visit& visit);   // the N+1 query
void ProbeHealth(Visit& visit);  // one span

// Parts that several of them share; made by the innermost open span's service.
void GetProduct(Visit& visit, std::string_view product);
void ListProducts(Visit& visit);
void ConvertPrice(Visit& visit);
void GetCart(Visit& visit);
// Asks shipping for a price, which asks quote; false when that failed after its retries.
bool GetShippingQuote(Visit& visit, int items);

}  // namespace weft::demo
