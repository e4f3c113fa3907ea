# The command line program, the test suites and the micro-benchmarks, over the very objects that ship. In WebAssembly
# they are scripts for Node with its file system.
file(GLOB cli_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.cpp)
file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/tests/unit/*.cpp ${PROJECT_SOURCE_DIR}/tests/kernels/*.cpp ${PROJECT_SOURCE_DIR}/tests/ops/*.cpp
  ${PROJECT_SOURCE_DIR}/tests/passes/*.cpp ${PROJECT_SOURCE_DIR}/tests/differ/pattern_graphs.cpp)
# What the service of demo/edge/cpp reads pictures with; it is linked in cmake/component.cmake.
file(GLOB picture_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/demo/edge/cpp/pictures/*.cpp)
file(GLOB micro_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/micro/*.cpp)
file(GLOB roofline_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/roofline/*.cpp)

include(tests_exist)

add_library(nm_program INTERFACE)  # objects come only from libraries that are named directly, so not from this one
if(EMSCRIPTEN)
  # The scripts are CommonJS, whatever the package around the build folder says.
  file(WRITE ${PROJECT_BINARY_DIR}/package.json "{ \"type\": \"commonjs\" }\n")
  set(memory_options -sALLOW_MEMORY_GROWTH -sMAXIMUM_MEMORY=4GB -sSTACK_SIZE=1MB)
  target_link_options(nm_program INTERFACE ${memory_options} -sEXIT_RUNTIME -sNODERAWFS -sENVIRONMENT=node)
endif()

add_executable(cli ${cli_sources} ${roofline_sources})
set_target_properties(cli PROPERTIES OUTPUT_NAME $<IF:$<BOOL:${EMSCRIPTEN}>,neuromancer-cli,neuromancer>)
target_link_libraries(cli PRIVATE nm_engine nm_program nm_engine_options)

# The same program as a WASI command, for hosts that are no browser and no Node.
if(EMSCRIPTEN AND NOT NM_THREADS)
  add_executable(cli_wasi ${cli_sources} ${roofline_sources} ${PROJECT_SOURCE_DIR}/cli/wasi/files.cpp)
  set_target_properties(cli_wasi PROPERTIES OUTPUT_NAME neuromancer-wasi SUFFIX .wasm)
  target_link_libraries(cli_wasi PRIVATE nm_engine nm_engine_options)
  target_link_options(cli_wasi PRIVATE ${memory_options} -sPURE_WASI)
  if(NM_NODE)
    add_test(NAME cli_wasi
      COMMAND ${CMAKE_COMMAND} -E env NM_CLI=$<TARGET_FILE:cli_wasi> NM_EMULATOR=${PROJECT_SOURCE_DIR}/tests/cli/wasi.mjs
              ${NM_NODE_TEST} --test-reporter-destination=${NM_RESULTS}/cli-wasi.xml
              "${PROJECT_SOURCE_DIR}/tests/cli/*.test.mjs")
  endif()
endif()

if(NM_NODE)
  add_test(NAME cli
    COMMAND ${CMAKE_COMMAND} -E env NM_CLI=$<TARGET_FILE:cli> NM_EMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR} ${NM_NODE_TEST}
            --test-reporter-destination=${NM_RESULTS}/cli.xml "${PROJECT_SOURCE_DIR}/tests/cli/*.test.mjs")
endif()

# Catch2 needs exceptions; the objects under test are compiled without, as they ship.
add_library(catch2 OBJECT ${NM_CATCH2}/catch_amalgamated.cpp)
target_include_directories(catch2 SYSTEM PUBLIC ${NM_CATCH2})
target_compile_options(catch2 PRIVATE -O1)
if(NM_SANITIZE)
  target_compile_options(catch2 PRIVATE -fsanitize=${NM_SANITIZE} -fno-sanitize=vptr)
endif()

add_executable(nm_tests ${test_sources} ${picture_sources} ${PROJECT_SOURCE_DIR}/cli/files.cpp)
target_link_libraries(nm_tests PRIVATE nm_engine nm_program catch2 nm_options)
target_include_directories(nm_tests SYSTEM PRIVATE ${NM_EIGEN})
target_compile_options(nm_tests PRIVATE -O1)
if(NM_SANITIZE)
  # That check needs the type information that the engine lacks. A source's options come last, after -fsanitize.
  set_source_files_properties(${test_sources} PROPERTIES COMPILE_OPTIONS -fno-sanitize=vptr)
endif()
add_test(NAME unit COMMAND nm_tests --reporter console --reporter junit::out=${NM_RESULTS}/unit.xml
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
if(EMSCRIPTEN)
  target_compile_options(catch2 PRIVATE -fwasm-exceptions)
  target_compile_options(nm_tests PRIVATE -fwasm-exceptions)
  target_link_options(nm_tests PRIVATE -fwasm-exceptions)
endif()

include(fuzz)

# Random graphs with and without the passes (tests/differ), allocations that fail (tests/faults), models that ask for what
# they should not have (tests/hostile).
set(files ${PROJECT_SOURCE_DIR}/cli/files.cpp)
set(sketches ${PROJECT_SOURCE_DIR}/tests/differ/sketch.cpp ${PROJECT_SOURCE_DIR}/tests/differ/generator.cpp)
set(heap ${PROJECT_SOURCE_DIR}/tests/faults/injected_malloc.cpp)
add_executable(nm_differ ${sketches} ${PROJECT_SOURCE_DIR}/tests/differ/compare.cpp
  ${PROJECT_SOURCE_DIR}/tests/differ/shrink.cpp ${PROJECT_SOURCE_DIR}/tests/differ/main.cpp
  ${PROJECT_SOURCE_DIR}/tests/differ/other_shapes.cpp
  ${PROJECT_SOURCE_DIR}/tests/differ/pattern_generator.cpp ${PROJECT_SOURCE_DIR}/tests/differ/pattern_graphs.cpp
  ${PROJECT_SOURCE_DIR}/cli/numbers.cpp ${files})
add_executable(nm_faults ${PROJECT_SOURCE_DIR}/tests/faults/main.cpp ${heap} ${sketches} ${files})
add_executable(nm_hostile ${PROJECT_SOURCE_DIR}/tests/hostile/main.cpp ${PROJECT_SOURCE_DIR}/tests/hostile/models.cpp
  ${heap} ${files})
foreach(program IN ITEMS nm_differ nm_faults nm_hostile)
  target_link_libraries(${program} PRIVATE nm_engine nm_program nm_engine_options)
endforeach()
foreach(program IN ITEMS nm_faults nm_hostile)
  target_link_options(${program} PRIVATE -Wl,--wrap=malloc -Wl,--wrap=free)
endforeach()

if(EMSCRIPTEN)
  list(FILTER micro_sources EXCLUDE REGEX "/(google|eigen)\\.cpp$")
  add_executable(nm_micro EXCLUDE_FROM_ALL ${micro_sources} ${roofline_sources}
    ${PROJECT_SOURCE_DIR}/bench/micro/wasm/main.cpp)
  target_link_libraries(nm_micro PRIVATE nm_engine nm_engine_options)
  target_link_options(nm_micro PRIVATE ${memory_options} -sEXIT_RUNTIME -sENVIRONMENT=node,worker)  # bench/micro/wasm/run.mjs
  target_compile_options(nm_micro PRIVATE -Wno-dollar-in-identifier-extension)  # EM_ASM
  return()
endif()

if(NOT NM_SANITIZE)
  add_test(NAME kernel_objects
    COMMAND ${CMAKE_COMMAND} "-DOBJECTS=$<TARGET_OBJECTS:nm_engine>" -P ${PROJECT_SOURCE_DIR}/cmake/kernel_objects.cmake)
endif()

find_package(benchmark QUIET)
if(micro_sources AND benchmark_FOUND AND NOT NM_SANITIZE)
  add_executable(nm_micro ${micro_sources} ${roofline_sources})
  target_link_libraries(nm_micro PRIVATE nm_engine nm_program nm_options benchmark::benchmark_main)
  target_include_directories(nm_micro SYSTEM PRIVATE ${NM_EIGEN})
  set_source_files_properties(${PROJECT_SOURCE_DIR}/bench/micro/eigen.cpp PROPERTIES COMPILE_OPTIONS "-O3;-march=native")
endif()
