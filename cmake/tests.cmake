# nm_tests: the Catch2 suites over the very objects that ship. Only the tests have exceptions, which Catch2 needs.
file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/tests/unit/*.cpp ${PROJECT_SOURCE_DIR}/tests/kernels/*.cpp ${PROJECT_SOURCE_DIR}/tests/ops/*.cpp
  ${PROJECT_SOURCE_DIR}/tests/passes/*.cpp)
if(NOT test_sources OR (EMSCRIPTEN AND NM_THREADS))
  return()  # the threaded artefact is tested as its users start it: tests/wasm
endif()

add_library(catch2 OBJECT ${NM_PREFIX}/catch2/catch_amalgamated.cpp)
target_include_directories(catch2 SYSTEM PUBLIC ${NM_PREFIX}/catch2)
target_compile_options(catch2 PRIVATE -O1 $<$<BOOL:${NM_SANITIZE}>:-fsanitize=${NM_SANITIZE}>)

add_executable(nm_tests ${test_sources})
target_link_libraries(nm_tests PRIVATE catch2 nm_engine nm_options)
target_compile_options(nm_tests PRIVATE -O1)
add_test(NAME unit COMMAND nm_tests WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
if(EMSCRIPTEN)
  target_compile_options(catch2 PRIVATE -fwasm-exceptions)
  target_compile_options(nm_tests PRIVATE -fwasm-exceptions)
  target_link_options(nm_tests PRIVATE
    -fwasm-exceptions -sALLOW_MEMORY_GROWTH -sSTACK_SIZE=1MB -sNODERAWFS -sEXIT_RUNTIME -sENVIRONMENT=node)
endif()
