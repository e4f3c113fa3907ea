# The command line program and the micro-benchmarks.
file(GLOB cli_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.cpp)
if(cli_sources)
  add_executable(neuromancer ${cli_sources})
  target_link_libraries(neuromancer PRIVATE nm_engine nm_engine_options)
endif()

file(GLOB micro_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/micro/*.cpp)
find_package(benchmark QUIET)
if(micro_sources AND benchmark_FOUND AND NOT NM_SANITIZE)
  add_executable(nm_micro ${micro_sources})
  target_link_libraries(nm_micro PRIVATE nm_engine nm_options benchmark::benchmark_main)
endif()
