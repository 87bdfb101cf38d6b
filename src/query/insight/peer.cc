#include "query/insight/peer.h"

#include <algorithm>
#include <string>
#include <utility>

namespace weft::query::insight {
namespace {

std::string TextOf(const plan::Value& value) {
  switch (value.type) {
    case plan::Value::Type::kString: return value.text;
    case plan::Value::Type::kInt: return std::to_string(value.number);
    case plan::Value::Type::kBool: return value.number != 0 ? "true" : "false";
    default: return {};
  }
}

NodeName NameOfTexts(const model::PeerTexts& texts) {
  model::Peer peer = model::PeerOf(texts);
  const NodeKind kind = peer.kind == model::PeerKind::kDatabase ? NodeKind::kDatabase
                        : peer.kind == model::PeerKind::kQueue  ? NodeKind::kQueue
                                                                : NodeKind::kExternal;
  return {kind, std::move(peer.name), std::move(peer.system)};
}

}  // namespace

Result<Peers> Peers::Open(const exec::Bitmap& rows, exec::GroupColumns* columns) {
  std::vector<plan::LabelField> fields;
  std::vector<uint8_t> attributes;
  for (uint8_t i = 0; i < model::kPeerAttributes; ++i) {
    const std::string key(model::kPeerKeys[i]);
    WEFT_ASSIGN_OR_RETURN(const auto* found, columns->ReadAttribute(block::Scope::kSpan, key));
    if (found->empty()) continue;
    fields.push_back({plan::Field::Attribute(block::Scope::kSpan, key), {}, key});
    attributes.push_back(i);
  }
  WEFT_ASSIGN_OR_RETURN(exec::RowLabels labels,
                        exec::RowLabels::Open(fields, rows, columns, nullptr));
  return Peers(std::move(labels), std::move(attributes));
}

NodeName Peers::NameOf(uint32_t peer) const {
  model::PeerTexts texts;
  if (attributes_.empty()) return NameOfTexts(texts);
  const std::vector<plan::Value> values = labels_.Values(peer);
  for (size_t i = 0; i < values.size(); ++i) texts[attributes_[i]] = TextOf(values[i]);
  return NameOfTexts(texts);
}

std::string_view HostLabel(std::string_view address) {
  const bool has_letters = std::any_of(address.begin(), address.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
  if (!has_letters) return address;  // an IP address
  return address.substr(0, address.find_first_of(".:"));
}

}  // namespace weft::query::insight
