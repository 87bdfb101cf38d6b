// Every endpoint of proto/openapi.yaml through a real socket, over spans in memory.

#include "api/api_server.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/embedded_files.h"
#include "base/fair_share.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/url.h"
#include "query/exec/memory_source.h"
#include "test/api/openapi.h"
#include "test/corpus/spans_text.h"

namespace weft::api {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kSpans = R"(
resource shop { service.name="shop" region="eu" }
resource pay { service.name="pay" }

trace T1 0af7651916cd43dd8448eb211c80319c
  A shop "GET /" server 0ms..100ms id=aaaaaaaaaaaaaaaa { http.status_code=200 big=9007199254740993 f=2.5 b=true }
    B shop "charge" client 10ms..90ms id=bbbbbbbbbbbbbbbb { text="say \"hi\"" list=[1, 2] }
      C pay "POST /charge" server 20ms..80ms error "card refused" id=cccccccccccccccc { http.status_code=500 }
        event "exception" +10ms { exception.type="CardError" }
        link 0abc 00000000000000f0 { why="retry" }

trace T2 0abc at 1s
  S shop "cron" internal 0ms..1ms id=00000000000000f0 { http.status_code=200 }

trace T3 11111111111111111111111111111111 at 2s
  O pay "orphan" consumer 0ms..5ms id=0123456789abcdef parent=9999999999999999 { http.status_code=404 }
)";

// A source whose questions wait until they are let go.
class SlowSource : public block::RowSource {
 public:
  explicit SlowSource(const block::RowSource& source) : source_(source) {}

  void Hold() { Set(true); }
  void Release() { Set(false); }
  int waiting() const { return waiting_; }

  Result<std::vector<std::shared_ptr<const block::RowGroup>>> Snapshot(
      const model::TenantId& tenant, TimeRange range,
      const block::SnapshotOptions& options) const override {
    {
      const FairShare::Pause others_work;  // as for a store on another machine
      std::unique_lock lock(mutex_);
      ++waiting_;
      changed_.wait(lock, [this] { return !held_; });
      --waiting_;
    }
    return source_.Snapshot(tenant, range, options);
  }
  Result<model::SpanBatch> FindTrace(const model::TenantId& tenant,
                                     model::TraceId id) const override {
    return source_.FindTrace(tenant, id);
  }
  Result<JoinedSummary> SummarizeTrace(const model::TenantId& tenant,
                                       model::TraceId id) const override {
    return source_.SummarizeTrace(tenant, id);
  }

 private:
  void Set(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }

  const block::RowSource& source_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::atomic<int> waiting_ = 0;
  bool held_ = false;
};

// Deletes nothing, and remembers what it was asked.
class FakeDeleter : public query::exec::SpanDeleter {
 public:
  Result<DeletionPtr> Delete(const query::exec::DeletionRequest& request) override {
    asked = request;
    if (!fails.ok()) return fails;
    auto deletion = std::make_shared<block::Deletion>();
    deletion->id = "0123456789abcdef01234567";
    deletion->tenant = request.tenant;
    deletion->requested_by = request.requested_by;
    deletion->query = request.query;
    deletion->trace_id_count = request.trace_ids.size();
    deletion->range = request.range;
    deletion->span_count = 12;
    deletions.push_back(deletion);
    return DeletionPtr(deletion);
  }
  Result<query::exec::DeletionCounts> Count(const query::exec::DeletionRequest& request) override {
    asked = request;
    return query::exec::DeletionCounts{7, 2, 1, 0};
  }
  std::vector<DeletionPtr> List(const model::TenantId& tenant) const override {
    return tenant == "default" ? deletions : std::vector<DeletionPtr>();
  }
  DeletionPtr Find(const model::TenantId&, std::string_view id) const override {
    for (const auto& deletion : deletions) {
      if (deletion->id == id) return deletion;
    }
    return nullptr;
  }

  query::exec::DeletionRequest asked;
  Error fails;
  std::vector<DeletionPtr> deletions;
};

query::exec::MemorySource MakeSource() {
  corpus::SpanSet set;
  const Error error = corpus::ReadSpans(kSpans, 1, &set);
  if (!error.ok()) ADD_FAILURE() << error.message();
  std::vector<model::SpanBatch> batches;
  batches.push_back(std::move(set.spans));
  return query::exec::MemorySource::Of(std::move(batches));
}

// The server, and a client of it.
class ApiServerTest : public testing::Test {
 protected:
  ApiServerTest()
      : memory_(MakeSource()),
        source_(memory_),
        runner_(1),
        openapi_(Root() + "/proto/openapi.yaml") {
    ApiParts parts;
    parts.source = &source_;
    parts.env = &Env::Posix();
    parts.metrics = &metrics_;
    parts.runner = &runner_;
    parts.flush = [this]() -> Result<FlushReport> {
      if (flush_fails_) return Error(ErrorCode::kIo, "the disk is full");
      return FlushReport{5, 1};
    };
    parts.status = [](const model::TenantId& tenant) {
      StatusReport report;
      report.version = "1.2.3 of " + tenant;
      report.start_ns = 1'700'000'000'000'000'000;
      report.live_spans = 5;
      report.oldest_ns = corpus::SpanSet::kEpochNs;
      return report;
    };
    parts.usage = [this](const model::TenantId& tenant, TimeRange range, block::UsageBy by,
                         const query::exec::Budget&) {
      usage_range_ = range;
      std::vector<block::UsageRow> rows(2);
      rows[0] = {.tenant = tenant, .service = "web", .name = "GET /", .count = 5, .bytes = 700};
      if (by == block::UsageBy::kAttribute) {
        rows[0] = {
            .tenant = tenant, .scope = "span", .key = "http.route", .count = 5, .bytes = 700};
      }
      rows[1] = {.tenant = tenant, .key = "meta.json", .count = 2, .bytes = 300};
      rows[1].others = by == block::UsageBy::kOperation;
      return Result<std::vector<block::UsageRow>>(std::move(rows));
    };
    parts.deleter = [this] { return &deleter_; };
    parts.not_ready = [this] {
      const std::lock_guard lock(mutex_);
      return not_ready_;
    };
    ApiOptions options;
    options.threads = 1;
    options.queue_max = 2;
    options.time_ms = 2'000;
    api_ = std::make_unique<ApiServer>(std::move(parts), *StaticFiles::FromPack(EmbeddedPack()),
                                       options);
    auto router = std::make_shared<net::HttpRouter>();
    api_->AddTo(router.get());
    net::HttpServerOptions http;
    http.head_bytes_max = ApiServer::kHeadBytesMax;
    server_ = *net::HttpServer::Start("127.0.0.1:0", http, router);
    client_ = std::make_unique<net::HttpClient>(server_->bound_address());
  }
  ~ApiServerTest() override {
    source_.Release();
    server_->Stop();
    api_->Stop();
  }

