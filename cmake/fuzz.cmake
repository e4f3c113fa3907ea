# Programs that try what nobody would write: nm_replay runs kept inputs through the fuzz targets (in every build),
# nm_fuzz_TARGET lets libFuzzer look for new ones (in the preset fuzz), nm_mutations damages models, nm_seeds makes a first
# corpus of ONNX's cases.
set(fuzz_folder ${PROJECT_SOURCE_DIR}/tests/fuzz)
add_custom_command(
  OUTPUT ${generated}/attribute_names.inc
  COMMAND Python3::Interpreter ${fuzz_folder}/attribute_names.py ${generated}/attribute_names.inc ${operator_sources}
  DEPENDS ${fuzz_folder}/attribute_names.py ${operator_sources}
  COMMENT "Reading what operators say of their attributes")

file(GLOB target_sources CONFIGURE_DEPENDS ${fuzz_folder}/*_target.cpp)
add_library(nm_fuzz_targets OBJECT ${target_sources} ${fuzz_folder}/bounded_run.cpp ${fuzz_folder}/time_limit.cpp
  ${fuzz_folder}/operator_model.cpp ${fuzz_folder}/operator_names.cpp ${fuzz_folder}/protobuf_mutator.cpp
  ${PROJECT_SOURCE_DIR}/cli/files.cpp ${generated}/attribute_names.inc)
target_include_directories(nm_fuzz_targets PRIVATE ${generated})
target_link_libraries(nm_fuzz_targets PRIVATE nm_engine_options)
add_dependencies(nm_fuzz_targets nm_engine)  # for the headers generated with it

add_executable(nm_replay ${fuzz_folder}/replay.cpp)
target_link_libraries(nm_replay PRIVATE nm_fuzz_targets nm_engine nm_program nm_engine_options)

if(EMSCRIPTEN)
  return()
endif()

add_executable(nm_mutations ${fuzz_folder}/mutations.cpp ${fuzz_folder}/time_limit.cpp ${PROJECT_SOURCE_DIR}/cli/files.cpp)
target_link_libraries(nm_mutations PRIVATE nm_engine nm_program nm_engine_options)

add_executable(nm_seeds EXCLUDE_FROM_ALL ${fuzz_folder}/seeds.cpp)
target_link_libraries(nm_seeds PRIVATE nm_fuzz_targets nm_engine nm_program nm_engine_options)

if(NM_SANITIZE MATCHES "fuzzer-no-link")
  # Archives, of which a program takes what it needs.
  add_library(nm_engine_archive STATIC $<TARGET_OBJECTS:nm_engine>)
  add_library(nm_fuzz_archive STATIC $<TARGET_OBJECTS:nm_fuzz_targets>)
  add_custom_target(nm_fuzz)
  foreach(source IN LISTS target_sources)
    string(REGEX REPLACE ".*/(.+)_target\\.cpp" "\\1" target ${source})
    add_executable(nm_fuzz_${target} ${fuzz_folder}/fuzzer.cpp)
    target_compile_definitions(nm_fuzz_${target} PRIVATE NM_FUZZ_TARGET="${target}")
    target_link_libraries(nm_fuzz_${target} PRIVATE nm_fuzz_archive nm_engine_archive nm_program nm_engine_options)
    target_link_options(nm_fuzz_${target} PRIVATE -fsanitize=fuzzer)
    add_dependencies(nm_fuzz nm_fuzz_${target})
  endforeach()
endif()
