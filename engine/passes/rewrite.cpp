#include "engine/passes/rewrite.h"

#include <algorithm>
#include <cmath>

namespace nm {

Uses::Uses(const Graph& graph) : producer(graph, kNoNode), readers(graph), is_output(graph) {
  for (uint32_t n = 0; n < graph.nodes.size(); ++n) {
    for (const ValueId id : graph.nodes[n].inputs) {
      if (id != kNone) readers[id].push_back(n);
    }
    for (const ValueId id : graph.nodes[n].outputs) {
      if (id != kNone) producer[id] = n;
    }
  }
  for (const ValueId id : graph.outputs) is_output[id] = true;
}

void replace_value(Graph& graph, ValueId from, ValueId to) {
  for (Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(graph.outputs.begin(), graph.outputs.end(), from, to);
}

bool remove_dead_nodes(Graph& graph) {
  PerValue<bool> needed(graph);
  for (const ValueId id : graph.outputs) needed[id] = true;
  std::vector<bool> keep(graph.nodes.size());
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    Node& node = graph.nodes[n];
    keep[n] =
        std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) { return id != kNone && needed[id]; });
    if (!keep[n]) continue;
    for (const ValueId id : node.inputs) {
      if (id != kNone) needed[id] = true;
    }
  }
  for (ValueId id = 0; id < graph.value_count(); ++id) {
    if (!needed[id]) graph.value(id).constant = Tensor();
  }
  for (Node& node : graph.nodes) {
    for (size_t o = 1; o < node.outputs.size(); ++o) {
      if (node.outputs[o] != kNone && !needed[node.outputs[o]]) node.outputs[o] = kNone;
    }
  }
  size_t n = 0;
  const size_t removed = std::erase_if(graph.nodes, [&](const Node&) { return !keep[n++]; });
  return removed > 0;
}

bool is_float32(const GraphValue& value) { return value.type.is_tensor() && value.type.dtype == DType::Float32; }

std::optional<float> scalar_constant(const Graph& graph, ValueId id) {
  const Tensor* t = graph.constant(id);
  if (t == nullptr || t->count() != 1 || t->raw() == nullptr) return std::nullopt;
  switch (t->dtype()) {
    case DType::Float32:
      return *t->data<float>();
    case DType::Float64:
      return static_cast<float>(*t->data<double>());
    case DType::Float16:
      return *t->data<float16>();
    case DType::BFloat16:
      return *t->data<bfloat16>();
    case DType::Int32:
      return static_cast<float>(*t->data<int32_t>());
    case DType::Int64:
      return static_cast<float>(*t->data<int64_t>());
    default:
      return std::nullopt;
  }
}

std::vector<int64_t> permutation(const Node& transpose, int rank) {
  auto perm = attribute(transpose, "perm", std::vector<int64_t>());
  if (perm.empty()) {
    for (int i = rank; i-- > 0;) perm.push_back(i);
  }
  for (int64_t& axis : perm) axis = normalize_axis(axis, rank);
  return perm;
}

std::optional<Bounds> clip_bounds(const Graph& graph, const Node& clip) {
  float bounds[] = {-INFINITY, INFINITY};
  if (clip.version < 11) {
    bounds[0] = attribute(clip, "min", bounds[0]);
    bounds[1] = attribute(clip, "max", bounds[1]);
  } else {
    for (size_t i = 0; i < 2; ++i) {
      if (clip.input(i + 1) == kNone) continue;
      const auto v = scalar_constant(graph, clip.input(i + 1));
      if (!v) return std::nullopt;
      bounds[i] = *v;
    }
  }
  if (!(bounds[0] <= bounds[1])) return std::nullopt;
  return Bounds{bounds[0], bounds[1]};
}

}  // namespace nm
