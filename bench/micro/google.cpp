// Native: every case on every instruction set through Google Benchmark.
#include <benchmark/benchmark.h>

#include <map>

#include "bench/micro/cases.h"
#include "bench/roofline/roofline.h"

namespace {

void measure(benchmark::State& state, const nm::bench::Case& c, const nm::KernelTable& table) {
  static std::map<const nm::KernelTable*, double> peaks;
  if (c.multiply_adds && !peaks.count(&table)) peaks[&table] = nm::bench::peak_flops(table);
  const std::function<void()> run = c.prepare(table);
  if (!run) return state.SkipWithMessage("no such kernel");
  for (auto _ : state) run();
  using Counter = benchmark::Counter;
  const double total = c.flops * static_cast<double>(state.iterations());
  state.counters[c.multiply_adds ? "GFLOP/s" : "Gelem/s"] = Counter(total / 1e9, Counter::kIsRate);
  if (c.multiply_adds) state.counters["%peak"] = Counter(100 * total / peaks[&table], Counter::kIsRate);
}

const bool registered = [] {
  static const std::vector<nm::bench::Case> cases = nm::bench::cases();
  for (const nm::KernelTable* table : nm::available_kernels()) {
    for (const nm::bench::Case& c : cases) {
      benchmark::RegisterBenchmark((std::string(table->isa) + "/" + c.name).c_str(), measure, std::cref(c),
                                   std::cref(*table));
    }
  }
  return true;
}();

}  // namespace
