#include "cli/numbers.h"

#include <cmath>

#include "engine/op/numbers.h"
#include "engine/tensor/small_float.h"

namespace nm::cli {

std::vector<double> numbers(const Tensor& t) {
  std::vector<double> out;
  if (t.dtype() == DType::Float16) {
    for (const float16 v : t.span<float16>()) out.push_back(static_cast<double>(static_cast<float>(v)));
  } else if (t.dtype() == DType::BFloat16) {
    for (const bfloat16 v : t.span<bfloat16>()) out.push_back(static_cast<double>(static_cast<float>(v)));
  } else if (t.dtype() == DType::Bool) {
    for (const bool v : t.span<bool>()) out.push_back(v ? 1 : 0);
  } else {
    // Of other types nothing is read.
    static_cast<void>(with_number(t.dtype(), [&]<class T>() -> Status {
      for (const T v : t.span<T>()) out.push_back(static_cast<double>(v));
      return {};
    }));
  }
  return out;
}

double apart(double x, double y) {
  if (x == y || (std::isnan(x) && std::isnan(y))) return 0;
  return std::isnan(x - y) ? INFINITY : std::abs(x - y);
}

}  // namespace nm::cli
