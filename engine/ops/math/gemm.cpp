// Gemm: alpha·A·B + beta·C of matrices, A and B transposed or not. A pass may add an activation (see activation.h).
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/math/product.h"
#include "engine/ops/nn/activation.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

class GemmOperator final : public Operator {
 public:
  explicit GemmOperator(Attributes& a) : beta_(a.number("beta", 1)), activation_(a) {
    if (a.version() < 7) a.ignore({"broadcast"});  // shapes say whether it is needed
    operands_.transpose_a = a.flag("transA", false);
    operands_.transpose_b = a.flag("transB", false);
    operands_.alpha = a.number("alpha", 1);
  }

  Status infer(Inference& inference) const override {
    NM_ASSIGN(const DType type, product_type(inference));
    if (inference.type(2) != DType::Undefined && type != DType::Undefined && inference.type(2) != type) {
      return wrong_type("the bias (input 2)", inference.type(2), dtype_name(type));
    }
    inference.output(0, type);
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    for (size_t i = 0; i < 2; ++i) {
      if (inference.shape(i).rank() != 2)
        return wrong_shape(text("input ", i), inference.shape(i), "a matrix (two dimensions)");
    }
    NM_ASSIGN(const ProductShape p, ProductShape::of(inference.shape(0), inference.shape(1), operands_));
    inference.output(0, type, p.out);
    if (!inference.has_shape(2)) return {};
    const auto both = broadcast_shape(p.out, inference.shape(2));
    if (!both || both->rank() != 2 || (p.out.known() && both->known() && *both != p.out)) {
      return wrong_shape("the bias (input 2)", inference.shape(2),
                         text("a shape that broadcasts to ", to_string(p.out)));
    }
    return {};
  }

  Status prepare(Preparation& p) override {
    const Tensor* b = p.constant(1);
    if (b == nullptr || !is_float(b->dtype()) || b->dtype() == DType::Float64 || b->rank() != 2) return {};
    NM_TRY(packed_.pack(*b, operands_));
    p.consume(1);
    p.keeps(packed_.bytes());
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& a = execution.input(0);
    if (a.dtype() == DType::Float32) {
      if (packed_.ok() || execution.input(1).dtype() == DType::Float32) return run_float(execution);
      return no_arithmetic(execution.input(1).dtype());
    }
    if (a.dtype() != execution.input(1).dtype()) return no_arithmetic(execution.input(1).dtype());
    return with_number(a.dtype(), [&]<class T>() { return run_generic<T>(execution); });
  }

  bool packs_float16(size_t i) const override { return i == 1; }
  double flops(const Inference& inference) const override {
    auto p = ProductShape::of(inference.shape(0), inference.shape(1), operands_);
    return p.ok() ? p->flops() : 0;
  }
  std::string kernel(const Inference&) const override { return packed_.ok() ? "gemm packed" : "gemm"; }

 private:
  Status run_float(Execution& execution) {
    Tensor& out = execution.output(0);
    Epilogue epilogue;
    activation_.put(epilogue);
    if (execution.has(2) && beta_ != 0) {
      const Tensor& bias = execution.input(2);
      const int64_t n = out.dim(1);
      const bool row = bias.count() == n && (bias.rank() == 0 || bias.shape().back() == n);
      if (row && beta_ == 1) {
        epilogue.bias = bias.data<float>();
      } else if (row) {
        NM_ASSIGN(float* scaled, execution.scratch<float>(Size(n)));
        kernels().elementwise.unary(Unary::Affine, bias.data<float>(), scaled, n, beta_, 0);
        epilogue.bias = scaled;
      } else {
        spread(bias, out);
        epilogue.residual = out.data<float>();
      }
    }
    return multiply(execution, execution.input(0), execution.input(1), packed_, operands_, epilogue, out);
  }

  // out = beta · bias, broadcast.
  void spread(const Tensor& bias, Tensor& out) const {
    const Broadcast b(out.shape(), {&bias.shape()});
    const float* from = bias.data<float>();
    float* to = out.data<float>();
    b.walk(0, b.count(), [&](const Broadcast::Run& r) {
      for (int64_t i = 0; i < r.count; ++i) to[r.out + i] = beta_ * from[r.in[0] + i * b.step(0)];
    });
  }

  template <class T>
  Status run_generic(Execution& execution) const {
    const Tensor& a = execution.input(0);
    const Tensor& b = execution.input(1);
    Tensor& out = execution.output(0);
    NM_ASSIGN(const ProductShape p, ProductShape::of(a.shape(), b.shape(), operands_));
    // Where element (i, s) of A and (s, j) of B lie.
    const int64_t a_row = operands_.transpose_a ? 1 : p.k;
    const int64_t a_col = operands_.transpose_a ? p.m : 1;
    const int64_t b_row = operands_.transpose_b ? 1 : p.n;
    const int64_t b_col = operands_.transpose_b ? p.k : 1;
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        T sum{0};
        for (int64_t s = 0; s < p.k; ++s) {
          sum = add(sum, multiply(a.data<T>()[i * a_row + s * a_col], b.data<T>()[s * b_row + j * b_col]));
        }
        out.data<T>()[i * p.n + j] = scaled(sum, operands_.alpha);
      }
    }
    if (!execution.has(2)) return {};
    const Tensor& bias = execution.input(2);
    const Broadcast walk(out.shape(), {&bias.shape()});
    walk.walk(0, walk.count(), [&](const Broadcast::Run& r) {
      for (int64_t i = 0; i < r.count; ++i) {
        T& v = out.data<T>()[r.out + i];
        v = add(v, scaled(bias.data<T>()[r.in[0] + i * walk.step(0)], beta_));
      }
    });
    return {};
  }

  // Exact for integers where the factor is 1.
  template <class T>
  static T scaled(T v, float factor) {
    if (factor == 1) return v;
    const double product = static_cast<double>(v) * factor;
    if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(to_integer(product));
    }
    return static_cast<T>(product);
  }

  Operands operands_;
  float beta_;
  FusedActivation activation_;
  PackedMatrices packed_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<GemmOperator>("Gemm", 1, {.inputs = 3, .outputs = 1, .layout = layout::opaque, .takes_activation = true}),
};

NM_OPERATORS(gemm, kEntries)

}  // namespace nm
