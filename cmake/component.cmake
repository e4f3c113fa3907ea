# Components (component/README.md): core modules of the engine's objects and of bindings that wit-bindgen has generated, of
# which component/componentize.mjs makes components. Its tools come from npm, into the build folder.
enable_language(C)

set(NM_COMPONENT_MODEL "" CACHE FILEPATH "The packed model inside the service of demo/edge/cpp; empty: it is not built")
set(tools ${PROJECT_BINARY_DIR}/component-tools)
set(tools_package @bytecodealliance/jco-transpile@0.15.0)
add_custom_command(OUTPUT ${tools}/installed
  COMMAND npm install --prefix ${tools} --ignore-scripts --no-audit --no-fund --no-package-lock --silent ${tools_package}
  COMMAND ${CMAKE_COMMAND} -E touch ${tools}/installed
  COMMENT "Installing ${tools_package}" VERBATIM)

# The engine without the C ABI, all of whose functions would be exports.
set(engine_objects $<FILTER:$<TARGET_OBJECTS:nm_engine>,EXCLUDE,c_api\\.cpp>)

# nm_component(NAME WORLD FOLDER [OPTION…] SOURCES …): the target NAME makes NAME.wasm of the world in FOLDER/wit, whose
# bindings are in FOLDER/bindings.
function(nm_component name world folder)
  cmake_parse_arguments(PARSE_ARGV 3 arg "" "" "OPTIONS;SOURCES")
  add_executable(${name}_core EXCLUDE_FROM_ALL ${arg_SOURCES} ${folder}/bindings/${world}.c ${engine_objects})
  add_dependencies(${name}_core nm_engine)
  set_target_properties(${name}_core PROPERTIES SUFFIX .wasm)
  set_source_files_properties(${folder}/bindings/${world}.c PROPERTIES COMPILE_OPTIONS "-Oz;-w")  # generated
  target_include_directories(${name}_core PRIVATE $<TARGET_PROPERTY:nm_engine,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_definitions(${name}_core PRIVATE NM_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${name}_core PRIVATE nm_engine_options nm_module)
  target_link_options(${name}_core PRIVATE -Wl,-Map=${name}.map)
  file(GLOB_RECURSE wit CONFIGURE_DEPENDS ${folder}/wit/*.wit)
  set(script ${PROJECT_SOURCE_DIR}/component/componentize.mjs)
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/${name}.wasm
    COMMAND ${NM_NODE} ${script} $<TARGET_FILE:${name}_core> --wit ${folder}/wit --world ${world} --tools ${tools}
            ${arg_OPTIONS} --out ${name}.wasm
    DEPENDS ${name}_core ${script} ${wit} ${tools}/installed ${PROJECT_SOURCE_DIR}/web/src/bundle/snapshot.ts
    COMMENT "Making the component ${name}.wasm" VERBATIM)
  add_custom_target(${name} DEPENDS ${PROJECT_BINARY_DIR}/${name}.wasm)
endfunction()

nm_component(neuromancer-component engine ${PROJECT_SOURCE_DIR}/component
  SOURCES ${PROJECT_SOURCE_DIR}/component/inference.cpp ${PROJECT_SOURCE_DIR}/component/values.cpp)

if(NM_COMPONENT_MODEL)
  set(edge ${PROJECT_SOURCE_DIR}/demo/edge)
  file(GLOB_RECURSE service CONFIGURE_DEPENDS ${edge}/cpp/*.cpp)
  list(APPEND service ${edge}/cpp/model.S)
  set_source_files_properties(${edge}/cpp/model.S PROPERTIES
    COMPILE_DEFINITIONS NM_MODEL="${NM_COMPONENT_MODEL}" OBJECT_DEPENDS ${NM_COMPONENT_MODEL})

  nm_component(digits-component service ${edge}/component
    OPTIONS --prepare SOURCES ${service} ${edge}/component/http.cpp)
endif()
