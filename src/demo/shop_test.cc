// The stories that docs/demo.md tells are really in the spans.
#include "demo/shop.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "demo/decoded_span.h"
#include "demo/shop_feed.h"

namespace weft::demo {
namespace {

constexpr uint64_t kFirstNs = 1'760'000'000'000'000'000;
constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kMinuteNs = 60 * kSecondNs;

struct Traffic {
  std::vector<DecodedSpan> spans;
  std::map<std::string, std::vector<const DecodedSpan*>> children;  // by parent span id
  std::map<std::string, const DecodedSpan*> by_id;
  std::map<std::string, size_t> spans_of_trace;
  uint64_t bytes = 0;
};

// Fifteen minutes of a small shop: the history that `weft demo` begins with.
const Traffic& Day() {
  static const Traffic* const kTraffic = [] {
    auto* traffic = new Traffic;
    ShopFeedOptions options;
    options.first_ns = kFirstNs;
    options.requests_per_second = 12;
    ShopFeed feed(options);
    std::vector<ExportRequest> requests;
    feed.Advance(kFirstNs + 15 * kMinuteNs, &requests);
    feed.Drain(&requests);
    for (const ExportRequest& request : requests) {
      traffic->bytes += request.body.size();
      for (DecodedSpan& span : DecodeRequest(request.body))
        traffic->spans.push_back(std::move(span));
    }
    for (const DecodedSpan& span : traffic->spans) {
      traffic->by_id[span.span_id] = &span;
      ++traffic->spans_of_trace[span.trace_id];
      if (!span.parent_id.empty()) traffic->children[span.parent_id].push_back(&span);
    }
    return traffic;
  }();
  return *kTraffic;
}

std::vector<const DecodedSpan*> SpansOf(std::string_view service, std::string_view name) {
  std::vector<const DecodedSpan*> found;
  for (const DecodedSpan& span : Day().spans) {
    if (span.service == service && span.name == name) found.push_back(&span);
  }
  return found;
}

size_t ChildrenNamed(const DecodedSpan& parent, std::string_view name) {
  size_t count = 0;
  const auto children = Day().children.find(parent.span_id);
  if (children == Day().children.end()) return 0;
  for (const DecodedSpan* child : children->second) count += child->name == name ? 1 : 0;
  return count;
}

double DurationMs(const DecodedSpan& span) {
  return static_cast<double>(span.end_ns - span.start_ns) * 1e-6;
}

TEST(Shop, LooksLikeTheShopThatTheBudgetsAreAbout) {
  const Traffic& day = Day();
  const auto count = static_cast<double>(day.spans.size());
  double attributes = 0;
  std::set<std::string> services;
  for (const DecodedSpan& span : day.spans) {
    attributes += static_cast<double>(span.attributes.size());
    services.insert(span.service);
  }
  EXPECT_EQ(services.size(), kServiceCount);
  EXPECT_NEAR(count / static_cast<double>(day.spans_of_trace.size()), 14.5, 1.0);
  EXPECT_NEAR(attributes / count, 12, 1.0);
}

TEST(Shop, SpansAreWellFormed) {
  std::set<std::string> ids;
  for (const DecodedSpan& span : Day().spans) {
    EXPECT_EQ(span.trace_id.size(), 16U);
    EXPECT_EQ(span.span_id.size(), 8U);
    EXPECT_TRUE(ids.insert(span.span_id).second);
    EXPECT_FALSE(span.name.empty());
    EXPECT_GE(span.end_ns, span.start_ns);
    EXPECT_GE(span.start_ns, kFirstNs);
    if (span.parent_id.empty()) continue;
    const auto parent = Day().by_id.find(span.parent_id);
    ASSERT_NE(parent, Day().by_id.end()) << span.service << " " << span.name;
    EXPECT_EQ(parent->second->trace_id, span.trace_id);
  }
}

TEST(Shop, OrderHistoryAsksTheDatabaseOncePerOrder) {
  const auto requests = SpansOf("accounting", "GET /users/{userId}/orders");
  ASSERT_GT(requests.size(), 50U);
  double queries = 0;
  for (const DecodedSpan* request : requests) {
    EXPECT_EQ(ChildrenNamed(*request, "SELECT accounting.orders"), 1U);
    queries += static_cast<double>(ChildrenNamed(*request, "SELECT accounting.order_items"));
  }
  EXPECT_GT(queries / static_cast<double>(requests.size()), 10);
}

TEST(Shop, RetriesMultiplyWhileQuoteIsDown) {
  std::map<std::string, size_t> refused;  // by trace
  for (const DecodedSpan* call : SpansOf("quote", "POST /getquote")) {
    if (call->status != 2) continue;
    ++refused[call->trace_id];
    EXPECT_GE(call->start_ns, kFirstNs + 7 * kMinuteNs);
    EXPECT_LT(call->start_ns, kFirstNs + 8 * kMinuteNs);
    EXPECT_EQ(call->event_attributes.at("exception.message"), "no worker available within 200 ms");
  }
  ASSERT_GT(refused.size(), 20U);
  size_t most = 0;
  for (const auto& [trace, count] : refused) most = std::max(most, count);
  EXPECT_EQ(most, 18U);  // 3 attempts of shipping x 3 of checkout x 2 of the frontend
}

TEST(Shop, PaymentIsSlowSinceItsDeployment) {
  size_t old_charges = 0;
  size_t new_charges = 0;
  for (const DecodedSpan* charge : SpansOf("payment", "charge")) {
    const bool is_new = charge->version == "1.9.0";
    (is_new ? new_charges : old_charges) += 1;
    if (is_new) {
      EXPECT_GE(charge->start_ns, kFirstNs + 10 * kMinuteNs);
      EXPECT_GT(DurationMs(*charge), 300);
      bool asked = false;
      for (const DecodedSpan* child : Day().children.at(charge->span_id)) {
        asked =
            asked || child->attributes.at("url.full") == "https://api.card-risk.example/v2/score";
      }
      EXPECT_TRUE(asked);
    } else {
      EXPECT_EQ(charge->version, "1.8.2");
      EXPECT_LT(charge->start_ns, kFirstNs + 11 * kMinuteNs);
      EXPECT_LT(DurationMs(*charge), 500);
    }
  }
  EXPECT_GT(old_charges, 100U);
  EXPECT_GT(new_charges, 50U);
}

TEST(Shop, ReviewsFailForTwoPercent) {
  const auto requests = SpansOf("product-reviews", "GET /reviews/{product_id}");
  double failed = 0;
  for (const DecodedSpan* request : requests) {
    if (request->status != 2) continue;
    failed += 1;
    EXPECT_EQ(request->attributes.at("error.type"), "500");
    EXPECT_EQ(request->event_attributes.at("exception.type"), "psycopg2.pool.PoolError");
    EXPECT_NE(request->event_attributes.at("exception.stacktrace").find("store.py"),
              std::string::npos);
  }
  EXPECT_NEAR(failed / static_cast<double>(requests.size()), 0.02, 0.012);
}

TEST(Shop, MailsAreTracesOfTheirOwn) {
  const auto mails = SpansOf("email", "POST /send_order_confirmation");
  ASSERT_GT(mails.size(), 100U);
  for (const DecodedSpan* mail : mails) {
    EXPECT_TRUE(mail->parent_id.empty());
    EXPECT_EQ(Day().spans_of_trace.at(mail->trace_id), 2U);
  }
}

TEST(Shop, OneAttributeCarriesMailAddresses) {
  std::set<std::string> leaking;
  for (const DecodedSpan& span : Day().spans) {
    for (const auto& [key, value] : span.attributes) {
      if (value.find("@example.com") != std::string::npos) leaking.insert(span.service + " " + key);
    }
  }
  EXPECT_EQ(leaking, std::set<std::string>{"account enduser.id"});
}

TEST(Shop, OneHostsClockRunsAhead) {
  std::map<std::string, std::pair<size_t, size_t>>
      late;  // by node: children that end after their synchronous parent, and all
  for (const DecodedSpan& span : Day().spans) {
    if (span.parent_id.empty() || span.kind != 2) continue;
    const DecodedSpan& parent = *Day().by_id.at(span.parent_id);
    auto& [after, all] = late[span.node];
    ++all;
    // A few clocks tick in microseconds; that is not skew.
    after += span.end_ns > parent.end_ns + 1'000'000 ? 1 : 0;
  }
  size_t skewed_nodes = 0;
  for (const auto& [node, counts] : late) {
    if (counts.first == 0) continue;
    ++skewed_nodes;
    EXPECT_GT(static_cast<double>(counts.first) / static_cast<double>(counts.second), 0.5) << node;
  }
  EXPECT_EQ(skewed_nodes, 1U);
}

TEST(Shop, FraudDetectionLinksToTheOrderAndAccountingContinuesIt) {
  std::set<std::string> order_traces;
  for (const DecodedSpan* send : SpansOf("checkout", "send orders"))
    order_traces.insert(send->trace_id);
  ASSERT_FALSE(order_traces.empty());
  for (const DecodedSpan* process : SpansOf("fraud-detection", "process orders")) {
    EXPECT_TRUE(process->parent_id.empty());
    EXPECT_EQ(order_traces.count(process->trace_id), 0U);
    ASSERT_EQ(process->linked_trace_ids.size(), 1U);
    EXPECT_EQ(order_traces.count(process->linked_trace_ids[0]), 1U);
  }
  for (const DecodedSpan* process : SpansOf("accounting", "process orders")) {
    EXPECT_EQ(Day().by_id.at(process->parent_id)->name, "send orders");
  }
}

}  // namespace
}  // namespace weft::demo
