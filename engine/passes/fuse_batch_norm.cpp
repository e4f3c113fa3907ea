// Per-channel affine maps behind a convolution (BatchNormalization, Mul, Div, Add and Sub with constants) go into its
// weights and bias.
#include <algorithm>
#include <cmath>
#include <functional>

#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

// y = scale · x + shift, one of each per channel.
struct Affine {
  std::vector<float> scale, shift;
};

std::optional<float> float_at(const Tensor& t, int64_t i) {
  switch (t.dtype()) {
    case DType::Float32:
      return t.data<float>()[i];
    case DType::Float16:
      return t.data<float16>()[i];
    case DType::BFloat16:
      return t.data<bfloat16>()[i];
    default:
      return std::nullopt;
  }
}

// `channels` floats from a constant that has one for each, or one for all; empty otherwise. `image_rank` > 0: the
// constant is broadcast against an image of that rank, so that its channels must stand at axis 1.
std::vector<float> per_channel(const Graph& graph, ValueId id, int64_t channels, int image_rank) {
  const Tensor* t = graph.constant(id);
  if (t == nullptr || t->raw() == nullptr || t->rank() > std::max(1, image_rank)) return {};
  if (t->count() != 1) {
    const int axis = image_rank > 0 ? 1 - (image_rank - t->rank()) : 0;
    if (t->count() != channels || axis < 0 || axis >= t->rank() || t->dim(axis) != channels) return {};
  }
  std::vector<float> out(static_cast<size_t>(channels));
  for (int64_t i = 0; i < channels; ++i) {
    const auto v = float_at(*t, t->count() == 1 ? 0 : i);
    if (!v) return {};
    out[static_cast<size_t>(i)] = *v;
  }
  return out;
}

std::optional<Affine> batch_norm(const Graph& graph, const Node& node, int64_t channels) {
  for (const char* training : {"training_mode", "is_test"}) {
    const auto it = node.attributes.find(training);
    if (it == node.attributes.end()) continue;
    const auto* value = std::get_if<int64_t>(&it->second);
    if (value == nullptr || *value != (it->first == "is_test" ? 1 : 0)) return std::nullopt;
  }
  for (size_t o = 1; o < node.outputs.size(); ++o) {
    if (node.outputs[o] != kNone) return std::nullopt;
  }
  const float epsilon = attribute(node, "epsilon", 1e-5f);
  const auto scale = per_channel(graph, node.input(1), channels, 0),
             bias = per_channel(graph, node.input(2), channels, 0);
  const auto mean = per_channel(graph, node.input(3), channels, 0),
             variance = per_channel(graph, node.input(4), channels, 0);
  if (scale.empty() || bias.empty() || mean.empty() || variance.empty()) return std::nullopt;
  Affine a;
  for (size_t i = 0; i < scale.size(); ++i) {
    a.scale.push_back(scale[i] / std::sqrt(variance[i] + epsilon));
    a.shift.push_back(bias[i] - mean[i] * a.scale.back());
  }
  return a;
}

// The map that `node` applies to `image`.
std::optional<Affine> affine_of(const Graph& graph, const Node& node, ValueId image, int64_t channels, int rank) {
  if (node.is("BatchNormalization") && node.input(0) == image) return batch_norm(graph, node, channels);
  const bool multiplies = node.is("Mul") || node.is("Div"), adds = node.is("Add") || node.is("Sub");
  if ((!multiplies && !adds) || node.version < 7 || node.inputs.size() != 2) return std::nullopt;
  const bool swapped = node.inputs[1] == image;
  if (swapped && (node.is("Div") || node.is("Sub"))) return std::nullopt;
  std::vector<float> c = per_channel(graph, node.inputs[swapped ? 0 : 1], channels, rank);
  if (c.empty()) return std::nullopt;
  for (float& v : c) v = node.is("Div") ? 1 / v : node.is("Sub") ? -v : v;
  if (multiplies) return Affine{std::move(c), std::vector<float>(static_cast<size_t>(channels), 0.f)};
  return Affine{std::vector<float>(static_cast<size_t>(channels), 1.f), std::move(c)};
}

