# shellcheck shell=bash disable=SC2317,SC2154 # sourced by dev, which sets what is used; functions are called by name
# Sourced by ./dev test: runs every suite, one section after the other, even when one fails, and adds up what their
# runners counted. Output goes to the screen and to build/test/SECTION.log, JUnit files to build/test/SECTION/.
logs=build/test
mkdir -p "$logs"
passed=0 failed=0 skipped=0 failures=() timings=()
export NO_COLOR=1 FORCE_COLOR=0

# section NAME COMMAND…: a failure without a counted failure (a build that broke, a crash) counts as one.
section() {
  local name=$1 log=$logs/$1.log start=$SECONDS status=0 counts
  results=$PWD/$logs/$1
  shift
  rm -rf "$results"
  mkdir -p "$results"
  echo "=== $name"
  "$@" 2>&1 | tee "$log" || status=$?
  read -ra counts < <(node tools/results.mjs "$log" "$results")
  ((status == 0 || counts[1] > 0)) || counts[1]=1
  ((passed += counts[0], failed += counts[1], skipped += counts[2], 1))
  ((counts[1] == 0)) || failures+=("$name")
  timings+=("$(printf '%5ds  %-28s %s passed, %s failed, %s skipped' \
    $((SECONDS - start)) "$name" "${counts[@]}")")
}

without_models() {
  echo "skipped: there is no folder $NM_MODELS"
  echo "0 passed, 0 failed, 1 skipped"
}

# The suites of a preset, which write their JUnit files into its build folder.
suites() {
  local status=0
  rm -f "build/$1"/results/*.xml
  ctest --test-dir "build/$1" --verbose --no-tests=error || status=$?
  cp "build/$1"/results/*.xml "$results"
  return "$status"
}

# A package's npm script `test`, which ends with Vitest.
vitest() { npm run test -w "$1" -- --reporter=default --reporter=junit --outputFile.junit="$results/vitest.xml"; }

# ONNX's cases and the real models on a target of ./dev conformance.
cases() {
  section "conformance-$1" conformance "$1"
  if [[ -d $NM_MODELS ]]; then
    section "models-$1" conformance "$1" "$NM_MODELS"/*/
  else
    section "models-$1" without_models
  fi
}

report() {
  echo
  printf '%s\n' "${timings[@]}"
  ((${#failures[@]} == 0)) || echo "failed: ${failures[*]} (logs in $logs)"
  echo "$passed passed, $failed failed, $skipped skipped"
  exit $((failed > 0))
}

# Other machines than the one at hand, which takes long: threads under ThreadSanitizer, arm64 in an emulator, sizes of 32
# bits, kernels without SIMD. Not part of the gate.
if [[ ${1:-} == --machines ]]; then
  for preset in native-tsan native-arm64 native-32 native-scalar; do
    section "build-$preset" build "$preset"
    section "unit-$preset" suites "$preset"
  done
  run_cases=(check --quiet --skip tests/conformance/unsupported.txt
    "$prefix"/testdata/{node,simple,light,pytorch-converted,pytorch-operator}/*)
  section conformance-native-tsan build/native-tsan/neuromancer "${run_cases[@]}"
  section conformance-native-arm64 qemu-aarch64-static build/native-arm64/neuromancer "${run_cases[@]}"
  section conformance-native-32 build/native-32/neuromancer "${run_cases[@]}"
  section conformance-native-scalar build/native-scalar/neuromancer "${run_cases[@]}"
  report
fi

section format ./dev format --check
section npm npm_packages
# Of the tests that need nothing built: a mistake shows before an hour of compiling.
types() { npx tsc -p tests/hosts && npm run types -w tests/bundlers && npm run types -w tests/transformers; }
section types types
tools() { node --test --test-reporter=spec --test-reporter-destination=stdout \
  --test-reporter=junit --test-reporter-destination="$results/node.xml" tests/tools/*.test.mjs; }
section tools tools
source tools/lint.sh
section lint lint_sources --all
for preset in native native-asan "${artefacts[@]}"; do
  section "build-$preset" build "$preset"
  section "unit-$preset" suites "$preset"
done
section build-component component # and the reduced module for web/tests/reduced.test.ts
section build-reduced-scalar reduced models/handwriting/handwriting.onnx --preset wasm-scalar
components() { NM_BUILD=build/wasm node --test --test-reporter=spec --test-reporter-destination=stdout \
  --test-reporter=junit --test-reporter-destination="$results/node.xml" tests/component/*.test.mjs; }
section components components
for target in native packed wasm wasm-relaxed; do cases "$target"; done
operators_are_fresh() {
  operators >build/test/operators.md || return
  diff docs/operators.md build/test/operators.md && echo "1 passed, 0 failed" && return
  echo "docs/operators.md is out of date: run ./dev operators" && return 1
}
section operators operators_are_fresh
if [[ -d $NM_MODELS ]]; then
  mapfile -t small_models < <(find "$NM_MODELS" -name model.onnx -size -100k | sort)
  section mutations build/native-asan/nm_mutations --count 1000 "${small_models[@]}"
else
  section mutations without_models
fi
section corpus build/native-asan/nm_replay tests/fuzz/corpus/*
section hostile build/native/nm_hostile
section faults build/native/nm_faults
section faults-wasm node build/wasm/nm_faults.js --every 11
section differ build/native/nm_differ --count 2500 --seed 7
section web vitest web
section web-conformance vitest tests/web-conformance
section ort vitest tests/ort
for target in wasm-threads wasm-relaxed-threads wasm64 chromium; do cases "$target"; done
section bundlers npm run test -w tests/bundlers
section hosts node tests/hosts/run.ts
section demo vitest demo
[[ -e tests/browser/package.json ]] && section browser vitest tests/browser

report
