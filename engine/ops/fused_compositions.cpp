// com.microsoft's fusions and forerunners of standard operators, put together from standard operators again. Passes
// fuse anew what this engine has a kernel for.
#include "engine/ops/composition.h"

namespace nm {
namespace {

using Inputs = Composition::Inputs;

const AttributeMap& own_attributes(Composition& c) { return c.attributes().node().attributes; }

Inputs all_inputs(const Composition& c) {
  Inputs inputs;
  for (size_t i = 0; i < c.input_count(); ++i) inputs.push_back(c.input(i));
  return inputs;
}

// The operator that has become standard under the same name, with the same inputs and attributes.
void standard(Composition& c) { c.finish(c.attributes().node().op_type, all_inputs(c), own_attributes(c)); }

void silu(Composition& c, ValueId x) {
  c.finish("QuickGelu", {x}, {{"alpha", c.attributes().number("alpha", 1)}}, kMicrosoftDomain);
}

// What `activation` names: an operator whose parameters FusedGemm and FusedMatMulActivation call activation_alpha, ….
void activate(Composition& c, ValueId x) {
  Attributes& a = c.attributes();
  AttributeMap parameters;
  for (const std::string_view name : {"alpha", "beta", "gamma", "axis"}) {
    const auto it = a.node().attributes.find(text("activation_", name));
    if (it != a.node().attributes.end()) parameters.emplace(name, it->second);
  }
  const std::string name = a.string("activation", "");
  c.finish(name.empty() ? "Identity" : name, {x}, std::move(parameters));
}

void fused_gemm(Composition& c) {
  c.require(2);
  AttributeMap own;
  for (const std::string_view name : {"transA", "transB", "alpha", "beta"}) {
    const auto it = own_attributes(c).find(name);
    if (it != own_attributes(c).end()) own.emplace(*it);
  }
  activate(c, c.add("Gemm", {c.input(0), c.input(1), c.input(2)}, std::move(own)));
}

void fused_matmul_activation(Composition& c) {
  c.require(2);
  AttributeMap own = own_attributes(c);
  std::erase_if(own, [](const auto& a) { return a.first.starts_with("activation"); });
  activate(c, c.add("FusedMatMul", {c.input(0), c.input(1)}, std::move(own), kMicrosoftDomain));
}

void transpose_matmul(Composition& c) { c.finish("FusedMatMul", all_inputs(c), own_attributes(c), kMicrosoftDomain); }

void gemm_fast_gelu(Composition& c) {
  c.require(2);
  const ValueId x = c.add("MatMul", {c.input(0), c.input(1)});
  c.finish("FastGelu", {x, c.input(2)}, {}, kMicrosoftDomain);
}

void bias_add(Composition& c) {
  c.require(3);
  c.finish("Add", {c.add("Add", {c.input(0), c.input(1)}), c.input(2)});
}

void bias_dropout(Composition& c) {
  c.require(2);
  const ValueId dropped = c.has(2) ? c.value() : c.output(0);
  c.write("Dropout", {c.add("Add", {c.input(0), c.input(1)}), c.input(3), c.input(4)}, {dropped, c.output(1)});
  if (c.has(2)) c.finish("Add", {dropped, c.input(2)});
}

// The left half times the GELU of the right one.
void bias_split_gelu(Composition& c) {
  c.require(2);
  const ValueId left = c.value(), right = c.value();
  c.write("Split", {c.add("Add", {c.input(0), c.input(1)})}, {left, right},
          {{"axis", int64_t{-1}}, {"num_outputs", int64_t{2}}});
  c.finish("Mul", {left, c.add("Gelu", {right})});
}

// The bias is broadcast over dimensions before the axis: the outer ones, or (is_inner_broadcast) the inner ones, for
// which it has a 1. All dimensions from the axis on are one row of the softmax.
void bias_softmax(Composition& c) {
  c.require(2);
  const int64_t axis = c.attributes().integer("axis", 1);
  const ValueId sum = c.add("Add", {c.input(0), c.input(1)});
  const ValueId rows = c.add("Softmax", {c.add("Flatten", {sum}, {{"axis", axis}})}, {{"axis", int64_t{-1}}});
  c.finish("Reshape", {rows, c.add("Shape", {sum})}, {{"allowzero", int64_t{1}}});
}

// Inputs: image, gamma, beta.
void normalize_groups(Composition& c, ValueId x) {
  Attributes& a = c.attributes();
  const bool last = a.flag("channels_last", true);
  if (last) x = c.add("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
  x = c.add("GroupNormalization", {x, c.input(1), c.input(2)},
            {{"num_groups", a.integer("groups", 0)}, {"epsilon", a.number("epsilon", 1e-5f)}});
  if (last) x = c.add("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
  if (a.flag("activation", false)) return silu(c, x);
  c.finish("Identity", {x});
}

void group_norm(Composition& c) {
  c.require(3);
  c.attributes().require("groups");
  normalize_groups(c, c.input(0));
}

// Inputs: image, gamma, beta, skip, bias. The skip may be one value for each channel of each image.
void skip_group_norm(Composition& c) {
  c.require(4);
  c.attributes().require("groups");
  const bool last = c.attributes().flag("channels_last", true);
  const auto per_channel = [&](ValueId v) {
    return c.add("Reshape", {v, last ? c.integers({0, 1, 1, -1}) : c.integers({0, -1, 1, 1})});
  };
  const Shape* skip = c.shape(3);
  ValueId sum = c.add("Add", {c.input(0), skip != nullptr && skip->rank() == 2 ? per_channel(c.input(3)) : c.input(3)});
  if (c.has(4)) {
    sum = c.add("Add", {sum, last ? c.input(4) : c.add("Reshape", {c.input(4), c.integers({-1, 1, 1})})});
  }
  if (c.wants(1)) c.write("Identity", {sum}, {c.output(1)});
  normalize_groups(c, sum);
}

void gated_add(Composition& c) {
  c.require(3);
  if (c.has(3)) c.attributes().unsupported("GatedAdd with a weight for its gate (input 3) is not supported");
  c.finish("Add", {c.input(0), c.add("Mul", {c.input(1), c.input(2)})});
}

void scaled_silu(Composition& c) {
  c.require(1);
  ValueId scale = c.input(1);
  if (scale == kNone) scale = c.add("CastLike", {c.number(c.attributes().number("alpha", 1)), c.input(0)});
  const ValueId z = c.add("Mul", {c.input(0), scale});
  c.finish("QuickGelu", {z}, {{"alpha", 1.f}}, kMicrosoftDomain);
}

void expand_dims(Composition& c) {
  c.require(2);
  c.finish("Unsqueeze", {c.input(0), c.add("Cast", {c.input(1)}, {{"to", static_cast<int64_t>(DType::Int64)}})});
}

void range(Composition& c) {
  c.require(2);
  const ValueId step = c.has(2) ? c.input(2) : c.add("CastLike", {c.number(1), c.input(0)});
  c.finish("Range", {c.input(0), c.input(1), step});
}

// Outputs: the values in the order of their first occurrence, where each element is among them, how often each occurs.
void unique(Composition& c) {
  c.require(1);
  c.write("Unique", {c.input(0)}, {c.output(0), kNone, c.output(1), c.output(2)}, {{"sorted", int64_t{0}}});
}

void pad(Composition& c) {
  c.require(2);
  const ValueId pads = c.add("Reshape", {c.input(1), c.integers({-1})});
  const ValueId value = c.has(2) ? c.add("Reshape", {c.input(2), c.integers({})}) : kNone;
  c.finish("Pad", {c.input(0), pads, value}, own_attributes(c));
}

void identity(Composition& c) { c.finish("Identity", {c.input(0)}); }

void torch_embedding(Composition& c) {
  c.require(2);
  c.finish("Gather", {c.input(0), c.input(1)});
}

struct Row {
  std::string_view name;
  void (*compose)(Composition&);
};

constexpr Row kRows[] = {
    {"FusedGemm", fused_gemm},
    {"FusedMatMulActivation", fused_matmul_activation},
    {"TransposeMatMul", transpose_matmul},
    {"GemmFastGelu", gemm_fast_gelu},
    {"BiasAdd", bias_add},
    {"BiasDropout", bias_dropout},
    {"BiasSplitGelu", bias_split_gelu},
    {"BiasSoftmax", bias_softmax},
    {"GroupNorm", group_norm},
    {"SkipGroupNorm", skip_group_norm},
    {"GatedAdd", gated_add},
    {"ScaledSiLU", scaled_silu},
    {"ExpandDims", expand_dims},
    {"Range", range},
    {"Unique", unique},
    {"Pad", pad},
    {"SampleOp", identity},
    {"TorchEmbedding", torch_embedding},
    {"Trilu", standard},
    {"GridSample", standard},
    {"GatherND", standard},
};

}  // namespace

NM_OPERATORS(fused_compositions) {
  for (const Row& row : kRows) r.compose_in(kMicrosoftDomain, row.name, 1, row.compose);
}

}  // namespace nm