  static std::string Root() {
    const char* root = std::getenv("WEFT_SOURCE_DIR");
    return root == nullptr ? "." : root;
  }

  net::HttpResponse Send(std::string_view method, const std::string& target,
                         const net::HttpHeaders& headers = {}) {
    auto response = client_->Send(method, target, {}, {}, headers);
    EXPECT_TRUE(response.ok()) << target << ": " << response.error().message();
    return response.ok() ? *response : net::HttpResponse{};
  }

  // The answer, checked against the description.
  net::HttpResponse Get(const std::string& target, const net::HttpHeaders& headers = {},
                        const char* method = "get") {
    std::string upper(method);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return static_cast<char>(c - 32); });
    net::HttpResponse response = Send(upper, target, headers);
    std::string path = target.substr(0, target.find('?'));
    if (path.starts_with("/api/v1/traces/")) path = "/api/v1/traces/{traceId}";
    if (path.starts_with("/api/v1/deletions/")) path = "/api/v1/deletions/{deletionId}";
    if (path.starts_with("/api/v1/queries/")) path = "/api/v1/queries/{queryId}";
    EXPECT_THAT(openapi_.Check({method, path}, response.status, response.content_type,
                               std::string(response.payload())),
                IsEmpty())
        << target.substr(0, 200) << "\n"
        << response.payload().substr(0, 500);
    return response;
  }

  // The answer to a request to delete, checked against the description.
  json::value Delete(const std::string& body, int status = 200,
                     std::string_view type = "application/json") {
    const auto response = client_->Post("/api/v1/deletions", body, type);
    EXPECT_EQ(response->status, status) << response->payload();
    const std::string text(response->payload());
    EXPECT_THAT(openapi_.Check({"post", "/api/v1/deletions"}, response->status,
                               response->content_type, text),
                IsEmpty());
    boost::system::error_code error;
    return json::parse(text, error);
  }
  std::string DeleteRefusal(const std::string& body, int status = 400,
                            std::string_view type = "application/json") {
    return std::string(Delete(body, status, type).at("error").at("message").as_string());
  }

  json::value GetJson(const std::string& target, int status = 200) {
    const net::HttpResponse response = Get(target);
    EXPECT_EQ(response.status, status) << target.substr(0, 200) << "\n" << response.payload();
    boost::system::error_code error;
    return json::parse(std::string(response.payload()), error);
  }

  // The refusal of a request that is wrong: its message.
  std::string Refusal(const std::string& target, int status = 400,
                      const char* code = "bad_request") {
    const json::value body = GetJson(target, status);
    EXPECT_EQ(body.at("error").at("code").as_string(), code) << target.substr(0, 200);
    return std::string(body.at("error").at("message").as_string());
  }

  static std::vector<std::string> Ids(const json::value& page) {
    std::vector<std::string> ids;
    for (const json::value& trace : page.at("traces").as_array())
      ids.emplace_back(trace.at("traceId").as_string().subview(0, 4));
    return ids;
  }

  query::exec::MemorySource memory_;
  SlowSource source_;
  MetricRegistry metrics_;
  query::exec::TaskRunner runner_;
  const OpenApi openapi_;
  std::mutex mutex_;
  std::string not_ready_;
  std::atomic<bool> flush_fails_ = false;
  FakeDeleter deleter_;
  TimeRange usage_range_;
  std::unique_ptr<ApiServer> api_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpClient> client_;
};

std::string Search(const std::string& query, const std::string& rest = "") {
  return "/api/v1/search?q=" + net::PercentEncode(query) + rest;
}

