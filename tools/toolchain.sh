#!/usr/bin/env bash
# Builds the private toolchain prefix once and prints its path: Emscripten with its system libraries, header-only
# libraries, Catch2, the published ONNX schema with its backend tests, and a Node that has relaxed SIMD.
#
# Nothing on the host changes: Debian's own Emscripten is too old, so tools/debian.sh downloads packages of a newer suite,
# dpkg unpacks them into the prefix, and patchelf makes the unpacked programs use the prefix's own loader and libraries.
# Those paths are absolute, so a prefix cannot be moved; a stamp file marks one that is complete. Another package list, or
# another `version` below, makes another prefix beside the old one.
#
#   PREFIX/include             Eigen, xsimd, nlohmann (JSON, for the command line program only)
#   PREFIX/catch2              catch_amalgamated.{hpp,cpp}
#   PREFIX/onnx                onnx-ml.proto, onnx-data.proto
#   PREFIX/testdata            ONNX's backend tests (node/, simple/, …)
#   PREFIX/node/bin/node       Node
#   PREFIX/emscripten          emcc, em++, … (a link to the developer's own when one of version 4 or newer is on PATH)
#   PREFIX/manifest.txt        every package's version and SHA-256
set -euo pipefail

version=2
suite=forky
llvm=21
node_version=24.21.0
headers=(libeigen3-dev libxsimd-dev nlohmann-json3-dev)
onnx=(python3-onnx libonnx-testdata)
emscripten=(emscripten binaryen node-acorn "clang-$llvm" "lld-$llvm" "llvm-$llvm" "llvm-$llvm-linker-tools"
  "libclang-common-$llvm-dev" "libllvm$llvm" "libclang-cpp$llvm" libc6 libgcc-s1 libstdc++6 zlib1g libzstd1 libxml2-16
  libedit2 libffi8 libz3-4 libtinfo6 libbsd0 libmd0)

say() { echo "toolchain: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

# The directory of an Emscripten on PATH that is new enough, or nothing.
own_emscripten() {
  local emcc version
  emcc=$(command -v emcc) || return 0
  version=$("$emcc" -dumpversion 2>/dev/null) || return 0
  ((${version%%.*} >= 4)) && dirname "$(readlink -f "$emcc")"
  return 0
}

# Gives every unpacked program the prefix's loader and libraries.
patch_programs() {
  local triplet loader libraries file
  loader=$(find "$prefix/usr/lib" -name 'ld-linux*.so.*' | head -1)
  triplet=$(basename "$(dirname "$loader")")
  libraries=$prefix/usr/lib/$triplet:$prefix/usr/lib/llvm-$llvm/lib
  # A library's own RUNPATH would hide the program's RPATH from the libraries below it.
  find "$prefix/usr/lib" -name '*.so*' -type f -size +4k ! -name 'ld-linux*' ! -name 'libc.so*' -print0 |
    xargs -0 -r patchelf --remove-rpath
  find "$prefix/usr/bin" "$prefix/usr/lib/llvm-$llvm/bin" -type f -perm -u+x -print0 | while IFS= read -r -d '' file; do
    [[ $(head -c 4 "$file" | tr -d '\0') == $'\x7fELF' ]] || continue
    patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$file"
  done
  for file in clang wasm-ld llvm-ar llvm-nm; do
    file=$prefix/usr/lib/llvm-$llvm/bin/$file
    if "$loader" --list "$file" | grep -q 'not found'; then
      "$loader" --list "$file" >&2
      fail "$file misses a library; the package list no longer fits the suite $suite"
    fi
  done
}

configure_emscripten() {
  local root=$prefix/usr/share/emscripten
  # A Node that is not Debian's looks for acorn here.
  ln -sfn nodejs "$prefix/usr/share/node_modules"
  cat >"$root/.emscripten" <<END
LLVM_ROOT = '$prefix/usr/lib/llvm-$llvm/bin'
BINARYEN_ROOT = '$prefix/usr'
NODE_JS = '$prefix/node/bin/node'
CACHE = '$prefix/emscripten-cache'
COMPILER_WRAPPER = 'ccache'
END
  # shellcheck disable=SC2016 # the file's own text
  # Version-manager shims called python3 cost more time than small compilations.
  sed -i 's|^_EM_PY=$EMSDK_PYTHON|_EM_PY=${EMSDK_PYTHON:-/usr/bin/python3}|' "$root"/em*
  ln -sfn usr/share/emscripten "$prefix/emscripten"
}

# Links a small program in every way that the presets do, so that Emscripten builds the system libraries they need now,
# rather than in the middle of parallel builds that would wait for each other.
build_system_libraries() {
  local kind flags lean='-fno-exceptions -fno-rtti'
  local module='-sSTANDALONE_WASM --no-entry' script='-sNODERAWFS -sEXIT_RUNTIME'
  cat >probe.cpp <<'END'
#include <cstdio>
#include <filesystem>
#include <string>
extern "C" __attribute__((used)) int probe(const char* path) { return std::filesystem::exists(path); }
int main(int argc, char** argv) {
#ifdef __cpp_exceptions
  try {
    return std::stoi(argv[1]);
  } catch (...) {
  }
#endif
  return std::printf("%d", probe(argv[0])) + argc;
}
END
  for kind in "module $lean $module" "module $lean $module -sSHARED_MEMORY -sIMPORTED_MEMORY -matomics -mbulk-memory" \
    "module $lean $module -sMEMORY64 -Wno-deprecated -sSHARED_MEMORY -sIMPORTED_MEMORY -matomics -mbulk-memory" \
    "script $lean $script" "script -fwasm-exceptions $script"; do
    flags=${kind#* }
    say "Emscripten's system libraries for: $flags"
    # shellcheck disable=SC2086 # several words
    "$prefix/emscripten/em++" -O3 -sALLOW_MEMORY_GROWTH -Wno-pthreads-mem-growth $flags probe.cpp \
      -o "probe.$([[ $kind == script* ]] && echo js || echo wasm)" 2>&1 |
      sed -n 's/.*generating system [a-z]*: [^ ]*\/\([^ ]*\)\.\.\..*/toolchain:   \1/p' >&2
  done
}

install_node() {
  local cpu
  case $(uname -m) in x86_64) cpu=x64 ;; aarch64) cpu=arm64 ;; *) fail "no Node package for $(uname -m)" ;; esac
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$prefix/node" "node-linux-$cpu@$node_version" >&2
  mkdir -p "$prefix/node/bin"
  ln -sfn "../node_modules/node-linux-$cpu/bin/node" "$prefix/node/bin/node"
  "$prefix/node/bin/node" --version >/dev/null || fail "the Node in $prefix/node does not run"
}

