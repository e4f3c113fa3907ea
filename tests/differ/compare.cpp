#include "tests/differ/compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cli/numbers.h"
#include "engine/base/text.h"
#include "engine/tensor/integers.h"
#include "tests/unit/onnx_writer.h"

namespace nm::differ {
namespace {

using cli::numbers;
using Outputs = std::vector<Tensor>;

Result<Outputs> run(const std::string& model, const std::vector<Tensor>& inputs, bool optimize, int runs) {
  NM_ASSIGN(auto session, test::load(model, optimize));
  Outputs outputs;
  for (int r = 0; r < runs; ++r) {
    for (size_t i = 0; i < inputs.size(); ++i) NM_TRY(session->set_input(i, inputs[i]));
    NM_TRY(session->run());
  }
  for (size_t i = 0; i < session->outputs().size(); ++i) {
    const Tensor* t = session->output(i).tensor();
    if (t == nullptr) return Status(Code::TypeMismatch, "an output is no tensor");
    NM_ASSIGN(Tensor copy, Tensor::create(t->dtype(), t->shape()));
    if (t->dtype() == DType::String) {
      std::copy_n(t->data<std::string>(), t->count(), copy.data<std::string>());
    } else if (t->bytes() > 0) {
      std::memcpy(copy.raw(), t->raw(), t->bytes());
    }
    outputs.push_back(std::move(copy));
  }
  return outputs;
}

// Floats moved by a few of their last bits.
std::vector<Tensor> nudged(const std::vector<Tensor>& inputs, uint32_t seed) {
  std::vector<Tensor> out = inputs;
  uint32_t state = seed * 2654435761u + 1;
  for (Tensor& t : out) {
    if (t.dtype() != DType::Float32) continue;
    auto copy = Tensor::create(t.dtype(), t.shape());
    if (!copy.ok()) continue;
    for (int64_t i = 0; i < t.count(); ++i) {
      state = state * 1664525 + 1013904223;
      const float by = 1 + (static_cast<float>(state >> 8) / 8388608.f - 1) * 1e-6f;
      copy->data<float>()[i] = t.data<float>()[i] * by;
    }
    t = std::move(*copy);
  }
  return out;
}

double precision(DType t) {
  if (t == DType::Float16) return 4e-3;
  if (t == DType::BFloat16) return 3e-2;
  return is_float(t) ? 2e-5 : 0;
}

// A number that is rounded to 16 bits on its way may land on either side.
double precision(const Sketch& sketch, DType t) {
  double most = precision(t);
  for (const SketchNode& n : sketch.nodes) {
    const auto to = n.attributes.find("to");
    if (!is_float(t) || n.op != "Cast" || to == n.attributes.end()) continue;
    const auto* type = std::get_if<int64_t>(&to->second);
    if (type != nullptr && (*type == 10 || *type == 16)) {
      most = std::max(most, precision(static_cast<DType>(*type)));
    }
  }
  return most;
}

std::vector<Tensor> inputs_of(const Sketch& sketch) {
  std::vector<Tensor> inputs;
  for (const SketchInput& i : sketch.inputs) inputs.push_back(i.value);
  return inputs;
}

}  // namespace

Verdict run_plainly(const Sketch& sketch) {
  Verdict v;
  auto reference = run(sketch.model(), inputs_of(sketch), false, 1);
  if (!reference.ok()) {
    v.kind = Verdict::Kind::Refused;
    v.reason = reference.status().message();
    return v;
  }
  v.reference = std::move(*reference);
  return v;
}

Verdict compare(const Sketch& sketch) {
  Verdict v = run_plainly(sketch);
  if (v.kind == Verdict::Kind::Refused) return v;
  const std::string model = sketch.model();
  const std::vector<Tensor> inputs = inputs_of(sketch);
  const Outputs* reference = &v.reference;
  const auto differs = [&v](std::string reason) {
    v.kind = Verdict::Kind::Differs;
    v.reason = std::move(reason);
    return v;
  };
  auto optimized = run(model, inputs, true, 2);
  if (!optimized.ok()) {
    return differs(
        text("only refused with passes: ", optimized.status().error().op, ": ", optimized.status().message()));
  }
  std::vector<std::vector<std::vector<double>>> others;  // outputs of nudged inputs, as numbers
  for (size_t o = 0; o < reference->size(); ++o) {
    const Tensor& a = (*reference)[o];
    const Tensor& b = (*optimized)[o];
    if (a.dtype() != b.dtype() || a.shape() != b.shape()) {
      return differs(text("output ", o, " is ", describe(a.dtype(), a.shape()), " and with passes ",
                          describe(b.dtype(), b.shape())));
    }
    const std::vector<double> x = numbers(a), y = numbers(b);
    double largest = 0;
    for (const double n : x) largest = std::isfinite(n) ? std::max(largest, std::abs(n)) : largest;
    for (size_t i = 0; i < x.size(); ++i) {
      if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
      // Sums over many elements are exact in proportion to the largest of them.
      const double allowed =
          precision(sketch, a.dtype()) * (std::abs(x[i]) + 0.05 * largest) + (is_float(a.dtype()) ? 1e-6 : 0);
      if (std::abs(x[i] - y[i]) <= allowed) continue;
      if (others.empty()) {
        for (uint32_t seed = 1; seed <= 12; ++seed) {
          auto other = seed <= 4 ? run(model, nudged(inputs, seed), false, 1)
                                 : run(sketch.disturbed(seed).model(), inputs, false, 1);
          auto& list = others.emplace_back();
          for (size_t k = 0; k < reference->size(); ++k) {
            list.push_back(other.ok() && k < other->size() ? numbers((*other)[k]) : std::vector<double>());
          }
        }
      }
      double sensitivity = 0;
      bool jumps = false;
      for (const auto& list : others) {
        if (list[o].size() != x.size()) {
          jumps = true;
          break;
        }
        const double d = std::abs(list[o][i] - x[i]);
        // Where last bits change all of a number, another order of the same sums may give any.
        jumps = jumps || !std::isfinite(d) || d > std::abs(x[i]) + allowed;
        sensitivity = std::max(sensitivity, std::isfinite(d) ? d : 0);
      }
      if (jumps || std::abs(x[i] - y[i]) <= allowed + 20 * sensitivity) continue;
      return differs(text("output ", o, ", element ", i, ": ", std::to_string(x[i]), " and with passes ",
                          std::to_string(y[i]), " (the last bits of the inputs account for ",
                          std::to_string(sensitivity), ")"));
    }
  }
  return v;
}

}  // namespace nm::differ
