// MatMulInteger and QLinearMatMul: products of 8-bit integers, exact in 32 bits.
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/math/product.h"
#include "engine/ops/quantized/byte_product.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

// A parameter of one operand: one for all, or one for each of `lines` rows (columns), perhaps by matrix.
int64_t parameter_at(const Tensor& t, int64_t lines, int64_t matrix, int64_t line) {
  if (t.count() == 1) return 0;
  return t.count() == lines ? line : matrix * lines + line;
}

Status check_parameter(const Inference& inference, size_t i, std::string_view what, int64_t lines, const Shape& batch) {
  if (!inference.has_shape(i) || !inference.shape(i).known() || lines < 0) return {};
  const Shape& s = inference.shape(i);
  const int64_t count = s.count();
  if (count == 1 || (s.rank() == 1 && count == lines)) return {};
  if (s.rank() >= 2 && batch.known() && batch.count() >= 0 && lines > 0 && count % lines == 0 &&
      count / lines == batch.count()) {
    return {};
  }
  return wrong_shape(what, s, text("one element or ", lines));
}

// A constant B, packed with its zero points.
Status pack(const Tensor& b, const Tensor* zero, PackedBytes& packed) {
  const int64_t k = b.rank() > 1 ? b.dim(b.rank() - 2) : b.dim(0), n = b.rank() > 1 ? b.dim(b.rank() - 1) : 1;
  IntegerWeights w;
  w.w = {b.raw(), b.dtype() == DType::Int8};
  w.out_stride = 1;
  w.in_stride = n;
  const int64_t zeros = zero ? zero->count() : 0;
  w.zeros = raw_or_null(zero);
  w.zero_step = zeros > 1 ? 1 : 0;
  const int64_t matrices = b.rank() > 2 ? b.shape().count(0, b.rank() - 2) : 1;  // even of no elements
  return packed.pack(matrix_shape(1, k, n), w, matrices, k * n, zeros > n ? n : 0);
}

// The product of operands that infer accepted.
struct ByteProduct {
  const Tensor* a;
  const Tensor* a_zero;  // or nullptr
  const PackedBytes* b;
  bool row_by_row;       // rows have epilogues of their own
  int64_t element_size;  // bytes of one of the result
};

// epilogue(IntegerEpilogue&, matrix of A, matrix of B, row)
template <class F>
Status multiply(Execution& execution, ProductShape p, const ByteProduct& product, F&& epilogue) {
  const int64_t zeros = product.a_zero ? product.a_zero->count() : 0;
  if (p.b_batch.count() == 1 && zeros <= 1 && !product.row_by_row) {  // one tall product
    p.m *= p.batch.count();
    p.batch = p.a_batch = p.b_batch = Shape{};
  }
  const IntegerKernels& kernel = kernels().integer;
  IntegerProduct job;
  job.shape = matrix_shape(product.row_by_row ? 1 : p.m, p.k, p.n);
  job.ldx = p.k;
  job.ldy = p.n;
  job.zero_per_pixel = zeros > 1;
  job.x.is_signed = product.a->dtype() == DType::Int8;
  NM_ASSIGN(uint8_t * scratch, execution.scratch<uint8_t>(Size(kernel.scratch_size(job.shape))));
  const auto* a = static_cast<const uint8_t*>(product.a->raw());
  const auto* a_zero = static_cast<const uint8_t*>(raw_or_null(product.a_zero));
  auto* y = static_cast<uint8_t*>(execution.output(0).raw());
  const Broadcast walk(p.batch, {&p.a_batch, &p.b_batch});
  walk.walk(0, walk.count(), [&](const Broadcast::Run& r) {
    for (int64_t i = 0; i < r.count; ++i) {
      const int64_t ai = r.in[0] + i * walk.step(0), bi = r.in[1] + i * walk.step(1);
      job.packed = product.b->matrix(bi);
      for (int64_t row = 0; row < p.m; row += job.shape.out_w) {
        job.x.data = a + (ai * p.m + row) * p.k;
        if (zeros > 0) job.x_zeros = a_zero + parameter_at(*product.a_zero, p.m, ai, row);
        job.y = y + ((r.out + i) * p.m + row) * p.n * product.element_size;
        epilogue(job.epilogue, ai, bi, row);
        kernel.run(job, scratch);
      }
    }
  });
  return {};
}