build_prefix() {
  local file tools packages=("${headers[@]}" "${onnx[@]}")
  tools=$(realpath "$(dirname "$0")")
  "$tools/host.sh" build
  [[ $own ]] || packages+=("${emscripten[@]}")
  rm -rf "$prefix"
  mkdir -p "$prefix"/{include,catch2,onnx}
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cd "$work"

  say "downloading ${#packages[@]} packages of the suite $suite"
  "$tools/debian.sh" "$suite" "${packages[@]}" src:catch2
  sha256sum -- *.deb *.orig.tar.* >"$prefix/manifest.txt"
  say "unpacking into $prefix"
  for file in *.deb; do dpkg -x "$file" "$prefix"; done
  rm -rf "$prefix"/usr/share/{man,doc,lintian,gdb}
  ln -s ../usr/include/eigen3/Eigen ../usr/include/xsimd ../usr/include/nlohmann "$prefix/include/"
  mv "$prefix"/usr/lib/python3/dist-packages/onnx/onnx{-ml,-data}.proto "$prefix/onnx/"
  rm -rf "$prefix/usr/lib/python3"
  ln -s usr/share/libonnx-testdata/data "$prefix/testdata"
  tar -xf catch2_*.orig.tar.* --wildcards --strip-components=2 -C "$prefix/catch2" '*/extras/catch_amalgamated.*'
  say "Node $node_version"
  install_node

  if [[ $own ]]; then
    ln -s "$own" "$prefix/emscripten"
  else
    patch_programs
    configure_emscripten
    build_system_libraries
  fi
  date -u +%FT%TZ >"$prefix/complete"
  say "ready: $prefix ($(du -sh "$prefix" | cut -f1))"
}

own=$(own_emscripten)
cache=${NEUROMANCER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/neuromancer}
prefix=$cache/toolchain-$(echo "$version $suite $node_version ${headers[*]} ${onnx[*]} ${own:-${emscripten[*]}}" |
  sha256sum | cut -c1-12)
if [[ ! -e $prefix/complete ]]; then
  mkdir -p "$cache"
  (
    flock 9 # another process may be building the same prefix
    [[ -e $prefix/complete ]] || build_prefix
  ) 9>"$cache/lock"
fi
echo "$prefix"
