#include "net/http_client.h"

#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "net/address.h"
#include "net/compression.h"

namespace weft::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

std::string_view StripScheme(std::string_view address) {
  if (address.starts_with("http://")) address.remove_prefix(7);
  while (address.ends_with('/')) address.remove_suffix(1);
  return address;
}

}  // namespace

// Every call is asynchronous with a deadline, and the caller runs the loop until it is done.
class HttpClient::Impl {
 public:
  Impl(const std::string& address, HttpClientOptions options)
      : address_(StripScheme(address)), options_(options), stream_(io_) {}

  Result<HttpResponse> Send(std::string_view method, std::string_view target, std::string_view body,
                            std::string_view content_type, const HttpHeaders& headers);

 private:
  using Parser = http::response_parser<http::string_body>;

  Error Connect();
  Error Exchange(const std::string& head, std::string_view body, Parser* parser);
  Error Wait(const char* doing);
  Result<HttpResponse> Convert(Parser* parser);
  std::string RequestHead(std::string_view method, std::string_view target, size_t body_bytes,
                          std::string_view content_type, const HttpHeaders& headers) const;

  const std::string address_;
  const HttpClientOptions options_;
  asio::io_context io_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  bool connected_ = false;
  bool answer_begun_ = false;
  beast::error_code result_;
};

Error HttpClient::Impl::Wait(const char* doing) {
  io_.restart();
  io_.run();
  if (!result_) return Error::Ok();
  connected_ = false;
  stream_.close();
  if (result_ == beast::error::timeout) {
    return Error(ErrorCode::kCancelled, std::string(doing) + " " + address_ + " took too long");
  }
  if (result_ == http::error::body_limit) {
    return Error(ErrorCode::kTooLarge,
                 "the answer exceeds " + std::to_string(options_.response_bytes_max) + " bytes");
  }
  return Error(ErrorCode::kUnavailable,
               std::string(doing) + " " + address_ + ": " + result_.message());
}

Error HttpClient::Impl::Connect() {
  WEFT_ASSIGN_OR_RETURN(const HostPort to, ParseHostPort(address_));
  buffer_.clear();
  beast::error_code error;
  tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(to.host.empty() ? "127.0.0.1" : to.host, std::to_string(to.port), error);
  if (error)
    return Error(ErrorCode::kUnavailable, "cannot find " + address_ + ": " + error.message());
  stream_.expires_after(std::chrono::milliseconds(options_.connect_timeout_ms));
  stream_.async_connect(found,
                        [this](beast::error_code ec, const tcp::endpoint&) { result_ = ec; });
  WEFT_RETURN_IF_ERROR(Wait("connecting to"));
  stream_.socket().set_option(tcp::no_delay(true), error);
  connected_ = true;
  return Error::Ok();
}

Error HttpClient::Impl::Exchange(const std::string& head, std::string_view body, Parser* parser) {
  answer_begun_ = false;
  stream_.expires_after(std::chrono::milliseconds(options_.request_timeout_ms));
  const std::array<asio::const_buffer, 2> pieces = {asio::buffer(head),
                                                    asio::buffer(body.data(), body.size())};
  // Read while writing: a server may refuse before it has read the body, and then close.
  bool written = false;
  asio::async_write(stream_, pieces, [&written](beast::error_code ec, size_t) { written = !ec; });
  http::async_read(stream_, buffer_, *parser, [&](beast::error_code ec, size_t bytes) {
    answer_begun_ = bytes > 0;
    result_ = ec;
    if (!written) stream_.cancel();
  });
  Error error = Wait("talking to");
  if (error.ok() && !written) connected_ = false;
  return error;
}

std::string HttpClient::Impl::RequestHead(std::string_view method, std::string_view target,
                                          size_t body_bytes, std::string_view content_type,
                                          const HttpHeaders& headers) const {
  std::string head;
  head.append(method)
      .append(" ")
      .append(target)
      .append(" HTTP/1.1\r\nHost: ")
      .append(address_)
      .append("\r\n");
  if (options_.accept_gzip && !headers.Has("Accept-Encoding")) head += "Accept-Encoding: gzip\r\n";
  if (!content_type.empty()) head.append("Content-Type: ").append(content_type).append("\r\n");
  const bool may_have_body = body_bytes > 0 || method == "POST" || method == "PUT";
  if (may_have_body)
    head.append("Content-Length: ").append(std::to_string(body_bytes)).append("\r\n");
  for (const auto& [name, value] : headers.fields())
    head.append(name).append(": ").append(value).append("\r\n");
  head += "\r\n";
  return head;
}

Result<HttpResponse> HttpClient::Impl::Convert(Parser* parser) {
  auto message = parser->release();
  HttpResponse response;
  response.status = message.result_int();
  for (const auto& field : message) {
    response.headers.Add({field.name_string().data(), field.name_string().size()},
                         {field.value().data(), field.value().size()});
  }
  response.content_type = response.headers.Get("Content-Type");
  response.body = std::move(message.body());
  if (EqualsIgnoringCase(response.headers.Get("Content-Encoding"), "gzip")) {
    WEFT_ASSIGN_OR_RETURN(response.body, Decompress(ContentCoding::kGzip, response.body,
                                                    options_.response_bytes_max));
    response.headers.Remove("Content-Encoding");
  }
  return response;
}

Result<HttpResponse> HttpClient::Impl::Send(std::string_view method, std::string_view target,
                                            std::string_view body, std::string_view content_type,
                                            const HttpHeaders& headers) {
  const std::string head = RequestHead(method, target, body.size(), content_type, headers);
  for (bool reused = connected_;; reused = false) {
    if (!connected_) WEFT_RETURN_IF_ERROR(Connect());
    Parser parser;
    parser.body_limit(options_.response_bytes_max);
    parser.skip(method == "HEAD");
    Error error = Exchange(head, body, &parser);
    // A kept connection that the server has closed in the meantime says nothing about this request.
    if (!error.ok() && reused && !answer_begun_ && error.code() == ErrorCode::kUnavailable)
      continue;
    if (!error.ok()) return error;
    if (!parser.keep_alive()) connected_ = false;
    if (!connected_) stream_.close();
    return Convert(&parser);
  }
}

HttpClient::HttpClient(const std::string& address, HttpClientOptions options)
    : impl_(std::make_unique<Impl>(address, options)) {}
HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::Send(std::string_view method, std::string_view target,
                                      std::string_view body, std::string_view content_type,
                                      const HttpHeaders& headers) {
  return impl_->Send(method, target, body, content_type, headers);
}

}  // namespace weft::net
