// The shop as seen from a collector: the export requests that its processes send up to an instant,
// at a chosen rate of traces.
//
// Time is the caller's: a live sender advances it with the clock, a benchmark as fast as it can.
// One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "demo/batch_exporter.h"
#include "demo/shop.h"

namespace weft::demo {

struct ShopFeedOptions {
  uint64_t seed = 1;
  uint64_t first_ns =
      0;  // when the first request may come in, and the first cycle of incidents begins
  double requests_per_second = 5;  // people's requests: traces, and some traces besides
  double wave_height = 0.25;       // traffic swells and ebbs by this share, every five minutes
  double timeline_speed = 1;
  BatchOptions batch;
};

class ShopFeed : private FinishedSpanSink {
 public:
  explicit ShopFeed(const ShopFeedOptions& options);

  // Appends what is sent between the last call and `now_ns`.
  void Advance(uint64_t now_ns, std::vector<ExportRequest>* out);
  // Appends what has ended by `now_ns` at once, without waiting for batches to fill.
  void Stop(uint64_t now_ns, std::vector<ExportRequest>* out);
  // From now on; see BatchOptions.
  void SetBatchDelay(uint64_t delay_ns) { exporter_.SetDelay(delay_ns); }
  // Appends all that is left, as if time had passed without new requests.
  void Drain(std::vector<ExportRequest>* out);

 private:
  // A span that has been played and waits for its end to come. Small, because a heap moves it
  // often.
  struct Waiting {
    uint64_t end_ns;
    uint64_t number;  // in the order of playing: spans may end at the same moment
    uint32_t instance;
    uint32_t message;  // index into messages_
    Library library;
  };
  static bool EndsLater(const Waiting& a, const Waiting& b) {
    return a.end_ns != b.end_ns ? a.end_ns > b.end_ns : a.number > b.number;
  }

  void OnSpanEnd(const FinishedSpan& span) override;
  void Release(uint64_t now_ns, std::vector<ExportRequest>* out);
  uint64_t NextGapNs(uint64_t now_ns);

  ShopFeedOptions options_;
  Shop shop_;
  BatchExporter exporter_;
  std::vector<Waiting> waiting_;  // a heap, the earliest end first
  std::vector<std::string> messages_;
  std::vector<uint32_t> free_messages_;  // entries of messages_ that may be used again
  uint64_t played_spans_ = 0;
  uint64_t next_request_ns_;
  uint64_t next_flush_ns_;
};

}  // namespace weft::demo
