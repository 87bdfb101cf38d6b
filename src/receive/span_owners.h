// SpanOwners: the resources and scopes of wire formats that name them with every span. Equal ones
// are written to the batch once.
//
// One thread, one batch.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>

#include "model/span_batch.h"

namespace weft::receive {

class SpanOwners {
 public:
  explicit SpanOwners(model::SpanBatch* batch) : batch_(*batch) {}

  // The index of the resource with these attributes, in this order. Only scalars.
  uint32_t Resource(std::span<const model::Attribute> attributes);
  // The index of the scope of this name and version; 0 for none.
  uint32_t Scope(model::Code name, model::Code version);

 private:
  bool SameResource(uint32_t resource, std::span<const model::Attribute> attributes) const;

  model::SpanBatch& batch_;
  std::unordered_map<uint64_t, uint32_t> resources_;  // the last one, by a hash of the attributes
  std::unordered_map<uint64_t, uint32_t> scopes_;     // by name and version
  uint32_t last_resource_ = 0;
};

}  // namespace weft::receive
