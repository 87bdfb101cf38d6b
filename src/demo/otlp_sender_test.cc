#include "demo/otlp_sender.h"

#include <gtest/gtest.h>

namespace weft::demo {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

// A receiver that answers as it is told and notes what it took.
struct FakeReceiver {
  SendOutcome answer;
  std::vector<std::string> taken;
  int attempts = 0;

  SendAttempt Attempt() {
    return [this](std::string_view body) {
      ++attempts;
      if (answer.kind == SendOutcome::kTaken) taken.emplace_back(body);
      return answer;
    };
  }
};

std::vector<ExportRequest> Requests(std::initializer_list<const char*> bodies) {
  std::vector<ExportRequest> requests;
  for (const char* body : bodies) requests.push_back({body, 10});
  return requests;
}

TEST(OtlpSender, SendsInOrder) {
  FakeReceiver receiver;
  OtlpSender sender(receiver.Attempt(), {});
  auto requests = Requests({"a", "b", "c"});
  sender.Enqueue(&requests);
  EXPECT_TRUE(requests.empty());
  EXPECT_FALSE(sender.idle());
  sender.Pump(0);
  EXPECT_TRUE(sender.idle());
  EXPECT_EQ(receiver.taken, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(sender.counts().sent_spans, 30U);
}

TEST(OtlpSender, WaitsLongerEachTimeAndKeepsEverything) {
  FakeReceiver receiver;
  receiver.answer = {SendOutcome::kLater, 0, "no connection"};
  SenderOptions options;
  options.backoff_first_ms = 100;
  options.backoff_max_ms = 350;
  OtlpSender sender(receiver.Attempt(), options);
  auto requests = Requests({"a", "b"});
  sender.Enqueue(&requests);
  std::vector<int64_t> attempts_ms;
  for (int64_t ms = 0; ms <= 1'500; ms += 10) {
    const int before = receiver.attempts;
    sender.Pump(ms * kMillisecond);
    if (receiver.attempts != before) attempts_ms.push_back(ms);
  }
  EXPECT_EQ(attempts_ms, (std::vector<int64_t>{0, 100, 300, 650, 1'000, 1'350}));
  receiver.answer = {};
  sender.Pump(2'000 * kMillisecond);
  EXPECT_EQ(receiver.taken, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(sender.counts().dropped_spans, 0U);
}

TEST(OtlpSender, ObeysRetryAfter) {
  FakeReceiver receiver;
  receiver.answer = {SendOutcome::kLater, 5'000, "HTTP status 429"};
  OtlpSender sender(receiver.Attempt(), {});
  auto requests = Requests({"a"});
  sender.Enqueue(&requests);
  sender.Pump(0);
  receiver.answer = {};
  sender.Pump(4'999 * kMillisecond);
  EXPECT_TRUE(receiver.taken.empty());
  sender.Pump(5'000 * kMillisecond);
  EXPECT_EQ(receiver.taken.size(), 1U);
}

TEST(OtlpSender, GivesUpTheOldestWhenTheQueueIsFull) {
  FakeReceiver receiver;
  SenderOptions options;
  options.queued_requests_max = 2;
  OtlpSender sender(receiver.Attempt(), options);
  auto requests = Requests({"a", "b", "c"});
  sender.Enqueue(&requests);
  sender.Pump(0);
  EXPECT_EQ(receiver.taken, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(sender.counts().dropped_spans, 10U);
}

TEST(OtlpSender, DoesNotSendAgainWhatIsRefused) {
  FakeReceiver receiver;
  receiver.answer = {SendOutcome::kRefused, 0, "HTTP status 400"};
  OtlpSender sender(receiver.Attempt(), {});
  auto requests = Requests({"a", "b"});
  sender.Enqueue(&requests);
  sender.Pump(0);
  EXPECT_TRUE(sender.idle());
  EXPECT_EQ(receiver.attempts, 2);
  EXPECT_EQ(sender.counts().refused_spans, 20U);
}

}  // namespace
}  // namespace weft::demo
