// Elements of a tensor as numbers, for comparisons of results.
#pragma once
#include <vector>

#include "engine/tensor/tensor.h"

namespace nm::cli {

// Empty where the type has none (texts, complex numbers and types of less than a byte).
std::vector<double> numbers(const Tensor& t);

// How far two of them are apart: NaN from itself 0, from a number infinitely.
double apart(double x, double y);

}  // namespace nm::cli
