#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "cli/commands.h"
#include "cli/model_run.h"
#include "engine/base/json.h"
#include "engine/base/thread_pool.h"
#include "engine/kernels/kernels.h"

namespace nm::cli {
namespace {

Status bench_model(Arguments arguments) {
  NM_TRY(use_threads(take_option(arguments, "--threads")));
  const int runs = std::max(1, std::atoi(take_option(arguments, "--runs", "20").c_str()));
  const bool as_json = take_flag(arguments, "--json");
  const InputOptions inputs = take_input_options(arguments);
  if (arguments.size() != 1) return {Code::InvalidArgument, "give one model file: neuromancer bench MODEL"};
  const auto start = Clock::now();
  NM_ASSIGN(std::unique_ptr<Session> session, load_model(arguments[0]));
  const double load = milliseconds(start, Clock::now());
  double first = 0;
  std::vector<double> times;
  for (int i = 0; i <= runs; ++i) {
    NM_TRY(give_inputs(*session, inputs));
    const auto from = Clock::now();
    NM_TRY(session->run());
    const double ms = milliseconds(from, Clock::now());
    i == 0 ? void(first = ms) : times.push_back(ms);
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  const int threads = thread_pool::size();
  if (as_json) {
    JsonWriter json;
    json.begin_object().member("model", arguments[0]).member("isa", kernels().isa);
    json.member("threads", static_cast<int64_t>(threads)).member("runs", static_cast<int64_t>(runs));
    json.member("load_ms", load).member("first_ms", first).member("median_ms", median);
    json.member("min_ms", times.front()).end_object();
    std::printf("%s\n", json.take().c_str());
  } else {
    std::printf("%s, %d thread%s: load %.1f ms, first run %.2f ms, median %.3f ms, fastest %.3f ms (%d runs)\n",
                kernels().isa, threads, threads == 1 ? "" : "s", load, first, median, times.front(), runs);
    std::printf("memory in bytes: %s\n", session->memory_json().c_str());
  }
  return {};
}

}  // namespace

int bench(const Arguments& arguments) {
  const Status s = bench_model(arguments);
  return s.ok() ? 0 : report(s);
}

}  // namespace nm::cli
