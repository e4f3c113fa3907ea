# shellcheck shell=bash
# Sourced by ./dev lint and ./dev test: clang-tidy over C++ (.clang-tidy says which checks), actionlint over the workflows.

# Where Go is there to fetch and run it.
lint_workflows() {
  if ! command -v go >/dev/null; then
    echo "lint: go is not there: the workflows are not checked"
    return
  fi
  go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
}

# lint_sources [--all]: the sources that differ from main, or all. Sources, since headers are seen through those that
# include them; only what the preset `native` compiles: not the kernels of other machines.
lint_sources() {
  local generated=(registry.inc onnx_schema.h attribute_names.inc) base sources compiled=() source
  cmake --preset native >/dev/null || return
  cmake --build build/native "${generated[@]/#/--target=generated/}" >/dev/null || return
  if [[ ${1:-} == --all ]]; then
    node tools/lint-folders.mjs build/native || return
    # What includes a folder's sources is asked about nothing but these.
    run-clang-tidy-19 -p build/native/lint -quiet -j "$(nproc)" -checks=-bugprone-suspicious-include || return
    echo "$(grep -c '"file"' build/native/lint/compile_commands.json) passed, 0 failed"
    return
  fi
  base=$(git merge-base HEAD "${NM_BASE:-main}")
  mapfile -t sources < <(git diff --name-only --diff-filter=d "$base" -- {engine,cli,tests,bench}/'*.cpp')
  for source in "${sources[@]}"; do
    grep -q "\"file\": \"$PWD/$source\"" build/native/compile_commands.json && compiled+=("$PWD/$source")
  done
  echo "lint: ${#compiled[@]} C++ sources"
  ((${#compiled[@]} == 0)) || run-clang-tidy-19 -p build/native -quiet -j "$(nproc)" "${compiled[@]/%/\$}"
}
