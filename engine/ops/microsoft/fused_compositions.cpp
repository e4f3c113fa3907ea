// com.microsoft's fusions and forerunners of standard operators, put together from standard operators again. Passes
// fuse anew what this engine has a kernel for.
#include "engine/op/composition.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

using Inputs = Composition::Inputs;

const AttributeMap& own_attributes(Composition& c) { return c.attributes().all(); }

Inputs all_inputs(const Composition& c) {
  Inputs inputs;
  for (size_t i = 0; i < c.input_count(); ++i) inputs.push_back(c.input(i));
  return inputs;
}

// The operator that has become standard under the same name, with the same inputs and attributes.
void standard(Composition& c) { c.finish(c.attributes().op_type(), all_inputs(c), own_attributes(c)); }

void silu(Composition& c, ValueId x) {
  c.finish("QuickGelu", {x}, {{"alpha", c.attributes().number("alpha", 1)}}, kMicrosoftDomain);
}

// What `activation` names: an operator whose parameters FusedGemm and FusedMatMulActivation call activation_alpha, ….
void activate(Composition& c, ValueId x) {
  Attributes& a = c.attributes();
  AttributeMap parameters;
  for (const std::string_view name : {"alpha", "beta", "gamma", "axis"}) {
    const std::string given = text("activation_", name);
    if (a.has(given)) parameters.emplace(name, a.unnoted().find(given)->second);
  }
  const std::string name = a.string("activation", "");
  c.finish(name.empty() ? "Identity" : name, {x}, std::move(parameters));
}

void fused_gemm(Composition& c) {
  c.require(2);
  AttributeMap own;
  for (const std::string_view name : {"transA", "transB", "alpha", "beta"}) {
    if (c.attributes().has(name)) own.emplace(name, c.attributes().unnoted().find(name)->second);
  }
  activate(c, c.add("Gemm", {c.input(0), c.input(1), c.input(2)}, std::move(own)));
}

