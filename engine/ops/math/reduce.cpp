// The Reduce family. Axes are an attribute in older operator sets and an input in newer ones.
#include <cmath>
#include <limits>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

// Reduces n elements of a type other than float32, in float64 or, where that would lose bits, in the type itself.
template <class T>
T reduce_row(Reduce op, const T* x, int64_t n) {
  const auto total = [&](auto term) {
    T sum{0};
    for (int64_t i = 0; i < n; ++i) sum = add(sum, term(x[i]));
    return sum;
  };
  const auto identity = [](T v) { return v; };
  const auto square = [](T v) { return multiply(v, v); };
  const auto magnitude = [](T v) { return v < T{0} ? subtract(T{0}, v) : v; };
  using Limits = std::numeric_limits<T>;
  Total<T> whole{0};
  switch (op) {
    case Reduce::Sum:
      return total(identity);
    case Reduce::SumSquare:
      return total(square);
    case Reduce::L1:
      return total(magnitude);
    case Reduce::Mean:
      if (n == 0) return std::is_integral_v<T> ? T{0} : Limits::quiet_NaN();
      for (int64_t i = 0; i < n; ++i) whole = add(whole, static_cast<Total<T>>(x[i]));
      return mean_of<T>(whole, n);
    case Reduce::L2:
      return from_double<T>(std::sqrt(static_cast<double>(total(square))));
    case Reduce::LogSum:
      return from_double<T>(std::log(static_cast<double>(total(identity))));
    case Reduce::Prod: {
      T product{1};
      for (int64_t i = 0; i < n; ++i) product = multiply(product, x[i]);
      return product;
    }
    case Reduce::Max: {
      T best = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
      for (int64_t i = 0; i < n; ++i) best = x[i] > best || x[i] != x[i] ? x[i] : best;
      return best;
    }
    case Reduce::Min: {
      T best = Limits::has_infinity ? Limits::infinity() : Limits::max();
      for (int64_t i = 0; i < n; ++i) best = x[i] < best || x[i] != x[i] ? x[i] : best;
      return best;
    }
    case Reduce::LogSumExp: {
      double top = -std::numeric_limits<double>::infinity();
      for (int64_t i = 0; i < n; ++i) top = std::max(top, static_cast<double>(x[i]));
      if (!std::isfinite(top)) return from_double<T>(top);
      double sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x[i]) - top);
      return from_double<T>(top + std::log(sum));
    }
  }
  return T{0};
}

// A set of axes as runs of neighbours that are all reduced or all kept; dimensions of 1 belong to either.
struct Runs {
  int count = 0;
  int64_t size[kMaxRank + 1] = {};
  bool reduced[kMaxRank + 1] = {};

  Runs(const Shape& shape, uint32_t axes) {
    for (int i = 0; i < shape.rank(); ++i) {
      if (shape[i] == 1) continue;
      const bool r = axes >> i & 1;
      if (count > 0 && reduced[count - 1] == r) {
        size[count - 1] *= shape[i];
      } else {
        size[count] = shape[i];
        reduced[count++] = r;
      }
    }
  }
};

