// The kernels' benchmark cases: one table for native and wasm runs.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/kernels/kernels.h"

namespace nm::bench {

struct Case {
  std::string name;
  double flops;  // per run; elements for kernels that are not multiply-adds
  bool multiply_adds;
  // Makes the inputs and returns the run, or none where the instruction set has no such kernel.
  std::function<std::function<void()>(const KernelTable&)> prepare;
};

std::vector<Case> cases();

// The matrix products among them, which have a peer where Eigen is compiled in (natively). Eigen's reads matrices as
// they are; ours has B packed before, as constant weights are.
struct ProductSize {
  int64_t m, n, k;
  std::string name() const;
  double flops() const;
};
const std::vector<ProductSize>& products();
std::function<void()> eigen_product(const ProductSize& size);

}  // namespace nm::bench
