#include "model/peer.h"

#include <initializer_list>
#include <utility>

namespace weft::model {
namespace {

// The first of the attributes that has a text.
std::string FirstOf(const PeerTexts& texts, std::initializer_list<PeerAttribute> attributes) {
  for (const PeerAttribute attribute : attributes) {
    if (!texts[attribute].empty()) return texts[attribute];
  }
  return {};
}

}  // namespace

Peer PeerOf(const PeerTexts& texts) {
  const std::string db = FirstOf(texts, {kDbSystemName, kDbSystem});
  const std::string db_name = FirstOf(texts, {kDbNamespace, kDbName});
  if (!db.empty() || !db_name.empty()) {
    std::string name =
        FirstOf(texts, {kPeerService, kServerAddress, kNetPeerName, kNetworkPeerAddress});
    if (name.empty()) name = db_name.empty() ? db : db_name;
    return {PeerKind::kDatabase, std::move(name), db};
  }
  const std::string queue = FirstOf(texts, {kDestinationTemplate, kDestinationName, kDestination});
  const std::string& messaging = texts[kMessagingSystem];
  if (!queue.empty() || !messaging.empty()) {
    std::string name = queue;
    if (texts[kDestinationTemporary] == "true" && texts[kDestinationTemplate].empty())
      name = "(temporary)";
    if (name.empty()) name = FirstOf(texts, {kPeerService, kServerAddress, kNetPeerName});
    if (name.empty()) name = messaging;
    return {PeerKind::kQueue, std::move(name), messaging};
  }
  return {PeerKind::kExternal,
          FirstOf(texts,
                  {kPeerService, kServerAddress, kNetPeerName, kNetworkPeerAddress, kRpcService}),
          FirstOf(texts, {kRpcSystemName, kRpcSystem})};
}

}  // namespace weft::model
