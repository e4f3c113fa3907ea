// LayerNormalization, RMSNormalization and GroupNormalization that exporters write as arithmetic.
#include <algorithm>

#include "engine/op/numbers.h"
#include "engine/passes/passes.h"
#include "engine/passes/pattern.h"
#include "engine/passes/rewrite.h"
#include "engine/passes/rewrites.h"

namespace nm {
namespace {

// How many of the last dimensions a ReduceMean goes over, keeping them; 0 for others.
int last_dimensions(const Graph& graph, const Node& mean, int rank) {
  if (attribute(mean, "keepdims", int64_t{1}) != 1) return 0;
  auto axes = attribute(mean, "axes", std::vector<int64_t>());
  if (const Tensor* t = graph.constant(mean.input(1)); t != nullptr && t->raw() && t->dtype() == DType::Int64) {
    axes.assign(t->data<int64_t>(), t->data<int64_t>() + t->count());
  }
  for (int64_t& a : axes) a = normalize_axis(a, rank);
  std::sort(axes.begin(), axes.end());
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] != rank - static_cast<int64_t>(axes.size() - i)) return 0;
  }
  return static_cast<int>(axes.size());
}

// One number for each normalised element, or for some of their dimensions.
bool is_parameter(const GraphValue& v, const Shape& x, int dimensions) {
  if (!is_float32(v) || !v.shape || v.shape->rank() > x.rank()) return false;
  for (int i = 1; i <= v.shape->rank(); ++i) {
    const int64_t d = (*v.shape)[v.shape->rank() - i];
    if (d != 1 && (i > dimensions || d != x[x.rank() - i])) return false;
  }
  return true;
}

bool normalizes(Match& m) {
  const GraphValue& x = m["x"];
  if (!is_float32(x) || !x.shape) return false;
  const Shape shape = *x.shape;
  if (!(m.number("epsilon") >= 0)) return false;
  const int dimensions = last_dimensions(m.graph(), m.node("variance"), shape.rank());
  if (dimensions == 0) return false;
  if (m.value("mean") != kNone && last_dimensions(m.graph(), m.node("mean"), shape.rank()) != dimensions) return false;
  Shape normalized;
  for (int i = shape.rank() - dimensions; i < shape.rank(); ++i) normalized.push_back(shape[i]);
  if (!normalized.known()) return false;
  for (const std::string_view name : {"gamma", "beta"}) {
    if (m.value(name) != kNone && !is_parameter(m[name], shape, dimensions)) return false;
  }
  if (m.value("gamma") == kNone) {
    auto ones = Tensor::create(DType::Float32, normalized);
    if (!ones.ok()) return false;
    std::fill_n(ones->data<float>(), ones->count(), 1.f);
    m.bind("gamma", m.constant("ones", std::move(*ones)));
  }
  m.attributes["axis"] = int64_t{-dimensions};
  m.attributes["epsilon"] = m.number("epsilon");
  return true;
}

bool all(const GraphValue& v, float number) {
  if (!v.is_constant() || v.constant.raw() == nullptr || v.constant.dtype() != DType::Float32) return false;
  const auto values = v.constant.span<float>();
  return std::all_of(values.begin(), values.end(), [&](float f) { return f == number; });
}

// [C], where the constant has C elements that stand for channels of x.
bool bind_channels(Match& m, std::string_view name, const Shape& x) {
  const GraphValue& v = m[name];
  if (!v.is_constant() || v.constant.raw() == nullptr || !is_float32(v)) return false;
  const Tensor t = v.constant;
  const int channels = t.rank() - (x.rank() - 1);
  if (channels < 0 || t.rank() > x.rank() || t.count() != x[1] || t.dim(channels) != x[1]) return false;
  m.bind(name, m.constant(v.name, t.reshaped(Shape{x[1]})));
  return true;
}

// torch writes a group norm as an instance norm of an image whose channels are the groups.
bool groups(Match& m) {
  const auto &x = m["x"].shape, &inner = m["inner"].shape, &outer = m["outer"].shape;
  if (!x || !inner || !outer || x->rank() < 3 || inner->rank() < 3 || *outer != *x) return false;
  const int64_t channels = (*x)[1], count = (*inner)[1];
  if (channels <= 0 || count <= 0 || channels % count != 0) return false;
  if ((*x)[0] == kUnknownDim || (*inner)[0] != (*x)[0]) return false;
  if (std::find(x->begin(), x->end(), kUnknownDim) != x->end()) return false;
  if (!all(m["ones"], 1) || !all(m["zeros"], 0)) return false;
  const Shape shape = *x;
  m.attributes["num_groups"] = count;
  m.attributes["epsilon"] = attribute(m.node("norm"), "epsilon", 1e-5f);
  return bind_channels(m, "gamma", shape) && bind_channels(m, "beta", shape);
}

// A sum of squares is never -0 nor -∞, so that a root is a power of 0.5 here.
#define NM_VARIANCE(square) "Add(variance:ReduceMean(" square "), #epsilon)"
#define NM_DEVIATION(square) "{Sqrt(" NM_VARIANCE(square) ")|Pow(" NM_VARIANCE(square) ", 0.5)}"
#define NM_INVERSE(square) "{Reciprocal(" NM_DEVIATION(square) ")|Pow(" NM_VARIANCE(square) ", -0.5)}"
#define NM_QUOTIENT(x, square) "{Div(" x ", " NM_DEVIATION(square) ")|Mul(" x ", " NM_INVERSE(square) ")}"
#define NM_LAYER_NORM NM_QUOTIENT("d:Sub(x, mean:ReduceMean(x))", "Mul(d, d)")
#define NM_RMS_NORM NM_QUOTIENT("x", "Mul(x, x)")

constexpr Rewrite kNorms[] = {
    {"Add(Mul(" NM_LAYER_NORM ", gamma), beta)", "LayerNormalization(x, gamma, beta)", normalizes},
    // TensorFlow's: x·k + (beta - mean·k)
    {"Add(Mul(x, k:Mul(" NM_INVERSE("Mul(d:Sub(x, mean:ReduceMean(x)), d)") ", gamma)), Sub(beta, Mul(mean, k)))",
     "LayerNormalization(x, gamma, beta)", normalizes},
    {"Mul(" NM_LAYER_NORM ", gamma)", "LayerNormalization(x, gamma)", normalizes},
    {NM_LAYER_NORM, "LayerNormalization(x, gamma)", normalizes},
    {"Mul(" NM_RMS_NORM ", gamma)", "RMSNormalization(x, gamma)", normalizes},
    {NM_RMS_NORM, "RMSNormalization(x, gamma)", normalizes},
    {"Add(Mul(outer:Reshape(norm:InstanceNormalization(inner:Reshape(x), ones, zeros)), gamma), beta)",
     "GroupNormalization(x, gamma, beta)", groups},
};

#undef NM_VARIANCE
#undef NM_DEVIATION
#undef NM_INVERSE
#undef NM_QUOTIENT
#undef NM_LAYER_NORM
#undef NM_RMS_NORM

}  // namespace

std::span<const Rewrite> norm_rewrites() { return kNorms; }

Result<bool> fuse_norms(Graph& graph) { return apply_rewrites(graph, kNorms); }

}  // namespace nm