void fused_matmul_activation(Composition& c) {
  c.require(2);
  AttributeMap own;
  for (const auto& [name, value] : own_attributes(c)) {
    if (!name.starts_with("activation")) own.emplace(name, value);
  }
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
  c.attributes().ignore({"seed"});  // for training
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
  c.attributes().ignore({"is_inner_broadcast"});  // the bias's shape says so
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

// Distances between the rows of A and those of B.
void cdist(Composition& c) {
  c.require(2);
  const std::string metric = c.attributes().string("metric", "sqeuclidean");
  const ValueId a = c.add("Unsqueeze", {c.input(0), c.integers({1})});
  const ValueId difference = c.add("Sub", {a, c.input(1)});
  const Inputs sum{difference, c.integers({-1})};
  const AttributeMap drop{{"keepdims", int64_t{0}}};
  if (metric == "sqeuclidean") return c.finish("ReduceSumSquare", sum, drop);
  if (metric != "euclidean") c.attributes().unsupported(text("the metric '", metric, "'"));
  c.finish("ReduceL2", sum, drop);
}

// g · sigmoid(alpha·g) · (l + beta) of two halves, which may lie side by side.
void swiglu(Composition& c) {
  c.require(1);
  Attributes& a = c.attributes();
  ValueId gate = c.input(0), up = c.input(1);
  if (up == kNone) {
    gate = c.value();
    up = c.value();
    c.write("Split", {c.input(0)}, {gate, up}, {{"axis", int64_t{-1}}, {"num_outputs", int64_t{2}}});
  }
  c.attributes().ignore({"round_activation"});  // nothing is rounded in between
  const auto like = [&](float v) { return c.add("CastLike", {c.number(v), c.input(0)}); };
  const float limit = a.number("limit", 0), beta = a.number("activation_beta", 0);
  if (limit > 0) {
    gate = c.add("Clip", {gate, kNone, like(limit)});
    up = c.add("Clip", {up, like(-limit), like(limit)});
  }
  if (beta != 0) up = c.add("Add", {up, like(beta)});
  c.finish("Mul", {c.add("QuickGelu", {gate}, {{"alpha", a.number("activation_alpha", 1)}}, kMicrosoftDomain), up});
}

// Each group of as many elements as the scale has is normalised by itself.
void gated_rms_norm(Composition& c) {
  c.require(3);
  const std::string kind = c.attributes().string("activation", "silu");
  const ValueId groups = c.add("Concat", {c.integers({-1}), c.add("Shape", {c.input(1)})}, {{"axis", int64_t{0}}});
  const ValueId rows = c.add("Reshape", {c.input(0), groups});
  const AttributeMap epsilon{{"epsilon", c.attributes().number("epsilon", 1e-5f)}};
  const ValueId norm = c.add("SimplifiedLayerNormalization", {rows, c.input(1)}, epsilon, kMicrosoftDomain);
  const ValueId x = c.add("Reshape", {norm, c.add("Shape", {c.input(0)})});
  const ValueId gate = kind == "sigmoid" ? c.add("Sigmoid", {c.input(2)})
                                         : c.add("QuickGelu", {c.input(2)}, {{"alpha", 1.f}}, kMicrosoftDomain);
  if (kind != "silu" && kind != "swish" && kind != "sigmoid") c.attributes().fail(text("the activation '", kind, "'"));
  c.finish("Mul", {x, gate});
}

void is_all_finite(Composition& c) {
  c.require(1);
  Attributes& a = c.attributes();
  a.ignore({"isinf_only", "isnan_only"});  // one of them may decide
  ValueId all = kNone;
  for (size_t i = 0; i < c.input_count(); ++i) {
    const ValueId x = c.add("Reshape", {c.input(i), c.integers({-1})});
    // What is neither finite nor of the kind that is not asked for.
    ValueId bad = a.flag("isinf_only", false) ? c.add("IsInf", {x}) : c.add("IsNaN", {x});
    if (!a.flag("isinf_only", false) && !a.flag("isnan_only", false)) bad = c.add("Or", {bad, c.add("IsInf", {x})});
    const ValueId count = c.add("ReduceSum", {c.add("Cast", {bad}, {{"to", static_cast<int64_t>(DType::Int64)}})},
                                {{"keepdims", int64_t{0}}});
    all = all == kNone ? count : c.add("Add", {all, count});
  }
  c.finish("Not", {c.add("Cast", {all}, {{"to", static_cast<int64_t>(DType::Bool)}})});
}

// q and k of one rotation: x·cos(angles) + turned x·sin(angles), where the angles lack the heads.
void gemma_rotary_embedding(Composition& c) {
  c.require(5);
  const auto of_angles = [&](std::string_view f) {
    const ValueId v = c.add("CastLike", {c.add(f, {c.input(0)}), c.input(1)});
    return c.add("Unsqueeze", {v, c.integers({1})});
  };
  const ValueId sine = of_angles("Sin"), cosine = of_angles("Cos");
  for (const size_t o : {0, 1}) {
    if (!c.wants(o)) continue;
    const ValueId straight = c.add("Mul", {c.input(1 + 2 * o), cosine});
    c.write("Add", {straight, c.add("Mul", {c.input(2 + 2 * o), sine})}, {c.output(o)});
  }
}

void matmul_integer16(Composition& c) {
  c.require(2);
  const AttributeMap to_int{{"to", static_cast<int64_t>(DType::Int32)}};
  c.finish("MatMul", {c.add("Cast", {c.input(0)}, to_int), c.add("Cast", {c.input(1)}, to_int)});
}

// The position bias of queries, gated by what a small product makes of each of them.
void gated_relative_position_bias(Composition& c) {
  c.require(6);
  Attributes& a = c.attributes();
  if (c.has(6)) a.unsupported("tokens without padding (input 6) are not supported");
  const ValueId query = c.add("Add", {c.input(0), c.input(1)});
  const ValueId heads = c.add("Reshape", {query, c.integers({0, 0, a.integer("num_heads", 1), -1})});
  const ValueId by_head = c.add("Transpose", {heads}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  const ValueId gates = c.add("Add", {c.add("MatMul", {by_head, c.input(3)}), c.input(4)});
  const ValueId halves = c.add("Reshape", {gates, c.integers({0, 0, 0, 2, -1})});
  const ValueId sums = c.add("ReduceSum", {halves, c.integers({-1})}, {{"keepdims", int64_t{0}}});
  const ValueId u = c.value(), r = c.value();
  c.write("Split", {c.add("Sigmoid", {sums})}, {u, r}, {{"axis", int64_t{-1}}, {"num_outputs", int64_t{2}}});
  const ValueId one = c.add("CastLike", {c.number(1), c.input(0)}), two = c.add("CastLike", {c.number(2), c.input(0)});
  const ValueId inner = c.add("Sub", {c.add("Mul", {r, c.input(5)}), one});
  c.finish("Mul", {c.add("Add", {c.add("Mul", {u, inner}), two}), c.input(2)});
}

void torch_embedding(Composition& c) {
  c.require(2);
  c.finish("Gather", {c.input(0), c.input(1)});
}

}  // namespace

constexpr OperatorEntry kEntries[] = {
    composition_in(kMicrosoftDomain, "FusedGemm", 1, {.inputs = 3, .outputs = 1}, fused_gemm),
    composition_in(kMicrosoftDomain, "FusedMatMulActivation", 1, {.inputs = 2, .outputs = 1}, fused_matmul_activation),
    composition_in(kMicrosoftDomain, "TransposeMatMul", 1, {.inputs = 2, .outputs = 1}, transpose_matmul),
    composition_in(kMicrosoftDomain, "GemmFastGelu", 1, {.inputs = 3, .outputs = 1}, gemm_fast_gelu),
    composition_in(kMicrosoftDomain, "BiasAdd", 1, {.inputs = 3, .outputs = 1}, bias_add),
    composition_in(kMicrosoftDomain, "BiasDropout", 1, {.inputs = 5, .outputs = 2}, bias_dropout),
    composition_in(kMicrosoftDomain, "BiasSplitGelu", 1, {.inputs = 2, .outputs = 1}, bias_split_gelu),
    composition_in(kMicrosoftDomain, "BiasSoftmax", 1, {.inputs = 2, .outputs = 1}, bias_softmax),
    composition_in(kMicrosoftDomain, "GroupNorm", 1, {.inputs = 3, .outputs = 1}, group_norm),
    composition_in(kMicrosoftDomain, "SkipGroupNorm", 1, {.inputs = 5, .outputs = 2}, skip_group_norm),
    composition_in(kMicrosoftDomain, "GatedAdd", 1, {.inputs = 4, .outputs = 1}, gated_add),
    composition_in(kMicrosoftDomain, "ScaledSiLU", 1, {.inputs = 2, .outputs = 1}, scaled_silu),
    composition_in(kMicrosoftDomain, "ExpandDims", 1, {.inputs = 2, .outputs = 1}, expand_dims),
    composition_in(kMicrosoftDomain, "Range", 1, {.inputs = 3, .outputs = 1}, range),
    composition_in(kMicrosoftDomain, "Unique", 1, {.inputs = 1, .outputs = 3}, unique),
    composition_in(kMicrosoftDomain, "Pad", 1, {.inputs = 3, .outputs = 1}, pad),
    composition_in(kMicrosoftDomain, "SampleOp", 1, {.inputs = 1, .outputs = 1}, identity),
    composition_in(kMicrosoftDomain, "TorchEmbedding", 1, {.inputs = 4, .outputs = 1}, torch_embedding),
    composition_in(kMicrosoftDomain, "CDist", 1, {.inputs = 2, .outputs = 1}, cdist),
    composition_in(kMicrosoftDomain, "SwiGLU", 1, {.inputs = 2, .outputs = 1}, swiglu),
    composition_in(kMicrosoftDomain, "GatedRMSNorm", 1, {.inputs = 3, .outputs = 1}, gated_rms_norm),
    composition_in(kMicrosoftDomain, "IsAllFinite", 1, {.inputs = kAny, .outputs = 1}, is_all_finite),
    composition_in(kMicrosoftDomain, "GemmaRotaryEmbedding", 1, {.inputs = 5, .outputs = 2}, gemma_rotary_embedding),
    composition_in(kMicrosoftDomain, "MatMulInteger16", 1, {.inputs = 2, .outputs = 1}, matmul_integer16),
    composition_in(kMicrosoftDomain, "GatedRelativePositionBias", 1, {.inputs = 7, .outputs = 1},
                   gated_relative_position_bias),
    composition_in(kMicrosoftDomain, "Trilu", 1, {.inputs = 2, .outputs = 1}, standard),
    composition_in(kMicrosoftDomain, "GridSample", 1, {.inputs = 2, .outputs = 1}, standard),
    composition_in(kMicrosoftDomain, "GatherND", 1, {.inputs = 2, .outputs = 1}, standard),
};

NM_OPERATORS(fused_compositions, kEntries)

}  // namespace nm
