// Answers of Tempo's streaming API in pieces that every client takes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tempo.pb.h"

namespace weft::api::tempo {

// Clients refuse messages of 4 MiB; Tempo cuts at this size.
inline constexpr size_t kPacketBytesMax = 1 << 20;

// The message as one or more of its kind, encoded, none larger than `bytes_max` unless one value
// alone is. Metrics are in each of them. Of a trace that alone is larger, spans are left out, last
// first.
std::vector<std::string> CutPackets(const tempopb::SearchResponse& response, size_t bytes_max);
std::vector<std::string> CutPackets(const tempopb::SearchTagsResponse& response, size_t bytes_max);
std::vector<std::string> CutPackets(const tempopb::SearchTagsV2Response& response,
                                    size_t bytes_max);
std::vector<std::string> CutPackets(const tempopb::SearchTagValuesResponse& response,
                                    size_t bytes_max);
std::vector<std::string> CutPackets(const tempopb::SearchTagValuesV2Response& response,
                                    size_t bytes_max);

// Status and message are in the last packet only. A series stands whole in one of them.
std::vector<std::string> CutPackets(const tempopb::QueryRangeResponse& response, size_t bytes_max);
std::vector<std::string> CutPackets(const tempopb::QueryInstantResponse& response,
                                    size_t bytes_max);

}  // namespace weft::api::tempo
