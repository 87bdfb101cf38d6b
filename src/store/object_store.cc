#include "store/object_store.h"

namespace weft::store {
namespace {

constexpr size_t kComponentBytesMax = 200;

bool IsNameByte(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!-_.*'()").find(c) != std::string_view::npos;
}

bool IsComponent(std::string_view component) {
  if (component.empty() || component.size() > kComponentBytesMax) return false;
  if (component == "." || component == "..") return false;
  for (const char c : component) {
    if (!IsNameByte(c)) return false;
  }
  return true;
}

}  // namespace

Error CheckObjectName(std::string_view name) {
  size_t begin = 0;
  while (true) {
    const size_t end = name.find('/', begin);
    if (!IsComponent(name.substr(begin, end - begin))) {
      return Error(ErrorCode::kInvalidArgument, "this is not a name that a store can keep");
    }
    if (end == std::string_view::npos) return Error::Ok();
    begin = end + 1;
  }
}

}  // namespace weft::store
