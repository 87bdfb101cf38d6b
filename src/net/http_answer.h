// How a response goes on the wire: its head as bytes, and whether its body is compressed.
#pragma once

#include <string>
#include <string_view>

#include "net/http_message.h"

namespace weft::net {

// What the request said that shapes the answer.
struct HttpAnswerTraits {
  bool is_head = false;  // no body is sent, its length is told
  bool is_http10 = false;
  bool keep_alive = false;
  bool accepts_gzip = false;
};

// Replaces the body by its gzip form where the traits, the type and the size (`gzip_bytes_min`)
// make it worthwhile. Does nothing when Content-Encoding is set already.
void CompressAnswer(const HttpAnswerTraits& traits, uint32_t gzip_bytes_min,
                    HttpResponse* response);

// Status line and header fields, up to and with the empty line. Control characters in fields become
// spaces, so that no text taken from a request can forge a field. `date` is the value of the Date
// field.
std::string SerializeAnswerHead(const HttpAnswerTraits& traits, const HttpResponse& response,
                                std::string_view date);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
std::string HttpDate(int64_t unix_seconds);

}  // namespace weft::net
