#include "api/embedded_files.h"

#include <cstddef>

// WEFT_EMBEDDED_PACK is the path of the pack, in quotes; see CMakeLists.txt. The assembler copies
// the bytes: no compiler has to read megabytes of numbers.
asm(R"(
  .section .rodata
  .balign 16
  .hidden weft_embedded_pack_begin
  .globl weft_embedded_pack_begin
weft_embedded_pack_begin:
  .incbin ")" WEFT_EMBEDDED_PACK R"("
  .hidden weft_embedded_pack_end
  .globl weft_embedded_pack_end
weft_embedded_pack_end:
  .byte 0
  .previous
)");

extern "C" {
extern const char weft_embedded_pack_begin[];
extern const char weft_embedded_pack_end[];
}

namespace weft::api {

std::string_view EmbeddedPack() {
  return {weft_embedded_pack_begin,
          static_cast<size_t>(weft_embedded_pack_end - weft_embedded_pack_begin)};
}

}  // namespace weft::api
