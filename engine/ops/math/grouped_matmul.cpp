// GroupedMatMul: each row times the matrices that indices choose for it, as mixtures of experts have it.
#include <algorithm>

#include "engine/base/sort_positions.h"
#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/tensor/integers.h"

namespace nm {
namespace {

constexpr size_t kInput = 0, kWeights = 1, kIndices = 2, kBias = 3;
// Rows of one matrix from which on packing it pays.
constexpr int64_t kWorthPacking = 8;

class GroupedMatMul final : public Operator {
 public:
  explicit GroupedMatMul(Attributes&) {}

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    for (const size_t i : {kInput, kWeights, kBias}) NM_TRY(check_float(inference, i, text("input ", i)));
    NM_TRY(common_type(inference, kInput, kIndices).take_status());
    NM_TRY(check_type(inference, kIndices, "the group indices (input 2)", {DType::Int32, DType::Int64}));
    inference.output(0, inference.type(kInput));
    for (const size_t i : {kInput, kWeights, kIndices}) {
      if (!inference.has_shape(i)) return {};
    }
    const Shape &x = inference.shape(kInput), &w = inference.shape(kWeights), &g = inference.shape(kIndices);
    if (x.rank() != 2) return wrong_shape("the rows (input 0)", x, "[rows, size]");
    if (w.rank() != 3 || (w[1] >= 0 && x[1] >= 0 && w[1] != x[1])) {
      return wrong_shape("the matrices (input 1)", w, text("[groups, ", x[1], ", columns]"));
    }
    if (g.rank() != 2 || (g[0] >= 0 && x[0] >= 0 && g[0] != x[0])) {
      return wrong_shape("the group indices (input 2)", g, text("[", x[0], ", choices]"));
    }
    if (inference.has_shape(kBias) && inference.shape(kBias).known() && w.known() &&
        inference.shape(kBias) != Shape{w[0], w[2]}) {
      return wrong_shape("the bias (input 3)", inference.shape(kBias), to_string(Shape{w[0], w[2]}));
    }
    inference.output(0, inference.type(kInput), Shape{g[0], g[1], w[2]});
    return {};
  }

  Status run(Execution& execution) override {
    const Tensor& weights = execution.input(kWeights);
    const auto indices = integers(execution.input(kIndices));
    if (!indices) return no_arithmetic(execution.input(kIndices).dtype());
    for (const int64_t g : *indices) {
      if (g < 0 || g >= weights.dim(0)) {
        return {Code::InvalidData, text("the group index ", g, " is outside the ", weights.dim(0), " groups")};
      }
    }
    if (execution.output(0).count() == 0) return {};
    const Sizes s{execution.input(kIndices).dim(1), weights.dim(1), weights.dim(2)};
    if (execution.input(kInput).dtype() == DType::Float32) return run_float(execution, *indices, s);
    return with_float(execution.input(kInput).dtype(),
                      [&]<class T>() { return run_generic<T>(execution, *indices, s); });
  }

  double flops(const Inference& inference) const override {
    const Shape &w = inference.shape(kWeights), &g = inference.shape(kIndices);
    return 2.0 * static_cast<double>(g.count()) * static_cast<double>(w[1]) * static_cast<double>(w[2]);
  }

 private:
  struct Sizes {
    int64_t choices, k, n;
  };

  // Results in the order of their groups, so that a matrix that serves many rows is packed once for all of them.
  static Status run_float(Execution& execution, const std::vector<int64_t>& indices, const Sizes& s) {
    const GemmKernels& gemm = kernels().gemm;
    const auto index = [&](int64_t i) { return indices[static_cast<size_t>(i)]; };
    const std::vector<int64_t> order =
        sorted_positions(indices.size(), [&](int64_t a, int64_t b) { return index(a) < index(b); });
    const auto group = [&](size_t i) { return index(order[i]); };
    size_t largest = 0;
    for (size_t first = 0, last = 0; first < order.size(); first = last) {
      while (last < order.size() && group(last) == group(first)) ++last;
      largest = std::max(largest, last - first);
    }
    BatchedGemm g;
    const int64_t none = 0;
    g.n = g.ldc = g.b_row_stride = s.n;
    g.k = g.lda = s.k;
    g.a_offsets = g.b_offsets = g.c_offsets = &none;
    float *rows = nullptr, *results = nullptr, *work = nullptr;
    if (static_cast<int64_t>(largest) >= kWorthPacking) {
      NM_ASSIGN(rows, execution.scratch<float>(Size(largest) * s.k));
      NM_ASSIGN(results, execution.scratch<float>(Size(largest) * s.n));
      NM_ASSIGN(work, execution.scratch<float>(Size(gemm.batched_scratch_size(g))));
    }
    const float* x = execution.data<float>(kInput);
    float* y = execution.out<float>(0);
    for (size_t first = 0, last = 0; first < order.size(); first = last) {
      while (last < order.size() && group(last) == group(first)) ++last;
      const float* matrix = execution.data<float>(kWeights) + group(first) * s.k * s.n;
      Epilogue epilogue;
      if (execution.has(kBias)) epilogue.bias = execution.data<float>(kBias) + group(first) * s.n;
      const auto count = static_cast<int64_t>(last - first);
      const int64_t* places = order.data() + first;
      if (count < kWorthPacking) {
        for (int64_t i = 0; i < count; ++i) {
          gemm.gemv(s.k, s.n, x + places[i] / s.choices * s.k, matrix, s.n, y + places[i] * s.n, epilogue);
        }
        continue;
      }
      for (int64_t i = 0; i < count; ++i) std::copy_n(x + places[i] / s.choices * s.k, s.k, rows + i * s.k);
      g.m = count;
      g.a = rows;
      g.b = matrix;
      g.c = results;
      g.epilogue = epilogue;
      gemm.run_batched(g, work);
      for (int64_t i = 0; i < count; ++i) std::copy_n(results + i * s.n, s.n, y + places[i] * s.n);
    }
    return {};
  }

  template <class T>
  static Status run_generic(const Execution& execution, const std::vector<int64_t>& indices, const Sizes& s) {
    for (size_t i = 0; i < indices.size(); ++i) {
      const int64_t place = static_cast<int64_t>(i), g = indices[i];
      const T* x = execution.data<T>(kInput) + place / s.choices * s.k;
      const T* w = execution.data<T>(kWeights) + g * s.k * s.n;
      T* y = execution.out<T>(0) + place * s.n;
      for (int64_t j = 0; j < s.n; ++j) y[j] = execution.has(kBias) ? execution.data<T>(kBias)[g * s.n + j] : T{0};
      for (int64_t k = 0; k < s.k; ++k) {
        for (int64_t j = 0; j < s.n; ++j) y[j] += x[k] * w[k * s.n + j];
      }
    }
    return {};
  }
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry<GroupedMatMul>("GroupedMatMul", 29, {.inputs = 4, .outputs = 1, .layout = layout::opaque}),
};

NM_OPERATORS(grouped_matmul, kEntries)

}  // namespace nm
