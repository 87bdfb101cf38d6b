// What a receiver of remote write is sent, and what becomes of what it does not take.
#include <cmath>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <protozero/pbf_reader.hpp>
#include <snappy.h>

#include "base/env_fake.h"
#include "base/log.h"
#include "generate/remote_writer.h"

namespace weft::generate {
namespace {

// By series as Prometheus prints it: "value@ms" of each sample.
using Received = std::map<std::string, std::string>;

std::string LabelText(protozero::pbf_reader label) {
  std::string name, value;
  while (label.next()) {
    if (label.tag() == 1)
      name = label.get_string();
    else if (label.tag() == 2)
      value = label.get_string();
    else
      label.skip();
  }
  return name + "=" + value;
}

void ReadSeries(protozero::pbf_reader series, Received* out) {
  std::string labels, samples;
  while (series.next()) {
    if (series.tag() == 1) {
      labels += (labels.empty() ? "" : ",") + LabelText(series.get_message());
      continue;
    }
    const bool is_exemplar = series.tag() == 3;  // asked first: reading forgets it
    auto message = series.get_message();
    double value = 0;
    int64_t time_ms = 0;
    while (message.next()) {
      if (message.tag() == (is_exemplar ? 2u : 1u))
        value = message.get_double();
      else if (message.tag() == (is_exemplar ? 3u : 2u))
        time_ms = message.get_int64();
      else
        message.skip();
    }
    samples += (samples.empty() ? "" : " ") + std::string(is_exemplar ? "#" : "") +
               (std::isnan(value) ? "stale" : model::LabelValue(value)) + "@" +
               std::to_string(time_ms);
  }
  (*out)[labels] += ((*out)[labels].empty() ? "" : " ") + samples;
}

class RemoteWriteTest : public testing::Test {
 protected:
  RemoteWriteTest() {
    SetUpLog(LogLevel::kOff, LogFormat::kText);  // of failures that are wanted
    env_.SetNowNs(100'000'000'000);
  }

  void Count(const std::string& service, uint64_t calls, uint64_t trace = 0) {
    Increment increment;
    increment.labels = {{"service", service}};
    increment.counters = {calls, 10 * calls};
    increment.histograms.resize(1);
    increment.histograms[0].counts[1] = calls;
    if (trace != 0) increment.histograms[0].exemplars[1] = {{0, trace}, 0.003, 90'000'000'000, 0};
    std::vector<Increment> increments;
    increments.push_back(std::move(increment));
    store_.Add("t", Kind::kSpans, std::move(increments));
  }

  RemoteWriter& writer() {
    if (!writer_) {
      writer_ = std::make_unique<RemoteWriter>(
          env_, metrics_, options_, store_,
          [this](const model::TenantId& tenant,
                 const std::string& body) -> Result<net::HttpResponse> {
            EXPECT_EQ(tenant, "t");
            ++posts_;
            if (status_ == 0) return Error(ErrorCode::kUnavailable, "nobody there");
            if (status_ == 200) Read(body);
            return net::HttpResponse::Text(status_, "");
          });
    }
    return *writer_;
  }

  void Read(const std::string& body) {
    std::string message;
    ASSERT_TRUE(snappy::Uncompress(body.data(), body.size(), &message));
    protozero::pbf_reader request(message);
    while (request.next(1)) ReadSeries(request.get_message(), &received_);
  }

  // Collects after so many seconds and sends everything.
  Received Round(int64_t seconds) {
    env_.AdvanceNs(seconds * 1'000'000'000);
    received_.clear();
    writer().Collect();
    while (writer().queued() > 0) {
      if (writer().SendOne() != 0) break;
    }
    return received_;
  }

  uint64_t Dropped() const {
    return metrics_.SumCounter("weft_generator_remote_write_dropped_samples_total");
  }

  FakeEnv env_{1};
  MetricRegistry metrics_;
  RemoteWriteOptions options_;
  SeriesStore store_{env_, metrics_, Options{.stale_ns = 60'000'000'000}};
  std::unique_ptr<RemoteWriter> writer_;
  int status_ = 200;
  int posts_ = 0;
  Received received_;
};

constexpr char kCalls[] = "__name__=traces_spanmetrics_calls_total,service=web";
constexpr char kBucket[] = "__name__=traces_spanmetrics_latency_bucket,le=0.004,service=web";

TEST_F(RemoteWriteTest, ASeriesIsSentAtEachInterval) {
  Count("web", 3);
  EXPECT_EQ(Round(10)[kCalls], "3@110000");
  Count("web", 2);
  Received second = Round(10);
  EXPECT_EQ(second[kCalls], "5@120000");
  EXPECT_EQ(second[kBucket], "5@120000");
  EXPECT_EQ(second["__name__=traces_spanmetrics_latency_bucket,le=0.002,service=web"], "0@120000");
  EXPECT_EQ(second["__name__=traces_spanmetrics_latency_count,service=web"], "5@120000");
  EXPECT_EQ(second.size(), 2u + 15 + 2);
}

TEST_F(RemoteWriteTest, ANewSeriesBeginsAtZero) {
  Count("web", 1);
  Round(10);
  Count("api", 7);
  EXPECT_EQ(Round(10)["__name__=traces_spanmetrics_calls_total,service=api"], "0@110001 7@120000");
}

TEST_F(RemoteWriteTest, ASeriesThatGoesEndsWithAStaleMarker) {
  Count("web", 1);
  Round(10);
  Round(70);
  Count("api", 1);  // whoever adds sweeps
  EXPECT_EQ(Round(10)[kCalls], "stale@190000");
  EXPECT_EQ(Round(10)[kCalls], "");
}

TEST_F(RemoteWriteTest, AnExemplarIsSentOnce) {
  Count("web", 1, 0xabc);
  EXPECT_EQ(Round(10)[kBucket], "1@110000 #0.003@90000");
  EXPECT_EQ(Round(10)[kBucket], "1@120000");
  Count("web", 1, 0xabd);
  EXPECT_EQ(Round(10)[kBucket], "2@130000 #0.003@90000");
}

TEST_F(RemoteWriteTest, WhatFailsIsTriedAgainInOrder) {
  Count("web", 1);
  status_ = 0;
  EXPECT_TRUE(Round(10).empty());
  Count("web", 1);
  status_ = 503;
  EXPECT_TRUE(Round(10).empty());
  EXPECT_EQ(writer().queued(), 2u);
  EXPECT_EQ(writer().SendOne(), 4'000'000'000);
  EXPECT_EQ(writer().SendOne(), 8'000'000'000);
  status_ = 200;
  EXPECT_EQ(Round(10)[kCalls], "1@110000 2@120000 2@130000");
  EXPECT_EQ(Dropped(), 0u);
}

TEST_F(RemoteWriteTest, WhatIsRefusedForGoodIsDropped) {
  Count("web", 1);
  status_ = 400;
  Round(10);
  EXPECT_EQ(writer().queued(), 0u);
  EXPECT_EQ(Dropped(), 19u);
  EXPECT_EQ(posts_, 1);
}

TEST_F(RemoteWriteTest, AFullQueueDropsTheOldest) {
  options_.queue_bytes_max = 2000;
  status_ = 0;
  for (int i = 0; i < 50; ++i) {
    Count("web", 1);
    Round(10);
  }
  EXPECT_LT(writer().queued(), 20u);
  EXPECT_GT(Dropped(), 0u);
  status_ = 200;
  const std::string calls = Round(10)[kCalls];
  EXPECT_TRUE(calls.ends_with("50@600000 50@610000")) << calls;
  EXPECT_FALSE(calls.starts_with("1@")) << calls;
}

TEST(RemoteWriteOptionsTest, UrlsAndHeaders) {
  EXPECT_FALSE(MakeRemoteWriteOptions("https://x/api", {}).ok());
  EXPECT_FALSE(MakeRemoteWriteOptions("x:9090", {}).ok());
  EXPECT_FALSE(MakeRemoteWriteOptions("http:///x", {}).ok());
  EXPECT_FALSE(MakeRemoteWriteOptions("http://x", {"no header"}).ok());
  const auto good = MakeRemoteWriteOptions("http://x:1/api", {"Authorization: Bearer t"});
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->headers.Get("authorization"), "Bearer t");
}

}  // namespace
}  // namespace weft::generate
