// Says so when the processor lacks what the binary was compiled for, before any other code of it
// runs and dies of an illegal instruction. This file alone is compiled for every processor.
#include <cstring>

#include <unistd.h>

namespace {

constexpr char kMessage[] = "weft: this processor is older than " WEFT_X86_LEVEL
                            " (AVX2, BMI2), which this binary is compiled for; build it with cmake "
                            "-DWEFT_X86_LEVEL=x86-64\n";

// Ahead of the constructors of static objects, which have no priority.
[[gnu::constructor(101)]] void CheckProcessor() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports(WEFT_X86_LEVEL)) return;
  const ssize_t written = write(STDERR_FILENO, kMessage, std::strlen(kMessage));
  _exit(written < 0 ? 2 : 1);
}

}  // namespace