TEST_F(ApiServerTest, SearchGivesTracesNewestFirst) {
  const json::value page = GetJson(Search("{ span.http.status_code = 200 }"));
  EXPECT_THAT(Ids(page), ElementsAre("0000", "0af7"));
  EXPECT_TRUE(page.at("complete").as_bool());
  EXPECT_FALSE(page.as_object().contains("nextCursor"));
  const json::value& trace = page.at("traces").as_array()[1];
  EXPECT_EQ(trace.at("traceId").as_string(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(trace.at("rootService").as_string(), "shop");
  EXPECT_EQ(trace.at("rootName").as_string(), "GET /");
  EXPECT_EQ(trace.at("startNs").as_string(), std::to_string(corpus::SpanSet::kEpochNs));
  EXPECT_EQ(trace.at("durationNs").as_string(), "100000000");
  EXPECT_EQ(trace.at("spanCount").to_number<int>(), 3);
  EXPECT_EQ(trace.at("errorCount").to_number<int>(), 1);
  EXPECT_EQ(trace.at("matched").to_number<int>(), 1);
  EXPECT_EQ(trace.at("spans").as_array()[0].at("spanId").as_string(), "aaaaaaaaaaaaaaaa");
  EXPECT_EQ(trace.at("spans").as_array()[0].at("kind").as_string(), "server");
}

TEST_F(ApiServerTest, SearchWithoutAQueryFindsEverything) {
  EXPECT_THAT(Ids(GetJson("/api/v1/search")), ElementsAre("1111", "0000", "0af7"));
  EXPECT_THAT(Ids(GetJson("/api/v1/search?q=")), ElementsAre("1111", "0000", "0af7"));
}

TEST_F(ApiServerTest, PagesFollowOneAnotherToTheEnd) {
  std::vector<std::string> seen;
  std::string cursor;
  for (int pages = 0; pages < 5; ++pages) {
    const json::value page = GetJson(
        "/api/v1/search?limit=1" + (cursor.empty() ? "" : "&cursor=" + net::PercentEncode(cursor)));
    for (const std::string& id : Ids(page)) seen.push_back(id);
    if (!page.as_object().contains("nextCursor")) break;
    cursor = page.at("nextCursor").as_string().c_str();
  }
  EXPECT_THAT(seen, ElementsAre("1111", "0000", "0af7"));
  Refusal("/api/v1/search?cursor=nonsense");
}

TEST_F(ApiServerTest, TimesLimitWhatIsLookedAt) {
  const uint64_t second = corpus::SpanSet::kEpochNs + 1'000'000'000;
  EXPECT_THAT(Ids(GetJson("/api/v1/search?start=" + std::to_string(second))),
              ElementsAre("1111", "0000"));
  EXPECT_THAT(Ids(GetJson("/api/v1/search?end=" + std::to_string(second))), ElementsAre("0af7"));
  EXPECT_THAT(Ids(GetJson("/api/v1/search?start=2026-01-01T00:00:01Z&end=2026-01-01T00:00:02Z")),
              ElementsAre("0000"));
  EXPECT_THAT(Ids(GetJson("/api/v1/search?end=2020-01-01T00:00:00Z")), IsEmpty());
  EXPECT_THAT(Ids(GetJson("/api/v1/search?end=now-1us&start=1970-01-01T00:00:00Z")),
              testing::SizeIs(testing::AnyOf(0, 3)));
}

TEST_F(ApiServerTest, AMistakeInTheQueryIsPointedAt) {
  const json::value body = GetJson(Search("{ span.a = 1 &&\n  é nmae = 2 }"), 400);
  const json::value& error = body.at("error");
  EXPECT_EQ(error.at("line").to_number<int>(), 2);
  EXPECT_EQ(error.at("column").to_number<int>(), 3);
  EXPECT_EQ(error.at("offset").to_number<int>(), 18);
}

TEST_F(ApiServerTest, ASearchMayBeAnsweredAsTempoDoes) {
  const std::string target = Search("{ !(name = \"nope\") }");
  EXPECT_THAT(Ids(GetJson(target)), testing::Not(IsEmpty()));
  EXPECT_THAT(Ids(GetJson(target + "&compat=tempo")), IsEmpty());
  EXPECT_THAT(Refusal(target + "&compat=jaeger"), HasSubstr("expected tempo or weft"));
}

TEST_F(ApiServerTest, WrongParametersAreRefusedByName) {
  EXPECT_THAT(Refusal("/api/v1/search?limt=5"), HasSubstr("did you mean `limit`"));
  EXPECT_THAT(Refusal("/api/v1/search?limit=0"), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(Refusal("/api/v1/search?limit=1&limit=2"), HasSubstr("twice"));
  EXPECT_THAT(Refusal("/api/v1/search?spansPerTrace=101"), HasSubstr("from 0 to 100"));
  EXPECT_THAT(Refusal("/api/v1/search?start=yesterday"), HasSubstr("RFC 3339"));
  EXPECT_THAT(Refusal("/api/v1/search?start=5&end=4"), HasSubstr("`start`"));
  EXPECT_THAT(Refusal("/api/v1/services?q=x"), HasSubstr("`q`"));
  EXPECT_THAT(Refusal("/api/v1/attributes?scope=spam"),
              HasSubstr("span, resource, event, link, instrumentation"));
  EXPECT_THAT(Refusal("/api/v1/attribute-values"), HasSubstr("`key`"));
  EXPECT_THAT(Refusal("/api/v1/status?verbose=1"), HasSubstr("takes none"));
  EXPECT_THAT(Refusal("/api/v1/traces/0abc?format=xml"), HasSubstr("columns, otlp"));
}

TEST_F(ApiServerTest, EveryDescribedParameterIsKnown) {
  for (const auto& operation : openapi_.Operations()) {
    for (const std::string& name : openapi_.QueryParameters(operation)) {
      std::string path = operation.path;
      if (const size_t at = path.find("{traceId}"); at != std::string::npos)
        path.replace(at, 9, "0abc");
      const net::HttpResponse response = Send("GET", path + "?" + name + "=%01");
      EXPECT_THAT(std::string(response.payload()), testing::Not(HasSubstr("unknown")))
          << path << " " << name;
    }
  }
}

TEST_F(ApiServerTest, AnAnswerExplainsItself) {
  const auto explained = [this](const std::string& target) {
    const net::HttpResponse response = Send("GET", target + "&explain=true");
    EXPECT_EQ(response.status, 200) << response.payload();
    json::value body = json::parse(std::string(response.payload()));
    json::value explanation = body.as_object().at("explain");
    EXPECT_THAT(openapi_.CheckValue("Explanation", explanation), IsEmpty());
    return explanation;
  };
  const json::value search = explained(Search("{ name = \"GET /\" }"));
  EXPECT_THAT(std::string(search.at("plan").at(0).as_string()), HasSubstr("spans with =(name"));
  EXPECT_EQ(search.at("rowGroups").at("read").to_number<int>(), 1);
  EXPECT_GT(search.at("rows").to_number<int>(), search.at("rowsMatched").to_number<int>());
  EXPECT_GT(search.at("rowsMatched").to_number<int>(), 0);
  bool filtered = false;
  for (const json::value& stage : search.at("stages").as_array())
    filtered |= stage.at("stage").as_string() == "filter" && stage.at("ms").to_number<double>() > 0;
  EXPECT_TRUE(filtered);
  // Of rows that the time leaves out nothing is read.
  const json::value nothing = explained(Search("{ }", "&start=1&end=2"));
  EXPECT_EQ(nothing.at("rowGroups").at("read").to_number<int>(), 0);
  // The others' routes, too.
  const std::string times = "&start=1&end=4000000000&q=" + net::PercentEncode("{ } | rate()");
  const json::value rate = explained("/api/metrics/query?" + times.substr(1));
  EXPECT_THAT(std::string(rate.at("plan").at(1).as_string()), HasSubstr("rate"));
  EXPECT_EQ(Send("GET", "/api/v1/search?explain=maybe").status, 400);
  EXPECT_FALSE(GetJson(Search("{ }", "&explain=false")).as_object().contains("explain"));
}

TEST_F(ApiServerTest, HostileRequestsGetAClearNo) {
  Refusal(Search("{" + std::string(100'000, '(') + "}"), 413, "too_large");
  EXPECT_THAT(Refusal(Search("{ name = \"" + std::string(140'000, 'x') + "\" }")),
              HasSubstr("longer than 131072"));
  Refusal("/api/v1/search?q=%7B%20name%20%3D%20%22%FF%FE");
  Refusal("/api/v1/search?limit=99999999999999999999999999");
  Refusal("/api/v1/search?start=99999999999999999999999999");
  Refusal("/api/v1/traces/" + std::string(33, 'a'));
  Refusal("/api/v1/traces/..%2F..%2Fetc%2Fpasswd");
  Refusal("/api/v1/traces/%00");
  const std::string name(2'000, 'x');
  EXPECT_LT(Refusal("/api/v1/search?" + name + "=1").size(), 300u);
}

TEST_F(ApiServerTest, TenantsAreChecked) {
  net::HttpHeaders headers;
  headers.Add("x-scope-orgid", "../evil");
  EXPECT_EQ(Get("/api/v1/search", headers).status, 400);
  net::HttpHeaders good;
  good.Add("X-Scope-OrgID", "team-a");
  EXPECT_THAT(std::string(Get("/api/v1/status", good).payload()), HasSubstr("of team-a"));
  EXPECT_THAT(std::string(Get("/api/v1/status").payload()), HasSubstr("of default"));
}

TEST_F(ApiServerTest, ATraceAsColumns) {
  const json::value trace =
      GetJson("/api/v1/traces/0af7651916cd43dd8448eb211c80319c?format=columns");
  EXPECT_EQ(json::serialize(trace.at("spans").at("parent")), "[-1,0,1]");
  EXPECT_EQ(json::serialize(trace.at("spans").at("kind")), "[2,3,2]");
  EXPECT_EQ(json::serialize(trace.at("spans").at("status")), "[0,0,2]");
  EXPECT_EQ(json::serialize(trace.at("events").at("span")), "[2]");
  EXPECT_EQ(json::serialize(trace.at("links").at("traceId")),
            "[\"00000000000000000000000000000abc\"]");
  EXPECT_EQ(trace.at("resources").as_array().size(), 2u);
  EXPECT_THAT(json::serialize(trace.at("spans").at("attributes")),
              HasSubstr("\"9007199254740993\""));
}

TEST_F(ApiServerTest, ATraceAsOtlpInEitherEncoding) {
  const json::value trace = GetJson("/api/v1/traces/0AF7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(trace.at("resourceSpans").as_array().size(), 2u);
  net::HttpHeaders headers;
  headers.Add("Accept", "application/x-protobuf");
  const net::HttpResponse binary = Get("/api/v1/traces/0af7651916cd43dd8448eb211c80319c", headers);
  EXPECT_EQ(binary.content_type, "application/x-protobuf");
  EXPECT_EQ(binary.payload().substr(0, 1), "\x0a");
  EXPECT_THAT(std::string(binary.payload()), HasSubstr("card refused"));
  EXPECT_EQ(GetJson("/api/v1/traces/abc").at("resourceSpans").as_array().size(),
            1u);  // ids are left-padded
}

TEST_F(ApiServerTest, ATraceThatIsNotThere) {
  EXPECT_THAT(Refusal("/api/v1/traces/dead", 404, "not_found"), HasSubstr("0000dead"));
}

TEST_F(ApiServerTest, ServicesAndTheirOperations) {
  const json::value services = GetJson("/api/v1/services");
  EXPECT_EQ(
      json::serialize(services),
      R"({"services":[{"name":"pay","spanCount":2,"errorCount":1},{"name":"shop","spanCount":3,"errorCount":0}]})");
  const json::value operations = GetJson("/api/v1/operations?service=pay");
  ASSERT_EQ(operations.at("operations").as_array().size(), 2u);
  EXPECT_EQ(json::serialize(operations.at("operations").as_array()[0]),
            R"({"name":"POST /charge","kind":"server","spanCount":1,"errorCount":1})");
  EXPECT_EQ(GetJson("/api/v1/operations").at("operations").as_array().size(), 5u);
  EXPECT_EQ(GetJson("/api/v1/operations?service=nobody").at("operations").as_array().size(), 0u);
  EXPECT_EQ(GetJson("/api/v1/services?end=2020-01-01T00:00:00Z").at("services").as_array().size(),
            0u);
}

TEST_F(ApiServerTest, SeriesOfOperationsAndServices) {
  const json::value by_service = GetJson("/api/v1/operation-series?by=service&stepMinutes=1440");
  ASSERT_EQ(by_service.at("series").as_array().size(), 2u);
  const json::value& shop = by_service.at("series").as_array()[0];
  EXPECT_EQ(shop.at("service").as_string(), "shop");
  EXPECT_EQ(shop.at("spanCount").to_number<int>(), 3);
  EXPECT_EQ(shop.as_object().if_contains("name"), nullptr);
  const json::value pay = GetJson("/api/v1/operation-series?service=pay&buckets=true");
  ASSERT_EQ(pay.at("series").as_array().size(), 2u);
  int errors = 0;
  for (const json::value& series : pay.at("series").as_array()) {
    errors += series.at("errorCount").to_number<int>();
    const json::value& point = series.at("points").as_array()[0];
    EXPECT_EQ(point.at("buckets").as_array().size(), 1u);
    const json::value& bucket = point.at("buckets").as_array()[0];
    EXPECT_LE(std::stoull(std::string(bucket.at("fromNs").as_string())),
              std::stoull(std::string(point.at("p99Ns").as_string())));
  }
  EXPECT_EQ(errors, 1);
  EXPECT_TRUE(pay.at("complete").as_bool());
  EXPECT_FALSE(GetJson("/api/v1/operation-series?limit=1").at("complete").as_bool());
  EXPECT_EQ(
      GetJson("/api/v1/operation-series?end=2020-01-01T00:00:00Z").at("series").as_array().size(),
      0u);
  EXPECT_THAT(Refusal("/api/v1/operation-series?by=tenant"), HasSubstr("operation, service"));
  EXPECT_THAT(Refusal("/api/v1/operation-series?stepMinutes=0"), HasSubstr("from 1 to 10080"));
}

TEST_F(ApiServerTest, TheServiceGraph) {
  const json::value graph = GetJson("/api/v1/service-graph");
  std::set<std::string> nodes, edges;
  for (const json::value& node : graph.at("nodes").as_array()) {
    nodes.insert(std::string(node.at("kind").as_string()) + " " +
                 std::string(node.at("name").as_string()));
  }
  EXPECT_EQ(nodes, (std::set<std::string>{"service pay", "service shop", "user user",
                                          "missing (missing)"}));
  for (const json::value& edge : graph.at("edges").as_array()) {
    edges.insert(std::string(edge.at("client").at("name").as_string()) + " " +
                 std::string(edge.at("server").at("name").as_string()));
    if (edge.at("client").at("name").as_string() != "shop") continue;
    EXPECT_EQ(edge.at("requests").to_number<int>(), 1);
    EXPECT_EQ(edge.at("errors").to_number<int>(), 1);
    EXPECT_EQ(edge.at("exampleTraceId").as_string(), "0af7651916cd43dd8448eb211c80319c");
    // 80 ms and 60 ms, within 3.2 %.
    const auto near = [&](const char* side, double expected_ms) {
      const double ns = std::stod(std::string(edge.at(side).at("p95Ns").as_string()));
      EXPECT_NEAR(ns / 1e6, expected_ms, expected_ms * 0.032) << side;
    };
    near("clientDurations", 80);
    near("serverDurations", 60);
  }
  EXPECT_EQ(edges, (std::set<std::string>{"user shop", "shop pay", "(missing) pay"}));
  EXPECT_TRUE(graph.at("complete").as_bool());
  const json::value some = GetJson("/api/v1/service-graph?q=%7B%20name%3D%22charge%22%20%7D");
  EXPECT_EQ(some.at("edges").as_array().size(), 1u);
  EXPECT_EQ(GetJson("/api/v1/service-graph?end=2020-01-01T00:00:00Z").at("nodes").as_array().size(),
            0u);
  EXPECT_THAT(Refusal("/api/v1/service-graph?q=%7B%20nme%3D1%20%7D"), HasSubstr("did you mean"));
  EXPECT_THAT(Refusal("/api/v1/service-graph?Q=1"), HasSubstr("q"));
}

TEST_F(ApiServerTest, CriticalPathsAndWhatIfs) {
  const json::value paths = GetJson("/api/v1/critical-path?end=2026-01-01T00:00:01Z");
  EXPECT_EQ(paths.at("traces").to_number<int>(), 1);
  EXPECT_EQ(paths.at("totalNs").as_string(), "100000000");
  ASSERT_EQ(paths.at("groups").as_array().size(), 3u);
  EXPECT_EQ(json::serialize(paths.at("groups").as_array()[0]),
            R"({"labels":[{"name":"resource.service.name","type":"string","value":"pay"},)"
            R"({"name":"name","type":"string","value":"POST /charge"}],)"
            R"("ownNs":"60000000","spans":1,"traces":1})");
  const std::string ask = "/api/v1/critical-path?end=2026-01-01T00:00:01Z&q=";
  const json::value some =
      GetJson(ask + net::PercentEncode("{} | critical_path() | by(kind)") + "&limit=1");
  EXPECT_EQ(some.at("groups").as_array().size(), 1u);
  EXPECT_EQ(some.at("groupCount").to_number<int>(), 2);
  const json::value what_if =
      GetJson(ask + net::PercentEncode("{} | what_if(service=\"pay\", factor=0.5)"));
  EXPECT_EQ(what_if.at("whatIf").at("before").at("p50Ns").as_string(), "100000000");
  EXPECT_EQ(what_if.at("whatIf").at("after").at("p99Ns").as_string(), "70000000");
  EXPECT_EQ(what_if.at("whatIf").at("changedSpans").to_number<int>(), 1);
  EXPECT_THAT(Refusal(ask + net::PercentEncode("{}")), HasSubstr("critical_path()"));
  EXPECT_THAT(Refusal("/api/v1/critical-path?limit=0"), HasSubstr("from 1 to 10000"));
}

TEST_F(ApiServerTest, WhatIsDifferentAboutSomeSpans) {
  const std::string ask = "/api/v1/comparison?end=2026-01-01T00:00:01Z&q=";
  const json::value answer =
      GetJson(ask + net::PercentEncode("{} | compare({ resource.service.name = \"pay\" })"));
  EXPECT_GT(answer.at("baseline").to_number<int>(), 0);
  EXPECT_EQ(answer.at("selection").to_number<int>(), 1);
  const json::value& first = answer.at("fields").as_array()[0];
  EXPECT_GT(first.at("effect").to_number<double>(), 0);
  bool found = false;
  for (const json::value& field : answer.at("fields").as_array()) {
    if (field.at("field").as_string() != "resource.service.name") continue;
    found = true;
    EXPECT_EQ(field.at("values").as_array()[0].at("value").at("value").as_string(), "pay");
    EXPECT_EQ(field.at("values").as_array()[0].at("selection").to_number<int>(), 1);
    EXPECT_EQ(field.at("values").as_array()[0].at("baseline").to_number<int>(), 0);
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(GetJson("/api/v1/comparison?limit=1").at("fields").as_array().size(), 1u);
  EXPECT_THAT(Refusal(ask + net::PercentEncode("{} | rate()")), HasSubstr("compare({ ... })"));
  EXPECT_THAT(Refusal("/api/v1/comparison?limit=0"), HasSubstr("from 1 to 1000"));
}

TEST_F(ApiServerTest, BrokenPropagation) {
  const json::value report = GetJson("/api/v1/propagation");
  ASSERT_EQ(report.at("findings").as_array().size(), 1u);
  const json::value& finding = report.at("findings").as_array()[0];
  EXPECT_EQ(finding.at("kind").as_string(), "root_missing");
  EXPECT_EQ(finding.at("server").as_string(), "pay");
  EXPECT_EQ(finding.at("serverTraceId").as_string(), "11111111111111111111111111111111");
  EXPECT_EQ(report.at("calls").to_number<int>(), 1);
  EXPECT_EQ(GetJson("/api/v1/propagation?service=pay").at("findings").as_array().size(), 1u);
  EXPECT_EQ(GetJson("/api/v1/propagation?service=shop").at("findings").as_array().size(), 0u);
  EXPECT_THAT(Refusal("/api/v1/propagation?q=1"), HasSubstr("q"));
}

TEST_F(ApiServerTest, AttributesAndTheirValues) {
  const auto keys = [this](const std::string& target) {
    std::vector<std::string> out;
    const json::value body = GetJson(target);
    for (const json::value& a : body.at("attributes").as_array()) {
      out.push_back(std::string(a.at("scope").as_string()) + "." +
                    std::string(a.at("key").as_string()));
    }
    return out;
  };
  EXPECT_THAT(keys("/api/v1/attributes?scope=resource"),
              ElementsAre("resource.region", "resource.service.name"));
  EXPECT_THAT(keys("/api/v1/attributes?prefix=http"), ElementsAre("span.http.status_code"));
  EXPECT_THAT(keys("/api/v1/attributes?scope=event"), ElementsAre("event.exception.type"));
  const json::value values = GetJson("/api/v1/attribute-values?key=span.http.status_code");
  EXPECT_EQ(json::serialize(values.at("values").as_array()[0]),
            R"({"type":"int","value":"200","count":2})");
  EXPECT_EQ(values.at("values").as_array().size(), 3u);
  EXPECT_TRUE(values.at("complete").as_bool());
  EXPECT_FALSE(GetJson("/api/v1/attribute-values?key=span.http.status_code&limit=1")
                   .at("complete")
                   .as_bool());
  EXPECT_EQ(GetJson("/api/v1/attribute-values?key=resource.service.name&prefix=SH")
                .at("values")
                .as_array()
                .size(),
            1u);
  EXPECT_EQ(GetJson("/api/v1/attribute-values?key=status").at("values").as_array().size(), 2u);
  EXPECT_EQ(GetJson("/api/v1/attribute-values?key=.nothing").at("values").as_array().size(), 0u);
  Refusal("/api/v1/attribute-values?key=%7B");
}

TEST_F(ApiServerTest, Status) {
  const json::value status = GetJson("/api/v1/status");
  EXPECT_EQ(status.at("startNs").as_string(), "1700000000000000000");
  EXPECT_EQ(status.at("liveSpans").to_number<int>(), 5);
  EXPECT_FALSE(status.as_object().contains("newestNs"));
}

TEST_F(ApiServerTest, FlushAnswersWhenItIsDone) {
  const net::HttpResponse done = Get("/flush", {}, "post");
  EXPECT_EQ(done.payload(), R"({"spans":5,"blocks":1})");
  flush_fails_ = true;
  const net::HttpResponse failed = Send("POST", "/flush");
  EXPECT_EQ(failed.status, 500);
  EXPECT_THAT(std::string(failed.payload()), HasSubstr("\"internal\""));
  const net::HttpResponse get = Send("GET", "/flush");
  EXPECT_EQ(get.status, 405);
  EXPECT_THAT(std::string(get.headers.Get("Allow")), HasSubstr("POST"));
}

TEST_F(ApiServerTest, Usage) {
  EXPECT_EQ(Get("/api/v1/usage").payload(),
            R"({"usage":[{"tenant":"default","service":"web","spans":5,"bytes":700},)"
            R"({"tenant":"default","service":"","spans":2,"bytes":300}],"bytes":1000})");
  EXPECT_EQ(
      Get("/api/v1/usage?by=operation").payload(),
      R"({"usage":[{"tenant":"default","service":"web","name":"GET /","spans":5,"bytes":700},)"
      R"({"tenant":"default","others":true,"spans":2,"bytes":300}],"bytes":1000})");
  EXPECT_EQ(
      Get("/api/v1/usage?by=attribute&start=5&end=7").payload(),
      R"({"usage":[{"tenant":"default","scope":"span","key":"http.route","values":5,"bytes":700},)"
      R"({"tenant":"default","column":"meta.json","values":2,"bytes":300}],"bytes":1000})");
  EXPECT_EQ(usage_range_.start_ns, 5u);
  EXPECT_EQ(usage_range_.end_ns, 7u);
  GetJson("/api/v1/usage?by=tenant");
  EXPECT_THAT(Refusal("/api/v1/usage?by=span"), HasSubstr("tenant, service, operation, attribute"));
}

TEST_F(ApiServerTest, DeletingByQuery) {
  const json::value report = Delete(
      R"({"query":"{ .user = \"ann\" /* ann! */ && .n > 17 && duration > 1s }", "start":"5",
          "end":"10", "requestedBy":"ticket 17"})",
      200, "application/json; charset=utf-8");
  EXPECT_EQ(report.at("state").as_string(), "pending");
  EXPECT_EQ(report.at("query").as_string(), "{ .user = ? && .n > ? && duration > 1s }");
  EXPECT_EQ(report.at("requestedBy").as_string(), "ticket 17");
  EXPECT_EQ(report.at("spanCount").as_int64(), 12);
  EXPECT_TRUE(deleter_.asked.predicate.has_value());
  EXPECT_EQ(deleter_.asked.range.start_ns, 5u);
  EXPECT_EQ(deleter_.asked.range.end_ns, 10u);
  EXPECT_EQ(deleter_.asked.tenant, "default");
  EXPECT_NE(deleter_.asked.cancelled, nullptr);

  const json::value list = GetJson("/api/v1/deletions");
  EXPECT_EQ(list.at("deletions").as_array().size(), 1u);
  EXPECT_EQ(list.at("deletions").at(0), report);
  EXPECT_EQ(GetJson("/api/v1/deletions/0123456789abcdef01234567"), report);
  Refusal("/api/v1/deletions/0123", 404, "not_found");
  net::HttpHeaders other;
  other.Add("X-Scope-OrgID", "other");
  EXPECT_EQ(Get("/api/v1/deletions", other).payload(), R"({"deletions":[]})");
}

TEST_F(ApiServerTest, DeletingTracesAndDryRuns) {
  const json::value report = Delete(R"({"traceIds":["0af7651916cd43dd8448eb211c80319c","abc"]})");
  EXPECT_EQ(report.at("traceIdCount").as_int64(), 2);
  EXPECT_FALSE(report.as_object().contains("query"));
  ASSERT_EQ(deleter_.asked.trace_ids.size(), 2u);
  EXPECT_EQ(deleter_.asked.trace_ids[1].low, 0xabcu);
  const json::value dry = Delete(R"({"query":"{}","dryRun":true})");
  EXPECT_EQ(dry.at("state").as_string(), "dry_run");
  EXPECT_EQ(dry.at("spanCount").as_int64(), 7);
  EXPECT_EQ(deleter_.deletions.size(), 1u);
  deleter_.fails = Error(ErrorCode::kUnavailable, "another deletion is being worked on", 2000);
  EXPECT_THAT(DeleteRefusal(R"({"query":"{}"})", 503), HasSubstr("another deletion"));
}

TEST_F(ApiServerTest, WrongDeletionsAreRefused) {
  // What a web page may send without asking.
  EXPECT_THAT(DeleteRefusal(R"({"query":"{}"})", 400, "text/plain"), HasSubstr("application/json"));
  EXPECT_THAT(DeleteRefusal("query=%7B%7D", 400, "application/x-www-form-urlencoded"),
              HasSubstr("application/json"));
  EXPECT_THAT(DeleteRefusal("{"), HasSubstr("not a JSON object"));
  EXPECT_THAT(DeleteRefusal("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(DeleteRefusal("{}"), HasSubstr("either `query`"));
  EXPECT_THAT(DeleteRefusal(R"({"query":"{}","traceIds":["a"]})"), HasSubstr("either `query`"));
  EXPECT_THAT(DeleteRefusal(R"({"traceIds":[]})"), HasSubstr("empty"));
  EXPECT_THAT(DeleteRefusal(R"({"traceIds":["x"]})"), HasSubstr("hex digits"));
  EXPECT_THAT(DeleteRefusal(R"({"traceIds":["a"],"start":"5"})"), HasSubstr("goes with `query`"));
  EXPECT_THAT(DeleteRefusal(R"({"query":"{}","start":"5","end":"4"})"), HasSubstr("after `end`"));
  EXPECT_THAT(DeleteRefusal(R"({"query":"{}","end":"tomorrow"})"), HasSubstr("`end`"));
  EXPECT_THAT(DeleteRefusal(R"({"query":5})"), HasSubstr("not a string"));
  EXPECT_THAT(DeleteRefusal(R"({"query":"{}","dryrun":true})"), HasSubstr("unknown"));
  EXPECT_THAT(DeleteRefusal(R"({"query":"{}","requestedBy":")" + std::string(201, 'x') + "\"}"),
              HasSubstr("200 bytes"));
  const json::value wrong = Delete(R"({"query":"{ durration > 1s }"})", 400);
  EXPECT_EQ(wrong.at("error").at("column").as_int64(), 3);
  EXPECT_TRUE(deleter_.deletions.empty());
}

TEST_F(ApiServerTest, NotReadyIsSaidEverywhere) {
  EXPECT_EQ(Get("/ready").payload(), "ready\n");
  {
    const std::lock_guard lock(mutex_);
    not_ready_ = "replaying the WAL, 40 % done";
  }
  EXPECT_EQ(Get("/ready").status, 503);
  EXPECT_THAT(std::string(Get("/ready").payload()), HasSubstr("40 %"));
  EXPECT_THAT(Refusal("/api/v1/search", 503, "unavailable"), HasSubstr("40 %"));
  EXPECT_EQ(Send("GET", "/metrics").status, 200);
}

TEST_F(ApiServerTest, MetricsCountRequests) {
  GetJson("/api/v1/search");
  Refusal("/api/v1/search?limit=0");
  const net::HttpResponse metrics = Send("GET", "/metrics");
  EXPECT_EQ(metrics.content_type, "text/plain; version=0.0.4; charset=utf-8");
  const std::string text(metrics.payload());
  EXPECT_THAT(text,
              HasSubstr("weft_api_requests_total{endpoint=\"/api/v1/search\",status=\"200\"} 1"));
  EXPECT_THAT(text,
              HasSubstr("weft_api_requests_total{endpoint=\"/api/v1/search\",status=\"400\"} 1"));
}

TEST_F(ApiServerTest, HeadIsGetWithoutABody) {
  const net::HttpResponse get = Get("/api/v1/services");
  const net::HttpResponse head = Send("HEAD", "/api/v1/services");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.payload(), "");
  EXPECT_EQ(head.headers.Get("Content-Length"), std::to_string(get.payload().size()));
}

TEST_F(ApiServerTest, AnswersAreCompressedWhenAskedFor) {
  net::HttpHeaders headers;
  headers.Add("Accept-Encoding", "gzip");
  const net::HttpResponse zipped =
      Get("/api/v1/traces/0af7651916cd43dd8448eb211c80319c?format=columns", headers);
  EXPECT_EQ(zipped.status, 200);
  EXPECT_EQ(zipped.payload(),
            Get("/api/v1/traces/0af7651916cd43dd8448eb211c80319c?format=columns").payload());
  EXPECT_EQ(zipped.headers.Get("Cache-Control"), "no-store");
  EXPECT_EQ(zipped.headers.Get("X-Content-Type-Options"), "nosniff");
}

TEST_F(ApiServerTest, UnknownPathsAreErrorsForProgramsAndTheUiForBrowsers) {
  const net::HttpResponse unknown = Send("GET", "/api/v1/serch");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(openapi_.CheckValue("Error", json::parse(std::string(unknown.payload()))), IsEmpty());
  net::HttpHeaders browser;
  browser.Add("Accept", "text/html");
  EXPECT_THAT(Send("GET", "/trace/abc", browser).content_type, HasSubstr("text/html"));
  EXPECT_EQ(Send("GET", "/trace/abc").status, 404);
  EXPECT_THAT(std::string(Send("GET", "/api/v1/openapi.yaml").payload()),
              HasSubstr("openapi: 3.1.0"));
}

TEST_F(ApiServerTest, TooManyWaitingRequestsAreSentAway) {
  source_.Hold();
  const auto ask = [this] {
    return net::HttpClient(server_->bound_address()).Get("/api/v1/search")->status;
  };
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 3; ++i) {  // one runs, two wait
    threads.emplace_back([&] { good += ask() == 200 ? 1 : 0; });
    while (metrics_.RenderPrometheus().find("weft_api_queued_requests " + std::to_string(i)) ==
               std::string::npos ||
           source_.waiting() == 0) {
      std::this_thread::yield();
    }
  }
  const net::HttpResponse refused = Get("/api/v1/search");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.Get("Retry-After"), "1");
  EXPECT_EQ(Send("GET", "/metrics").status, 200);  // not behind the queue
  source_.Release();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 3);
}

TEST_F(ApiServerTest, WorkForAClientThatWentAwayIsStopped) {
  source_.Hold();
  net::HttpClientOptions impatient;
  impatient.request_timeout_ms = 100;
  EXPECT_FALSE(net::HttpClient(server_->bound_address(), impatient).Get("/api/v1/search").ok());
  std::this_thread::sleep_for(
      std::chrono::milliseconds(300));  // the server sees the end of the connection
  source_.Release();
  const std::string counted =
      "weft_api_requests_total{endpoint=\"/api/v1/search\",status=\"499\"} 1";
  for (int i = 0; i < 500 && metrics_.RenderPrometheus().find(counted) == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_THAT(metrics_.RenderPrometheus(), HasSubstr(counted));
}

TEST_F(ApiServerTest, AQueryCanBeCancelled) {
  source_.Hold();
  const auto ask = [this](const char* id) {
    net::HttpHeaders headers;
    headers.Add("X-Weft-Query-Id", id);
    const auto answer = net::HttpClient(server_->bound_address())
                            .Send("GET", "/api/v1/search?q=%7B%7D", {}, {}, headers);
    EXPECT_EQ(answer->status, 499);
    EXPECT_THAT(std::string(answer->payload()), HasSubstr("cancelled"));
    return std::string(answer->headers.Get("X-Weft-Query-Id"));
  };
  std::string running_id;
  std::thread running([&] { running_id = ask("mine-1"); });
  while (source_.waiting() == 0) std::this_thread::yield();
  std::thread waiting([&] { (void)ask("mine-2"); });
  json::array listed;
  while (listed.size() < 2) listed = GetJson("/api/v1/queries").at("queries").as_array();
  EXPECT_EQ(listed[0].at("id").as_string(), "mine-1");
  EXPECT_EQ(listed[0].at("query").as_string(), "{}");
  EXPECT_FALSE(listed[0].at("waiting").as_bool());
  EXPECT_TRUE(listed[1].at("waiting").as_bool());

  net::HttpHeaders stranger;
  stranger.Add("X-Scope-OrgID", "stranger");
  EXPECT_EQ(Get("/api/v1/queries/mine-1", stranger, "delete").status, 404);
  for (const char* id : {"mine-1", "mine-2"}) {
    EXPECT_EQ(Get("/api/v1/queries/" + std::string(id), {}, "delete").status, 200);
  }
  EXPECT_EQ(Get("/api/v1/queries/nothing", {}, "delete").status, 404);
  source_.Release();
  running.join();
  waiting.join();
  EXPECT_EQ(running_id, "mine-1");
  while (!listed.empty()) listed = GetJson("/api/v1/queries").at("queries").as_array();
  net::HttpHeaders wrong;
  wrong.Add("X-Weft-Query-Id", "no spaces");
  EXPECT_EQ(Send("GET", "/api/v1/search", wrong).status, 400);
}

TEST_F(ApiServerTest, ATenantDoesNotWaitForAnother) {
  source_.Hold();
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i) {
    others.emplace_back(
        [this] { (void)net::HttpClient(server_->bound_address()).Get("/api/v1/search").ok(); });
  }
  while (source_.waiting() == 0) std::this_thread::yield();
  net::HttpHeaders headers;
  headers.Add("X-Scope-OrgID", "other");
  EXPECT_EQ(Send("GET", "/api/v1/status", headers).status, 200);  // reads no spans
  source_.Release();
  for (std::thread& other : others) other.join();
}

TEST_F(ApiServerTest, ARequestThatWaitedTooLongIsNotBegun) {
  source_.Hold();
  std::thread first(
      [this] { (void)net::HttpClient(server_->bound_address()).Get("/api/v1/search").ok(); });
  while (source_.waiting() == 0) std::this_thread::yield();
  std::thread second([this] {
    const auto late = net::HttpClient(server_->bound_address()).Get("/api/v1/services");
    EXPECT_EQ(late->status, 503);
    EXPECT_THAT(std::string(late->payload()), HasSubstr("waited longer"));
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(2'300));  // over the budget of 2 s
  source_.Release();
  first.join();
  second.join();
}

}  // namespace
}  // namespace weft::api
