# The CMake toolchain file of the WebAssembly presets.
include(${CMAKE_CURRENT_LIST_DIR}/prefix.cmake)
include(${NM_PREFIX}/emscripten/cmake/Modules/Platform/Emscripten.cmake)
set(CMAKE_CROSSCOMPILING_EMULATOR ${NM_PREFIX}/node/bin/node)  # the host's may lack relaxed SIMD
