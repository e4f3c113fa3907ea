#include "engine/ops/nn/activation.h"

#include <iterator>

namespace nm {
namespace {

struct Row {
  std::string_view name;
  Unary kernel;
};

// In the order of Activation.
constexpr Row kRows[] = {
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
static_assert(std::size(kRows) == static_cast<size_t>(Activation::GeluTanh) + 1);

}  // namespace

std::string_view activation_name(Activation activation) { return kRows[static_cast<size_t>(activation)].name; }

std::optional<Activation> activation_named(std::string_view name) {
  for (size_t i = 0; i < std::size(kRows); ++i) {
    if (kRows[i].name == name) return static_cast<Activation>(i);
  }
  return std::nullopt;
}

Unary activation_kernel(Activation activation) { return kRows[static_cast<size_t>(activation)].kernel; }

std::optional<FusedActivation> fused_activation(const Pointwise& function) {
  const Unary* unary = std::get_if<Unary>(&function.f);
  if (unary == nullptr || *unary == Unary::Copy) return std::nullopt;
  if (*unary == Unary::QuickGelu && function.a == 1) return FusedActivation(Activation::Silu, 0, 0);
  if (*unary == Unary::Clip && !(function.a <= function.b)) return std::nullopt;
  for (size_t i = 0; i < std::size(kRows); ++i) {
    if (kRows[i].kernel == *unary) return FusedActivation(static_cast<Activation>(i), function.a, function.b);
  }
  return std::nullopt;
}

FusedActivation::FusedActivation(Attributes& attributes) {
  const std::string name = attributes.string("nm_activation", "");
  const std::vector<float> params = attributes.numbers("nm_activation_params");
  const auto known = activation_named(name);
  if (!known) attributes.fail(text("the fused activation '", name, "' is not known"));
  kind = known.value_or(Activation::None);
  if (!params.empty()) a = params[0];
  if (params.size() > 1) b = params[1];
}

}  // namespace nm
