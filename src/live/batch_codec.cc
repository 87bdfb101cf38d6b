#include "live/batch_codec.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include <lz4.h>

namespace weft::live {
namespace {

using model::AttributeArray;
using model::SpanBatch;

constexpr char kVersion = 1;
constexpr size_t kHeaderBytes = 5;
constexpr uint32_t kUncompressedMax = 1u << 30;

Error Corrupt(const char* what) {
  return Error(ErrorCode::kCorrupt, std::string("not a span batch: ") + what);
}

// The fewest whole bytes that hold `max`, at least one: a count can then never claim more values
// than there are bytes.
uint8_t WidthOf(uint64_t max) { return static_cast<uint8_t>((71 - __builtin_clzll(max | 1)) / 8); }

// Calls `work` with the width as a constant: the loops over numbers are most of the work, and a
// copy of a length that the compiler knows is one instruction.
template <typename Work>
void WithWidth(uint8_t width, Work work) {
  switch (width) {
    case 1: return work(std::integral_constant<size_t, 1>());
    case 2: return work(std::integral_constant<size_t, 2>());
    case 3: return work(std::integral_constant<size_t, 3>());
    case 4: return work(std::integral_constant<size_t, 4>());
    case 5: return work(std::integral_constant<size_t, 5>());
    case 6: return work(std::integral_constant<size_t, 6>());
    case 7: return work(std::integral_constant<size_t, 7>());
    default: return work(std::integral_constant<size_t, 8>());
  }
}

class Writer {
 public:
  template <typename T>
  void Numbers(const std::vector<T>& values) {
    uint64_t all = 0;
    for (T v : values) all |= static_cast<uint64_t>(v);
    const uint8_t width = WidthOf(all);
    Header(values.size(), width);
    const size_t before = out.size();
    out.resize(before + values.size() * width);
    WithWidth(width, [&](auto fixed) {
      char* to = out.data() + before;
      for (const T v : values) {
        const auto wide = static_cast<uint64_t>(v);
        std::memcpy(to, &wide, fixed);
        to += fixed;
      }
    });
  }
  // Ends of ranges as lengths.
  void Ends(const std::vector<uint32_t>& ends) {
    lengths_.resize(ends.size());
    uint32_t last = 0;
    for (size_t i = 0; i < ends.size(); ++i) {
      lengths_[i] = ends[i] - last;
      last = ends[i];
    }
    Numbers(lengths_);
  }
  // Times relative to the earliest, modulo 2^64.
  void Times(const std::vector<uint64_t>& times) {
    const uint64_t base = times.empty() ? 0 : *std::min_element(times.begin(), times.end());
    Value(base, 8);
    relative_.resize(times.size());
    for (size_t i = 0; i < times.size(); ++i) relative_[i] = times[i] - base;
    Numbers(relative_);
  }
  void Durations(const std::vector<uint64_t>& start, const std::vector<uint64_t>& end) {
    relative_.resize(start.size());
    for (size_t i = 0; i < start.size(); ++i) {
      const int64_t d = static_cast<int64_t>(end[i] - start[i]);
      relative_[i] = static_cast<uint64_t>(d) << 1 ^ static_cast<uint64_t>(d >> 63);
    }
    Numbers(relative_);
  }
  void Attributes(const AttributeArray& a) {
    Numbers(a.keys());
    Numbers(a.values());
  }
  void Raw(const void* bytes, size_t count, size_t size) {
    Header(count, static_cast<uint8_t>(size));
    out.append(static_cast<const char*>(bytes), count * size);
  }

  std::string out;

 private:
  void Header(size_t count, uint8_t width) {
    Value(count, 4);
    out.push_back(static_cast<char>(width));
  }
  void Value(uint64_t v, uint8_t width) { out.append(reinterpret_cast<const char*>(&v), width); }

  std::vector<uint32_t> lengths_;
  std::vector<uint64_t> relative_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool failed() const { return failed_; }
  bool AtEnd() const { return rest_.empty() && !failed_; }

  template <typename T>
  void Numbers(std::vector<T>* values) {
    uint8_t width = 0;
    const size_t count = Header(&width, 8);
    if (failed_ || width == 0 || width > sizeof(T)) return Fail();
    values->resize(count);
    WithWidth(width, [&](auto fixed) {
      const char* from = rest_.data();
      for (T& value : *values) {
        uint64_t wide = 0;
        std::memcpy(&wide, from, fixed);
        from += fixed;
        value = static_cast<T>(wide);
      }
    });
    rest_.remove_prefix(count * width);
  }
  void Ends(std::vector<uint32_t>* ends) {
    Numbers(ends);
    uint64_t sum = 0;
    for (uint32_t& end : *ends) {
      sum += end;
      if (sum > std::numeric_limits<uint32_t>::max()) return Fail();
      end = static_cast<uint32_t>(sum);
    }
  }
  void Times(std::vector<uint64_t>* times) {
    if (rest_.size() < 8) return Fail();
    uint64_t base;
    std::memcpy(&base, rest_.data(), 8);
    rest_.remove_prefix(8);
    Numbers(times);
    for (uint64_t& t : *times) t += base;
  }
  void Durations(const std::vector<uint64_t>& start, std::vector<uint64_t>* end) {
    Numbers(end);
    if (end->size() != start.size()) return Fail();
    for (size_t i = 0; i < start.size(); ++i) {
      const uint64_t z = (*end)[i];
      (*end)[i] = start[i] + (z >> 1 ^ (0 - (z & 1)));
    }
  }
  void Attributes(AttributeArray* a) {
    Numbers(&a->keys());
    Numbers(&a->values());
  }
  // The bytes of an array of `size`-byte elements.
  std::string_view Raw(size_t size, size_t* count) {
    uint8_t width = 0;
    *count = Header(&width, 16);
    if (failed_ || width != size) {
      Fail();
      *count = 0;
      return {};
    }
    const std::string_view bytes = rest_.substr(0, *count * size);
    rest_.remove_prefix(bytes.size());
    return bytes;
  }

