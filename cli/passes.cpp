#include "engine/passes/passes.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "cli/commands.h"
#include "cli/model_run.h"
#include "cli/numbers.h"

namespace nm::cli {
namespace {

struct Ran {
  size_t steps = 0;
  std::vector<Value> outputs;
};

Result<Ran> run_with(const std::string& model, const InputOptions& inputs, size_t passes) {
  NM_ASSIGN(std::unique_ptr<Session> session, load_model(model, true, passes));
  NM_TRY(give_inputs(*session, inputs));
  NM_TRY(session->run());
  Ran ran;
  ran.steps = session->steps().size();
  for (size_t i = 0; i < session->outputs().size(); ++i) {
    NM_ASSIGN(Value value, session->take_output(i));
    ran.outputs.push_back(std::move(value));
  }
  return ran;
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.dtype() != DType::String && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

// The largest difference of two outputs in parts of the largest number expected; infinite where they are no numbers
// that can be compared.
double difference(const Value& actual, const Value& expected) {
  const Tensor *a = actual.tensor(), *e = expected.tensor();
  if (a == nullptr || e == nullptr) return actual.empty() && expected.empty() ? 0 : INFINITY;
  if (a->dtype() != e->dtype() || !(a->shape() == e->shape())) return INFINITY;
  if (e->count() == 0) return 0;
  const std::vector<double> x = numbers(*a), y = numbers(*e);
  if (y.empty()) return same_bytes(*a, *e) ? 0 : INFINITY;
  double most = 0, largest = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    if (std::isfinite(y[i])) largest = std::max(largest, std::abs(y[i]));
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    most = std::max(most, std::isfinite(x[i]) && std::isfinite(y[i]) ? std::abs(x[i] - y[i]) : INFINITY);
  }
  return most == 0 ? 0 : most / (largest > 0 ? largest : 1);
}

Status show_passes(Arguments arguments) {
  const InputOptions inputs = take_input_options(arguments);
  if (arguments.size() != 1) return {Code::InvalidArgument, "give one model file: neuromancer passes MODEL"};
  NM_ASSIGN(const Ran expected, run_with(arguments[0], inputs, 0));
  std::printf("%-22s %8s %12s\n%-22s %8zu %12s\n", "after", "steps", "difference", "(no pass)", expected.steps, "");
  size_t before = expected.steps;
  for (size_t n = 1; !pass_name(n - 1).empty(); ++n) {
    NM_ASSIGN(const Ran ran, run_with(arguments[0], inputs, n));
    double most = 0;
    for (size_t i = 0; i < ran.outputs.size(); ++i) {
      most = std::max(most, difference(ran.outputs[i], expected.outputs[i]));
    }
    std::printf("%-22s %8zu %12.2e%s\n", std::string(pass_name(n - 1)).c_str(), ran.steps, most,
                ran.steps == before
                    ? ""
                    : text("  ", static_cast<int64_t>(ran.steps) - static_cast<int64_t>(before), " steps").c_str());
    before = ran.steps;
  }
  return {};
}

}  // namespace

int passes(const Arguments& arguments) {
  const Status s = show_passes(arguments);
  return s.ok() ? 0 : report(s);
}

}  // namespace nm::cli
