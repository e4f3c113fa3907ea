// Loads and runs hostile models and compares what comes of each, the bytes and the time that it took with what is
// written down.
//   nm_hostile [--print] [NAME…]
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>

#include "cli/files.h"
#include "engine/base/memory.h"
#include "tests/faults/injected_malloc.h"
#include "tests/hostile/models.h"
#include "tests/unit/onnx_writer.h"

namespace {

using namespace nm;

Status load_and_run(const std::string& model) {
  NM_ASSIGN(auto session, test::load(model));
  for (size_t i = 0; i < session->inputs().size(); ++i) {
    NM_ASSIGN(Tensor t, cli::random_input(session->inputs()[i], 1));
    NM_TRY(session->set_input(i, std::move(t)));
  }
  return session->run();
}

}  // namespace

int main(int argc, char** argv) {
  const bool print = argc > 1 && std::string_view(argv[1]) == "--print";
  // So that a model that may take all there is comes to the end of it.
  limit_memory(size_t{256} << 20);
  // What is made once for the whole program (the reserve, the registry) is not the first model's.
  static_cast<void>(load_and_run(hostile::models().back().model));
  int passed = 0, failed = 0;
  for (const hostile::Hostile& h : hostile::models()) {
    if (argc > 1 && !print &&
        std::find_if(argv + 1, argv + argc, [&](const char* a) { return h.name == a; }) == argv + argc)
      continue;
    faults::reset_peak();
    const size_t before = faults::heap().bytes;
    const std::clock_t start = std::clock();
    const Status s = load_and_run(h.model);
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    const double megabytes = static_cast<double>(faults::heap().peak - before) / 1048576;
    const std::string_view outcome = s.ok() ? "ok" : code_name(s.code());
    const bool right = outcome == h.outcome && megabytes <= h.megabytes && seconds <= h.seconds;
    ++(right ? passed : failed);
    if (right && !print) continue;
    std::printf("%-28.*s %-16.*s %7.1f MB %7.2f s  %s\n", static_cast<int>(h.name.size()), h.name.data(),
                static_cast<int>(outcome.size()), outcome.data(), megabytes, seconds,
                s.message().substr(0, 120).c_str());
    if (!right) {
      std::printf("  expected: %.*s within %.0f MB and %.0f s\n", static_cast<int>(h.outcome.size()), h.outcome.data(),
                  h.megabytes, h.seconds);
    }
    std::fflush(stdout);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
