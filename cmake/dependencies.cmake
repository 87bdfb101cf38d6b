# Every library that weft uses, found once and given one stable name: weft::<library>.
# The Debian packages are listed in tools/debian-packages.txt; `./dev setup` installs them.

find_package(PkgConfig REQUIRED)

# weft_library(NAME targets...): the stable name weft::NAME for what was found.
function(weft_library NAME)
  add_library(weft_lib_${NAME} INTERFACE)
  target_link_libraries(weft_lib_${NAME} INTERFACE ${ARGN})
  add_library(weft::${NAME} ALIAS weft_lib_${NAME})
endfunction()

# weft_pkg_library(NAME module): the same for a library known to pkg-config.
function(weft_pkg_library NAME MODULE)
  pkg_check_modules(weft_pkg_${NAME} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${MODULE})
  # Abseil's files bring pairs of --push-state and --pop-state, which CMake tears apart; they are needless here.
  get_target_property(options PkgConfig::weft_pkg_${NAME} INTERFACE_LINK_OPTIONS)
  if(options)
    list(FILTER options EXCLUDE REGEX "--(push-state|pop-state|as-needed)")
    set_target_properties(PkgConfig::weft_pkg_${NAME} PROPERTIES INTERFACE_LINK_OPTIONS "${options}")
  endif()
  weft_library(${NAME} PkgConfig::weft_pkg_${NAME})
endfunction()

# weft_header_library(NAME header): the same for a library that is only headers.
function(weft_header_library NAME HEADER)
  find_path(WEFT_${NAME}_INCLUDE ${HEADER} REQUIRED)
  add_library(weft_lib_${NAME} INTERFACE)
  target_include_directories(weft_lib_${NAME} SYSTEM INTERFACE ${WEFT_${NAME}_INCLUDE})
  add_library(weft::${NAME} ALIAS weft_lib_${NAME})
endfunction()

# --- Arrow and Parquet: the system's where it has them, else the pinned wheel that `./dev setup` unpacks.
set(WEFT_ARROW_WHEEL ${CMAKE_SOURCE_DIR}/third_party/pyarrow CACHE PATH "The unpacked pyarrow wheel")
option(WEFT_SYSTEM_ARROW "Prefer an installed Arrow to the wheel" ON)
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/arrow_version.txt WEFT_ARROW_VERSION LIMIT_COUNT 1)
string(REGEX MATCH "^[0-9]+" arrow_major ${WEFT_ARROW_VERSION})
if(WEFT_SYSTEM_ARROW)
  find_package(Arrow ${arrow_major} CONFIG QUIET)
  find_package(Parquet ${arrow_major} CONFIG QUIET)
  find_package(ArrowS3 ${arrow_major} CONFIG QUIET)
endif()
if(Arrow_FOUND AND Parquet_FOUND)
  weft_library(arrow Arrow::arrow_shared)
  weft_library(parquet Parquet::parquet_shared Arrow::arrow_shared)
  # Arrow keeps its S3 file system in a library of its own. Without it, weft says so when asked for s3://.
  if(ArrowS3_FOUND)
    weft_library(arrow_s3 ArrowS3::arrow_s3_shared Arrow::arrow_shared)
    target_compile_definitions(weft_lib_arrow_s3 INTERFACE WEFT_HAS_S3)
  else()
    weft_library(arrow_s3 Arrow::arrow_shared)
  endif()
else()
  if(NOT EXISTS ${WEFT_ARROW_WHEEL}/include/arrow/api.h)
    message(FATAL_ERROR "Arrow ${WEFT_ARROW_VERSION} is neither installed nor in third_party/pyarrow. Run ./dev setup")
  endif()
  # The wheel names its libraries libarrow.so.<major>00; they find each other by RUNPATH $ORIGIN. What they carry
  # of OpenSSL, simdjson and opentelemetry-cpp has been made invisible by tools/hide_symbols.
  foreach(name IN ITEMS arrow arrow_s3 parquet)
    set(file ${WEFT_ARROW_WHEEL}/lib${name}.so.${arrow_major}00)
    if(NOT EXISTS ${file})
      message(FATAL_ERROR "${file} is missing: the wheel is not the pinned version. Run ./dev setup")
    endif()
    add_library(weft_wheel_${name} SHARED IMPORTED GLOBAL)
    set_target_properties(weft_wheel_${name} PROPERTIES
      IMPORTED_LOCATION ${file}
      IMPORTED_SONAME lib${name}.so.${arrow_major}00
      INTERFACE_INCLUDE_DIRECTORIES ${WEFT_ARROW_WHEEL}/include)
  endforeach()
  target_link_libraries(weft_wheel_parquet INTERFACE weft_wheel_arrow)
  weft_library(arrow weft_wheel_arrow)
  weft_library(arrow_s3 weft_wheel_arrow_s3 weft_wheel_arrow)
  target_compile_definitions(weft_lib_arrow_s3 INTERFACE WEFT_HAS_S3)
  weft_library(parquet weft_wheel_parquet weft_wheel_arrow)
endif()

# --- wire formats
find_package(Protobuf REQUIRED)
weft_library(protobuf protobuf::libprotobuf)
weft_pkg_library(grpc grpc++)
find_program(WEFT_PROTOC protoc REQUIRED)
find_program(WEFT_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)
weft_header_library(protozero protozero/pbf_reader.hpp)
find_package(simdjson CONFIG REQUIRED)
weft_library(simdjson simdjson::simdjson)

# --- network and JSON
find_package(Boost 1.81 REQUIRED COMPONENTS json)
weft_library(boost Boost::headers Threads::Threads)
target_compile_definitions(weft_lib_boost INTERFACE BOOST_ASIO_NO_DEPRECATED)
weft_library(boost_json Boost::json)

# --- text, hashes, compression, containers
find_package(absl CONFIG REQUIRED)
# Debian builds Abseil as C++14: absl::string_view is not std::string_view there, so a flat_hash_map keyed by strings
# needs its own hash and equality for std::string_view lookups, and text is put together with fmt, not StrCat.
weft_library(absl absl::base absl::flat_hash_map absl::flat_hash_set absl::inlined_vector absl::hash absl::strings
  absl::str_format absl::span absl::synchronization absl::time)
weft_pkg_library(re2 re2)
weft_pkg_library(zstd libzstd)
weft_pkg_library(lz4 liblz4)
weft_pkg_library(xxhash libxxhash)
weft_pkg_library(crc32c libisal)  # ISA-L's crc32_iscsi is CRC-32C; Debian 12's Abseil has none
find_package(Snappy CONFIG REQUIRED)
weft_library(snappy Snappy::snappy)
find_package(ZLIB REQUIRED)
weft_library(zlib ZLIB::ZLIB)

# --- the process
find_package(yaml-cpp CONFIG REQUIRED)
weft_library(yaml yaml-cpp)
find_package(CLI11 CONFIG REQUIRED)
weft_library(cli11 CLI11::CLI11)
find_package(fmt CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
weft_library(fmt fmt::fmt)
weft_library(spdlog spdlog::spdlog fmt::fmt)  # Debian builds it against the external fmt

# --- tests and benchmarks
if(WEFT_TESTS)
  find_package(GTest CONFIG REQUIRED)
endif()
if(WEFT_BENCHES)
  find_package(benchmark CONFIG QUIET)
endif()
