# Components (component/README.md): core modules of the engine's objects and of bindings that wit-bindgen has generated, of
# which component/componentize.mjs makes components. Its tools come from npm, into the build folder. And the service of
# demo/edge/cpp for hosts that take a core module.
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

# nm_core(NAME SOURCE…): the target NAME links a core module of the engine and of these sources.
function(nm_core name)
  add_executable(${name} EXCLUDE_FROM_ALL ${ARGN} ${engine_objects})
  add_dependencies(${name} nm_engine)
  set_target_properties(${name} PROPERTIES SUFFIX .wasm)
  target_include_directories(${name} PRIVATE $<TARGET_PROPERTY:nm_engine,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_definitions(${name} PRIVATE NM_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${name} PRIVATE nm_engine_options nm_module)
  target_link_options(${name} PRIVATE -Wl,-Map=${name}.map)
endfunction()

# What component/prepared.mjs is made of.
set(prepared ${PROJECT_SOURCE_DIR}/component/prepared.mjs ${PROJECT_SOURCE_DIR}/web/src/bundle/snapshot.ts)

# nm_component(NAME WORLD FOLDER [OPTION…] SOURCES …): the target NAME makes NAME.wasm of the world in FOLDER/wit, whose
# bindings are in FOLDER/bindings.
function(nm_component name world folder)
  cmake_parse_arguments(PARSE_ARGV 3 arg "" "" "OPTIONS;SOURCES")
  nm_core(${name}_core ${arg_SOURCES} ${folder}/bindings/${world}.c)
  set_source_files_properties(${folder}/bindings/${world}.c PROPERTIES COMPILE_OPTIONS "-Oz;-w")  # generated
  file(GLOB_RECURSE wit CONFIGURE_DEPENDS ${folder}/wit/*.wit)
  set(script ${PROJECT_SOURCE_DIR}/component/componentize.mjs)
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/${name}.wasm
    COMMAND ${NM_NODE} ${script} $<TARGET_FILE:${name}_core> --wit ${folder}/wit --world ${world} --tools ${tools}
            ${arg_OPTIONS} --out ${name}.wasm
    DEPENDS ${name}_core ${script} ${prepared} ${wit} ${tools}/installed
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

  # Fastly Compute calls `_start` of a core module. Of 4 GB, `viceroy adapt` would make more, which is no module any more.
  nm_core(digits-fastly_core ${service} ${edge}/fastly/compute.cpp)
  set_target_properties(digits-fastly_core PROPERTIES NM_MAXIMUM_MEMORY 128MB)  # the platform's limit
  set(prepare ${PROJECT_SOURCE_DIR}/component/prepare.mjs)
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/digits-fastly.wasm
    COMMAND ${NM_NODE} ${prepare} $<TARGET_FILE:digits-fastly_core> digits-fastly.wasm
    DEPENDS digits-fastly_core ${prepare} ${prepared}
    COMMENT "Making the program digits-fastly.wasm" VERBATIM)
  add_custom_target(digits-fastly DEPENDS ${PROJECT_BINARY_DIR}/digits-fastly.wasm)
endif()
