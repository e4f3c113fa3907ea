// MatMulInteger and QLinearMatMul: products of 8-bit integers, exact in 32 bits.
#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/ops/check.h"
#include "engine/ops/numbers.h"
#include "engine/ops/product.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

int32_t element(const Tensor& t, int64_t i) {
  return t.dtype() == DType::Int8 ? t.data<int8_t>()[i] : t.data<uint8_t>()[i];
}

// A parameter of one operand: one for all, or one for each of `lines` rows (columns), perhaps by matrix.
int64_t parameter_at(const Tensor& t, int64_t lines, int64_t matrix, int64_t line) {
  if (t.count() == 1) return 0;
  return t.count() == lines ? line : matrix * lines + line;
}

Status check_parameter(const Inference& c, size_t i, std::string_view what, int64_t lines, const Shape& batch) {
  if (!c.has_shape(i) || !c.shape(i).known() || lines < 0) return {};
  const Shape& s = c.shape(i);
  const int64_t count = s.count();
  if (count == 1 || (s.rank() == 1 && count == lines)) return {};
  if (s.rank() >= 2 && batch.known() && batch.count() >= 0 && lines > 0 && count % lines == 0 &&
      count / lines == batch.count()) {
    return {};
  }
  return wrong_shape(what, s, text("one element or ", lines));
}

template <class T>
void widen(const Tensor& t, int64_t begin, int64_t rows, int64_t columns, bool by_row, const Tensor* zero,
           int64_t matrix, int16_t* out) {
  const T* from = t.data<T>() + begin;
  const int64_t lines = by_row ? rows : columns;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < columns; ++k) {
      const int32_t z = zero ? element(*zero, parameter_at(*zero, lines, matrix, by_row ? r : k)) : 0;
      out[r * columns + k] = static_cast<int16_t>(from[r * columns + k] - z);
    }
  }
}

// The matrix as int16 without its zero point, which always fits.
void widen_matrix(const Tensor& t, int64_t matrix, int64_t rows, int64_t columns, bool by_row, const Tensor* zero,
                  int16_t* out) {
  const int64_t begin = matrix * rows * columns;
  if (t.dtype() == DType::Int8) {
    widen<int8_t>(t, begin, rows, columns, by_row, zero, matrix, out);
  } else {
    widen<uint8_t>(t, begin, rows, columns, by_row, zero, matrix, out);
  }
}

struct Quantized {
  const Tensor* values;
  const Tensor* zero;  // nullptr: 0
};

// store(matrix of A, matrix of B, row, sums of the row, element of the result that they begin at)
template <class F>
Status integer_product(Execution& c, const ProductShape& p, const Quantized& a, const Quantized& b, F&& store) {
  if (p.out.count() == 0) return {};
  NM_ASSIGN(int16_t * wide_a, c.scratch<int16_t>(p.m * p.k));
  NM_ASSIGN(int16_t * wide_b, c.scratch<int16_t>(p.k * p.n));
  NM_ASSIGN(int32_t * sums, c.scratch<int32_t>(p.n * ThreadPool::instance().size()));
  const Broadcast walk(p.batch, {&p.a_batch, &p.b_batch});
  int64_t widened_a = -1;
  int64_t widened_b = -1;
  walk.walk(0, walk.count(), [&](const Broadcast::Run& r) {
    for (int64_t i = 0; i < r.count; ++i) {
      const int64_t ai = r.in[0] + i * walk.step(0);
      const int64_t bi = r.in[1] + i * walk.step(1);
      if (ai != widened_a) widen_matrix(*a.values, widened_a = ai, p.m, p.k, true, a.zero, wide_a);
      if (bi != widened_b) widen_matrix(*b.values, widened_b = bi, p.k, p.n, false, b.zero, wide_b);
      ThreadPool::instance().parallel_for(p.m, std::max(int64_t{1}, kElementChunk / std::max(int64_t{1}, p.k * p.n)),
                                          [&](int64_t begin, int64_t end, int thread) {
                                            int32_t* sum = sums + thread * p.n;
                                            for (int64_t row = begin; row < end; ++row) {
                                              std::fill_n(sum, p.n, 0);
                                              for (int64_t k = 0; k < p.k; ++k) {
                                                const int32_t left = wide_a[row * p.k + k];
                                                const int16_t* right = wide_b + k * p.n;
                                                for (int64_t j = 0; j < p.n; ++j) sum[j] += left * right[j];
                                              }
                                              store(ai, bi, row, sum, ((r.out + i) * p.m + row) * p.n);
                                            }
                                          });
    }
  });
  return {};
}

// Sums must fit an int32: 2^31 / (255·255) terms.
constexpr int64_t kMaxInner = 33025;

