# nm_engine: every source of the engine's layers, as objects, so that a linker takes all exports of the C ABI.
set(layers base simd kernels tensor onnx graph packed op passes program session)
list(TRANSFORM layers REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/engine/\\1/*.cpp" OUTPUT_VARIABLE patterns)
file(GLOB sources CONFIGURE_DEPENDS ${patterns} ${PROJECT_SOURCE_DIR}/engine/c_api.cpp)
file(GLOB_RECURSE operator_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/engine/ops/*.cpp)
list(APPEND sources ${operator_sources})

set(generated ${PROJECT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})

# A reduced build (docs/reduced.md) has a list of operators and types. It compiles the files that register one of these
# operators, or have a header for others, and nothing that reads or optimises ONNX; within files the list is looked at by
# engine/base/selection.h.
set(selection "")
if(NM_SELECTION)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${NM_SELECTION})
  file(READ ${NM_SELECTION} selection)
  string(REGEX MATCHALL "\"[A-Za-z0-9_]+\"\\)" names "${selection}")
  list(TRANSFORM names REPLACE "\\)" "")
  list(JOIN names "|" any_name)
  foreach(source IN LISTS operator_sources)
    cmake_path(REPLACE_EXTENSION source h OUTPUT_VARIABLE header)
    file(STRINGS ${source} registration REGEX "^NM_OPERATORS\\(")
    file(STRINGS ${source} wanted REGEX "${any_name}")
    if(registration AND NOT wanted AND NOT EXISTS ${header})
      list(REMOVE_ITEM sources ${source})
      list(REMOVE_ITEM operator_sources ${source})
    endif()
  endforeach()
  list(FILTER sources EXCLUDE REGEX "/engine/(passes/|session/read_onnx|graph/(build|decode|external_file)|onnx/model\\.|packed/writer)")
  list(APPEND sources ${PROJECT_SOURCE_DIR}/engine/passes/check_supported.cpp)
endif()
# What operators' code calls by name is not in the models' lists.
if(NM_SELECTION)
  file(GLOB kernel_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/engine/kernels/*.h)
  foreach(source IN LISTS sources kernel_headers)
    file(STRINGS ${source} calls REGEX "unary(<A>)?\\(Unary::")
    string(REGEX MATCHALL "Unary::[A-Za-z]+" names "${calls}")
    foreach(name IN LISTS names)
      string(APPEND selection "NM_SELECTED_FUNCTION(${name})\n")
    endforeach()
  endforeach()
endif()
set(selected OPERATOR TYPE FUNCTION PART)
list(TRANSFORM selected REPLACE "(.+)" "#ifndef NM_SELECTED_\\1\n#define NM_SELECTED_\\1(...)\n#endif\n" OUTPUT_VARIABLE before)
list(TRANSFORM selected REPLACE "(.+)" "#undef NM_SELECTED_\\1\n" OUTPUT_VARIABLE after)
string(JOIN "" selection ${before} "${selection}" ${after})
file(CONFIGURE OUTPUT ${generated}/selection.inc CONTENT "${selection}" @ONLY)

list(JOIN operator_sources "\n" operator_list)
file(CONFIGURE OUTPUT ${generated}/operators.txt CONTENT "${operator_list}\n")
add_custom_command(
  OUTPUT ${generated}/registry.inc
  COMMAND ${CMAKE_COMMAND} -DSOURCES=${generated}/operators.txt -DOUTPUT=${generated}/registry.inc
          -P ${PROJECT_SOURCE_DIR}/cmake/registry.cmake
  DEPENDS ${generated}/operators.txt ${operator_sources} ${PROJECT_SOURCE_DIR}/cmake/registry.cmake
  COMMENT "Listing operators")

set(schemas ${NM_ONNX_SCHEMA}/onnx-ml.proto ${NM_ONNX_SCHEMA}/onnx-data.proto)
add_custom_command(
  OUTPUT ${generated}/onnx_schema.h
  COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/cmake/onnx_schema.py ${schemas} ${generated}/onnx_schema.h
  DEPENDS ${PROJECT_SOURCE_DIR}/cmake/onnx_schema.py ${schemas}
  COMMENT "Reading ONNX's schema")

add_library(nm_engine OBJECT ${sources} ${generated}/registry.inc ${generated}/onnx_schema.h)
target_include_directories(nm_engine PUBLIC ${generated})
target_link_libraries(nm_engine PRIVATE nm_engine_options)
set(artefact native)
if(EMSCRIPTEN)
  set(artefact wasm$<$<BOOL:${NM_SCALAR}>:-scalar>$<$<BOOL:${NM_RELAXED_SIMD}>:-relaxed>$<$<BOOL:${NM_THREADS}>:-threads>)
  if(NM_MEMORY64)
    set(artefact wasm64)
  endif()
endif()
target_compile_definitions(nm_engine PRIVATE NM_VERSION="${PROJECT_VERSION}" NM_ARTEFACT="${artefact}")

# Time is spent in the kernels; everything else is there to be small. Of operators at -Os and at -Oz, in turn in one Node
# process, 27 models took the same time (geometric mean 1.001), and some 60 single operators over 256 Ki elements at most
# 1.17 times as long, but Trilu 1.7 times; 85 KB in all.
if(EMSCRIPTEN)
  foreach(source IN LISTS sources)
    if(source MATCHES "/engine/kernels/")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -O3)
    elseif(source MATCHES "/engine/(tensor/|ops/math/diagonal)")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Os)
    else()
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Oz)
    endif()
  endforeach()
endif()

# The kernels of one instruction set: engine/kernels/targets/NAME.cpp. Fused multiply-adds are allowed there, and
# std::thread, new or containers are not: a function that other files share must not come out compiled for it.
function(nm_kernel_target name)
  set(source ${PROJECT_SOURCE_DIR}/engine/kernels/targets/${name}.cpp)
  if(EXISTS ${source})
    target_sources(nm_engine PRIVATE ${source})
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${ARGN}")
  endif()
endfunction()

if(NM_SCALAR)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/engine/kernels/kernels.cpp ${PROJECT_SOURCE_DIR}/engine/kernels/targets/scalar.cpp
    PROPERTIES COMPILE_DEFINITIONS NM_SCALAR)
  # On devices, where code is to be small, its speed is an interpreter's.
  nm_kernel_target(scalar $<IF:$<BOOL:${EMSCRIPTEN}>,-Os,-O2> -DXSIMD_WITH_EMULATED=1)
elseif(EMSCRIPTEN)
  # No -ffp-contract=fast: with it the relaxed artefact computed wrong column variances (InstanceNormalization gave
  # NaN), without it right ones; why is not known. Kernels ask for relaxed multiply-adds by name.
  nm_kernel_target(wasm -O3)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  nm_kernel_target(sse2)
  nm_kernel_target(avx2 -mavx2 -mfma -mf16c -ffp-contract=fast)
  nm_kernel_target(avx512 -mavx512f -mavx512cd -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c -ffp-contract=fast)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "i686")
  nm_kernel_target(sse2)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  nm_kernel_target(neon -ffp-contract=fast)
endif()
