#include "engine/ops/nn/activation.h"

#include <algorithm>
#include <iterator>

namespace nm {
namespace {

// What passes fuse, by the names that packed files have.
struct Fusable {
  std::string_view name;
  Unary function;
};
constexpr Fusable kFusable[] = {
    {"", Unary::Copy},
    {"relu", Unary::Relu},
    {"clip", Unary::Clip},
    {"leaky_relu", Unary::LeakyRelu},
    {"sigmoid", Unary::Sigmoid},
    {"tanh", Unary::Tanh},
    {"silu", Unary::Silu},
    {"hard_swish", Unary::HardSwish},
    {"hard_sigmoid", Unary::HardSigmoid},
    {"gelu", Unary::Gelu},
    {"gelu_tanh", Unary::GeluTanh},
};

const Fusable* fusable(Unary function) {
  const auto row =
      std::find_if(std::begin(kFusable), std::end(kFusable), [&](const Fusable& f) { return f.function == function; });
  return row == std::end(kFusable) ? nullptr : row;
}

}  // namespace

std::optional<FusedActivation> fused_activation(const Pointwise& function) {
  const Unary* unary = std::get_if<Unary>(&function.f);
  if (unary == nullptr || *unary == Unary::Copy) return std::nullopt;
  if (*unary == Unary::QuickGelu && function.a == 1) return FusedActivation(Unary::Silu, 0, 0);
  if (*unary == Unary::Clip && !(function.a <= function.b)) return std::nullopt;
  if (fusable(*unary) == nullptr) return std::nullopt;
  return FusedActivation(*unary, function.a, function.b);
}

FusedActivation::FusedActivation(Attributes& attributes) {
  const std::string given = attributes.string("nm_activation", "");
  const std::vector<float> params = attributes.numbers("nm_activation_params");
  const auto row =
      std::find_if(std::begin(kFusable), std::end(kFusable), [&](const Fusable& f) { return f.name == given; });
  if (row == std::end(kFusable)) {
    attributes.fail(text("the fused activation '", given, "' is not known"));
  } else {
    function = attributes.function(row->function, given);
  }
  if (!params.empty()) a = params[0];
  if (params.size() > 1) b = params[1];
}

std::string_view FusedActivation::name() const {
  const Fusable* row = fusable(function);
  return row == nullptr ? std::string_view() : row->name;
}

}  // namespace nm
