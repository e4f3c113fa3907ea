// Add, Sub, Mul, Div, PRelu.
#include "engine/ops/math/binary.h"

#include <algorithm>
#include <cmath>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/broadcast.h"

namespace nm {
namespace {

void apply_float(Binary f, const Tensor& x, const Tensor& y, const Shape& y_shape, Tensor& out) {
  const float* px = x.data<float>();
  const float* py = y.data<float>();
  float* pz = out.data<float>();
  const int64_t count = out.count();
  const auto simple = [&](const Tensor& t) { return t.count() == count || t.count() == 1; };
  if (simple(x) && simple(y)) {  // most are, and to small ones a walk would add as much as the kernel takes
    const int64_t xs = x.count() == count;
    const int64_t ys = y.count() == count;
    for_elements(count, [&](int64_t begin, int64_t end) {
      apply_run(f, px + begin * xs, xs, py + begin * ys, ys, pz + begin, end - begin);
    });
    return;
  }
  const Broadcast b(out.shape(), {&x.shape(), &y_shape});
  for_elements(count, [&](int64_t begin, int64_t end) {
    b.walk(begin, end, [&](const Broadcast::Run& r) {
      apply_run(f, px + r.in[0], b.step(0), py + r.in[1], b.step(1), pz + r.out, r.count);
    });
  });
}

template <class T>
T divide(T a, T b) {
  if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    if (b == -1) return subtract(T{0}, a);  // the lowest number has no positive counterpart
  }
  return a / b;
}

template <class T>
T power(T a, T b) {
  return from_double<T>(std::pow(static_cast<double>(a), static_cast<double>(b)));
}

template <class T>
T lesser(T a, T b) {
  return a < b || a != a ? a : b;
}

template <class T>
T greater(T a, T b) {
  return a > b || a != a ? a : b;
}

template <class T>
T prelu(T a, T b) {
  return a < T{0} ? multiply(a, b) : a;
}

template <class T>
T squared_difference(T a, T b) {
  return multiply(subtract(a, b), subtract(a, b));
}

// Types other than float32 are rare: one loop for each, calling through a pointer, is small and fast enough.
template <class T>
using ScalarFunction = T (*)(T, T);

template <class T>
ScalarFunction<T> function(Binary f) {
  switch (f) {
    case Binary::Add:
      return add<T>;
    case Binary::Sub:
      return subtract<T>;
    case Binary::Mul:
      return multiply<T>;
    case Binary::Div:
      return divide<T>;
    case Binary::Min:
      return lesser<T>;
    case Binary::Max:
      return greater<T>;
    case Binary::Pow:
      return power<T>;
    case Binary::Prelu:
      return prelu<T>;
    case Binary::SquaredDifference:
      return squared_difference<T>;
  }
  return nullptr;
}

template <class T>
Status apply_generic(Binary f, const Broadcast& b, const Tensor& x, const Tensor& y, Tensor& out) {
  if constexpr (std::is_integral_v<T>) {
    if (f == Binary::Div && b.count() > 0) {
      for (const T v : y.span<T>()) {
        if (v == 0)
          return {Code::InvalidData, "an integer is divided by zero; the divisor (input 1) must not hold zeros"};
      }
    }
  }
  const T* px = x.data<T>();
  const T* py = y.data<T>();
  T* pz = out.data<T>();
  const ScalarFunction<T> op = function<T>(f);
  for_elements(b.count(), [&](int64_t begin, int64_t end) {
    b.walk(begin, end, [&](const Broadcast::Run& r) {
      for (int64_t i = 0; i < r.count; ++i) {
        pz[r.out + i] = op(px[r.in[0] + i * b.step(0)], py[r.in[1] + i * b.step(1)]);
      }
    });
  });
  return {};
}

class BinaryOperator final : public Operator {
 public:
  BinaryOperator(Attributes& a, Binary f) : f_(f), aligned_(a.version() < 7) {
    if (!aligned_) return;
    a.ignore({"broadcast"});  // shapes say whether it is needed
    if (f == Binary::Prelu) {
      axis_ = 1;  // a slope for each channel
      has_axis_ = true;
    } else {
      has_axis_ = a.has("axis");
      axis_ = a.integer("axis", 0);
    }
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 2));
    NM_TRY(check_number(inference, 0, "input 0"));
    NM_ASSIGN(const DType type, common_type(inference, 0, 2));
    inference.output(0, type);
    if (!inference.has_shape(0) || !inference.has_shape(1)) return {};
    const auto y = second_shape(inference.shape(0), inference.shape(1));
    if (!y)
      return wrong_shape("input 1", inference.shape(1),
                         text("a shape that lies within ", to_string(inference.shape(0))));
    if (f_ == Binary::Prelu) NM_TRY(check_slope(inference.shape(0), *y));
    NM_ASSIGN(const Shape shape, broadcast_or_fail(inference.shape(0), *y));
    if (f_ == Binary::Prelu && shape.known() && inference.shape(0).known() && shape != inference.shape(0)) {
      return wrong_shape("the slope", inference.shape(1),
                         text("a shape that broadcasts to ", to_string(inference.shape(0))));
    }
    inference.output(0, type, shape);
    return {};
  }

  Status run(Execution& execution) override {
    const auto y = second_shape(execution.input(0).shape(), execution.input(1).shape());
    return apply_binary(f_, execution.input(0), execution.input(1), *y, execution.output(0));
  }

  bool in_place(size_t i) const override { return i < 2; }
  std::optional<Pointwise> pointwise(const Inference&) const override {
    return has_axis_ ? std::nullopt : std::optional(Pointwise{f_});
  }
  double flops(const Inference& inference) const override {
    return static_cast<double>(std::max(inference.shape(0).count(), inference.shape(1).count()));
  }

 private:
  // Since operator set 7 a slope broadcasts as in NumPy, from the last dimension on. Files with one number for each
  // channel say [C] now and then; taking that for channels would go wrong as soon as an image is C wide.
  static Status check_slope(const Shape& x, const Shape& slope) {
    const bool by_channel = slope.rank() == 1 && x.rank() > 2 && slope[0] > 1 && slope[0] == x[1];
    if (!by_channel || x.back() < 0 || slope[0] == x.back()) return {};
    Shape meant{slope[0]};
    for (int i = 2; i < x.rank(); ++i) meant.push_back(1);
    return wrong_shape("the slope (input 1)", slope,
                       text("a shape that broadcasts to ", to_string(x),
                            " from its last dimension on; a slope for each channel has shape ", to_string(meant)));
  }

  std::optional<Shape> second_shape(const Shape& x, const Shape& y) const {
    if (!has_axis_ || y.rank() == 0 || (f_ == Binary::Prelu && (y.rank() != 1 || y[0] == 1))) return y;
    return align_at_axis(x, y, axis_);
  }

  Binary f_;
  bool aligned_;
  bool has_axis_ = false;
  int64_t axis_ = 0;
};

}  // namespace

