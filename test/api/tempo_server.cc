#include "test/api/tempo_server.h"

#include <fstream>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

#include "api/embedded_files.h"
#include "net/http_router.h"

namespace weft::api {

corpus::SpanSet ThreeTraces() {
  std::ifstream file("test/corpus/data/three_traces.spans");
  std::stringstream text;
  text << file.rdbuf();
  corpus::SpanSet set;
  const Error error = corpus::ReadSpans(text.str(), 1, &set);
  EXPECT_TRUE(error.ok()) << error.message();
  EXPECT_EQ(set.spans.size(), 7u);
  return set;
}

Result<std::vector<std::shared_ptr<const block::RowGroup>>> TenantSource::Snapshot(
    const model::TenantId& tenant, TimeRange range, const block::SnapshotOptions& options) const {
  const auto at = tenants.find(tenant);
  if (at == tenants.end()) return std::vector<std::shared_ptr<const block::RowGroup>>();
  return at->second->Snapshot(tenant, range, options);
}

Result<model::SpanBatch> TenantSource::FindTrace(const model::TenantId& tenant,
                                                 model::TraceId id) const {
  const auto at = tenants.find(tenant);
  if (at == tenants.end()) return model::SpanBatch();
  return at->second->FindTrace(tenant, id);
}

Result<block::RowSource::JoinedSummary> TenantSource::SummarizeTrace(const model::TenantId& tenant,
                                                                     model::TraceId id) const {
  const auto at = tenants.find(tenant);
  if (at == tenants.end()) return JoinedSummary();
  return at->second->SummarizeTrace(tenant, id);
}

TempoServer::TempoServer(std::shared_ptr<const block::RowSource> source,
                         const tempo::TempoOptions& tempo) {
  sources.tenants["default"] = std::move(source);
  ApiParts parts;
  parts.source = &sources;
  parts.env = &Env::Posix();
  parts.metrics = &metrics_;
  parts.runner = &runner_;
  parts.version = "1.2.3";
  parts.config_text = "data: \"x\"  # flag\n";
  parts.not_ready = [this] { return not_ready; };
  ApiOptions options;
  options.threads = 1;
  options.tempo = tempo;
  api_ = std::make_unique<ApiServer>(std::move(parts), *StaticFiles::FromPack(EmbeddedPack()),
                                     options);
  auto router = std::make_shared<net::HttpRouter>();
  api_->AddTo(router.get());
  net::HttpServerOptions http;
  http.head_bytes_max = ApiServer::kHeadBytesMax;
  server_ = *net::HttpServer::Start("127.0.0.1:0", http, router);
  address_ = server_->bound_address();
  client_ = std::make_unique<net::HttpClient>(address_);
}

TempoServer::~TempoServer() {
  server_->Stop();
  api_->Stop();
}

net::HttpResponse TempoServer::Get(const std::string& target, const net::HttpHeaders& headers) {
  auto response = client_->Send("GET", target, {}, {}, headers);
  EXPECT_TRUE(response.ok()) << target << ": " << response.error().message();
  return response.ok() ? *response : net::HttpResponse{};
}

net::HttpResponse TempoServer::GetAs(const std::string& target, std::string_view accept) {
  net::HttpHeaders headers;
  headers.Add("Accept", accept);
  return Get(target, headers);
}

boost::json::value TempoServer::GetJson(const std::string& target) {
  const net::HttpResponse response = Get(target);
  EXPECT_EQ(response.status, 200) << target.substr(0, 300) << "\n" << response.payload();
  EXPECT_EQ(response.content_type, "application/json") << target;
  boost::system::error_code error;
  auto value = boost::json::parse(std::string(response.payload()), error);
  EXPECT_FALSE(error) << response.payload();
  return value;
}

std::string TempoServer::Refusal(const std::string& target, int status,
                                 const net::HttpHeaders& headers) {
  const net::HttpResponse response = Get(target, headers);
  EXPECT_EQ(response.status, status) << target.substr(0, 300) << "\n" << response.payload();
  EXPECT_TRUE(response.content_type.starts_with("text/plain")) << response.content_type;
  return std::string(response.payload());
}

}  // namespace weft::api
