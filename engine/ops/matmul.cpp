// MatMul, and com.microsoft's FusedMatMul, which adds transposes and a factor.
//
// Passes add to MatMul: an activation (see activation.h), input 2, a bias [N], and input 3, a residual of the result's
// shape that is added before the activation.
#include "engine/ops/activation.h"
#include "engine/ops/check.h"
#include "engine/ops/numbers.h"
#include "engine/ops/product.h"

namespace nm {
namespace {

class MatMul final : public Operator {
 public:
  explicit MatMul(Attributes& a) : activation_(a) {
    operands_.transpose_a = a.flag("transA", false);
    operands_.transpose_b = a.flag("transB", false);
    operands_.alpha = a.number("alpha", 1);
    if (a.flag("transBatchA", false) || a.flag("transBatchB", false)) {
      a.unsupported("the attributes 'transBatchA' and 'transBatchB' are not supported");
    }
    plain_ = !operands_.transpose_a && !operands_.transpose_b && operands_.alpha == 1;
  }

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, 2));
    NM_TRY(check_number(c, 0, "the left matrix (input 0)"));
    NM_TRY(check_number(c, 1, "the right matrix (input 1)"));
    const DType type = c.type(0) == DType::Undefined ? c.type(1) : c.type(0);
    // Weights may still be 16-bit when the pass that widens has left them for `prepare`.
    const bool packable = type == DType::Float32 && is_float(c.type(1)) && c.type(1) != DType::Float64;
    if (!packable) NM_TRY(common_type(c, 0, 2).take_status());
    c.output(0, type);
    if (!c.has_shape(0) || !c.has_shape(1)) return {};
    NM_ASSIGN(const ProductShape p, ProductShape::of(c.shape(0), c.shape(1), operands_));
    c.output(0, type, p.out);
    if (c.has_shape(2) && c.shape(2).known() && p.n >= 0 && c.shape(2) != Shape{p.n}) {
      return wrong_shape("the bias (input 2)", c.shape(2), to_string(Shape{p.n}));
    }
    if (c.has_shape(3) && c.shape(3).known() && p.out.known() && c.shape(3) != p.out) {
      return wrong_shape("the residual (input 3)", c.shape(3), to_string(p.out));
    }
    return {};
  }

  Status prepare(Preparation& p) override {
    const Tensor* b = p.constant(1);
    if (b == nullptr || !is_float(b->dtype()) || b->dtype() == DType::Float64 || b->rank() == 0) return {};
    NM_TRY(packed_.pack(*b, operands_));
    p.consume(1);
    p.keeps(packed_.bytes());
    return {};
  }

  Status run(Execution& c) override {
    const Tensor& a = c.input(0);
    if (a.dtype() == DType::Float32 && (packed_.ok() || c.input(1).dtype() == DType::Float32)) {
      Epilogue epilogue;
      if (c.has(2)) epilogue.bias = c.data<float>(2);
      if (c.has(3)) epilogue.residual = c.data<float>(3);
      activation_.put(epilogue);
      return multiply(c, a, c.input(1), packed_, operands_, epilogue, c.output(0));
    }
    if (!plain_ || a.dtype() != c.input(1).dtype()) return no_arithmetic(c.input(1).dtype());
    return multiply_generic(a, c.input(1), c.output(0));
  }

  bool packs_float16(size_t i) const override { return i == 1; }
  bool in_place(size_t i) const override { return i == 3; }
  double flops(const Inference& c) const override {
    auto p = ProductShape::of(c.shape(0), c.shape(1), operands_);
    return p.ok() ? p->flops() : 0;
  }
  std::string kernel(const Inference&) const override { return packed_.ok() ? "gemm packed" : "gemm"; }

 private:
  Operands operands_;
  bool plain_;
  FusedActivation activation_;
  PackedMatrices packed_;
};

}  // namespace

NM_OPERATORS(matmul) {
  r.add<MatMul>("MatMul", 1);
  r.add_in<MatMul>(kMicrosoftDomain, "FusedMatMul", 1);
}

}  // namespace nm
