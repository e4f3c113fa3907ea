// What kernels should compute: matrices of float64, and Eigen's arithmetic on them.
#pragma once
#include <Eigen/Core>

#include "engine/ops/math/scalar_function.h"
#include "tests/kernels/support.h"

namespace nm::test {

using Matrix = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Floats whose rows, and elements of a row, lie as far apart as the strides say.
inline Matrix matrix(const float* x, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride = 1) {
  using Floats = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  return Eigen::Map<const Floats, Eigen::Unaligned, Stride>(x, rows, columns, Stride(row_stride, column_stride))
      .cast<double>();
}

inline Matrix product(const Matrix& a, const Matrix& b) { return (a.matrix() * b.matrix()).array(); }

// The elements, row after row.
inline std::vector<double> list(const Matrix& m) { return {m.data(), m.data() + m.size()}; }

// What the epilogue makes of sums, row after row.
inline std::vector<double> finish(const Epilogue& e, const Matrix& sums) {
  std::vector<double> y;
  for (int64_t row = 0; row < sums.rows(); ++row) {
    for (int64_t column = 0; column < sums.cols(); ++column) {
      const double sum = sums(row, column) + (e.bias ? e.bias[column] : 0);
      const double residual = e.residual ? e.residual[row * e.ldr + column] : 0;
      const double before = e.residual_last ? 0 : residual, after = e.residual_last ? residual : 0;
      y.push_back(apply_unary(e.activation, sum + before, e.a, e.b) + after);
    }
  }
  return y;
}

}  // namespace nm::test
