# What the build takes from elsewhere. Each is looked for in NM_PREFIX (a variable, or of the environment: the prefix that
# tools/toolchain.sh has made, as ./dev names it), then where CMake looks, and is fetched at a pinned commit or hash
# otherwise. Headers do not depend on the target, so a cross compiler's root is not asked for them.
include_guard()
include(FetchContent)
set(NM_PREFIX "$ENV{NM_PREFIX}" CACHE PATH "A toolchain prefix of tools/toolchain.sh; empty: none")
set(NM_ONNX_SCHEMA "" CACHE PATH "The folder with ONNX's onnx-ml.proto and onnx-data.proto; empty: looked for")

# nm_download(FOLDER URL FILE SHA256 …): published files.
function(nm_download folder url)
  while(ARGN)
    list(POP_FRONT ARGN file hash)
    file(DOWNLOAD ${url}/${file} ${folder}/${file} EXPECTED_HASH SHA256=${hash})
  endwhile()
endfunction()

# nm_header(RESULT HEADER VERSION_HEADER MACRO LEAST): the folder of a header-only library whose major version, a macro of
# VERSION_HEADER, is new enough, or nothing. By file and not by package, since xsimd's package asks for others that its
# headers do not need.
function(nm_header result header version_header macro least)
  find_path(${result}_FOUND ${header} HINTS ${NM_PREFIX}/include NO_CMAKE_FIND_ROOT_PATH)
  set(folder ${${result}_FOUND})
  set(${result} "" PARENT_SCOPE)
  if(folder)
    file(STRINGS ${folder}/${version_header} line REGEX "define ${macro} +[0-9]+")
    if(line MATCHES "${macro} +([0-9]+)" AND CMAKE_MATCH_1 GREATER_EQUAL least)
      set(${result} ${folder} PARENT_SCOPE)
    endif()
  endif()
endfunction()

nm_header(NM_XSIMD xsimd/xsimd.hpp xsimd/config/xsimd_config.hpp XSIMD_VERSION_MAJOR 14)
if(NOT NM_XSIMD)
  FetchContent_Declare(xsimd_sources GIT_REPOSITORY https://github.com/xtensor-stack/xsimd
    GIT_TAG e88a72831858123924f7118f345dfe5d70d95991 SOURCE_SUBDIR none)  # 14.3.0
  FetchContent_MakeAvailable(xsimd_sources)
  set(NM_XSIMD ${xsimd_sources_SOURCE_DIR}/include)
endif()

nm_header(NM_JSON nlohmann/json.hpp nlohmann/detail/abi_macros.hpp NLOHMANN_JSON_VERSION_MAJOR 3)
if(NOT NM_JSON)
  set(NM_JSON ${PROJECT_BINARY_DIR}/json)
  nm_download(${NM_JSON}/nlohmann https://raw.githubusercontent.com/nlohmann/json/v3.11.3/single_include/nlohmann
    json.hpp 9bea4c8066ef4a1c206b2be5a36302f8926f7fdc6087af5d20b417d0cf103ea6)
endif()

# For the kernels' tests and micro-benchmarks.
find_path(NM_EIGEN Eigen/Core HINTS ${NM_PREFIX}/include PATH_SUFFIXES eigen3 NO_CMAKE_FIND_ROOT_PATH)
if(NOT NM_EIGEN)
  FetchContent_Declare(eigen_sources URL https://gitlab.com/libeigen/eigen/-/archive/5.0.0/eigen-5.0.0.tar.gz
    URL_HASH SHA256=315c881e19e17542a7d428c5aa37d113c89b9500d350c433797b730cd449c056 SOURCE_SUBDIR none)
  FetchContent_MakeAvailable(eigen_sources)
  set(NM_EIGEN ${eigen_sources_SOURCE_DIR})
endif()

# Sources, because the tests' build has exceptions and sanitizers of its own kind.
find_path(NM_CATCH2 catch_amalgamated.cpp HINTS ${NM_PREFIX}/catch2 NO_CMAKE_FIND_ROOT_PATH)
if(NOT NM_CATCH2)
  nm_download(${PROJECT_BINARY_DIR}/catch2 https://raw.githubusercontent.com/catchorg/Catch2/v3.7.1/extras
    catch_amalgamated.hpp 91d47e2ddfb2949df22ff582d6c292554184da743e11d3811dcdd06b5b0a159b
    catch_amalgamated.cpp 450fc5f213a87668f0f48c91a2afa4f4226186fef453d36e6fa3bc184ccdb9ba)
  set(NM_CATCH2 ${PROJECT_BINARY_DIR}/catch2 CACHE PATH "" FORCE)
endif()

# ONNX's schema, version 1.20: the folder named, the prefix's, that of Python's package onnx, or the published files.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(NOT NM_ONNX_SCHEMA AND EXISTS ${NM_PREFIX}/onnx/onnx-ml.proto)
  set(NM_ONNX_SCHEMA ${NM_PREFIX}/onnx)
endif()
if(NOT NM_ONNX_SCHEMA)
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -c
            "import importlib.util as u; s = u.find_spec('onnx'); print(s.submodule_search_locations[0] if s else '')"
    OUTPUT_VARIABLE package OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(EXISTS ${package}/onnx-data.proto)
    set(NM_ONNX_SCHEMA ${package})
  endif()
endif()
if(NOT NM_ONNX_SCHEMA)
  set(NM_ONNX_SCHEMA ${PROJECT_BINARY_DIR}/onnx)
  nm_download(${NM_ONNX_SCHEMA} https://raw.githubusercontent.com/onnx/onnx/v1.20.0/onnx
    onnx-ml.proto b9b39fbd1c985b45d36525acd33d061b75f813f0a7211d8e614dba67ead4aff2
    onnx-data.proto b93e888534425357bc9ce81a6578bfdacfd465091a8325cc0c09cfd1e7e2bc28)
endif()

# Node runs the tests of the command line program and of WebAssembly; relaxed SIMD came with version 22.
set(least_node 22)
function(nm_node_is_new result candidate)
  execute_process(COMMAND ${candidate} --version OUTPUT_VARIABLE version)
  if(NOT version MATCHES "^v([0-9]+)\\." OR CMAKE_MATCH_1 LESS least_node)
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()
find_program(NM_NODE node HINTS ${NM_PREFIX}/node/bin NO_CMAKE_FIND_ROOT_PATH VALIDATOR nm_node_is_new)
if(NOT NM_NODE)
  message(STATUS "No Node of version ${least_node} or newer: tests that need it are left out")
endif()

# Suites write JUnit files here, beside what they print. After NM_NODE_TEST come the option
# --test-reporter-destination=FILE and the tests.
set(NM_RESULTS ${PROJECT_BINARY_DIR}/results)
file(MAKE_DIRECTORY ${NM_RESULTS})
set(NM_NODE_TEST ${NM_NODE} --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=junit)
