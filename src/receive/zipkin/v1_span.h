// Spans of Zipkin's first format (v1), where one span may hold both sides of a call, each event of
// it with the endpoint that saw it; and their way into the second one.
#pragma once

#include <cstdint>
#include <vector>

#include "model/string_table.h"
#include "receive/key_roles.h"
#include "receive/zipkin/span.h"

namespace weft::receive::zipkin {

struct V1Annotation {
  uint64_t time_us = 0;
  model::Code value = 0;
  Endpoint host;
};

struct V1BinaryAnnotation {
  model::Code key = 0;
  model::Code value = 0;  // as text
  bool is_true = false;   // of type bool: what marks an address
  Endpoint host;
};

struct V1Span {
  SpanIds ids;
  model::Code name = 0;
  uint64_t time_us = 0;
  uint64_t duration_us = 0;
  bool debug = false;
  std::vector<V1Annotation> annotations;
  std::vector<V1BinaryAnnotation> binary_annotations;

  // For the next span; keeps the memory.
  void Clear();
};

// What an annotation's value or a binary annotation's key means.
enum class V1Role : uint8_t {
  kPlain = 0,
  kClientSend,
  kClientReceive,
  kServerReceive,
  kServerSend,
  kMessageSend,
  kMessageReceive,
  kWireSend,
  kWireReceive,
  kClientAddress,
  kServerAddress,
  kMessageAddress,
  kLocalComponent,
};

// One thread, one batch.
class V1Converter {
 public:
  // Outlives this.
  explicit V1Converter(const model::StringTable* strings);

  // The one or two spans that a span of the first format is; valid until the next call.
  const std::vector<Span>& Convert(const V1Span& from);

 private:
  // The first annotation of each meaning; null where there is none.
  struct Core {
    const V1Annotation* at[16] = {};
    const V1Annotation* Of(V1Role role) const { return at[static_cast<size_t>(role)]; }
  };

  void FindCore(const V1Span& from);
  void MakeSides(const V1Span& from);
  Span& AddSide(const V1Span& from, model::SpanKind kind, const V1Annotation* host);
  void CallTimes(const V1Span& from, V1Role begin, V1Role end, Span* side, bool both);
  void MessageTimes(const V1Span& from, V1Role begin, V1Role end, Span* side, bool both);
  void Addresses(const V1Span& from);
  void Rest(const V1Span& from);
  Span& SideOf(const Endpoint& host);
  Span* SideOfKind(model::SpanKind a, model::SpanKind b);

  KeyRoles<V1Role> roles_;
  Core core_;
  std::vector<Span> sides_;
};

}  // namespace weft::receive::zipkin
