#include "api/tempo/packets.h"

#include <string_view>
#include <utility>

namespace weft::api::tempo {
namespace {

constexpr size_t kItemOverhead = 16;  // tags and lengths around an item

size_t BytesOf(const std::string& text) { return text.size() + kItemOverhead; }
template <typename Message>
size_t BytesOf(const Message& message) {
  return message.ByteSizeLong() + kItemOverhead;
}

// Packets of one kind of message, filled item by item.
template <typename Message>
class Packets {
 public:
  Packets(const Message& whole, size_t bytes_max) : bytes_max_(bytes_max) {
    if (whole.has_metrics()) *empty_.mutable_metrics() = whole.metrics();
    Begin();
  }

  // The packet into which an item of this size goes.
  Message* For(size_t item_bytes) {
    if (filled_ && bytes_ + item_bytes > bytes_max_) {
      done_.push_back(packet_.SerializeAsString());
      Begin();
    }
    filled_ = true;
    bytes_ += item_bytes;
    return &packet_;
  }

  // What goes into the last one.
  Message* last() { return &packet_; }

  // There is always one, also of nothing.
  std::vector<std::string> Finish() {
    done_.push_back(packet_.SerializeAsString());
    return std::move(done_);
  }

 private:
  void Begin() {
    packet_ = empty_;
    bytes_ = packet_.ByteSizeLong();
    filled_ = false;
  }

  const size_t bytes_max_;
  Message empty_;
  Message packet_;
  size_t bytes_ = 0;
  bool filled_ = false;
  std::vector<std::string> done_;
};

// Leaves spans out until the trace fits.
void TrimTo(size_t bytes_max, tempopb::TraceSearchMetadata* trace) {
  while (trace->ByteSizeLong() > bytes_max) {
    int last = trace->spansets_size() - 1;
    while (last >= 0 && trace->spansets(last).spans().empty()) --last;
    if (last < 0) return;
    trace->mutable_spansets(last)->mutable_spans()->RemoveLast();
    if (last == 0 && !trace->spanset().spans().empty())
      trace->mutable_spanset()->mutable_spans()->RemoveLast();
  }
}

template <typename Response>
std::vector<std::string> CutSeries(const Response& response, size_t bytes_max) {
  Packets<Response> packets(response, bytes_max);
  for (const auto& series : response.series()) {
    *packets.For(BytesOf(series))->add_series() = series;
  }
  packets.last()->set_status(response.status());
  packets.last()->set_message(response.message());
  return packets.Finish();
}

}  // namespace

std::vector<std::string> CutPackets(const tempopb::QueryRangeResponse& response, size_t bytes_max) {
  return CutSeries(response, bytes_max);
}

std::vector<std::string> CutPackets(const tempopb::QueryInstantResponse& response,
                                    size_t bytes_max) {
  return CutSeries(response, bytes_max);
}

std::vector<std::string> CutPackets(const tempopb::SearchResponse& response, size_t bytes_max) {
  Packets<tempopb::SearchResponse> packets(response, bytes_max);
  for (const tempopb::TraceSearchMetadata& trace : response.traces()) {
    if (BytesOf(trace) <= bytes_max) {
      *packets.For(BytesOf(trace))->add_traces() = trace;
      continue;
    }
    tempopb::TraceSearchMetadata trimmed = trace;
    TrimTo(bytes_max / 2, &trimmed);
    *packets.For(BytesOf(trimmed))->add_traces() = std::move(trimmed);
  }
  return packets.Finish();
}

std::vector<std::string> CutPackets(const tempopb::SearchTagsResponse& response, size_t bytes_max) {
  Packets<tempopb::SearchTagsResponse> packets(response, bytes_max);
  for (const std::string& name : response.tagnames())
    packets.For(BytesOf(name))->add_tagnames(name);
  return packets.Finish();
}

std::vector<std::string> CutPackets(const tempopb::SearchTagsV2Response& response,
                                    size_t bytes_max) {
  Packets<tempopb::SearchTagsV2Response> packets(response, bytes_max);
  for (const tempopb::SearchTagsV2Scope& scope : response.scopes()) {
    for (const std::string& tag : scope.tags()) {
      tempopb::SearchTagsV2Response& packet = *packets.For(BytesOf(tag));
      const int count = packet.scopes_size();
      const bool same = count > 0 && packet.scopes(count - 1).name() == scope.name();
      tempopb::SearchTagsV2Scope& to =
          same ? *packet.mutable_scopes(count - 1) : *packet.add_scopes();
      to.set_name(scope.name());
      to.add_tags(tag);
    }
  }
  return packets.Finish();
}

std::vector<std::string> CutPackets(const tempopb::SearchTagValuesResponse& response,
                                    size_t bytes_max) {
  Packets<tempopb::SearchTagValuesResponse> packets(response, bytes_max);
  for (const std::string& value : response.tagvalues())
    packets.For(BytesOf(value))->add_tagvalues(value);
  return packets.Finish();
}

std::vector<std::string> CutPackets(const tempopb::SearchTagValuesV2Response& response,
                                    size_t bytes_max) {
  Packets<tempopb::SearchTagValuesV2Response> packets(response, bytes_max);
  for (const tempopb::TagValue& value : response.tagvalues())
    *packets.For(BytesOf(value))->add_tagvalues() = value;
  return packets.Finish();
}

}  // namespace weft::api::tempo
