#include <cmath>

#include "engine/kernels/kernels.h"
#include "engine/op/check.h"
#include "engine/op/numbers.h"
#include "engine/op/registry.h"
#include "engine/ops/math/product.h"
#include "engine/tensor/cast.h"
#include "engine/tensor/strided.h"

namespace nm {
namespace {

// ai.onnx.preview's FlexAttention: subgraphs change the scores before and the probabilities behind the softmax.
class FlexAttention final : public Operator {
 public:
  explicit FlexAttention(Attributes& a)
      : graphs_{a.graph("score_mod"), a.graph("prob_mod")},
        precision_(type_attribute(a, "softmax_precision", DType::Undefined)),
        scale_(a.number("scale", 0)),
        has_scale_(a.has("scale")) {
    for (const auto& graph : graphs_) {
      if (graph && (graph->inputs.size() != 1 || graph->outputs.size() != 1)) {
        a.fail("'score_mod' and 'prob_mod' must have one input and one output");
      }
    }
    if (precision_ != DType::Undefined && !is_float(precision_)) {
      a.fail("the attribute 'softmax_precision' must name a float type");
    }
  }

  Status prepare(Preparation& p) override {
    for (size_t i = 0; i < 2; ++i) {
      if (!graphs_[i]) continue;
      NM_ASSIGN(bodies_[i], p.compile(graphs_[i]));
    }
    return {};
  }

  Status infer(Inference& inference) const override {
    NM_TRY(check_tensors(inference, 3));
    NM_TRY(check_float(inference, 0, "the queries"));
    NM_TRY(common_type(inference, 0, 3).take_status());
    inference.output(0, inference.type(0));
    for (size_t i = 0; i < 3; ++i) {
      if (!inference.has_shape(i)) return {};
      if (inference.shape(i).rank() != 4)
        return wrong_shape(text("input ", i), inference.shape(i), "[batch, heads, rows, size]");
    }
    const Shape &q = inference.shape(0), &k = inference.shape(1), &v = inference.shape(2);
    if (!same(k[0], q[0]) || !same(k[3], q[3])) return wrong_shape("the keys", k, "the queries' batch and size");
    if (!same(v[0], q[0]) || !same(v[1], k[1]) || !same(v[2], k[2])) {
      return wrong_shape("the values", v, "the keys' batch, heads and rows");
    }
    if (q[1] >= 0 && k[1] >= 0 && (k[1] == 0 || q[1] % k[1] != 0)) {
      return {Code::ShapeMismatch, text(q[1], " query heads cannot share ", k[1], " heads of keys evenly")};
    }
    inference.output(0, inference.type(0), Shape{q[0], q[1], q[2], v[3]});
    return {};
  }

  Status run(Execution& execution) override {
    const DType type = execution.input(0).dtype();
    if (type != DType::Float32 && type != DType::Float64) return no_arithmetic(type);
    const Shape &q = execution.input(0).shape(), &k = execution.input(1).shape(), &v = execution.input(2).shape();
    // Query heads that share a head of keys lie one after the other, like rows of one matrix.
    const int64_t rows = q[1] / k[1] * q[2];
    const Tensor queries = execution.input(0).reshaped(Shape{q[0], k[1], rows, q[3]});
    NM_ASSIGN(Tensor turned, Tensor::create(type, Shape{k[0], k[1], k[3], k[2]}));
    copy_strided(type, turned.shape(), {execution.input(1).raw(), 0, {k[1] * k[2] * k[3], k[2] * k[3], 1, k[3]}},
                 {turned.raw(), 0, row_major(turned.shape())});
    NM_ASSIGN(Tensor scores, Tensor::create(type, Shape{q[0], q[1], q[2], k[2]}));
    const Shape matrices{q[0], k[1], rows, k[2]};
    Tensor product = scores.reshaped(matrices);
    NM_TRY(multiply(execution, queries, turned, product));
    const double scale = has_scale_ ? scale_ : 1 / std::sqrt(static_cast<double>(q[3]));
    NM_TRY(with_float(type, [&]<class T>() -> Status {
      for (T& x : scores.span<T>()) x *= static_cast<T>(scale);
      return {};
    }));
    NM_TRY(modify(execution, 0, scores));
    NM_TRY(with_float(type, [&]<class T>() -> Status {
      for_rows(k[2] ? scores.count() / k[2] : 0, k[2], [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) softmax(scores.data<T>() + r * k[2], k[2]);
      });
      return {};
    }));
    NM_TRY(modify(execution, 1, scores));
    product = scores.reshaped(matrices);
    Tensor out = execution.output(0).reshaped(Shape{q[0], k[1], rows, v[3]});
    return multiply(execution, product, execution.input(2), out);
  }

 private:
  static bool same(int64_t a, int64_t b) { return a == b || a < 0 || b < 0; }

  static Status multiply(Execution& execution, const Tensor& a, const Tensor& b, Tensor& out) {
    if (a.dtype() == DType::Float32) return nm::multiply(execution, a, b, {}, {}, {}, out);
    return multiply_generic(a, b, out);
  }

  // Through a subgraph, in the type that it wants.
  Status modify(Execution& execution, size_t which, Tensor& scores) {
    if (!bodies_[which]) return {};
    const DType type = scores.dtype();
    const DType wanted = precision_ == DType::Undefined ? type : precision_;
    Tensor given = scores;
    if (wanted != type) {
      NM_ASSIGN(given, Tensor::create(wanted, scores.shape()));
      NM_TRY(cast(scores, given));
    }
    const BoundBody bound(*bodies_[which], execution);
    std::vector<Value> outputs;
    NM_TRY(bodies_[which]->run({Value(std::move(given))}, outputs));
    const Tensor* result = outputs[0].tensor();
    if (result == nullptr || result->dtype() != wanted || result->shape() != scores.shape()) {
      return {Code::ShapeMismatch,
              text("a subgraph returned ", result ? describe(result->dtype(), result->shape()) : "no tensor", " for ",
                   describe(wanted, scores.shape()))};
    }
    if (wanted == type) {
      scores = *result;
      return {};
    }
    NM_ASSIGN(scores, Tensor::create(type, result->shape()));
    return cast(*result, scores);
  }

  template <class T>
  static void softmax(T* x, int64_t n) {
    if constexpr (std::is_same_v<T, float>) {
      kernels().rows.softmax(1, n, x, n, x, n);
    } else {
      T top = x[0];
      for (int64_t i = 1; i < n; ++i) top = x[i] > top ? x[i] : top;
      T sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - top);
      for (int64_t i = 0; i < n; ++i) x[i] /= sum;
    }
  }

  std::shared_ptr<Graph> graphs_[2];  // for scores and for probabilities
  std::unique_ptr<Body> bodies_[2];
  DType precision_;  // of the subgraphs' inputs; Undefined: that of the computation
  float scale_;
  bool has_scale_;
};

}  // namespace

constexpr OperatorEntry kEntries[] = {
    entry_in<FlexAttention>("ai.onnx.preview", "FlexAttention", 1,
                            {.inputs = kAny, .outputs = kAny, .layout = layout::opaque}),
};

NM_OPERATORS(flex_attention, kEntries)

}  // namespace nm
