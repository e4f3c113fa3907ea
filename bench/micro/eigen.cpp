// Eigen's product, compiled for the processor at hand: a peer for ours.
#include <Eigen/Core>
#include <memory>

#include "bench/micro/cases.h"

namespace nm::bench {

std::function<void()> eigen_product(const ProductSize& size) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  struct Operands {
    Matrix a, b, c;
  };
  const auto o = std::make_shared<Operands>();
  o->a = Matrix::Random(size.m, size.k);
  o->b = Matrix::Random(size.k, size.n);
  o->c.resize(size.m, size.n);
  return [o] { o->c.noalias() = o->a * o->b; };
}

}  // namespace nm::bench
