// For tests of formats that are translated: what they decode to is compared with spans written
// down in OTLP, the order of attributes and of spans aside.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "model/otlp_encode.h"
#include "model/span_batch.h"
#include "receive/otlp/decode_json.h"

namespace weft::receive {

inline std::vector<uint64_t> SortedContentHashes(const model::SpanBatch& batch) {
  std::vector<uint64_t> hashes;
  for (uint32_t i = 0; i < batch.size(); ++i) hashes.push_back(ContentHash(batch, i));
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

// `resource_spans` is the content of the array of that name.
inline void ExpectSameAsOtlp(const model::SpanBatch& batch, const std::string& resource_spans) {
  std::string otlp = "{\"resourceSpans\":[" + resource_spans + "]}";
  model::SpanBatch expected;
  RejectedSpans rejected;
  const Error error = otlp::DecodeTracesJson(&otlp, {}, &expected, &rejected);
  ASSERT_TRUE(error.ok()) << error.message();
  ASSERT_EQ(rejected.total(), 0u) << rejected.Message();
  EXPECT_TRUE(IsWellFormed(batch));
  EXPECT_EQ(SortedContentHashes(batch), SortedContentHashes(expected))
      << "decoded:  " << EncodeOtlpJson(batch) << "\nexpected: " << EncodeOtlpJson(expected);
}

}  // namespace weft::receive
