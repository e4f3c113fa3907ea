// The activation that a pass has fused into a product or a convolution: internal attributes nm_activation (the number
// of an Activation) and nm_activation_params (its a and b).
#pragma once
#include "engine/kernels/epilogue.h"
#include "engine/ops/operator.h"

namespace nm {

inline constexpr std::string_view kActivation = "nm_activation";
inline constexpr std::string_view kActivationParams = "nm_activation_params";

struct FusedActivation {
  Activation kind = Activation::None;
  float a = 0, b = 0;

  void apply(Epilogue& e) const {
    e.activation = kind;
    e.a = a;
    e.b = b;
  }
};

inline FusedActivation fused_activation(Attributes& attributes) {
  FusedActivation f{static_cast<Activation>(attributes.integer(kActivation, 0))};
  const std::vector<float> params = attributes.numbers(kActivationParams);
  if (!params.empty()) f.a = params[0];
  if (params.size() > 1) f.b = params[1];
  return f;
}

}  // namespace nm
