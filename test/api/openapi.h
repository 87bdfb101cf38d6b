// proto/openapi.yaml as a judge: is this answer what the description says?
//
// It knows as much of JSON Schema as the description uses, and is stricter in one thing: a member
// that an object's `properties` do not name is a problem, so that the description can't fall
// behind.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>
#include <yaml-cpp/yaml.h>

namespace weft::api {

class OpenApi {
 public:
  // Throws YAML::Exception when the file can't be read.
  explicit OpenApi(const std::string& file) : root_(YAML::LoadFile(file)) {}

  struct Operation {
    std::string method;  // "get"
    std::string path;    // "/api/v1/traces/{traceId}"
  };
  std::vector<Operation> Operations() const;
  // Names of the operation's query parameters.
  std::vector<std::string> QueryParameters(const Operation& operation) const;

  // What is wrong with an answer, each line with its place ("traces[0].matched: missing"); empty
  // when it is as described.
  std::vector<std::string> Check(const Operation& operation, int status,
                                 std::string_view content_type, const std::string& body) const;
  // The same for a value and a schema of components/schemas.
  std::vector<std::string> CheckValue(std::string_view schema,
                                      const boost::json::value& value) const;

 private:
  class Checker;
  YAML::Node Resolve(YAML::Node node) const;
  YAML::Node ResponseOf(const Operation& operation, int status) const;

  YAML::Node root_;
};

}  // namespace weft::api
