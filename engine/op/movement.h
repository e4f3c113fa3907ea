// Bases of operators that do no arithmetic.
#pragma once
#include "engine/op/operator.h"
#include "engine/tensor/strided.h"

namespace nm {

// Copies elements of any type, 16-bit floats included, without converting them.
class Movement : public Operator {
 public:
  bool native_float16() const override { return true; }
};

// Output 0 is input 0's elements in the same order, whatever its shape.
class SameBytes : public Movement {
 public:
  Status run(Execution& execution) override {
    copy_all(execution.input(0), execution.output(0));
    return {};
  }
  std::optional<View> view(const Inference&, size_t o) const override {
    return o == 0 ? std::optional<View>(View{}) : std::nullopt;
  }
};

}  // namespace nm
