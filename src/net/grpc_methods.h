// GrpcMethods: gRPC methods that somebody else than the owner of a gRPC server answers.
//
// The owner of the port asks for a reactor of each call to a method that it does not know itself.
#pragma once

#include <string>

#include <grpcpp/generic/async_generic_service.h>

namespace weft::net {

// May be called from any thread, also from several at once; must outlive the server.
class GrpcMethods {
 public:
  virtual ~GrpcMethods() = default;

  // Whether this is one of its methods: "/package.Service/Method".
  virtual bool Has(const std::string& method) const = 0;
  // The reactor for a call of such a method. It deletes itself when gRPC is done with it. Messages
  // are given as they came, compressed or not.
  virtual grpc::ServerGenericBidiReactor* Create(
      const grpc::GenericCallbackServerContext& context) = 0;
};

}  // namespace weft::net