// Sums must fit an int32: 2^31 / (255·255) terms.
constexpr int64_t kMaxInner = 33025;

Status check_operands(const Inference& inference, size_t a, size_t b, size_t a_zero, size_t b_zero, ProductShape& p,
                      bool& known) {
  for (const size_t i : {a, b, a_zero, b_zero}) {
    NM_TRY(check_type(inference, i, text("input ", i), {DType::Int8, DType::UInt8}));
  }
  for (const auto& [value, zero] : {std::pair(a, a_zero), std::pair(b, b_zero)}) {
    if (inference.type(value) != DType::Undefined && inference.type(zero) != DType::Undefined &&
        inference.type(value) != inference.type(zero)) {
      return wrong_type(text("the zero point (input ", zero, ")"), inference.type(zero),
                        dtype_name(inference.type(value)));
    }
  }
  known = inference.has_shape(a) && inference.has_shape(b);
  if (!known) return {};
  NM_ASSIGN(p, ProductShape::of(inference.shape(a), inference.shape(b), {}));
  if (p.k > kMaxInner) {
    return {Code::UnsupportedOperator, text("the inner dimension ", p.k, " is too long for sums of 32 bits")};
  }
  NM_TRY(check_parameter(inference, a_zero, "the zero point of A", p.m, p.a_batch));
  return check_parameter(inference, b_zero, "the zero point of B", p.n, p.b_batch);
}

// Input `b` with zero point `zero`, when both are constant.
Status pack_constant(Preparation& preparation, size_t b, size_t zero, PackedBytes& packed) {
  const Tensor *values = preparation.constant(b), *zeros = preparation.constant(zero);
  if (values == nullptr || (zeros == nullptr && preparation.node().input(zero) != kNone)) return {};
  // What infer would refuse, it will.
  if (values->count() == 0 || values->rank() == 0 || !is_byte(values->dtype())) return {};
  if (zeros) {
    const int64_t n = values->rank() == 1 ? 1 : values->dim(values->rank() - 1), count = zeros->count();
    const int64_t matrices = values->rank() < 2 ? 1 : values->count() / n / values->dim(values->rank() - 2);
    if (zeros->dtype() != values->dtype() || (count != 1 && count != n && count != n * matrices)) return {};
  }
  NM_TRY(pack(*values, zeros, packed));
  preparation.keeps(packed.bytes());
  preparation.consume(b);
  return {};
}

// B in the kernel's form, made now where it is not constant.
Result<const PackedBytes*> packed_or_now(const Execution& execution, size_t b, size_t zero, const PackedBytes& packed,
                                         PackedBytes& now) {
  if (packed.ok()) return &packed;
  NM_TRY(pack(execution.input(b), input_or_null(execution, zero), now));
  return static_cast<const PackedBytes*>(&now);
}

// Inputs: a, b, their zero points. With nm_dequantizes (fuse_dequantize) also two factors and an offset of the columns,
// and the result is float32.
class MatMulInteger final : public Operator {
 public:
  explicit MatMulInteger(Attributes& a) : dequantizes_(a.flag("nm_dequantizes", false)) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    const DType to = dequantizes_ ? DType::Float32 : DType::Int32;
    inference.output(0, to);
    ProductShape p;
    bool known = false;
    NM_TRY(check_operands(inference, 0, 1, 2, 3, p, known));
    if (!known) return {};
    inference.output(0, to, p.out);
    for (size_t i = 4; dequantizes_ && i < 7; ++i) {
      NM_TRY(check_type(inference, i, text("input ", i), {DType::Float32}));
      if (inference.has_shape(i) && inference.shape(i).known() && p.n >= 0 && inference.shape(i).count() != 1 &&
          inference.shape(i).count() != p.n) {
        return wrong_shape(text("input ", i), inference.shape(i), text("one element or ", p.n));
      }
    }
    return {};
  }

  Status prepare(Preparation& preparation) override { return pack_constant(preparation, 1, 3, packed_); }

  Status run(Execution& execution) override {
    NM_ASSIGN(const ProductShape p, ProductShape::of(execution.input(0).shape(), execution.input(1).shape(), {}));
    if (p.out.count() == 0) return {};
    PackedBytes now;
    NM_ASSIGN(const PackedBytes* b, packed_or_now(execution, 1, 3, packed_, now));
    IntegerEpilogue epilogue;
    if (dequantizes_) {
      NM_ASSIGN(float* scales, execution.scratch<float>(Size(p.n)));
      for (int64_t i = 0; i < p.n; ++i) scales[i] = column(execution, 4, i, 1) * column(execution, 5, i, 1);
      epilogue.to = IntegerEpilogue::To::Float32;
      epilogue.scales = scales;
      if (execution.has(6)) {
        NM_ASSIGN(float* offsets, execution.scratch<float>(Size(p.n)));
        for (int64_t i = 0; i < p.n; ++i) offsets[i] = column(execution, 6, i, 0);
        epilogue.offsets = offsets;
      }
    }
    return multiply(execution, p, {&execution.input(0), input_or_null(execution, 2), b, false, sizeof(int32_t)},
                    [&](IntegerEpilogue& e, int64_t, int64_t, int64_t) { e = epilogue; });
  }

  double flops(const Inference& inference) const override {
    auto p = ProductShape::of(inference.shape(0), inference.shape(1), {});
    return p.ok() ? p->flops() : 0;
  }

 private:
  static float column(const Execution& execution, size_t input, int64_t i, float otherwise) {
    if (!execution.has(input)) return otherwise;
    return execution.data<float>(input)[execution.input(input).count() == 1 ? 0 : i];
  }

  bool dequantizes_;
  PackedBytes packed_;
};

