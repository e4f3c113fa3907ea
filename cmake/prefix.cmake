# NM_PREFIX: the private toolchain prefix (see tools/toolchain.sh), built now if it is not there yet. Looked up at every
# configuration, once: a toolchain file is read many times.
if(NOT DEFINED ENV{NM_PREFIX})
  execute_process(
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/../tools/toolchain.sh
    OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(ENV{NM_PREFIX} ${prefix})
endif()
set(NM_PREFIX $ENV{NM_PREFIX})
