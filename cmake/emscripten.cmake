# The CMake toolchain file of the WebAssembly presets.
include(${CMAKE_CURRENT_LIST_DIR}/prefix.cmake)
include(${NM_PREFIX}/emscripten/cmake/Modules/Platform/Emscripten.cmake)
