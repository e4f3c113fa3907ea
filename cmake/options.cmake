# nm_options: how all of our own code is compiled. nm_engine_options: what only the engine keeps to.
set(known_compiler OFF)  # one that the gate compiles with; others have false alarms of their own
if(EMSCRIPTEN OR (CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13))
  set(known_compiler ON)
endif()
option(NM_WARNINGS_ARE_ERRORS "Warnings are errors" ${known_compiler})

add_library(nm_options INTERFACE)
target_include_directories(nm_options INTERFACE ${PROJECT_SOURCE_DIR})
target_include_directories(nm_options SYSTEM INTERFACE ${NM_XSIMD} ${NM_JSON})
target_compile_options(nm_options INTERFACE
  -Wall -Wextra -Wpedantic $<$<BOOL:${NM_WARNINGS_ARE_ERRORS}>:-Werror>
  -ffp-contract=off)  # the same sums in every build; kernels ask for fused operations where they want them
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(nm_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)  # false alarms of GCC 12
endif()
if(NM_SANITIZE)
  target_compile_options(nm_options INTERFACE
    -fsanitize=${NM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(nm_options INTERFACE -fsanitize=${NM_SANITIZE})
endif()

add_library(nm_engine_options INTERFACE)
target_link_libraries(nm_engine_options INTERFACE nm_options)
target_compile_options(nm_engine_options INTERFACE -fno-exceptions -fno-rtti)

if(EMSCRIPTEN)
  if(NM_SELECTION)
    # The linker then sees which kernels of the table somebody calls: for ten operators of small image models 525 KB become 422 KB.
    target_compile_options(nm_options INTERFACE -flto -fwhole-program-vtables -fvirtual-function-elimination -fvisibility=hidden)
    target_compile_definitions(nm_options INTERFACE NM_REDUCED $<$<BOOL:${NM_SCALAR}>:NM_SCALAR>)
  endif()
  if(NOT NM_SCALAR)
    target_compile_options(nm_options INTERFACE -msimd128)
  endif()
  if(NM_MEMORY64)
    target_compile_options(nm_options INTERFACE -sMEMORY64)
  endif()
  if(NM_RELAXED_SIMD)
    target_compile_options(nm_options INTERFACE -mrelaxed-simd)
  endif()
  if(NM_THREADS)
    target_compile_options(nm_options INTERFACE -matomics -mbulk-memory -sSHARED_MEMORY)
  endif()
elseif(NM_THREADS)
  find_package(Threads REQUIRED)
  target_link_libraries(nm_options INTERFACE Threads::Threads)
endif()
