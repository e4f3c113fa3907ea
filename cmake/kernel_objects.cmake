# A function template or inline function that several files emit is kept once, whichever file's code that may be. One
# that comes from a kernel target without the instruction set in its name could end up in everybody's way on a machine
# that lacks it: OBJECTS must define no such symbol.
find_program(NM nm REQUIRED)
foreach(object IN LISTS OBJECTS)
  if(object MATCHES "/targets/(avx2|avx512|neon)\\.cpp")
    execute_process(COMMAND ${NM} --defined-only ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "[^\n]* [VWu] [^\n]*" shared "${symbols}")
    list(FILTER shared EXCLUDE REGEX "5xsimd")
    if(shared)
      list(JOIN shared "\n" lines)
      message(SEND_ERROR "${object} defines functions that other files may share:\n${lines}")
    endif()
  endif()
endforeach()