void apply_run(Binary f, const float* x, int64_t xs, const float* y, int64_t ys, float* z, int64_t n) {
  const ElementwiseKernels& k = kernels().elementwise;
  if (xs == 0 && ys == 0) {  // both are stretched to the shape of a third
    k.binary(f, x, y, z, 1);
    std::fill_n(z + 1, n - 1, *z);
  } else if (xs == ys) {
    k.binary(f, x, y, z, n);
  } else if (ys == 0) {
    k.binary_vs(f, x, *y, z, n);
  } else {
    k.binary_sv(f, *x, y, z, n);
  }
}

Status apply_binary(Binary f, const Tensor& x, const Tensor& y, const Shape& y_shape, Tensor& out) {
  if (x.dtype() == DType::Float32) {
    apply_float(f, x, y, y_shape, out);
    return {};
  }
  const Broadcast b(out.shape(), {&x.shape(), &y_shape});
  return with_number(x.dtype(), [&]<class T>() { return apply_generic<T>(f, b, x, y, out); });
}

namespace {

DimEntry add_entries(const ShapeQuery& q, const DimEntry& a, const DimEntry& b) { return q.sum(a, b); }
DimEntry subtract_entries(const ShapeQuery& q, const DimEntry& a, const DimEntry& b) { return q.difference(a, b); }
// Of products and quotients a dimension only stays what it is.
DimEntry multiply_entries(const ShapeQuery&, const DimEntry& a, const DimEntry& b) {
  if (a.is_dim && b.is(1)) return a;
  if (b.is_dim && a.is(1)) return b;
  return contents::of_sizes(a, b, [](int64_t x, int64_t y) { return x * y; });
}
DimEntry divide_entries(const ShapeQuery&, const DimEntry& a, const DimEntry& b) {
  if (a.is_dim && b.is(1)) return a;
  if (b.is(0)) return DimEntry::unknown();
  return contents::of_sizes(a, b, [](int64_t x, int64_t y) { return x / y; });
}

// Dimensions that a Slice has cut are told by what they are broadcast with.
std::optional<Shape> broadcast_of_cuts(const ShapeQuery& q) {
  if (q.node.version < 7 || !q.has_cuts()) return std::nullopt;
  const auto &a = q.shape(0), &b = q.shape(1);
  if (!a || !b) return std::nullopt;
  Shape out = a->rank() > b->rank() ? *a : *b;
  for (int i = 1; i <= std::min(a->rank(), b->rank()); ++i) {
    out[out.rank() - i] = q.broadcast((*a)[a->rank() - i], (*b)[b->rank() - i]);
  }
  return out;
}

constexpr Facts binary(ContentsRule contents, ShapeRule shape = nullptr) {
  return {.inputs = 2, .outputs = 1, .layout = layout::elementwise, .contents = contents, .shape = shape};
}

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<BinaryOperator, Binary::Add>("Add", 1, binary(contents::elementwise<add_entries>, broadcast_of_cuts)),
    entry<BinaryOperator, Binary::Sub>("Sub", 1, binary(contents::elementwise<subtract_entries>)),
    entry<BinaryOperator, Binary::Mul>("Mul", 1, binary(contents::elementwise<multiply_entries>, broadcast_of_cuts)),
    entry<BinaryOperator, Binary::Div>("Div", 1, binary(contents::elementwise<divide_entries>)),
    entry<BinaryOperator, Binary::Prelu>("PRelu", 1, binary(nullptr)),
};

NM_OPERATORS(binary, kEntries)

}  // namespace nm
