#include "base/folder.h"

#include <vector>

namespace weft {

std::string ParentFolder(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Error MakeDurableFolder(Env& env, const std::string& path) {
  std::vector<std::string> missing{path};
  for (std::string parent = ParentFolder(path); !env.Exists(parent);
       parent = ParentFolder(parent)) {
    if (parent == "." || parent == "/") break;
    missing.push_back(parent);
  }
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    WEFT_RETURN_IF_ERROR(env.CreateFolder(*it));
    WEFT_RETURN_IF_ERROR(env.SyncFolder(ParentFolder(*it)));
  }
  return Error::Ok();
}

}  // namespace weft
