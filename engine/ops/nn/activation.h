// The activation that a pass has fused into a matrix product or a convolution: the internal attributes
// `nm_activation` (its name) and `nm_activation_params` (a, b of Epilogue).
#pragma once
#include <optional>
#include <string_view>

#include "engine/kernels/elementwise.h"
#include "engine/kernels/epilogue.h"
#include "engine/op/operator.h"

namespace nm {

struct FusedActivation {
  Unary function = Unary::Copy;  // none
  float a = 0;
  float b = 0;

  FusedActivation() = default;
  FusedActivation(Unary f, float a_, float b_) : function(f), a(a_), b(b_) {}
  explicit FusedActivation(Attributes& attributes);

  // "relu", "clip", "leaky_relu", …; "" for none.
  std::string_view name() const;
  void put(Epilogue& epilogue) const {
    epilogue.activation = function;
    epilogue.a = a;
    epilogue.b = b;
  }
};

// The function as an activation, where it may be one.
std::optional<FusedActivation> fused_activation(const Pointwise& function);

}  // namespace nm
