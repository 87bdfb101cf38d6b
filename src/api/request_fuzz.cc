// What the API reads from a request besides the query: times, the Accept field, parameters, and the
// pack's and JSON's handling of any bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/file_pack.h"
#include "api/json_writer.h"
#include "api/parameters.h"
#include "api/time_text.h"
#include "api/trace_format.h"
#include "base/utf8.h"

namespace {

// Escaped text is UTF-8 without control characters, and stays as it is when escaped as UTF-8 again.
void CheckEscaping(std::string_view text) {
  std::string escaped;
  weft::api::AppendJsonEscaped(text, &escaped);
  for (size_t i = 0; i < escaped.size();) {
    const size_t bytes = weft::Utf8CharacterBytes(std::string_view(escaped).substr(i));
    if (bytes == 0 || static_cast<unsigned char>(escaped[i]) < 0x20) std::abort();
    i += bytes;
  }
}

// A time that was understood is written in a form that is understood as the same time.
void CheckTime(std::string_view text) {
  const auto time = weft::api::ParseTime(text, 1'700'000'000'000'000'000);
  if (!time.ok()) return;
  const auto again = weft::api::ParseTime(weft::api::FormatTime(*time), 0);
  // The last second before 2^64 ns is beyond what dates are read to.
  if (again.ok() ? *again != *time : *time < 18'446'744'073'000'000'000u) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckEscaping(text);
  CheckTime(text);
  (void)weft::api::ParseDuration(text);
  (void)weft::api::ChooseTraceFormat(text);
  (void)weft::api::DecodePack(text).ok();
  const weft::net::HttpParameters query = {{std::string(text), "1"}, {"limit", std::string(text)}};
  (void)weft::api::Parameters::Read(query, {"limit", "start"}).ok();
  const weft::net::HttpParameters range = {{"start", std::string(text)}};
  const auto parameters = weft::api::Parameters::Read(range, {"start", "end"});
  (void)parameters->Range(1'700'000'000'000'000'000).ok();
  (void)parameters->Whole("start", 1, 1, 5).ok();
  return 0;
}