class ReduceOperator final : public Operator {
 public:
  ReduceOperator(Attributes& a, Reduce op, int axes_input_since)
      : op_(op),
        axes_are_input_(a.version() >= axes_input_since),
        keep_dims_(a.flag("keepdims", true)),
        nothing_without_axes_(a.flag("noop_with_empty_axes", false)) {
    if (!axes_are_input_) axes_ = a.integers("axes");
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 1));
    if (inference.type(0) != DType::Bool || !takes_bool()) NM_TRY(check_number(inference, 0, "the input"));
    NM_TRY(check_type(inference, 1, "the axes", {DType::Int64, DType::Int32}));
    inference.output(0, inference.type(0));
    if (!inference.has_shape(0)) return {};
    const Shape& in = inference.shape(0);
    std::vector<int64_t> list = axes_;
    if (axes_are_input_ && inference.has(1)) {
      const auto known = inference.integers(1);
      if (!known) {
        if (keep_dims_) inference.output(0, inference.type(0), Shape::filled(in.rank(), kUnknownDim));
        return {};
      }
      list = *known;
    }
    NM_ASSIGN(const uint32_t axes, axis_set(list, in.rank()));
    Shape out;
    for (int i = 0; i < in.rank(); ++i) {
      if (!(axes >> i & 1)) {
        out.push_back(in[i]);
      } else if (keep_dims_) {
        out.push_back(1);
      }
    }
    inference.output(0, inference.type(0), out);
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& in = execution.input(0);
    Tensor& out = execution.output(0);
    if (out.count() == 0) return {};
    NM_ASSIGN(const uint32_t axes, axes_of(execution, in.rank()));
    const Runs runs(in.shape(), axes);
    if (in.dtype() == DType::Float32) {
      if (run_float(runs, in.data<float>(), out.data<float>())) return {};
    }
    NM_ASSIGN(const void* rows, rows_of(execution, in, axes, runs));
    const int64_t n = in.count() / out.count();
    if (in.dtype() == DType::Float32) {
      reduce_rows(out.count(), n, static_cast<const float*>(rows), out.data<float>());
      return {};
    }
    if (in.dtype() == DType::Bool) {  // 0 and 1
      const auto* x = static_cast<const uint8_t*>(rows);
      auto* y = static_cast<uint8_t*>(out.raw());
      for (int64_t i = 0; i < out.count(); ++i) y[i] = n == 0 ? op_ == Reduce::Min : reduce_row(op_, x + i * n, n);
      return {};
    }
    return with_number(in.dtype(), [&]<class T>() -> Status {
      const T* x = static_cast<const T*>(rows);
      for (int64_t i = 0; i < out.count(); ++i) out.data<T>()[i] = reduce_row(op_, x + i * n, n);
      return {};
    });
  }

  double flops(const Inference& inference) const override { return static_cast<double>(inference.shape(0).count()); }

 private:
  bool takes_bool() const { return op_ == Reduce::Max || op_ == Reduce::Min; }

  // No axes means all of them, unless an attribute says none.
  Result<uint32_t> axis_set(const std::vector<int64_t>& list, int rank) const {
    if (list.empty()) return nothing_without_axes_ ? 0u : (1u << rank) - 1;
    return check_axes(list, rank);
  }

  Result<uint32_t> axes_of(const Execution& execution, int rank) const {
    if (!axes_are_input_ || !execution.has(1)) return axis_set(axes_, rank);
    const Tensor& t = execution.input(1);
    if (t.count() == 0) return axis_set({}, rank);
    std::array<int64_t, kMaxRank> list{};
    if (t.count() > kMaxRank)
      return Status(Code::InvalidData, text("there are ", t.count(), " axes; a tensor has fewer"));
    for (int64_t i = 0; i < t.count(); ++i) {
      list[static_cast<size_t>(i)] = t.dtype() == DType::Int32 ? t.data<int32_t>()[i] : t.data<int64_t>()[i];
    }
    return check_axes({list.data(), static_cast<size_t>(t.count())}, rank);
  }

  void reduce_rows(int64_t rows, int64_t n, const float* x, float* y) const {
    for_rows(rows, n, [&](int64_t begin, int64_t end) {
      kernels().rows.reduce(op_, end - begin, n, x + begin * n, n, y + begin);
    });
  }

  // The layouts that need no copy: kept dimensions before, behind, or around the reduced ones.
  bool run_float(const Runs& r, const float* x, float* y) const {
    if (r.count == 0 || (r.count == 1 && !r.reduced[0])) {
      reduce_rows(r.count == 0 ? 1 : r.size[0], 1, x, y);
      return true;
    }
    if (r.count == 1) {
      reduce_rows(1, r.size[0], x, y);
      return true;
    }
    if (r.count == 2 && !r.reduced[0]) {
      reduce_rows(r.size[0], r.size[1], x, y);
      return true;
    }
    if (r.count == 2) {
      const int64_t n = r.size[1];
      for_columns(n, r.size[0], [&](int64_t begin, int64_t end) {
        kernels().rows.reduce_columns(op_, r.size[0], end - begin, x + begin, n, y + begin);
      });
      return true;
    }
    if (r.count == 3 && !r.reduced[0]) {
      const int64_t n = r.size[2];
      const int64_t image = r.size[1] * n;
      for_rows(r.size[0], image, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          kernels().rows.reduce_columns(op_, r.size[1], n, x + i * image, n, y + i * n);
        }
      });
      return true;
    }
    return false;
  }

  // The elements with the reduced dimensions last.
  static Result<const void*> rows_of(Execution& execution, const Tensor& in, uint32_t axes, const Runs& r) {
    const bool in_order = r.count == 0 || (r.count == 1) || (r.count == 2 && !r.reduced[0]);
    if (in_order || in.count() == 0) return in.raw();
    NM_ASSIGN(uint8_t * rows, execution.scratch<uint8_t>(Size(in.bytes())));
    const Strides strides = row_major(in.shape());
    StridedSource from{in.raw(), 0, {}};
    Shape extent;
    for (const bool reduced : {false, true}) {
      for (int i = 0; i < in.rank(); ++i) {
        if (static_cast<bool>(axes >> i & 1) != reduced) continue;
        from.strides[static_cast<size_t>(extent.rank())] = strides[static_cast<size_t>(i)];
        extent.push_back(in.dim(i));
      }
    }
    copy_strided(in.dtype(), extent, from, {rows, 0, row_major(extent)});
    return static_cast<const void*>(rows);
  }

  Reduce op_;
  bool axes_are_input_;
  bool keep_dims_;
  bool nothing_without_axes_;
  std::vector<int64_t> axes_;
};

