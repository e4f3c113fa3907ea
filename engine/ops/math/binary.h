// Arithmetic on two tensors that broadcast to one result: shared by the operators that have two inputs and those that
// have any number.
#pragma once
#include "engine/kernels/elementwise.h"
#include "engine/op/operator.h"

namespace nm {

// out = f(x, y), of one type; x and y broadcast to out's shape, and either may be out itself when it has that shape.
// `y_shape` is y's shape as it broadcasts (older operator sets align it at an axis).
Status apply_binary(Binary f, const Tensor& x, const Tensor& y, const Shape& y_shape, Tensor& out);

// z[i] = f(x[i * xs], y[i * ys]) for i < n; steps are 0 or 1.
void apply_run(Binary f, const float* x, int64_t xs, const float* y, int64_t ys, float* z, int64_t n);

}  // namespace nm