// Inputs: a, its scale, its zero point, the same for b, the scale and the zero point of the result.
class QLinearMatMul final : public Operator {
 public:
  explicit QLinearMatMul(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 8));
    NM_TRY(check_type(inference, 7, "the zero point of the result", {DType::Int8, DType::UInt8}));
    NM_TRY(check_scalar(inference, 6, "the scale of the result"));
    NM_TRY(check_scalar(inference, 7, "the zero point of the result"));
    for (const size_t i : {1, 4, 6}) NM_TRY(check_float(inference, i, text("the scale (input ", i, ")")));
    inference.output(0, inference.type(7));
    ProductShape p;
    bool known = false;
    NM_TRY(check_operands(inference, 0, 3, 2, 5, p, known));
    if (!known) return {};
    NM_TRY(check_parameter(inference, 1, "the scale of A", p.m, p.a_batch));
    NM_TRY(check_parameter(inference, 4, "the scale of B", p.n, p.b_batch));
    inference.output(0, inference.type(7), p.out);
    return {};
  }

  Status prepare(Preparation& preparation) override { return pack_constant(preparation, 3, 5, packed_); }

  Status run(Execution& execution) override {
    for (const size_t i : {1, 4, 6}) {
      if (execution.input(i).dtype() != DType::Float32) return no_arithmetic(execution.input(i).dtype());
    }
    NM_ASSIGN(const ProductShape p, ProductShape::of(execution.input(0).shape(), execution.input(3).shape(), {}));
    if (p.out.count() == 0) return {};
    PackedBytes now;
    NM_ASSIGN(const PackedBytes* b, packed_or_now(execution, 3, 5, packed_, now));
    const Tensor &a_scale = execution.input(1), &b_scale = execution.input(4);
    const float y_scale = *execution.data<float>(6);
    const int32_t y_zero = byte_at(execution.input(7), 0);
    NM_ASSIGN(float* scales, execution.scratch<float>(Size(p.n)));
    return multiply(execution, p, {&execution.input(0), &execution.input(2), b, a_scale.count() > 1, 1},
                    [&](IntegerEpilogue& e, int64_t ai, int64_t bi, int64_t row) {
                      const float row_scale = a_scale.data<float>()[parameter_at(a_scale, p.m, ai, row)];
                      for (int64_t j = 0; j < p.n; ++j) {
                        scales[j] = row_scale * b_scale.data<float>()[parameter_at(b_scale, p.n, bi, j)] / y_scale;
                      }
                      e.scales = scales;
                      quantize_to(e, execution.output(0).dtype(), y_zero);
                    });
  }

  double flops(const Inference& inference) const override {
    auto p = ProductShape::of(inference.shape(0), inference.shape(3), {});
    return p.ok() ? p->flops() : 0;
  }

 private:
  PackedBytes packed_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<MatMulInteger>("MatMulInteger", 10, {.inputs = 4, .outputs = 1, .layout = layout::opaque}),
    entry<QLinearMatMul>("QLinearMatMul", 10, {.inputs = 8, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(integer_matmul, kEntries)

}  // namespace nm
