#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "cli/commands.h"
#include "cli/model_run.h"
#include "engine/base/json.h"

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

std::string operator_name(const Node& node) {
  return node.domain.empty() ? node.op_type : node.domain + "." + node.op_type;
}

Status write_trace(const std::string& path, const Session& session, const std::vector<StepTimes>& steps) {
  JsonWriter json;
  json.begin_object().key("traceEvents").begin_array();
  for (size_t i = 0; i < steps.size(); ++i) {
    const Node& node = session.program().graph().nodes[session.program().plan()->steps[i].node];
    json.begin_object().member("name", node.name.empty() ? node.op_type : node.name).member("cat", operator_name(node));
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
  if (!trace.empty()) NM_TRY(write_trace(trace, *session, steps));

  const Plan& plan = *session->program().plan();
  double total = 0;
  for (StepTimes& s : steps) total += s.median();
  std::map<std::string, std::pair<double, int>> by_operator;
  std::printf("%10s %6s %9s  %-24s %-34s %s\n", "ms", "%", "GFLOP/s", "operator", "output", "node");
  for (size_t i = 0; i < steps.size(); ++i) {
    const uint32_t n = plan.steps[i].node;
    const Node& node = session->program().graph().nodes[n];
    Inference c = inference_of(node, plan.slots);
    const bool known = session->program().op(n).infer(c).ok();
    const double flops = known ? session->program().op(n).flops(c) : 0;
    const std::string kernel = known ? session->program().op(n).kernel(c) : "";
    const Slot& out = plan.slots[static_cast<size_t>(node.outputs[0] == kNone ? 0 : node.outputs[0])];
    const std::string shape = out.shape ? describe(out.type.dtype, *out.shape) : to_string(out.type);
    const double ms = steps[i].median();
    char rate[16] = "";
    if (flops > 0 && ms > 0) std::snprintf(rate, sizeof rate, "%.1f", flops / ms / 1e6);
    const std::string label = operator_name(node) + (kernel.empty() ? "" : " (" + kernel + ")");
    std::printf("%10.4f %6.1f %9s  %-24s %-34s %s\n", ms, 100 * ms / total, rate, label.c_str(), shape.c_str(),
                node.name.c_str());
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
