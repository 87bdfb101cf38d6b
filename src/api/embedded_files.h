// The pack of files that the build put into this binary: the UI, when it was built, and the API's
// description.
#pragma once

#include <string_view>

namespace weft::api {

// See file_pack.h. Lives as long as the process.
std::string_view EmbeddedPack();

}  // namespace weft::api
