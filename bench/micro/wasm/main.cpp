// WebAssembly in Node or in a browser's worker: the same cases without Google Benchmark. Arguments: parts of names to
// run.
#include <emscripten.h>

#include <cstdio>

#include "bench/micro/cases.h"
#include "bench/roofline/roofline.h"

namespace {

// Processor time of the process, since the machine may be shared; browsers tell the time of day only.
double now() {
  return EM_ASM_DOUBLE({
    if (!globalThis.process) return performance.now() / 1e3;
    const used = process.cpuUsage();
    return (used.user + used.system) / 1e6;
  });
}

// The best of many short batches: neighbours on the machine only ever slow a run down.
double best_seconds(const std::function<void()>& run) {
  double begin = now();
  int warm = 0;
  do {  // the engine's optimising compiler takes over meanwhile
    run();
    ++warm;
  } while (now() - begin < 0.2);
  const int batch = std::max(1, warm / 50);
  double best = 1e9;
  begin = now();
  do {
    const double start = now();
    for (int k = 0; k < batch; ++k) run();
    best = std::min(best, (now() - start) / batch);
  } while (now() - begin < 0.3);
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const nm::KernelTable& table = nm::kernels();
  const double peak = nm::bench::peak_flops(table);
  std::printf("%s: register-only loop %.1f GFLOP/s\n", table.isa, peak / 1e9);
  for (const nm::bench::Case& c : nm::bench::cases()) {
    bool wanted = argc < 2;
    for (int i = 1; i < argc; ++i) wanted |= c.name.find(argv[i]) != std::string::npos;
    if (!wanted) continue;
    const std::function<void()> run = c.prepare(table);
    if (!run) continue;
    const double seconds = best_seconds(run);
    if (c.multiply_adds) {
      std::printf("%-40s %9.1f us %7.1f GFLOP/s %5.0f %%\n", c.name.c_str(), seconds * 1e6, c.flops / seconds / 1e9,
                  100 * c.flops / seconds / peak);
    } else {
      std::printf("%-40s %9.1f us %7.2f Gelem/s\n", c.name.c_str(), seconds * 1e6, c.flops / seconds / 1e9);
    }
  }
}
