// Native: every case on every instruction set through Google Benchmark, and Eigen's matrix products.
#include <benchmark/benchmark.h>

#include <map>

#include "bench/micro/cases.h"
#include "bench/roofline/roofline.h"

namespace {

using Counter = benchmark::Counter;

void count_products(benchmark::State& state, double flops, const nm::KernelTable& table) {
  static std::map<const nm::KernelTable*, double> peaks;
  if (!peaks.count(&table)) peaks[&table] = nm::bench::peak_flops(table);
  const double total = flops * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = Counter(total / 1e9, Counter::kIsRate);
  state.counters["%peak"] = Counter(100 * total / peaks[&table], Counter::kIsRate);
}

void measure(benchmark::State& state, const nm::bench::Case& c, const nm::KernelTable& table) {
  const std::function<void()> run = c.prepare(table);
  if (!run) return state.SkipWithError("the instruction set has no such kernel");
  for (auto _ : state) run();
  if (c.multiply_adds) return count_products(state, c.flops, table);
  state.counters["Gelem/s"] = Counter(c.flops * static_cast<double>(state.iterations()) / 1e9, Counter::kIsRate);
}

void measure_eigen(benchmark::State& state, const nm::bench::ProductSize& size) {
  const std::function<void()> run = nm::bench::eigen_product(size);
  for (auto _ : state) run();
  count_products(state, size.flops(), nm::kernels());
}

const bool registered = [] {
  static const std::vector<nm::bench::Case> cases = nm::bench::cases();
  for (const nm::KernelTable* table : nm::available_kernels()) {
    for (const nm::bench::Case& c : cases) {
      benchmark::RegisterBenchmark((std::string(table->isa) + "/" + c.name).c_str(), measure, std::cref(c),
                                   std::cref(*table));
    }
  }
  for (const nm::bench::ProductSize& size : nm::bench::products()) {
    benchmark::RegisterBenchmark(("eigen/" + size.name()).c_str(), measure_eigen, std::cref(size));
  }
  return true;
}();

}  // namespace
