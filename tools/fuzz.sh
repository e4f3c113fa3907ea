# shellcheck shell=bash disable=SC2154 # sourced by dev, which sets what is used
# Sourced by ./dev fuzz: lets libFuzzer look on from the kept corpus, and says what it found.
#   ./dev fuzz [--minutes N] [--keep] [TARGET…]
# What it learns stays in build/fuzz/corpus/TARGET; inputs that break a target are written to
# build/fuzz/findings/TARGET. --keep makes the corpus in the repository anew, out of the old one and what was learnt:
# as few inputs as reach the same code, at most half a megabyte for each target.
minutes=5 keep=
targets=()
while (($#)); do
  case $1 in
    --minutes) minutes=${2:?"--minutes needs a number"} && shift ;;
    --keep) keep=1 ;;
    -*) echo "fuzz: no option '$1'" >&2 && exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done
((${#targets[@]})) || targets=(reader model operator packed)

# Inputs are small: what a large one does, a small one does sooner.
longest() { case $1 in operator) echo 1024 ;; *) echo 4096 ;; esac; }

# Allocations are noted with two callers only, and freed memory is kept for a shorter time, for speed.
fuzz() { # TARGET ARGUMENT…
  ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:malloc_context_size=2:quarantine_size_mb=64 UBSAN_OPTIONS=print_stacktrace=1 \
    "build/fuzz/nm_fuzz_$1" -max_len="$(longest "$1")" "${@:2}"
}

# The first corpus of all comes from ONNX's own cases.
seed_corpus() {
  [[ -d build/fuzz/seeds ]] && return
  cmake --build build/fuzz --target nm_seeds
  build/fuzz/nm_seeds build/fuzz/seeds "$prefix"/testdata/{node,simple,pytorch-converted,pytorch-operator}/*
}

status=0
seed_corpus
for target in "${targets[@]}"; do
  learnt=build/fuzz/corpus/$target findings=build/fuzz/findings/$target kept=tests/fuzz/corpus/$target
  mkdir -p "$learnt" "$findings" "$kept"
  log=build/fuzz/$target.log
  echo "— $target, $minutes minutes"
  fuzz "$target" -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 -timeout=120 -rss_limit_mb=2048 \
    -max_total_time="$(awk "BEGIN { print int($minutes * 60) }")" -artifact_prefix="$findings/" \
    "$learnt" "$kept" "build/fuzz/seeds/$target" >"$log" 2>&1 || true
  tail -1 "$log"
  date -u +"%F $target $(sed -n 's/^#\([0-9]*\):.*/\1/p' "$log" | tail -1) executions, $minutes minutes" >>build/fuzz/history.txt
  count=$(find "$findings" -type f | wc -l)
  echo "$count inputs in $findings"
  ((count == 0)) || status=1
  [[ $keep ]] || continue
  fewer=build/fuzz/kept/$target
  rm -rf "$fewer" && mkdir -p "$fewer"
  fuzz "$target" -set_cover_merge=1 "$fewer" "$kept" "$learnt" >>"$log" 2>&1
  rm -rf "$kept" && mkdir -p "$kept"
  # The smallest first, until half a megabyte is full.
  find "$fewer" -type f -printf '%s %p\n' | sort -n | awk '{ sum += $1 } sum <= 524288 { print $2 }' |
    xargs -r cp -t "$kept"
  echo "kept: $(find "$kept" -type f | wc -l) inputs, $(du -sh --apparent-size "$kept" | cut -f1)"
done
exit $status
