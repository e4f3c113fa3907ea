#pragma once
#include "engine/ops/nn/recurrent.h"

namespace nm {

// Gates in ONNX's order: input, output, forget, cell.
class Lstm : public Recurrent {
 public:
  explicit Lstm(Attributes& a)
      : Recurrent(a, 4, {kSigmoidCell, kTanhCell, kTanhCell}, true), input_forget_(a.integer("input_forget", 0) != 0) {}

 protected:
  void step(const Direction& d, const Rows& rows) const override;
  // rows.gates = rows.x_gates + h·R^T.
  virtual void recurrent_side(const Direction& d, const Rows& rows) const;

 private:
  void any_cell(const Direction& d, const float* gates, float* cell, float* h) const;

  bool input_forget_;
};

}  // namespace nm
