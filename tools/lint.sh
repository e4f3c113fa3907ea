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
generated=(registry.inc onnx_schema.h attribute_names.inc)
cmake --build build/native "${generated[@]/#/--target=generated/}" >/dev/null

# Sources, since headers are seen through those that include them; only what this preset compiles: not the kernels of
# other machines.
if [[ ${1:-} == --all ]]; then
  node tools/lint-folders.mjs build/native
  # What includes a folder's sources is asked about nothing but these.
  run-clang-tidy-19 -p build/native/lint -quiet -j "$(nproc)" -checks=-bugprone-suspicious-include
  return
fi
base=$(git merge-base HEAD "${NM_BASE:-main}")
mapfile -t sources < <(git diff --name-only --diff-filter=d "$base" -- 'engine/*.cpp' 'cli/*.cpp' 'tests/*.cpp' 'bench/*.cpp')
compiled=()
for source in "${sources[@]}"; do
  grep -q "\"file\": \"$PWD/$source\"" build/native/compile_commands.json && compiled+=("$PWD/$source")
done
echo "lint: ${#compiled[@]} C++ sources"
((${#compiled[@]} == 0)) || run-clang-tidy-19 -p build/native -quiet -j "$(nproc)" "${compiled[@]/%/\$}"
