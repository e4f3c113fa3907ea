# NM_PREFIX: the private toolchain prefix (see tools/toolchain.sh), built now if it is not there yet.
if(NOT NM_PREFIX)
  execute_process(
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/../tools/toolchain.sh
    OUTPUT_VARIABLE NM_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endif()
set(NM_PREFIX ${NM_PREFIX} CACHE PATH "The private toolchain prefix")
