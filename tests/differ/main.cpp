// Random graphs with and without passes; every fourth is made of the rewrites' own texts.
//   nm_differ [--count N] [--minutes N] [--seed N] [--out FOLDER] [--write FOLDER]
// Each difference is made as small as it gets and written to FOLDER/SEED as a case; the exit status says if there were
// any. --write: every graph that runs without passes becomes a case there, with what it gave, and nothing is compared
// (see against_onnxruntime.py).
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/differ/compare.h"
#include "tests/differ/generator.h"
#include "tests/differ/other_shapes.h"
#include "tests/differ/shrink.h"

namespace {

using namespace nm;
using namespace nm::differ;

std::string listing(const Sketch& s) {
  std::string out;
  for (const SketchNode& n : s.nodes) out += (out.empty() ? "" : " ") + n.op;
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  uint64_t seed = 1, count = UINT64_MAX;
  double minutes = 0;
  std::string folder = "build/differ", all;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--seed") {
      seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--count") {
      count = std::strtoull(value, nullptr, 10);
    } else if (name == "--minutes") {
      minutes = std::strtod(value, nullptr);
    } else if (name == "--out") {
      folder = value;
    } else if (name == "--write") {
      all = value;
    } else {
      return std::fprintf(stderr, "nm_differ: no option %s\n", argv[i]), 2;
    }
  }
  if (minutes == 0 && count == UINT64_MAX) count = 10000;
  const auto start = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  uint64_t graphs = 0, refused = 0, differing = 0;
  // Seeds of runs that begin with neighbouring seeds do not meet.
  for (; graphs < count && (minutes == 0 || elapsed() < minutes * 60); ++graphs) {
    const uint64_t own = (seed << 32) + graphs;
    const Sketch sketch = graphs % 4 == 3 ? random_pattern_graph(own) : random_graph(own);
    if (sketch.nodes.empty()) continue;
    if (!all.empty()) {
      const Verdict plain = run_plainly(sketch);
      refused += plain.kind == Verdict::Kind::Refused;
      if (plain.kind == Verdict::Kind::Same) sketch.write_case(all + "/" + std::to_string(own), plain.reference);
      continue;
    }
    const Verdict v = compare(sketch);
    refused += v.kind == Verdict::Kind::Refused;
    // Some graphs are also run with many shapes, one after the other.
    const std::string shapes = graphs % 8 == 1 ? compare_other_shapes(sketch) : "";
    if (!shapes.empty()) {
      ++differing;
      const std::string where = folder + "/" + std::to_string(own);
      sketch.write_case(where, v.reference);
      std::printf("%s: %s\n  %s\n", where.c_str(), shapes.c_str(), listing(sketch).c_str());
      std::fflush(stdout);
      continue;
    }
    if (v.kind != Verdict::Kind::Differs) continue;
    ++differing;
    const Sketch small = shrink(sketch);
    const Verdict again = compare(small);
    const std::string where = folder + "/" + std::to_string(own);
    const bool written = small.write_case(where, again.reference);
    std::printf("%s: %s\n  %s\n", written ? where.c_str() : "(not written)", again.reason.c_str(),
                listing(small).c_str());
    std::fflush(stdout);
  }
  std::printf("%llu graphs in %.0f s, %llu refused without passes\n", static_cast<unsigned long long>(graphs),
              elapsed(), static_cast<unsigned long long>(refused));
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(graphs - differing),
              static_cast<unsigned long long>(differing));
  return differing > 0;
}
