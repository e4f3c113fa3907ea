// Functions of one number, for one number at a time; the kernels have them for vectors of float32.
#pragma once
#include "engine/kernels/elementwise.h"

namespace nm {

double apply_unary(Unary f, double x, float a, float b);
float apply_unary(Unary f, float x, float a, float b);

// What ONNX takes for the parameters of a function where a node does not give them.
struct UnaryParameters {
  float a = 0, b = 0;
};
UnaryParameters usual_parameters(Unary f);

}  // namespace nm
