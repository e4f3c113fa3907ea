# The artefact neuromancer.wasm, as it ships: a module without imports, or with the shared memory as its only one.
enable_language(ASM)
add_executable(artefact ${PROJECT_SOURCE_DIR}/engine/wasm/imports.cpp)
set_target_properties(artefact PROPERTIES OUTPUT_NAME neuromancer SUFFIX .wasm)
target_link_libraries(artefact PRIVATE nm_engine nm_engine_options)
target_link_options(artefact PRIVATE
  -fno-exceptions -fno-rtti -sSTANDALONE_WASM --no-entry
  -sSTACK_SIZE=1MB -sALLOW_MEMORY_GROWTH -sMAXIMUM_MEMORY=4GB)
if(NM_THREADS)
  # Shared memory without Emscripten's scripts: the pool in engine/base/thread_pool.cpp is all there is. The host
  # makes the memory, so its initial size is part of the interface (see docs/architecture.md).
  target_sources(artefact PRIVATE ${PROJECT_SOURCE_DIR}/engine/wasm/worker_entry.S)
  target_compile_options(nm_options INTERFACE -matomics -mbulk-memory -sSHARED_MEMORY)
  target_link_options(artefact PRIVATE -sSHARED_MEMORY -sIMPORTED_MEMORY -sINITIAL_MEMORY=4MB -Wno-pthreads-mem-growth)
else()
  target_link_options(artefact PRIVATE -sINITIAL_HEAP=64KB)
endif()
add_custom_command(TARGET artefact POST_BUILD
  COMMAND ${CMAKE_COMMAND} -DARTEFACT=$<TARGET_FILE:artefact> -DBUDGET=${NM_SIZE_BUDGET}
          -P ${PROJECT_SOURCE_DIR}/cmake/artefact_size.cmake)

set(node ${NM_PREFIX}/node/bin/node)
add_test(NAME artefact
  COMMAND ${CMAKE_COMMAND} -E env NM_ARTEFACT=$<TARGET_FILE:artefact> NM_SIZE_BUDGET=${NM_SIZE_BUDGET}
          ${node} --test ${PROJECT_SOURCE_DIR}/tests/wasm)
