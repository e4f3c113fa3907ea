# The CMake toolchain file of the WebAssembly presets: Emscripten of NM_PREFIX (see dependencies.cmake), of EMSDK, or on
# PATH; version 4 or newer. A toolchain file is read again for every trial compilation, which sees the environment only.
if(NM_PREFIX)  # known from an earlier configuration
  set(ENV{NM_PREFIX} ${NM_PREFIX})
endif()
if(NOT DEFINED ENV{NM_EMSCRIPTEN})
  set(candidates $ENV{NM_PREFIX}/emscripten $ENV{EMSDK}/upstream/emscripten)
  find_program(emcc emcc NO_CACHE HINTS ${candidates} NO_CMAKE_FIND_ROOT_PATH)
  if(NOT emcc)
    message(FATAL_ERROR "Emscripten is not there: put emcc on PATH, set EMSDK, or call ./dev build")
  endif()
  execute_process(COMMAND ${emcc} -dumpversion OUTPUT_VARIABLE version COMMAND_ERROR_IS_FATAL ANY)
  if(version VERSION_LESS 4)
    message(FATAL_ERROR "Emscripten ${version} of ${emcc} is too old: version 4 or newer is needed")
  endif()
  file(REAL_PATH ${emcc} emcc)
  cmake_path(GET emcc PARENT_PATH folder)
  set(ENV{NM_EMSCRIPTEN} ${folder})
endif()
include($ENV{NM_EMSCRIPTEN}/cmake/Modules/Platform/Emscripten.cmake)
# Emscripten's own Node may lack relaxed SIMD.
find_program(emulator node NO_CACHE HINTS $ENV{NM_PREFIX}/node/bin NO_CMAKE_FIND_ROOT_PATH)
set(CMAKE_CROSSCOMPILING_EMULATOR ${emulator})
