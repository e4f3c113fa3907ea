// DequantizeLinear → Conv → QuantizeLinear, as quantising tools leave it, becomes QLinearConv: integers are multiplied
// twice as fast as floats, and nothing else needs the floats. An activation in between that only bounds its input
// becomes bounds on the quantised result, which is the same because rounding keeps order.
#include <algorithm>
#include <cmath>

#include "engine/passes/passes.h"
#include "engine/passes/quantized.h"

namespace nm {
namespace {

class QuantizedFusion {
 public:
  explicit QuantizedFusion(Graph& graph) : graph_(graph), uses_(graph) {}

  bool run() {
    bool changed = false;
    for (Node& node : graph_.nodes) changed = fuse(node) || changed;
    if (changed) remove_dead_nodes(graph_);
    return changed;
  }

 private:
  const Node* producer(ValueId id) const {
    if (id == kNone) return nullptr;
    // Values that this pass adds have none.
    const uint32_t at = uses_.producer.get(id, kNoNode);
    return at == kNoNode ? nullptr : &graph_.nodes[at];
  }

  // What a Relu or Clip bounds its input to.
  std::optional<Bounds> bounds(const Node& node) const {
    if (node.is("Relu")) return Bounds{0, INFINITY};
    return node.is("Clip") ? clip_bounds(graph_, node) : std::nullopt;
  }

  static int64_t quantized(float x, const Quantized& q) {
    const double low = q.dtype == DType::Int8 ? -128 : 0;
    return static_cast<int64_t>(
        std::clamp(std::nearbyint(static_cast<double>(x / q.by)) + q.zero_point, low, low + 255));
  }

  // The weights behind a DequantizeLinear whose scales are one, or one for each output channel.
  const Node* weights(ValueId id) const {
    const Node* dq = producer(id);
    if (dq == nullptr || !dq->is("DequantizeLinear") || dq->attributes.contains("block_size")) return nullptr;
    const Tensor *w = graph_.constant(dq->input(0)), *scale = graph_.constant(dq->input(1));
    if (w == nullptr || scale == nullptr || scale->dtype() != DType::Float32 || w->rank() < 3) return nullptr;
    if (w->dtype() != DType::Int8 && w->dtype() != DType::UInt8) return nullptr;
    const Tensor* zero = graph_.constant(dq->input(2));
    if (dq->input(2) != kNone && (zero == nullptr || zero->count() != scale->count())) return nullptr;
    if (scale->count() == 1) return dq;
    const auto axis = dq->attributes.find("axis");
    const int64_t* given = axis == dq->attributes.end() ? nullptr : std::get_if<int64_t>(&axis->second);
    const bool by_output = given && (*given == 0 || *given == -w->rank()) && scale->count() == w->dim(0);
    return by_output ? dq : nullptr;
  }

  // A bias in units of the sums; kNone with `ok` false when it is none.
  ValueId bias(ValueId id, float x_scale, const Tensor& w_scale, bool& ok) const {
    ok = id == kNone;
    const Node* dq = producer(id);
    if (dq == nullptr || !dq->is("DequantizeLinear")) return kNone;
    const Tensor *b = graph_.constant(dq->input(0)), *scale = graph_.constant(dq->input(1));
    if (b == nullptr || b->dtype() != DType::Int32 || scale == nullptr || scale->dtype() != DType::Float32)
      return kNone;
    if (const Tensor* zero = graph_.constant(dq->input(2))) {
      for (int64_t i = 0; i < zero->count(); ++i) {
        if (zero->dtype() != DType::Int32 || zero->data<int32_t>()[i] != 0) return kNone;
      }
    }
    const int64_t n = std::max(scale->count(), w_scale.count());
    if ((scale->count() != 1 && scale->count() != n) || (w_scale.count() != 1 && w_scale.count() != n)) return kNone;
    for (int64_t i = 0; i < n; ++i) {
      const float given = scale->data<float>()[scale->count() == 1 ? 0 : i];
      const float sums = x_scale * w_scale.data<float>()[w_scale.count() == 1 ? 0 : i];
      if (!(std::abs(given - sums) <= 1e-5f * std::abs(sums))) return kNone;
    }
    ok = true;
    return dq->input(0);
  }

  bool fuse(Node& node) {
    if (!node.is("QuantizeLinear")) return false;
    const Node* conv = producer(node.input(0));
    if (conv == nullptr || !uses_.single_reader(node.input(0))) return false;
    Bounds within{-INFINITY, INFINITY};
    if (const auto b = bounds(*conv)) {
      within = *b;
      if (!uses_.single_reader(conv->input(0))) return false;
      conv = producer(conv->input(0));
    }
    if (conv == nullptr || !conv->is("Conv") || conv->input(3) != kNone) return false;
    const Node *x = producer(conv->input(0)), *w = weights(conv->input(1));
    if (x == nullptr || w == nullptr) return false;
    const auto from = dequantizer(graph_, *x), to = quantizer(graph_, node);
    if (!from || !to) return false;
    const Tensor& w_scale = *graph_.constant(w->input(1));
    bool bias_fits = false;
    const ValueId biases = bias(conv->input(2), from->by, w_scale, bias_fits);
    if (!bias_fits) return false;
    ValueId w_zero = w->input(2);
    if (w_zero == kNone) {
      auto none = Tensor::create(graph_.constant(w->input(0))->dtype(), Shape{});
      if (!none.ok()) return false;
      *static_cast<uint8_t*>(none->raw()) = 0;
      w_zero = graph_.add_constant(graph_.value(w->input(0)).name + ".zero", std::move(*none));
    }
    Node fused;
    fused.name = conv->name;
    fused.op_type = "QLinearConv";
    fused.version = 10;
    fused.inputs = {from->values, from->scale, from->zero, w->input(0), w->input(1),
                    w_zero,       to->scale,   to->zero,   biases};
    if (biases == kNone) fused.inputs.pop_back();
    fused.explicit_inputs = fused.inputs.size();
    fused.outputs = node.outputs;
    fused.attributes = conv->attributes;
    if (std::isfinite(within.low)) fused.attributes["nm_low"] = quantized(within.low, *to);
    if (std::isfinite(within.high)) fused.attributes["nm_high"] = quantized(within.high, *to);
    node = std::move(fused);
    return true;
  }

  Graph& graph_;
  const Uses uses_;
};

}  // namespace

Result<bool> fuse_quantized(Graph& graph) { return QuantizedFusion(graph).run(); }

}  // namespace nm
