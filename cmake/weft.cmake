# The words in which the rooms' CMakeLists.txt are written.
#
#   weft_room(NAME SOURCES a.cc... [DEPS room...] [LINK lib...] [PRIVATE_LINK lib...])
#   weft_test(NAME SOURCES foo_test.cc... [DEPS room...] [LINK lib...] [LABELS label...] [TIMEOUT seconds])
#   weft_fuzz(NAME SOURCES foo_fuzz.cc... [DEPS room...] [LINK lib...] [CORPUS folder])
#   weft_bench(NAME SOURCES foo_bench.cc... [DEPS room...] [LINK lib...])
#   weft_protos(NAME ROOT folder PROTOS a.proto... [GRPC] [DEPS proto libraries...])
#   weft_binary(NAME SOURCES main.cc... [DEPS room...] [LINK lib...])
#
# DEPS are rooms by their bare names ("model" is the target weft_model); LINK takes any target, such as
# weft::zstd (dependencies.cmake has them all). Includes are written from src/: "model/span_batch.h".

function(_weft_deps TARGET VISIBILITY)
  foreach(dep IN LISTS ARGN)
    target_link_libraries(${TARGET} ${VISIBILITY} weft_${dep})
  endforeach()
endfunction()

# Every test includes GoogleTest, so it is precompiled once for all of them. Other heavy headers are not worth it
# (docs/decisions/0005-precompiled-headers.md).
function(_weft_precompile_gtest TARGET)
  if(NOT WEFT_PCH)
    return()
  endif()
  if(NOT TARGET weft_test_pch)
    # A program, for the sake of the same -fPIE as the tests.
    add_executable(weft_test_pch EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/cmake/empty.cc)
    target_link_libraries(weft_test_pch PRIVATE weft_flags GTest::gmock)
    target_precompile_headers(weft_test_pch PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      target_compile_options(weft_test_pch PRIVATE "SHELL:-Xclang -fno-pch-timestamp")  # the cache compares contents
    endif()
  endif()
  target_precompile_headers(${TARGET} REUSE_FROM weft_test_pch)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${TARGET} PRIVATE -fpch-preprocess)  # lets ccache see through it
  endif()
endfunction()

# A room: the static library weft_NAME.
function(weft_room NAME)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;LINK;PRIVATE_LINK")
  if(NOT arg_SOURCES)
    # A room of headers alone.
    add_library(weft_${NAME} INTERFACE)
    target_link_libraries(weft_${NAME} INTERFACE weft_flags ${arg_LINK} ${arg_PRIVATE_LINK})
    _weft_deps(weft_${NAME} INTERFACE ${arg_DEPS})
    return()
  endif()
  add_library(weft_${NAME} STATIC ${arg_SOURCES})
  target_link_libraries(weft_${NAME} PUBLIC weft_flags ${arg_LINK} PRIVATE ${arg_PRIVATE_LINK})
  _weft_deps(weft_${NAME} PUBLIC ${arg_DEPS})
endfunction()

# A GoogleTest program, run from the source root by CTest with the label "unit" unless told otherwise.
function(weft_test NAME)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;DEPS;LINK;LABELS")
  if(NOT WEFT_TESTS)
    return()
  endif()
  add_executable(${NAME} ${arg_SOURCES})
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  target_link_libraries(${NAME} PRIVATE weft_flags GTest::gmock_main ${arg_LINK})
  _weft_deps(${NAME} PRIVATE ${arg_DEPS})
  _weft_precompile_gtest(${NAME})
  add_test(NAME ${NAME} COMMAND ${NAME} --gtest_brief=1
           --gtest_output=xml:${CMAKE_BINARY_DIR}/test-results/${NAME}.xml)
  _weft_test_properties(${NAME} "${arg_LABELS}" "${arg_TIMEOUT}")
endfunction()

function(_weft_test_properties NAME LABELS TIMEOUT)
  if(NOT LABELS)
    set(LABELS unit)
  endif()
  if(NOT TIMEOUT)
    set(TIMEOUT 60)
  endif()
  if(WEFT_SANITIZE)
    math(EXPR TIMEOUT "${TIMEOUT} * 5")
  endif()
  set(environment
    WEFT_SOURCE_DIR=${CMAKE_SOURCE_DIR}
    WEFT_BINARY_DIR=${CMAKE_BINARY_DIR}
    ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp
    LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/lsan.supp:print_suppressions=0)
  set_tests_properties(${NAME} PROPERTIES
    LABELS "${LABELS}"
    TIMEOUT ${TIMEOUT}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    ENVIRONMENT "${environment}")
endfunction()

