#include "store/object_store.h"

namespace weft::store {
namespace {

constexpr size_t kComponentBytesMax = 200;

bool IsNameByte(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!-_.*'()@").find(c) != std::string_view::npos;
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

Error ObjectStore::MakeDurable(const std::string& name) { return CheckObjectName(name); }

Result<std::unique_ptr<ReadableFile>> ObjectStore::OpenSized(const std::string& name,
                                                             uint64_t) const {
  return Open(name);
}

Result<std::string> ObjectStore::GetSized(const std::string& name, uint64_t size_bytes) const {
  WEFT_ASSIGN_OR_RETURN(const auto file, OpenSized(name, size_bytes));
  std::string bytes(size_bytes, '\0');
  WEFT_RETURN_IF_ERROR(file->ReadAt(0, bytes.size(), bytes.data()));
  return bytes;
}

Error ObjectStore::RemoveRemains(const std::string&) { return Error::Ok(); }

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
