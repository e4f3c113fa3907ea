#include "engine/passes/quantized.h"

#include <cmath>

namespace nm {
namespace {

std::optional<Quantized> parse(Graph& graph, const Node& node, DType dtype) {
  if (node.attributes.contains("block_size")) {
    const auto* block = std::get_if<int64_t>(&node.attributes.find("block_size")->second);
    if (block == nullptr || *block != 0) return std::nullopt;
  }
  Quantized q;
  q.values = node.input(0);
  q.scale = node.input(1);
  q.zero = node.input(2);
  q.dtype = dtype;
  const Tensor* scale = graph.constant(q.scale);
  if (scale == nullptr || scale->dtype() != DType::Float32 || scale->count() != 1) return std::nullopt;
  q.by = *scale->data<float>();
  if (!(q.by > 0) || !std::isfinite(q.by) || (dtype != DType::Int8 && dtype != DType::UInt8)) return std::nullopt;
  if (q.zero == kNone) {
    auto none = Tensor::create(dtype, Shape{});
    if (!none.ok()) return std::nullopt;
    *static_cast<uint8_t*>(none->raw()) = 0;
    q.zero = graph.add_constant(graph.value(q.scale).name + ".zero", std::move(*none));
  }
  const Tensor* zero = graph.constant(q.zero);
  if (zero == nullptr || zero->dtype() != dtype || zero->count() != 1) return std::nullopt;
  q.zero_point = dtype == DType::Int8 ? *zero->data<int8_t>() : *zero->data<uint8_t>();
  return q;
}

}  // namespace

std::optional<Quantized> quantizer(Graph& graph, const Node& node) {
  if (!node.is("QuantizeLinear") || graph.value(node.input(0)).type.dtype != DType::Float32) return std::nullopt;
  return parse(graph, node, graph.value(node.outputs[0]).type.dtype);
}

std::optional<Quantized> dequantizer(Graph& graph, const Node& node) {
  if (!node.is("DequantizeLinear") || graph.value(node.outputs[0]).type.dtype != DType::Float32) return std::nullopt;
  return parse(graph, node, graph.value(node.input(0)).type.dtype);
}

}  // namespace nm