# A fuzzer: libFuzzer in the preset `asan`; in every other build the test NAME, which runs the inputs of
# CORPUS (a folder beside the CMakeLists.txt, read recursively; may be absent) through the same function.
function(weft_fuzz NAME)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS" "SOURCES;DEPS;LINK")
  if(NOT WEFT_TESTS)
    return()
  endif()
  set(corpus "")
  if(arg_CORPUS)
    get_filename_component(corpus ${arg_CORPUS} ABSOLUTE)
  endif()
  add_executable(${NAME} ${arg_SOURCES})
  target_link_libraries(${NAME} PRIVATE weft_flags ${arg_LINK})
  _weft_deps(${NAME} PRIVATE ${arg_DEPS})
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  if(WEFT_FUZZ)
    target_link_options(${NAME} PRIVATE -fsanitize=fuzzer)
    set_property(GLOBAL APPEND PROPERTY WEFT_FUZZERS ${NAME})
    set_property(GLOBAL APPEND_STRING PROPERTY WEFT_FUZZER_LIST "${NAME}\t${corpus}\n")
  else()
    target_sources(${NAME} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/fuzz_driver.cc)
    add_test(NAME ${NAME} COMMAND ${NAME} ${corpus})
    _weft_test_properties(${NAME} "unit;fuzz-corpus" "")
  endif()
endfunction()

# A Google Benchmark program; built by the target weft_benches or by its own name.
function(weft_bench NAME)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;LINK")
  if(NOT WEFT_BENCHES OR NOT benchmark_FOUND)
    return()
  endif()
  add_executable(${NAME} EXCLUDE_FROM_ALL ${arg_SOURCES})
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
  target_link_libraries(${NAME} PRIVATE weft_flags benchmark::benchmark_main ${arg_LINK})
  _weft_deps(${NAME} PRIVATE ${arg_DEPS})
  set_property(GLOBAL APPEND PROPERTY WEFT_BENCH_TARGETS ${NAME})
endfunction()

# Generated protobuf (and with GRPC, gRPC) classes: the target NAME, with its headers on the include path.
# Paths of PROTOS are relative to ROOT, as in their own import statements. The objects are handed to the
# linker as they are, not in an archive: an archive member is not pulled in when a shared library seen
# earlier (an installed Arrow may export opentelemetry::proto) already defines the symbol, and the wrong class
# would be used.
function(weft_protos NAME)
  cmake_parse_arguments(PARSE_ARGV 1 arg "GRPC" "ROOT" "PROTOS;DEPS")
  get_filename_component(root ${arg_ROOT} ABSOLUTE)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${NAME})
  file(MAKE_DIRECTORY ${out})
  set(imports --proto_path=${root})
  foreach(dep IN LISTS arg_DEPS)
    get_target_property(dep_root ${dep} WEFT_PROTO_ROOT)
    list(APPEND imports --proto_path=${dep_root})
  endforeach()
  list(REMOVE_DUPLICATES imports)
  set(sources "")
  foreach(proto IN LISTS arg_PROTOS)
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(made ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    set(command ${WEFT_PROTOC} ${imports} --cpp_out=${out})
    if(arg_GRPC)
      list(APPEND made ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      list(APPEND command --grpc_out=${out} --plugin=protoc-gen-grpc=${WEFT_GRPC_PLUGIN})
    endif()
    add_custom_command(OUTPUT ${made} COMMAND ${command} ${root}/${proto} DEPENDS ${root}/${proto}
                       COMMENT "protoc ${proto}" VERBATIM)
    list(APPEND sources ${made})
  endforeach()
  set(libs weft::protobuf Threads::Threads)
  if(arg_GRPC)
    list(APPEND libs weft::grpc)
  endif()
  add_library(${NAME}_objects OBJECT ${sources})
  target_include_directories(${NAME}_objects SYSTEM PUBLIC ${out})
  target_link_libraries(${NAME}_objects PUBLIC ${libs})
  add_library(${NAME} INTERFACE)
  set_target_properties(${NAME} PROPERTIES WEFT_PROTO_ROOT ${root})
  target_include_directories(${NAME} SYSTEM INTERFACE ${out})
  target_link_libraries(${NAME} INTERFACE $<TARGET_OBJECTS:${NAME}_objects> ${libs})
  add_dependencies(${NAME} ${NAME}_objects)
  foreach(dep IN LISTS arg_DEPS)
    target_link_libraries(${NAME}_objects PUBLIC ${dep}_objects)
    target_link_libraries(${NAME} INTERFACE ${dep})
  endforeach()
endfunction()

# A program that is shipped: at the top of the build folder, able to find Arrow beside itself in lib/.
function(weft_binary NAME)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;LINK")
  add_executable(${NAME} ${arg_SOURCES})
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR} INSTALL_RPATH "$ORIGIN/lib")
  # DT_RPATH, unlike DT_RUNPATH, also holds for what the libraries in lib/ need themselves.
  target_link_options(${NAME} PRIVATE -Wl,--disable-new-dtags)
  target_link_libraries(${NAME} PRIVATE weft_flags ${arg_LINK})
  _weft_deps(${NAME} PRIVATE ${arg_DEPS})
  install(TARGETS ${NAME} RUNTIME DESTINATION . COMPONENT package)
endfunction()

# Called once, last: targets over everything declared above.
function(weft_finish)
  get_property(benches GLOBAL PROPERTY WEFT_BENCH_TARGETS)
  add_custom_target(weft_benches DEPENDS ${benches})
  get_property(fuzzers GLOBAL PROPERTY WEFT_FUZZERS)
  add_custom_target(weft_fuzzers DEPENDS ${fuzzers})
  get_property(fuzzer_list GLOBAL PROPERTY WEFT_FUZZER_LIST)
  file(WRITE ${CMAKE_BINARY_DIR}/fuzzers.tsv "${fuzzer_list}")
endfunction()
