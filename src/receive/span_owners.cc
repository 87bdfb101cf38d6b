#include "receive/span_owners.h"

namespace weft::receive {
namespace {

using model::Attribute;

uint64_t HashOf(std::span<const Attribute> attributes) {
  uint64_t hash = attributes.size();
  for (const Attribute& a : attributes) {
    hash = model::MixBits(hash ^ (uint64_t{a.key} << 3 | static_cast<uint64_t>(a.type)));
    hash = model::MixBits(hash ^ a.value);
  }
  return hash;
}

}  // namespace

bool SpanOwners::SameResource(uint32_t resource, std::span<const Attribute> attributes) const {
  const model::IndexRange range = batch_.ResourceAttributesOf(resource);
  if (range.size() != attributes.size()) return false;
  for (uint32_t i = 0; i < range.size(); ++i) {
    const Attribute& a = attributes[i];
    const Attribute b = batch_.resources.attributes[range.begin + i];
    if (a.key != b.key || a.type != b.type || a.value != b.value) return false;
  }
  return true;
}

uint32_t SpanOwners::Resource(std::span<const Attribute> attributes) {
  model::ResourceColumns& resources = batch_.resources;
  if (last_resource_ < resources.size() && SameResource(last_resource_, attributes)) {
    return last_resource_;
  }
  // Hashes that were made to collide cost a resource written twice, no search.
  const auto [known, is_new] = resources_.emplace(HashOf(attributes), resources.size());
  if (!is_new && SameResource(known->second, attributes)) return last_resource_ = known->second;
  for (const Attribute& a : attributes) resources.attributes.Add(a);
  last_resource_ = known->second = resources.size();
  resources.schema_url.push_back(0);
  resources.dropped_attributes.push_back(0);
  resources.attribute_end.push_back(resources.attributes.size());
  return last_resource_;
}

uint32_t SpanOwners::Scope(model::Code name, model::Code version) {
  model::ScopeColumns& scopes = batch_.scopes;
  const auto [at, is_new] = scopes_.emplace(uint64_t{name} << 32 | version, scopes.size());
  if (!is_new) return at->second;
  scopes.name.push_back(name);
  scopes.version.push_back(version);
  scopes.schema_url.push_back(0);
  scopes.dropped_attributes.push_back(0);
  scopes.attribute_end.push_back(0);
  return at->second;
}

}  // namespace weft::receive
