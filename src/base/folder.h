// Folders that survive a power cut.
#pragma once

#include <string>

#include "base/env.h"
#include "base/error.h"

namespace weft {

// The folder that a path lies in: "." for a bare name, "/" for what lies in the root.
std::string ParentFolder(const std::string& path);

// Creates the folder and its missing parents, and syncs the parent of each that it made, and its
// own parent always: whoever made the folder before may have been killed before doing so.
Error MakeDurableFolder(Env& env, const std::string& path);

}  // namespace weft