// An infinite factor would make other numbers of weights than of sums: a weight of 0 would be NaN.
bool is_plain(const Affine& a) {
  const auto plain = [](float v) { return std::isfinite(v); };
  return std::all_of(a.scale.begin(), a.scale.end(), plain) && std::all_of(a.shift.begin(), a.shift.end(), plain);
}

// Output channels of a convolution with constant weights and bias and nothing fused yet; 0 for anything else.
int64_t foldable_channels(const Graph& graph, const Node& node) {
  const bool transposed = node.is("ConvTranspose");
  if (!transposed && !node.is("Conv")) return 0;
  if (node.input(3) != kNone || node.attributes.contains("nm_activation")) return 0;
  const Tensor* w = graph.constant(node.input(1));
  if (w == nullptr || w->raw() == nullptr || w->rank() < 3 || w->count() == 0 || !float_at(*w, 0)) return 0;
  const int64_t groups = attribute(node, "group", int64_t{1});
  if (groups < 1 || groups > w->dim(0) || w->dim(0) % groups != 0) return 0;
  const int64_t channels = transposed ? w->dim(1) * groups : w->dim(0);
  if (node.input(2) != kNone && per_channel(graph, node.input(2), channels, 0).empty()) return 0;
  return channels;
}

Status fold(Graph& graph, Node& conv, const Affine& a, const Uses& uses) {
  const auto channels = static_cast<int64_t>(a.scale.size());
  const Tensor w = *graph.constant(conv.inputs[1]);
  NM_ASSIGN(Tensor scaled, Tensor::create(DType::Float32, w.shape()));
  const int64_t taps = w.shape().count(2, w.rank()), row = w.dim(1) * taps;
  for (int64_t i = 0; i < w.count(); ++i) {
    int64_t channel = i / row;       // [out, in, taps]
    if (conv.is("ConvTranspose")) {  // [in, out of the group, taps]
      const int64_t group = channel / (w.dim(0) / (channels / w.dim(1)));
      channel = group * w.dim(1) + i % row / taps;
    }
    scaled.data<float>()[i] = *float_at(w, i) * a.scale[static_cast<size_t>(channel)];
  }
  NM_ASSIGN(Tensor bias, Tensor::create(DType::Float32, Shape{channels}));
  std::vector<float> old(a.scale.size(), 0.f);
  if (conv.input(2) != kNone) old = per_channel(graph, conv.inputs[2], channels, 0);
  for (size_t i = 0; i < old.size(); ++i) bias.data<float>()[i] = old[i] * a.scale[i] + a.shift[i];
  const std::string name = graph.value(conv.inputs[1]).name;
  // Not only at the end of the pass, or all weights would be there twice.
  const ValueId raw = conv.inputs[1];
  if (uses.readers.contains(raw) && uses.single_reader(raw)) graph.value(raw).constant = Tensor();
  conv.inputs.resize(3, kNone);
  conv.explicit_inputs = 3;
  conv.inputs[1] = graph.add_constant(name, std::move(scaled));
  conv.inputs[2] = graph.add_constant(name + ".bias", std::move(bias));
  return {};
}

}  // namespace

Result<bool> fuse_batch_norm(Graph& graph) {
  const Uses uses(graph);
  bool changed = false;
  for (Node& conv : graph.nodes) {
    const int64_t channels = foldable_channels(graph, conv);
    // What is folded keeps its node until the end, without anybody reading it.
    while (channels > 0 && uses.single_reader(conv.outputs[0])) {
      const ValueId image = conv.outputs[0];
      Node& next = graph.nodes[uses.readers[image][0]];
      if (graph.value(image).type.dtype != DType::Float32) break;
      const auto affine = affine_of(graph, next, image, channels, graph.constant(conv.inputs[1])->rank());
      if (!affine || !is_plain(*affine)) break;
      NM_TRY(fold(graph, conv, *affine, uses));
      conv.outputs[0] = next.outputs[0];
      next.outputs[0] = image;
      changed = true;
    }
  }
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace nm
