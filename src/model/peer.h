// Whom a span talks to, by its attributes: what stands in a service graph for databases, queues and
// third parties that send no spans. The attributes are OpenTelemetry's semantic conventions, with
// the names that they had before.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft::model {

enum PeerAttribute : uint8_t {
  kPeerService,
  kServerAddress,
  kNetPeerName,
  kNetworkPeerAddress,
  kDbSystemName,
  kDbSystem,
  kDbNamespace,
  kDbName,
  kMessagingSystem,
  kDestinationTemplate,
  kDestinationTemporary,
  kDestinationName,
  kDestination,
  kRpcSystemName,
  kRpcSystem,
  kRpcService,
  kPeerAttributes,
};

inline constexpr std::array<std::string_view, kPeerAttributes> kPeerKeys = {
    "peer.service",
    "server.address",
    "net.peer.name",
    "network.peer.address",
    "db.system.name",
    "db.system",
    "db.namespace",
    "db.name",
    "messaging.system",
    "messaging.destination.template",
    "messaging.destination.temporary",
    "messaging.destination.name",
    "messaging.destination",
    "rpc.system.name",
    "rpc.system",
    "rpc.service",
};

// Values of these attributes; "" where there is none.
using PeerTexts = std::array<std::string, kPeerAttributes>;

enum class PeerKind : uint8_t { kDatabase, kQueue, kExternal };

struct Peer {
  PeerKind kind = PeerKind::kExternal;
  std::string name;    // empty where nobody says
  std::string system;  // postgresql, kafka, grpc, ...; empty where that is not known
};

// 1. A database, where an attribute says db.*: named by peer.service, else the address of the
//    server, else the database's name, else its system.
// 2. A queue, where an attribute says messaging.*: named by its destination (its template; one name
//    for all temporary ones), else by peer.service, address or system.
// 3. Anything else is kExternal: named by peer.service, else the address, else rpc.service.
Peer PeerOf(const PeerTexts& texts);

}  // namespace weft::model
