# The artefact neuromancer.wasm, as it ships: a module without imports, or with the shared memory as its only one.
set(CMAKE_ASM_COMPILER_ID Clang)  # em++ is not recognised as an assembler otherwise
enable_language(ASM)

# Addresses of 64 bits: with threads only, which run alone where no memory can be shared, so that one artefact will do.
# (Emscripten 6 would rather read -m64, which older ones do not know.) The import's name tells a host, before it makes the
# memory, which kind to make.
set(maximum_memory 4GB)
set(memory64 "")
if(NM_MEMORY64)
  if(NOT NM_THREADS)
    message(FATAL_ERROR "NM_MEMORY64 needs NM_THREADS: the package gives an engine of 64 bits its memory")
  endif()
  set(maximum_memory 16GB)
  set(memory64 -sMEMORY64 -Wno-deprecated "SHELL:-Xlinker --import-memory=env,memory64")
endif()

add_library(nm_module INTERFACE)  # how any module of ours is linked
# Functions in the order of their uses: the most used ones have the shortest numbers, 9 KB in all. A target's property
# NM_MAXIMUM_MEMORY is less memory than others may take.
set(own_maximum $<TARGET_PROPERTY:NM_MAXIMUM_MEMORY>)
target_link_options(nm_module INTERFACE
  -Oz -sBINARYEN_EXTRA_PASSES=reorder-functions -fno-exceptions -fno-rtti -sSTANDALONE_WASM --no-entry -sALLOW_MEMORY_GROWTH
  -sMAXIMUM_MEMORY=$<IF:$<BOOL:${own_maximum}>,${own_maximum},${maximum_memory}> ${memory64})
target_sources(nm_module INTERFACE ${PROJECT_SOURCE_DIR}/engine/wasm/imports.cpp)
if(NM_THREADS)
  # Shared memory without Emscripten's scripts: the pool in engine/base/thread_pool.cpp is all there is. The host
  # makes the memory, so its initial size is part of the interface (see docs/architecture.md).
  target_sources(nm_module INTERFACE ${PROJECT_SOURCE_DIR}/engine/wasm/worker_entry.S)
  target_link_options(nm_module INTERFACE
    -sSHARED_MEMORY -sIMPORTED_MEMORY -sINITIAL_MEMORY=4MB -Wno-pthreads-mem-growth)
else()
  target_link_options(nm_module INTERFACE -sINITIAL_HEAP=64KB)
endif()
# A device has little memory, and the stack is a part of it from the beginning.
if(NM_SCALAR)
  target_link_options(nm_module INTERFACE -sSTACK_SIZE=64KB -sMALLOC=emmalloc)
else()
  target_link_options(nm_module INTERFACE -sSTACK_SIZE=1MB)
endif()

add_executable(artefact)
set_target_properties(artefact PROPERTIES OUTPUT_NAME neuromancer SUFFIX .wasm)
target_link_libraries(artefact PRIVATE nm_engine nm_engine_options nm_module)
target_link_options(artefact PRIVATE -Wl,-Map=neuromancer.map)
add_custom_command(TARGET artefact POST_BUILD
  COMMAND ${CMAKE_COMMAND} -DARTEFACT=$<TARGET_FILE:artefact> -DBUDGET=${NM_SIZE_BUDGET}
          -P ${PROJECT_SOURCE_DIR}/cmake/artefact_size.cmake)

if(NM_THREADS)
  # The pool by itself, with jobs that can only end when several workers take part.
  add_executable(pool_probe ${PROJECT_SOURCE_DIR}/tests/wasm/pool_probe.cpp ${PROJECT_SOURCE_DIR}/engine/base/thread_pool.cpp)
  set_target_properties(pool_probe PROPERTIES SUFFIX .wasm)
  target_link_libraries(pool_probe PRIVATE nm_engine_options nm_module)
endif()

if(NOT NM_THREADS AND NM_NODE)
  include(component)
endif()

# tests/wasm reads the build folder's artefacts.
if(NM_NODE)
  add_test(NAME artefact
    COMMAND ${CMAKE_COMMAND} -E env NM_BUILD=${PROJECT_BINARY_DIR} NM_THREADS=${NM_THREADS} NM_MEMORY64=${NM_MEMORY64}
            NM_SIZE_BUDGET=${NM_SIZE_BUDGET} ${NM_NODE_TEST}
            --test-reporter-destination=${NM_RESULTS}/artefact.xml "${PROJECT_SOURCE_DIR}/tests/wasm/*.test.mjs")
endif()
