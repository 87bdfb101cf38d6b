#include "test/api/openapi.h"

#include <algorithm>

#include <boost/json.hpp>
#include <re2/re2.h>

namespace weft::api {
namespace {

namespace json = boost::json;

bool IsType(const json::value& value, const std::string& type) {
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  if (type == "null") return value.is_null();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "number") return value.is_number();
  return false;
}

}  // namespace

// Walks a value and its schema side by side.
class OpenApi::Checker {
 public:
  explicit Checker(const OpenApi& api) : api_(api) {}

  void Check(const YAML::Node& unresolved, const json::value& value, const std::string& where) {
    const YAML::Node schema = api_.Resolve(unresolved);
    if (!schema.IsMap()) return;
    if (!CheckType(schema["type"], value))
      return Complain(where, "has the wrong type: " + json::serialize(value).substr(0, 80));
    CheckText(schema, value, where);
    CheckNumber(schema, value, where);
    if (value.is_array()) CheckItems(schema["items"], value.get_array(), where);
    if (value.is_object()) CheckMembers(schema, value.get_object(), where);
  }

  std::vector<std::string> problems;

 private:
  void Complain(const std::string& where, const std::string& what) {
    if (problems.size() < 20)
      problems.push_back((where.empty() ? "the body" : where) + ": " + what);
  }

  static bool CheckType(const YAML::Node& type, const json::value& value) {
    if (!type) return true;
    if (type.IsScalar()) return IsType(value, type.as<std::string>());
    for (const auto& one : type) {
      if (IsType(value, one.as<std::string>())) return true;
    }
    return false;
  }

  void CheckText(const YAML::Node& schema, const json::value& value, const std::string& where) {
    if (!value.is_string()) return;
    const std::string text(value.get_string());
    if (schema["pattern"] && !RE2::PartialMatch(text, schema["pattern"].as<std::string>())) {
      Complain(where, "\"" + text + "\" does not match " + schema["pattern"].as<std::string>());
    }
    if (!schema["enum"]) return;
    for (const auto& choice : schema["enum"]) {
      if (choice.as<std::string>() == text) return;
    }
    Complain(where, "\"" + text + "\" is none of the values of its enum");
  }

  void CheckNumber(const YAML::Node& schema, const json::value& value, const std::string& where) {
    if (!value.is_number()) return;
    const auto number = value.to_number<double>();
    if (schema["minimum"] && number < schema["minimum"].as<double>())
      Complain(where, "is below its minimum");
    if (schema["maximum"] && number > schema["maximum"].as<double>())
      Complain(where, "is above its maximum");
  }

  void CheckItems(const YAML::Node& items, const json::array& array, const std::string& where) {
    if (!items) return;
    for (size_t i = 0; i < array.size(); ++i)
      Check(items, array[i], where + "[" + std::to_string(i) + "]");
  }

  void CheckMembers(const YAML::Node& schema, const json::object& object,
                    const std::string& where) {
    const std::string prefix = where.empty() ? "" : where + ".";
    for (const auto& name : schema["required"]) {
      const auto text = name.as<std::string>();
      if (!object.contains(text)) Complain(prefix + text, "missing");
    }
    const YAML::Node properties = schema["properties"];
    if (!properties) return;
    for (const auto& member : object) {
      const std::string name(member.key());
      if (!properties[name]) {
        Complain(prefix + name, "is not described");
      } else {
        Check(properties[name], member.value(), prefix + name);
      }
    }
  }

  const OpenApi& api_;
};

// Assigning to a YAML::Node changes what it points at; reset() points it elsewhere.
YAML::Node OpenApi::Resolve(YAML::Node node) const {
  while (node.IsMap() && node["$ref"]) {
    std::string reference =
        node["$ref"].as<std::string>().substr(2);  // "#/components/schemas/Error"
    node.reset(root_);
    while (!reference.empty()) {
      const size_t slash = std::min(reference.find('/'), reference.size());
      node.reset(node[reference.substr(0, slash)]);
      reference.erase(0, slash + 1);
    }
  }
  return node;
}

std::vector<OpenApi::Operation> OpenApi::Operations() const {
  std::vector<Operation> all;
  for (const auto& path : root_["paths"]) {
    for (const auto& method : path.second)
      all.push_back({method.first.as<std::string>(), path.first.as<std::string>()});
  }
  return all;
}

std::vector<std::string> OpenApi::QueryParameters(const Operation& operation) const {
  std::vector<std::string> names;
  for (const auto& entry : root_["paths"][operation.path][operation.method]["parameters"]) {
    const YAML::Node parameter = Resolve(entry);
    if (parameter["in"].as<std::string>() == "query")
      names.push_back(parameter["name"].as<std::string>());
  }
  return names;
}

YAML::Node OpenApi::ResponseOf(const Operation& operation, int status) const {
  const YAML::Node responses = root_["paths"][operation.path][operation.method]["responses"];
  for (const std::string& key : {std::to_string(status), std::string("default")}) {
    if (const YAML::Node response = responses[key]) return Resolve(response);
  }
  return {};
}

std::vector<std::string> OpenApi::Check(const Operation& operation, int status,
                                        std::string_view content_type,
                                        const std::string& body) const {
  const YAML::Node response = ResponseOf(operation, status);
  if (!response.IsMap()) return {"status " + std::to_string(status) + " is not described"};
  if (!response["content"]) return {};
  const std::string type(content_type.substr(0, content_type.find(';')));
  const YAML::Node content = response["content"][type];
  if (!content)
    return {"content type " + type + " is not described for status " + std::to_string(status)};
  if (type.find("json") == std::string::npos) return {};
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  if (error) return {"the body is not JSON: " + error.message()};
  Checker checker(*this);
  checker.Check(content["schema"], value, "");
  return checker.problems;
}

std::vector<std::string> OpenApi::CheckValue(std::string_view schema,
                                             const json::value& value) const {
  Checker checker(*this);
  checker.Check(root_["components"]["schemas"][std::string(schema)], value, "");
  return checker.problems;
}

}  // namespace weft::api