Status check_operands(const Inference& c, size_t a, size_t b, size_t a_zero, size_t b_zero, ProductShape& p,
                      bool& known) {
  for (const size_t i : {a, b, a_zero, b_zero}) {
    NM_TRY(check_type(c, i, text("input ", i), {DType::Int8, DType::UInt8}));
  }
  for (const auto& [value, zero] : {std::pair(a, a_zero), std::pair(b, b_zero)}) {
    if (c.type(value) != DType::Undefined && c.type(zero) != DType::Undefined && c.type(value) != c.type(zero)) {
      return wrong_type(text("the zero point (input ", zero, ")"), c.type(zero), dtype_name(c.type(value)));
    }
  }
  known = c.has_shape(a) && c.has_shape(b);
  if (!known) return {};
  NM_ASSIGN(p, ProductShape::of(c.shape(a), c.shape(b), {}));
  if (p.k > kMaxInner) {
    return {Code::UnsupportedOperator, text("the inner dimension ", p.k, " is too long for sums of 32 bits")};
  }
  NM_TRY(check_parameter(c, a_zero, "the zero point of A", p.m, p.a_batch));
  return check_parameter(c, b_zero, "the zero point of B", p.n, p.b_batch);
}

class MatMulInteger final : public Operator {
 public:
  explicit MatMulInteger(Attributes&) {}

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, 2));
    c.output(0, DType::Int32);
    ProductShape p;
    bool known = false;
    NM_TRY(check_operands(c, 0, 1, 2, 3, p, known));
    if (known) c.output(0, DType::Int32, p.out);
    return {};
  }

  Status run(Execution& c) override {
    NM_ASSIGN(const ProductShape p, ProductShape::of(c.input(0).shape(), c.input(1).shape(), {}));
    int32_t* out = c.out<int32_t>(0);
    return integer_product(
        c, p, {&c.input(0), c.has(2) ? &c.input(2) : nullptr}, {&c.input(1), c.has(3) ? &c.input(3) : nullptr},
        [&](int64_t, int64_t, int64_t, const int32_t* sums, int64_t at) { std::copy(sums, sums + p.n, out + at); });
  }

  double flops(const Inference& c) const override {
    auto p = ProductShape::of(c.shape(0), c.shape(1), {});
    return p.ok() ? p->flops() : 0;
  }
};

// Inputs: a, its scale, its zero point, the same for b, the scale and the zero point of the result.
class QLinearMatMul final : public Operator {
 public:
  explicit QLinearMatMul(Attributes&) {}

  Status infer(Inference& c) const override {
    NM_TRY(check_tensors(c, 8));
    NM_TRY(check_type(c, 7, "the zero point of the result", {DType::Int8, DType::UInt8}));
    NM_TRY(check_scalar(c, 6, "the scale of the result"));
    NM_TRY(check_scalar(c, 7, "the zero point of the result"));
    for (const size_t i : {1, 4, 6}) NM_TRY(check_float(c, i, text("the scale (input ", i, ")")));
    c.output(0, c.type(7));
    ProductShape p;
    bool known = false;
    NM_TRY(check_operands(c, 0, 3, 2, 5, p, known));
    if (!known) return {};
    NM_TRY(check_parameter(c, 1, "the scale of A", p.m, p.a_batch));
    NM_TRY(check_parameter(c, 4, "the scale of B", p.n, p.b_batch));
    c.output(0, c.type(7), p.out);
    return {};
  }

  Status run(Execution& c) override {
    for (const size_t i : {1, 4, 6}) {
      if (c.input(i).dtype() != DType::Float32) return no_arithmetic(c.input(i).dtype());
    }
    if (c.input(7).dtype() == DType::Int8) return run_as<int8_t>(c);
    return run_as<uint8_t>(c);
  }

  double flops(const Inference& c) const override {
    auto p = ProductShape::of(c.shape(0), c.shape(3), {});
    return p.ok() ? p->flops() : 0;
  }

 private:
  template <class T>
  Status run_as(Execution& c) const {
    NM_ASSIGN(const ProductShape p, ProductShape::of(c.input(0).shape(), c.input(3).shape(), {}));
    const Tensor& a_scale = c.input(1);
    const Tensor& b_scale = c.input(4);
    const float y_scale = *c.data<float>(6);
    const auto zero = static_cast<double>(*c.data<T>(7));
    T* out = c.out<T>(0);
    return integer_product(
        c, p, {&c.input(0), &c.input(2)}, {&c.input(3), &c.input(5)},
        [&](int64_t ai, int64_t bi, int64_t row, const int32_t* sums, int64_t at) {
          const float row_scale = a_scale.data<float>()[parameter_at(a_scale, p.m, ai, row)];
          for (int64_t j = 0; j < p.n; ++j) {
            const float scale = row_scale * b_scale.data<float>()[parameter_at(b_scale, p.n, bi, j)] / y_scale;
            const double v = std::nearbyint(static_cast<double>(sums[j]) * scale) + zero;
            constexpr double low = std::numeric_limits<T>::lowest();
            constexpr double high = std::numeric_limits<T>::max();
            out[at + j] = static_cast<T>(v > low ? std::min(v, high) : low);  // NaN becomes the lowest
          }
        });
  }
};

}  // namespace

NM_OPERATORS(integer_matmul) {
  r.add<MatMulInteger>("MatMulInteger", 10);
  r.add<QLinearMatMul>("QLinearMatMul", 10);
}

}  // namespace nm
