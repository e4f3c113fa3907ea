#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "bench/roofline/roofline.h"
#include "cli/commands.h"
#include "cli/model_run.h"
#include "engine/base/json.h"
#include "engine/base/thread_pool.h"

namespace nm::cli {
namespace {

struct StepTimes {
  std::vector<double> ms;
  double start = 0;  // of the last run
  double median() {
    std::sort(ms.begin(), ms.end());
    return ms[ms.size() / 2];
  }
};

// Billions per second; nothing where there is nothing to count.
std::string rate(double amount, double ms) {
  char out[16] = "";
  if (amount > 0 && ms > 0) std::snprintf(out, sizeof out, "%.1f", amount / ms / 1e6);
  return out;
}

// How near a time is to the least possible. Data in nearer caches may exceed 100 %.
std::string percent(double least, double ms) {
  char out[16] = "";
  if (ms > 0) std::snprintf(out, sizeof out, "%.0f %%", 100 * least / ms);
  return out;
}

Status write_trace(const std::string& path, const std::vector<StepFacts>& facts, const std::vector<StepTimes>& steps) {
  JsonWriter json;
  json.begin_object().key("traceEvents").begin_array();
  for (size_t i = 0; i < steps.size(); ++i) {
    json.begin_object().member("name", facts[i].node.empty() ? facts[i].op : facts[i].node).member("cat", facts[i].op);
    json.member("ph", "X").member("ts", steps[i].start * 1000).member("dur", steps[i].ms.back() * 1000);
    json.member("pid", int64_t{1}).member("tid", int64_t{1}).end_object();
  }
  const std::string out = json.end_array().end_object().take();
  return write_file(path, out.data(), out.size());
}

Status profile_model(Arguments arguments) {
  NM_TRY(use_threads(take_option(arguments, "--threads")));
  const int runs = std::max(1, std::atoi(take_option(arguments, "--runs", "10").c_str()));
  const std::string trace = take_option(arguments, "--trace");
  const InputOptions inputs = take_input_options(arguments);
  if (arguments.size() != 1) return {Code::InvalidArgument, "give one model file: neuromancer profile MODEL"};
  NM_ASSIGN(std::unique_ptr<Session> session, load_model(arguments[0]));
  std::vector<StepTimes> steps;
  for (int run = 0; run <= runs; ++run) {
    NM_TRY(give_inputs(*session, inputs));
    NM_TRY(session->begin());
    steps.resize(session->program().plan()->steps.size());
    const auto begin = Clock::now();
    for (StepTimes& step : steps) {
      const auto from = Clock::now();
      NM_ASSIGN(const size_t left, session->advance(1));
      (void)left;
      step.start = milliseconds(begin, from);
      if (run > 0) step.ms.push_back(milliseconds(from, Clock::now()));  // the first run warms up
    }
  }
  const std::vector<StepFacts> facts = session->steps();
  if (!trace.empty()) NM_TRY(write_trace(trace, facts, steps));

  const double threads = thread_pool::size();
  const double peak_flops = threads * bench::peak_flops(kernels()), peak_bytes = bench::peak_bytes(kernels());
  std::printf("%s, %g threads; roofs: %.1f GFLOP/s in registers, %.1f GB/s from the last cache\n\n", kernels().isa,
              threads, peak_flops / 1e9, peak_bytes / 1e9);
  double total = 0;
  for (StepTimes& s : steps) total += s.median();
  std::map<std::string, std::pair<double, int>> by_operator;
  std::printf("%10s %6s %9s %8s %6s  %-24s %-34s %s\n", "ms", "%", "GFLOP/s", "GB/s", "roof", "operator", "output",
              "node");
  for (size_t i = 0; i < steps.size(); ++i) {
    const StepFacts& step = facts[i];
    const double ms = steps[i].median();
    const double least = 1000 * std::max(step.flops / peak_flops, step.bytes / peak_bytes);
    const std::string label = step.op + (step.kernel.empty() ? "" : " (" + step.kernel + ")");
    std::printf("%10.4f %6.1f %9s %8s %6s  %-24s %-34s %s\n", ms, 100 * ms / total, rate(step.flops, ms).c_str(),
                rate(step.bytes, ms).c_str(), percent(least, ms).c_str(), label.c_str(), step.shape.c_str(),
                step.node.c_str());
    auto& [sum, count] = by_operator[label];
    sum += ms;
    ++count;
  }
  std::vector<std::pair<double, std::string>> sorted;
  for (const auto& [name, entry] : by_operator) {
    sorted.emplace_back(entry.first, text(name, " ×", entry.second));
  }
  std::sort(sorted.rbegin(), sorted.rend());
  std::printf("\nby operator:\n");
  for (const auto& [ms, name] : sorted) std::printf("%10.4f %6.1f  %s\n", ms, 100 * ms / total, name.c_str());
  std::printf("%10.4f  in all\n", total);
  return {};
}

}  // namespace

int profile(const Arguments& arguments) {
  const Status s = profile_model(arguments);
  return s.ok() ? 0 : report(s);
}

}  // namespace nm::cli