bool reduce_layout(LayoutChange& change) {
  Node& node = change.node;
  const int r = change.rank(node.inputs[0]);
  if (r < 3 || !change.worthwhile({node.inputs[0]})) return false;
  auto axes = change.axes(1, r, {});
  if (!axes || axes->empty() || !change.order_survives(r, *axes)) return false;
  const bool as_input = node.input(1) != kNone;
  for (int64_t& a : *axes) a = LayoutChange::in_last(a, r);
  std::sort(axes->begin(), axes->end());
  if (!change.set_axes(1, as_input, *axes)) return false;
  node.inputs[0] = change.last(node.inputs[0]);
  return change.push_reduced();
}

}  // namespace

constexpr AttributeRange kSince13[] = {{"noop_with_empty_axes", 13}};
constexpr AttributeRange kSince18[] = {{"noop_with_empty_axes", 18}};

constexpr Facts kAxesAttribute = {.inputs = 1, .outputs = 1, .layout = reduce_layout, .attributes = kSince18};
constexpr Facts kAxesInput = {.inputs = 2, .outputs = 1, .layout = reduce_layout, .attributes = kSince18};

constexpr OperatorEntry kEntries[] = {
    entry<ReduceOperator, Reduce::Sum, 13>(
        "ReduceSum", 1, {.inputs = 1, .outputs = 1, .layout = reduce_layout, .attributes = kSince13}),
    entry<ReduceOperator, Reduce::Sum, 13>(
        "ReduceSum", 13, {.inputs = 2, .outputs = 1, .layout = reduce_layout, .attributes = kSince13}),
    entry<ReduceOperator, Reduce::Mean, 18>("ReduceMean", 1, kAxesAttribute),
    entry<ReduceOperator, Reduce::Mean, 18>("ReduceMean", 18, kAxesInput),
    entry<ReduceOperator, Reduce::Max, 18>("ReduceMax", 1, kAxesAttribute),
    entry<ReduceOperator, Reduce::Max, 18>("ReduceMax", 18, kAxesInput),
    entry<ReduceOperator, Reduce::Min, 18>("ReduceMin", 1, kAxesAttribute),
    entry<ReduceOperator, Reduce::Min, 18>("ReduceMin", 18, kAxesInput),
    entry<ReduceOperator, Reduce::Prod, 18>("ReduceProd", 1, kAxesAttribute),
    entry<ReduceOperator, Reduce::Prod, 18>("ReduceProd", 18, kAxesInput),
    entry<ReduceOperator, Reduce::SumSquare, 18>("ReduceSumSquare", 1, kAxesAttribute),
    entry<ReduceOperator, Reduce::SumSquare, 18>("ReduceSumSquare", 18, kAxesInput),
    entry<ReduceOperator, Reduce::L1, 18>("ReduceL1", 1, kAxesAttribute),
    entry<ReduceOperator, Reduce::L1, 18>("ReduceL1", 18, kAxesInput),
    entry<ReduceOperator, Reduce::L2, 18>("ReduceL2", 1, kAxesAttribute),
    entry<ReduceOperator, Reduce::L2, 18>("ReduceL2", 18, kAxesInput),
    entry<ReduceOperator, Reduce::LogSum, 18>("ReduceLogSum", 1, kAxesAttribute),
    entry<ReduceOperator, Reduce::LogSum, 18>("ReduceLogSum", 18, kAxesInput),
    entry<ReduceOperator, Reduce::LogSumExp, 18>("ReduceLogSumExp", 1, kAxesAttribute),
    entry<ReduceOperator, Reduce::LogSumExp, 18>("ReduceLogSumExp", 18, kAxesInput),
};

NM_OPERATORS(reduce, kEntries)

}  // namespace nm
