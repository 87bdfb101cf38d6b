# How this project's own code is compiled and linked: standard, warnings, sanitizers, cache, linker, job pools.
# Flags that must not reach third-party code are on the target weft_flags, which every weft target links.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# -g1: line numbers in a stack trace at a fifth of the size of -g.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
if(WEFT_SANITIZE)  # a third of the size, and a stack trace has all it needs
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
  set(CMAKE_C_FLAGS_DEBUG "-O1 -g1")
else()
  set(CMAKE_CXX_FLAGS_DEBUG "-Og -g")
  set(CMAKE_C_FLAGS_DEBUG "-Og -g")
endif()

# Hidden symbols are not a matter of taste here: Arrow's shared library exports its own copies of
# opentelemetry::proto::* (and of Abseil). A class of the same name in this binary must neither replace
# those nor be replaced by them. See also weft_protos() in weft.cmake.
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

find_package(Threads REQUIRED)
add_compile_options(-pthread)  # for all alike: some libraries ask for it, and a precompiled header must agree

add_library(weft_flags INTERFACE)
target_compile_options(weft_flags INTERFACE -Wall -Wextra -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND WEFT_WERROR)
  # A precompiled header that does not fit is only slower.
  target_compile_options(weft_flags INTERFACE -Werror -Wno-error=invalid-pch)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # GCC is the judge of warnings; clang (fuzzers, clang-tidy) checks what GCC can't: members say which lock
  # protects them (base/ has the macros).
  target_compile_options(weft_flags INTERFACE -Wno-deprecated-declarations -Wthread-safety -Werror=thread-safety)
endif()
target_include_directories(weft_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(weft_flags INTERFACE Threads::Threads)

# AVX2, BMI and POPCNT, which every x86 server has had since 2015: writing a block takes a sixth less
# (docs/decisions/0010). Headers of libraries are compiled alike, so the option is for all.
set(WEFT_X86_LEVEL "x86-64-v3" CACHE STRING "What x86 processors the binary is for: x86-64, x86-64-v2, x86-64-v3")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-march=${WEFT_X86_LEVEL})
endif()

# The same object file from every checkout and build folder, so that the cache serves them all.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)

if(WEFT_SANITIZE)
  add_compile_options(-fsanitize=${WEFT_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WEFT_SANITIZE})
  if(WEFT_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  if(WEFT_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)  # atomic_thread_fence inside Asio
  endif()
endif()
if(WEFT_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "WEFT_FUZZ needs clang: cmake --preset asan")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(WEFT_CCACHE ccache)
if(WEFT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(launcher ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
    CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros
    ${WEFT_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
endif()

# mold links a binary with Arrow and gRPC in a fraction of a second.
find_program(WEFT_MOLD mold)
if(WEFT_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--as-needed)

# A file that includes gRPC or Parquet wants about 1 GiB to compile: never more jobs than memory allows.
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
cmake_host_system_information(RESULT memory_mib QUERY TOTAL_PHYSICAL_MEMORY)
math(EXPR compile_jobs "${memory_mib} / 1536")
if(compile_jobs GREATER cores)
  set(compile_jobs ${cores})
endif()
if(compile_jobs LESS 1)
  set(compile_jobs 1)
endif()
math(EXPR link_jobs "(${compile_jobs} + 1) / 2")
set_property(GLOBAL PROPERTY JOB_POOLS compile=${compile_jobs} link=${link_jobs})
set(CMAKE_JOB_POOL_COMPILE compile)
set(CMAKE_JOB_POOL_LINK link)
