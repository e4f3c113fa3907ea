// MatMul, and com.microsoft's FusedMatMul, which adds transposes and a factor.
//
// Passes add to MatMul: an activation (see activation.h), input 2, a bias [N], and input 3, a residual of the result's
// shape that is added before the activation.
#include <cstring>

#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/math/product.h"
#include "engine/ops/nn/activation.h"

namespace nm {
namespace {

// FusedMatMul's transBatchA and transBatchB: an operand [m, batch…, k] is meant as [batch…, m, k].
Shape batch_first(const Shape& s, bool batch_inside) {
  Shape out = s;
  if (!batch_inside) return out;
  for (int i = 0; i + 2 < s.rank(); ++i) out[i] = s[i + 1];
  if (s.rank() > 2) out[s.rank() - 2] = s[0];
  return out;
}

// `to` has the shape that batch_first says.
void move_batch_first(const Tensor& from, Tensor& to) {
  const auto row = static_cast<size_t>(dtype_offset(from.dtype(), from.shape().back()));
  const int64_t rows = from.dim(0), batch = from.shape().count(1, from.rank() - 1);
  const auto* source = static_cast<const uint8_t*>(from.raw());
  auto* target = static_cast<uint8_t*>(to.raw());
  for (int64_t b = 0; b < batch && row > 0; ++b) {
    for (int64_t r = 0; r < rows; ++r, target += row) {
      std::memcpy(target, source + static_cast<size_t>(r * batch + b) * row, row);
    }
  }
}

class MatMul final : public Operator {
 public:
  explicit MatMul(Attributes& a) : activation_(a) {
    if (a.domain() != kMicrosoftDomain) return;
    operands_.transpose_a = a.flag("transA", false);
    operands_.transpose_b = a.flag("transB", false);
    operands_.alpha = a.number("alpha", 1);
    batch_inside_[0] = a.flag("transBatchA", false);
    batch_inside_[1] = a.flag("transBatchB", false);
    plain_ = !batch_inside_[0] && !batch_inside_[1] && !operands_.transpose_a && !operands_.transpose_b &&
             operands_.alpha == 1;
  }

  Status infer(Inference& inference) const override {
    NM_ASSIGN(const DType type, product_type(inference));
    inference.output(0, type);
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    NM_ASSIGN(const ProductShape p, product(inference));
    inference.output(0, type, p.out);
    if (inference.has_shape(2) && inference.shape(2).known() && p.n >= 0 && inference.shape(2) != Shape{p.n}) {
      return wrong_shape("the bias (input 2)", inference.shape(2), to_string(Shape{p.n}));
    }
    if (inference.has_shape(3) && inference.shape(3).known() && p.out.known() && inference.shape(3) != p.out) {
      return wrong_shape("the residual (input 3)", inference.shape(3), to_string(p.out));
    }
    return {};
  }

  Status prepare(Preparation& p) override {
    const Tensor* b = p.constant(1);
    if (b == nullptr || !is_float(b->dtype()) || b->dtype() == DType::Float64 || b->rank() == 0) return {};
    if (batch_inside_[1] && b->rank() > 2) {
      NM_ASSIGN(Tensor moved, Tensor::create(b->dtype(), batch_first(b->shape(), true)));
      move_batch_first(*b, moved);
      NM_TRY(packed_.pack(moved, operands_));
    } else {
      NM_TRY(packed_.pack(*b, operands_));
    }
    p.consume(1);
    p.keeps(packed_.bytes());
    return {};
  }

  Status run(Execution& execution) override {
    if (execution.input(0).dtype() == DType::Float32 &&
        (packed_.ok() || execution.input(1).dtype() == DType::Float32)) {
      NM_ASSIGN(const Tensor a, operand(execution, 0));
      NM_ASSIGN(const Tensor b, operand(execution, 1));
      Epilogue epilogue;
      if (execution.has(2)) epilogue.bias = execution.data<float>(2);
      if (execution.has(3)) epilogue.residual = execution.data<float>(3);
      activation_.put(epilogue);
      return multiply(execution, a, b, packed_, operands_, epilogue, execution.output(0));
    }
    const Tensor& a = execution.input(0);
    if (!plain_ || a.dtype() != execution.input(1).dtype()) return no_arithmetic(execution.input(1).dtype());
    return multiply_generic(a, execution.input(1), execution.output(0));
  }

  bool packs_float16(size_t i) const override { return i == 1; }
  bool in_place(size_t i) const override { return i == 3; }
  double flops(const Inference& inference) const override {
    auto p = product(inference);
    return p.ok() ? p->flops() : 0;
  }
  std::string kernel(const Inference&) const override { return packed_.ok() ? "gemm packed" : "gemm"; }

 private:
  Result<ProductShape> product(const Inference& inference) const {
    return ProductShape::of(batch_first(inference.shape(0), batch_inside_[0]),
                            batch_first(inference.shape(1), batch_inside_[1]), operands_);
  }

  // Input i with its batch in front. Of packed weights only the shape matters.
  Result<Tensor> operand(Execution& execution, size_t i) const {
    const Tensor& t = execution.input(i);
    if (!batch_inside_[i] || t.rank() < 3) return t;
    const Shape shape = batch_first(t.shape(), true);
    if (i == 1 && packed_.ok()) return Tensor::view(t.dtype(), shape, nullptr);
    NM_ASSIGN(float* rows, execution.scratch<float>(Size(t.count())));
    Tensor moved = Tensor::view(t.dtype(), shape, rows);
    move_batch_first(t, moved);
    return moved;
  }

  Operands operands_;
  bool batch_inside_[2] = {};
  bool plain_ = true;
  FusedActivation activation_;
  PackedMatrices packed_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<MatMul>("MatMul", 1, {.inputs = 2, .outputs = 1, .layout = layout::opaque, .takes_activation = true}),
    entry_in<MatMul>(kMicrosoftDomain, "FusedMatMul", 1,
                     {.inputs = 2, .outputs = 1, .layout = layout::opaque, .takes_activation = true}),
};

NM_OPERATORS(matmul, kEntries)

}  // namespace nm
