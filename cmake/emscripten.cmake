# The CMake toolchain file of the WebAssembly presets.
include(${CMAKE_CURRENT_LIST_DIR}/prefix.cmake)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES NM_PREFIX)
include(${NM_PREFIX}/emscripten/cmake/Modules/Platform/Emscripten.cmake)
