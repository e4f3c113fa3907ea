# The toolchain file of the preset native-32: Debian's compiler for 32-bit x86, whose programs this machine runs as they
# are. Linked statically, so that no foreign libraries have to be found.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(CMAKE_CXX_COMPILER i686-linux-gnu-g++)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
