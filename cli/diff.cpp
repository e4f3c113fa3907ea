// The first step whose value differs from another session's: of the model without passes, or of another file.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "cli/commands.h"
#include "cli/model_run.h"
#include "cli/numbers.h"
#include "engine/tensor/strided.h"

namespace nm::cli {
namespace {

constexpr std::string_view kChannelsLast = ".channels_last";

// Executes a run step by step; `see` gets each tensor that a step has made, as long as it returns true.
template <class See>
Status trace(Session& session, const InputOptions& inputs, See see) {
  NM_TRY(give_inputs(session, inputs));
  NM_TRY(session.begin());
  const std::vector<StepFacts> steps = session.steps();
  for (size_t left = steps.size(); left > 0;) {
    const size_t step = steps.size() - left;
    NM_ASSIGN(left, session.advance(1));
    if (steps.size() - left == step) continue;  // in a loop
    for (size_t o = 0; o < steps[step].values.size(); ++o) {
      const Value* value = session.step_value(step, o);
      const Tensor* tensor = value == nullptr ? nullptr : value->tensor();
      if (tensor == nullptr || steps[step].values[o].empty()) continue;
      NM_ASSIGN(const bool go_on, see(steps[step], steps[step].values[o], *tensor));
      if (!go_on) return {};
    }
  }
  return {};
}

// The name that the model has for it, and the tensor in the model's form.
struct Named {
  std::string name;
  Tensor tensor;
};

Result<Named> as_in_model(const std::string& name, const Tensor& tensor) {
  if (!name.ends_with(kChannelsLast) || tensor.rank() < 3) {
    NM_ASSIGN(Tensor kept, keep(tensor));
    return Named{name, std::move(kept)};
  }
  Shape shape = tensor.shape();
  Strides from = row_major(shape);
  shape.erase(tensor.rank() - 1);
  shape.insert(1, tensor.shape().back());
  Strides turned = from;
  turned[1] = from[tensor.rank() - 1];
  for (int i = 2; i < tensor.rank(); ++i) turned[i] = from[i - 1];
  NM_ASSIGN(Tensor first, Tensor::create(tensor.dtype(), shape));
  copy_strided(tensor.dtype(), shape, {tensor.raw(), 0, turned}, {first.raw(), 0, row_major(shape)});
  return Named{name.substr(0, name.size() - kChannelsLast.size()), std::move(first)};
}

bool same(const Tensor& a, const Tensor& b) {
  if (a.dtype() != DType::String) return a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
  return std::equal(a.span<std::string>().begin(), a.span<std::string>().end(), b.span<std::string>().begin());
}

std::string position(const Shape& shape, int64_t index) {
  std::string at;
  for (int i = shape.rank(); i-- > 0; index /= shape[i]) at = text(index % shape[i], at.empty() ? "" : ",", at);
  return text('[', at, ']');
}

// How the tensor differs from what is right, in a sentence; empty where it does not.
std::string difference(const Tensor& actual, const Tensor& expected, double tolerance) {
  if (!(actual.shape() == expected.shape()) || actual.dtype() != expected.dtype()) {
    return text("it is ", describe(actual.dtype(), actual.shape()), " where ",
                describe(expected.dtype(), expected.shape()), " is right");
  }
  if (expected.count() == 0) return {};
  const std::vector<double> got = numbers(actual), right = numbers(expected);
  if (right.empty()) return same(actual, expected) ? "" : "its elements differ";
  double largest = 0, scale = 0;
  size_t at = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    const double x = got[i], y = right[i];
    if (std::isfinite(y)) scale = std::max(scale, std::abs(y));
    if (const double distance = apart(x, y); distance > largest) largest = distance, at = i;
  }
  if (largest <= tolerance * (scale > 0 ? scale : 1)) return {};
  return text("it is ", describe(actual.dtype(), actual.shape()), ", and differs by at most ", largest, ", in ",
              position(expected.shape(), static_cast<int64_t>(at)), ": ", got[at], " where ", right[at], " is right");
}

Status show_difference(Arguments arguments) {
  const InputOptions inputs = take_input_options(arguments);
  const std::string other = take_option(arguments, "--reference");
  const double tolerance = std::atof(take_option(arguments, "--tolerance", "1e-3").c_str());
  if (arguments.size() != 1) return {Code::InvalidArgument, "give one model file: neuromancer diff MODEL"};
  std::map<std::string, Tensor> expected;
  NM_ASSIGN(const std::unique_ptr<Session> reference, load_model(other.empty() ? arguments[0] : other, false));
  NM_TRY(
      trace(*reference, inputs, [&](const StepFacts&, const std::string& name, const Tensor& tensor) -> Result<bool> {
        NM_ASSIGN(Named value, as_in_model(name, tensor));
        expected.insert_or_assign(std::move(value.name), std::move(value.tensor));
        return true;
      }));
  NM_ASSIGN(const std::unique_ptr<Session> session, load_model(arguments[0]));
  std::set<std::string> compared;  // some in both layouts
  std::string after, found;
  NM_TRY(trace(
      *session, inputs, [&](const StepFacts& step, const std::string& name, const Tensor& tensor) -> Result<bool> {
        NM_ASSIGN(const Named value, as_in_model(name, tensor));
        const auto right = expected.find(value.name);
        // A pass may compute a value in another type than the model says.
        if (right == expected.end() || right->second.dtype() != value.tensor.dtype()) return true;
        compared.insert(value.name);
        const std::string how = difference(value.tensor, right->second, tolerance);
        if (!how.empty()) {
          found = text("'", value.name, "', of ", step.op, " '", step.node, "', is the first that differs: ", how);
        }
        if (how.empty()) after = value.name;
        return how.empty();
      }));
  if (compared.empty()) return {Code::InvalidArgument, "the two have no value of the same name"};
  if (found.empty()) {
    std::printf("all %zu values that both have agree\n", compared.size());
    return {};
  }
  if (!after.empty()) found += text("; the last one before that agrees is '", after, "'");
  return {Code::InvalidData, found};
}

}  // namespace

int diff(const Arguments& arguments) {
  const Status s = show_difference(arguments);
  return s.ok() ? 0 : report(s);
}

}  // namespace nm::cli
