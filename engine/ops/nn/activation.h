// The activation that a pass has fused into a matrix product or a convolution: the internal attributes
// `nm_activation` (a name of the table below) and `nm_activation_params` (a, b of Epilogue).
#pragma once
#include <optional>
#include <string_view>

#include "engine/kernels/elementwise.h"
#include "engine/kernels/epilogue.h"
#include "engine/op/operator.h"

namespace nm {

// "relu", "clip", "leaky_relu", …; "" for None.
std::string_view activation_name(Activation activation);
std::optional<Activation> activation_named(std::string_view name);
// The same function as an elementwise kernel; Copy for None. The parameters are the same.
Unary activation_kernel(Activation activation);

struct FusedActivation {
  Activation kind = Activation::None;
  float a = 0;
  float b = 0;

  FusedActivation() = default;
  FusedActivation(Activation k, float a_, float b_) : kind(k), a(a_), b(b_) {}
  explicit FusedActivation(Attributes& attributes);

  void put(Epilogue& epilogue) const {
    epilogue.activation = kind;
    epilogue.a = a;
    epilogue.b = b;
  }
};

// The same function as an activation, where there is one.
std::optional<FusedActivation> fused_activation(const Pointwise& function);

}  // namespace nm