 private:
  void Fail() {
    failed_ = true;
    rest_ = {};
  }
  size_t Header(uint8_t* width, uint8_t width_max) {
    if (rest_.size() < 5) {
      Fail();
      return 0;
    }
    uint32_t count;
    std::memcpy(&count, rest_.data(), 4);
    *width = static_cast<uint8_t>(rest_[4]);
    rest_.remove_prefix(5);
    if (*width > width_max || uint64_t{count} * *width > rest_.size()) {
      Fail();
      return 0;
    }
    return count;
  }

  std::string_view rest_;
  bool failed_ = false;
};

template <typename Id>
void WriteIds(Writer* w, const std::vector<Id>& ids) {
  static_assert(std::is_trivially_copyable_v<Id>);
  w->Raw(ids.data(), ids.size(), sizeof(Id));
}

template <typename Id>
void ReadIds(Reader* r, std::vector<Id>* ids) {
  size_t count = 0;
  const std::string_view bytes = r->Raw(sizeof(Id), &count);
  ids->resize(count);
  if (!bytes.empty()) std::memcpy(ids->data(), bytes.data(), bytes.size());
}

void WriteStrings(Writer* w, const model::StringTable& strings) {
  std::vector<uint32_t> lengths(strings.size());
  std::string bytes;
  for (uint32_t i = 0; i < strings.size(); ++i) {
    lengths[i] = static_cast<uint32_t>(strings[i].size());
    bytes += strings[i];
  }
  w->Numbers(lengths);
  w->Raw(bytes.data(), bytes.size(), 1);
}

bool ReadStrings(Reader* r, model::StringTable* strings) {
  std::vector<uint32_t> lengths;
  r->Numbers(&lengths);
  size_t size = 0;
  std::string_view bytes = r->Raw(1, &size);
  if (r->failed() || lengths.empty() || lengths[0] != 0) return false;
  strings->Reserve(static_cast<uint32_t>(std::min<size_t>(lengths.size(), size + 1)), size);
  for (size_t i = 1; i < lengths.size(); ++i) {
    if (lengths[i] > bytes.size()) return false;
    // A string that stands twice would shift all codes after it.
    if (strings->Intern(bytes.substr(0, lengths[i])) != i) return false;
    bytes.remove_prefix(lengths[i]);
  }
  return bytes.empty();
}

void WriteSpans(Writer* w, const SpanBatch& b) {
  WriteIds(w, b.traces);
  w->Numbers(b.trace);
  WriteIds(w, b.span_id);
  WriteIds(w, b.parent_span_id);
  w->Times(b.start_ns);
  w->Durations(b.start_ns, b.end_ns);
  w->Numbers(b.name);
  w->Numbers(b.kind);
  w->Numbers(b.status);
  w->Numbers(b.status_message);
  w->Numbers(b.trace_state);
  w->Numbers(b.flags);
  w->Numbers(b.resource);
  w->Numbers(b.scope);
  w->Numbers(b.dropped_attributes);
  w->Numbers(b.dropped_events);
  w->Numbers(b.dropped_links);
  w->Ends(b.attribute_end);
  w->Ends(b.event_end);
  w->Ends(b.link_end);
  w->Attributes(b.attributes);
  w->Attributes(b.nested);
}

void ReadSpans(Reader* r, SpanBatch* b) {
  ReadIds(r, &b->traces);
  r->Numbers(&b->trace);
  ReadIds(r, &b->span_id);
  ReadIds(r, &b->parent_span_id);
  r->Times(&b->start_ns);
  r->Durations(b->start_ns, &b->end_ns);
  r->Numbers(&b->name);
  r->Numbers(&b->kind);
  r->Numbers(&b->status);
  r->Numbers(&b->status_message);
  r->Numbers(&b->trace_state);
  r->Numbers(&b->flags);
  r->Numbers(&b->resource);
  r->Numbers(&b->scope);
  r->Numbers(&b->dropped_attributes);
  r->Numbers(&b->dropped_events);
  r->Numbers(&b->dropped_links);
  r->Ends(&b->attribute_end);
  r->Ends(&b->event_end);
  r->Ends(&b->link_end);
  r->Attributes(&b->attributes);
  r->Attributes(&b->nested);
}

void WriteEventsAndLinks(Writer* w, const SpanBatch& b) {
  w->Times(b.events.time_ns);
  w->Numbers(b.events.name);
  w->Numbers(b.events.dropped_attributes);
  w->Ends(b.events.attribute_end);
  w->Attributes(b.events.attributes);
  WriteIds(w, b.links.trace_id);
  WriteIds(w, b.links.span_id);
  w->Numbers(b.links.trace_state);
  w->Numbers(b.links.flags);
  w->Numbers(b.links.dropped_attributes);
  w->Ends(b.links.attribute_end);
  w->Attributes(b.links.attributes);
}

void ReadEventsAndLinks(Reader* r, SpanBatch* b) {
  r->Times(&b->events.time_ns);
  r->Numbers(&b->events.name);
  r->Numbers(&b->events.dropped_attributes);
  r->Ends(&b->events.attribute_end);
  r->Attributes(&b->events.attributes);
  ReadIds(r, &b->links.trace_id);
  ReadIds(r, &b->links.span_id);
  r->Numbers(&b->links.trace_state);
  r->Numbers(&b->links.flags);
  r->Numbers(&b->links.dropped_attributes);
  r->Ends(&b->links.attribute_end);
  r->Attributes(&b->links.attributes);
}

void WriteResourcesAndScopes(Writer* w, const SpanBatch& b) {
  w->Numbers(b.resources.schema_url);
  w->Numbers(b.resources.dropped_attributes);
  w->Ends(b.resources.attribute_end);
  w->Attributes(b.resources.attributes);
  w->Numbers(b.scopes.name);
  w->Numbers(b.scopes.version);
  w->Numbers(b.scopes.schema_url);
  w->Numbers(b.scopes.dropped_attributes);
  w->Ends(b.scopes.attribute_end);
  w->Attributes(b.scopes.attributes);
}

void ReadResourcesAndScopes(Reader* r, SpanBatch* b) {
  r->Numbers(&b->resources.schema_url);
  r->Numbers(&b->resources.dropped_attributes);
  r->Ends(&b->resources.attribute_end);
  r->Attributes(&b->resources.attributes);
  r->Numbers(&b->scopes.name);
  r->Numbers(&b->scopes.version);
  r->Numbers(&b->scopes.schema_url);
  r->Numbers(&b->scopes.dropped_attributes);
  r->Ends(&b->scopes.attribute_end);
  r->Attributes(&b->scopes.attributes);
}

}  // namespace

Result<std::string> EncodeBatch(const SpanBatch& batch) {
  Writer w;
  w.out.reserve(batch.size() * size_t{320});
  WriteStrings(&w, batch.strings);
  WriteSpans(&w, batch);
  WriteEventsAndLinks(&w, batch);
  WriteResourcesAndScopes(&w, batch);
  if (w.out.size() > kUncompressedMax) {
    return Error(ErrorCode::kTooLarge,
                 "one request holds more than 1 GiB of spans: send smaller ones");
  }
  const uint32_t size = static_cast<uint32_t>(w.out.size());
  std::string out(kHeaderBytes + LZ4_compressBound(static_cast<int>(size)), '\0');
  out[0] = kVersion;
  std::memcpy(out.data() + 1, &size, 4);
  const int compressed =
      LZ4_compress_default(w.out.data(), out.data() + kHeaderBytes, static_cast<int>(size),
                           static_cast<int>(out.size() - kHeaderBytes));
  out.resize(kHeaderBytes + compressed);
  return out;
}

Result<std::unique_ptr<SpanBatch>> DecodeBatch(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return Corrupt("too short");
  if (bytes[0] != kVersion) {
    return Error(ErrorCode::kUnsupported, "span batch of version " + std::to_string(bytes[0]) +
                                              ": written by a later weft; start that one");
  }
  uint32_t size;
  std::memcpy(&size, bytes.data() + 1, 4);
  bytes.remove_prefix(kHeaderBytes);
  // LZ4 expands at most 255 times.
  if (size > kUncompressedMax || size / 255 > bytes.size()) return Corrupt("impossible size");
  std::string raw(size, '\0');
  const int got = LZ4_decompress_safe(bytes.data(), raw.data(), static_cast<int>(bytes.size()),
                                      static_cast<int>(size));
  if (got != static_cast<int>(size)) return Corrupt("compressed data damaged");
  auto batch = std::make_unique<SpanBatch>();
  Reader r(raw);
  if (!ReadStrings(&r, &batch->strings)) return Corrupt("strings");
  ReadSpans(&r, batch.get());
  ReadEventsAndLinks(&r, batch.get());
  ReadResourcesAndScopes(&r, batch.get());
  if (!r.AtEnd()) return Corrupt("arrays");
  if (!model::IsWellFormed(*batch)) return Corrupt("indexes");
  return batch;
}

}  // namespace weft::live
