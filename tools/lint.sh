# shellcheck shell=bash
# Sourced by ./dev lint: clang-tidy (.clang-tidy) over the C++ sources that differ from main, or over all with --all, and
# actionlint over the workflows where Go is there to run it.
actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

if command -v go >/dev/null; then
  go run "$actionlint"
else
  echo "lint: go is not there: the workflows are not checked"
fi

cmake --preset native >/dev/null
cmake --build build/native --target generated/registry.inc --target generated/onnx_schema.h >/dev/null

# What clang-tidy is given: sources, since headers are seen through those that include them.
if [[ ${1:-} == --all ]]; then
  mapfile -t sources < <(git ls-files 'engine/*.cpp' 'cli/*.cpp' 'tests/*.cpp')
else
  base=$(git merge-base HEAD "${NM_BASE:-main}")
  mapfile -t sources < <(git diff --name-only --diff-filter=d "$base" -- 'engine/*.cpp' 'cli/*.cpp' 'tests/*.cpp')
fi
# Only what this preset compiles: not the kernels of other machines, nor the fuzzers.
compiled=()
for source in "${sources[@]}"; do
  grep -q "\"file\": \"$PWD/$source\"" build/native/compile_commands.json && compiled+=("$PWD/$source")
done
echo "lint: ${#compiled[@]} C++ sources"
((${#compiled[@]} == 0)) || run-clang-tidy-19 -p build/native -quiet -j "$(nproc)" "${compiled[@]/%/\$}"
