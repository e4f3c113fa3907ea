// com.microsoft's fusions and forerunners of standard operators, put together from standard operators again. Passes
// fuse anew what this engine has a kernel for.
#include "engine/op/composition.h"
#include "engine/op/registry.h"

namespace nm {
namespace {

using Inputs = Composition::Inputs;

const AttributeMap& own_attributes(Composition& composition) { return composition.attributes().all(); }

Inputs all_inputs(const Composition& composition) {
  Inputs inputs;
  for (size_t i = 0; i < composition.input_count(); ++i) inputs.push_back(composition.input(i));
  return inputs;
}

// The operator that has become standard under the same name, with the same inputs and attributes.
void standard(Composition& composition) {
  composition.finish(composition.attributes().op_type(), all_inputs(composition), own_attributes(composition));
}

void silu(Composition& composition, ValueId x) {
  composition.finish("QuickGelu", {x}, {{"alpha", composition.attributes().number("alpha", 1)}}, kMicrosoftDomain);
}

// What `activation` names: an operator whose parameters FusedGemm and FusedMatMulActivation call activation_alpha, ….
void activate(Composition& composition, ValueId x) {
  Attributes& a = composition.attributes();
  AttributeMap parameters;
  for (const std::string_view name : {"alpha", "beta", "gamma", "axis"}) {
    const std::string given = text("activation_", name);
    if (a.has(given)) parameters.emplace(name, a.unnoted().find(given)->second);
  }
  const std::string name = a.string("activation", "");
  composition.finish(name.empty() ? "Identity" : name, {x}, std::move(parameters));
}

void fused_gemm(Composition& composition) {
  composition.require(2);
  AttributeMap own;
  for (const std::string_view name : {"transA", "transB", "alpha", "beta"}) {
    if (composition.attributes().has(name)) own.emplace(name, composition.attributes().unnoted().find(name)->second);
  }
  activate(composition,
           composition.add("Gemm", {composition.input(0), composition.input(1), composition.input(2)}, std::move(own)));
}

void fused_matmul_activation(Composition& composition) {
  composition.require(2);
  AttributeMap own;
  for (const auto& [name, value] : own_attributes(composition)) {
    if (!name.starts_with("activation")) own.emplace(name, value);
  }
  activate(composition, composition.add("FusedMatMul", {composition.input(0), composition.input(1)}, std::move(own),
                                        kMicrosoftDomain));
}

void transpose_matmul(Composition& composition) {
  composition.finish("FusedMatMul", all_inputs(composition), own_attributes(composition), kMicrosoftDomain);
}

void gemm_fast_gelu(Composition& composition) {
  composition.require(2);
  const ValueId x = composition.add("MatMul", {composition.input(0), composition.input(1)});
  composition.finish("FastGelu", {x, composition.input(2)}, {}, kMicrosoftDomain);
}

void bias_add(Composition& composition) {
  composition.require(3);
  composition.finish("Add",
                     {composition.add("Add", {composition.input(0), composition.input(1)}), composition.input(2)});
}

void bias_dropout(Composition& composition) {
  composition.require(2);
  composition.attributes().ignore({"seed"});  // for training
  const ValueId dropped = composition.has(2) ? composition.value() : composition.output(0);
  composition.write("Dropout",
                    {composition.add("Add", {composition.input(0), composition.input(1)}), composition.input(3),
                     composition.input(4)},
                    {dropped, composition.output(1)});
  if (composition.has(2)) composition.finish("Add", {dropped, composition.input(2)});
}

// The left half times the GELU of the right one.
void bias_split_gelu(Composition& composition) {
  composition.require(2);
  const ValueId left = composition.value(), right = composition.value();
  composition.write("Split", {composition.add("Add", {composition.input(0), composition.input(1)})}, {left, right},
                    {{"axis", int64_t{-1}}, {"num_outputs", int64_t{2}}});
  composition.finish("Mul", {left, composition.add("Gelu", {right})});
}

// The bias is broadcast over dimensions before the axis: the outer ones, or (is_inner_broadcast) the inner ones, for
// which it has a 1. All dimensions from the axis on are one row of the softmax.
void bias_softmax(Composition& composition) {
  composition.require(2);
  const int64_t axis = composition.attributes().integer("axis", 1);
  composition.attributes().ignore({"is_inner_broadcast"});  // the bias's shape says so
  const ValueId sum = composition.add("Add", {composition.input(0), composition.input(1)});
  const ValueId rows =
      composition.add("Softmax", {composition.add("Flatten", {sum}, {{"axis", axis}})}, {{"axis", int64_t{-1}}});
  composition.finish("Reshape", {rows, composition.add("Shape", {sum})}, {{"allowzero", int64_t{1}}});
}

// Inputs: image, gamma, beta.
void normalize_groups(Composition& composition, ValueId x) {
  Attributes& a = composition.attributes();
  const bool last = a.flag("channels_last", true);
  if (last) x = composition.add("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 3, 1, 2}}});
  x = composition.add("GroupNormalization", {x, composition.input(1), composition.input(2)},
                      {{"num_groups", a.integer("groups", 0)}, {"epsilon", a.number("epsilon", 1e-5f)}});
  if (last) x = composition.add("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
  if (a.flag("activation", false)) return silu(composition, x);
  composition.finish("Identity", {x});
}

void group_norm(Composition& composition) {
  composition.require(3);
  composition.attributes().require("groups");
  normalize_groups(composition, composition.input(0));
}

// Inputs: image, gamma, beta, skip, bias. The skip may be one value for each channel of each image.
void skip_group_norm(Composition& composition) {
  composition.require(4);
  composition.attributes().require("groups");
  const bool last = composition.attributes().flag("channels_last", true);
  const auto per_channel = [&](ValueId v) {
    return composition.add("Reshape",
                           {v, last ? composition.integers({0, 1, 1, -1}) : composition.integers({0, -1, 1, 1})});
  };
  const Shape* skip = composition.shape(3);
  ValueId sum = composition.add(
      "Add", {composition.input(0),
              skip != nullptr && skip->rank() == 2 ? per_channel(composition.input(3)) : composition.input(3)});
  if (composition.has(4)) {
    sum = composition.add(
        "Add", {sum, last ? composition.input(4)
                          : composition.add("Reshape", {composition.input(4), composition.integers({-1, 1, 1})})});
  }
  if (composition.wants(1)) composition.write("Identity", {sum}, {composition.output(1)});
  normalize_groups(composition, sum);
}

void gated_add(Composition& composition) {
  composition.require(3);
  if (composition.has(3))
    composition.attributes().unsupported("GatedAdd with a weight for its gate (input 3) is not supported");
  composition.finish("Add",
                     {composition.input(0), composition.add("Mul", {composition.input(1), composition.input(2)})});
}

void scaled_silu(Composition& composition) {
  composition.require(1);
  ValueId scale = composition.input(1);
  if (scale == kNone)
    scale = composition.add("CastLike",
                            {composition.number(composition.attributes().number("alpha", 1)), composition.input(0)});
  const ValueId z = composition.add("Mul", {composition.input(0), scale});
  composition.finish("QuickGelu", {z}, {{"alpha", 1.f}}, kMicrosoftDomain);
}

void expand_dims(Composition& composition) {
  composition.require(2);
  composition.finish("Unsqueeze",
                     {composition.input(0),
                      composition.add("Cast", {composition.input(1)}, {{"to", static_cast<int64_t>(DType::Int64)}})});
}

void range(Composition& composition) {
  composition.require(2);
  const ValueId step = composition.has(2) ? composition.input(2)
                                          : composition.add("CastLike", {composition.number(1), composition.input(0)});
  composition.finish("Range", {composition.input(0), composition.input(1), step});
}

// Outputs: the values in the order of their first occurrence, where each element is among them, how often each occurs.
void unique(Composition& composition) {
  composition.require(1);
  composition.write("Unique", {composition.input(0)},
                    {composition.output(0), kNone, composition.output(1), composition.output(2)},
                    {{"sorted", int64_t{0}}});
}

void pad(Composition& composition) {
  composition.require(2);
  const ValueId pads = composition.add("Reshape", {composition.input(1), composition.integers({-1})});
  const ValueId value =
      composition.has(2) ? composition.add("Reshape", {composition.input(2), composition.integers({})}) : kNone;
  composition.finish("Pad", {composition.input(0), pads, value}, own_attributes(composition));
}

void identity(Composition& composition) { composition.finish("Identity", {composition.input(0)}); }

// Distances between the rows of A and those of B.
void cdist(Composition& composition) {
  composition.require(2);
  const std::string metric = composition.attributes().string("metric", "sqeuclidean");
  const ValueId a = composition.add("Unsqueeze", {composition.input(0), composition.integers({1})});
  const ValueId difference = composition.add("Sub", {a, composition.input(1)});
  const Inputs sum{difference, composition.integers({-1})};
  const AttributeMap drop{{"keepdims", int64_t{0}}};
  if (metric == "sqeuclidean") return composition.finish("ReduceSumSquare", sum, drop);
  if (metric != "euclidean") composition.attributes().unsupported(text("the metric '", metric, "'"));
  composition.finish("ReduceL2", sum, drop);
}

// g · sigmoid(alpha·g) · (l + beta) of two halves, which may lie side by side.
void swiglu(Composition& composition) {
  composition.require(1);
  Attributes& a = composition.attributes();
  ValueId gate = composition.input(0), up = composition.input(1);
  if (up == kNone) {
    gate = composition.value();
    up = composition.value();
    composition.write("Split", {composition.input(0)}, {gate, up},
                      {{"axis", int64_t{-1}}, {"num_outputs", int64_t{2}}});
  }
  composition.attributes().ignore({"round_activation"});  // nothing is rounded in between
  const auto like = [&](float v) { return composition.add("CastLike", {composition.number(v), composition.input(0)}); };
  const float limit = a.number("limit", 0), beta = a.number("activation_beta", 0);
  if (limit > 0) {
    gate = composition.add("Clip", {gate, kNone, like(limit)});
    up = composition.add("Clip", {up, like(-limit), like(limit)});
  }
  if (beta != 0) up = composition.add("Add", {up, like(beta)});
  composition.finish(
      "Mul",
      {composition.add("QuickGelu", {gate}, {{"alpha", a.number("activation_alpha", 1)}}, kMicrosoftDomain), up});
}

// Each group of as many elements as the scale has is normalised by itself.
void gated_rms_norm(Composition& composition) {
  composition.require(3);
  const std::string kind = composition.attributes().string("activation", "silu");
  const ValueId groups = composition.add(
      "Concat", {composition.integers({-1}), composition.add("Shape", {composition.input(1)})}, {{"axis", int64_t{0}}});
  const ValueId rows = composition.add("Reshape", {composition.input(0), groups});
  const AttributeMap epsilon{{"epsilon", composition.attributes().number("epsilon", 1e-5f)}};
  const ValueId norm =
      composition.add("SimplifiedLayerNormalization", {rows, composition.input(1)}, epsilon, kMicrosoftDomain);
  const ValueId x = composition.add("Reshape", {norm, composition.add("Shape", {composition.input(0)})});
  const ValueId gate = kind == "sigmoid"
                           ? composition.add("Sigmoid", {composition.input(2)})
                           : composition.add("QuickGelu", {composition.input(2)}, {{"alpha", 1.f}}, kMicrosoftDomain);
  if (kind != "silu" && kind != "swish" && kind != "sigmoid")
    composition.attributes().fail(text("the activation '", kind, "'"));
  composition.finish("Mul", {x, gate});
}

void is_all_finite(Composition& composition) {
  composition.require(1);
  Attributes& a = composition.attributes();
  a.ignore({"isinf_only", "isnan_only"});  // one of them may decide
  ValueId all = kNone;
  for (size_t i = 0; i < composition.input_count(); ++i) {
    const ValueId x = composition.add("Reshape", {composition.input(i), composition.integers({-1})});
    // What is neither finite nor of the kind that is not asked for.
    ValueId bad = a.flag("isinf_only", false) ? composition.add("IsInf", {x}) : composition.add("IsNaN", {x});
    if (!a.flag("isinf_only", false) && !a.flag("isnan_only", false))
      bad = composition.add("Or", {bad, composition.add("IsInf", {x})});
    const ValueId count =
        composition.add("ReduceSum", {composition.add("Cast", {bad}, {{"to", static_cast<int64_t>(DType::Int64)}})},
                        {{"keepdims", int64_t{0}}});
    all = all == kNone ? count : composition.add("Add", {all, count});
  }
  composition.finish("Not", {composition.add("Cast", {all}, {{"to", static_cast<int64_t>(DType::Bool)}})});
}

// q and k of one rotation: x·cos(angles) + turned x·sin(angles), where the angles lack the heads.
void gemma_rotary_embedding(Composition& composition) {
  composition.require(5);
  const auto of_angles = [&](std::string_view f) {
    const ValueId v = composition.add("CastLike", {composition.add(f, {composition.input(0)}), composition.input(1)});
    return composition.add("Unsqueeze", {v, composition.integers({1})});
  };
  const ValueId sine = of_angles("Sin"), cosine = of_angles("Cos");
  for (const size_t o : {0, 1}) {
    if (!composition.wants(o)) continue;
    const ValueId straight = composition.add("Mul", {composition.input(1 + 2 * o), cosine});
    composition.write("Add", {straight, composition.add("Mul", {composition.input(2 + 2 * o), sine})},
                      {composition.output(o)});
  }
}

void matmul_integer16(Composition& composition) {
  composition.require(2);
  const AttributeMap to_int{{"to", static_cast<int64_t>(DType::Int32)}};
  composition.finish("MatMul", {composition.add("Cast", {composition.input(0)}, to_int),
                                composition.add("Cast", {composition.input(1)}, to_int)});
}

// The position bias of queries, gated by what a small product makes of each of them.
void gated_relative_position_bias(Composition& composition) {
  composition.require(6);
  Attributes& a = composition.attributes();
  if (composition.has(6)) a.unsupported("tokens without padding (input 6) are not supported");
  const ValueId query = composition.add("Add", {composition.input(0), composition.input(1)});
  const ValueId heads =
      composition.add("Reshape", {query, composition.integers({0, 0, a.integer("num_heads", 1), -1})});
  const ValueId by_head = composition.add("Transpose", {heads}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  const ValueId gates =
      composition.add("Add", {composition.add("MatMul", {by_head, composition.input(3)}), composition.input(4)});
  const ValueId halves = composition.add("Reshape", {gates, composition.integers({0, 0, 0, 2, -1})});
  const ValueId sums = composition.add("ReduceSum", {halves, composition.integers({-1})}, {{"keepdims", int64_t{0}}});
  const ValueId u = composition.value(), r = composition.value();
  composition.write("Split", {composition.add("Sigmoid", {sums})}, {u, r},
                    {{"axis", int64_t{-1}}, {"num_outputs", int64_t{2}}});
  const ValueId one = composition.add("CastLike", {composition.number(1), composition.input(0)}),
                two = composition.add("CastLike", {composition.number(2), composition.input(0)});
  const ValueId inner = composition.add("Sub", {composition.add("Mul", {r, composition.input(5)}), one});
  composition.finish("Mul", {composition.add("Add", {composition.add("Mul", {u, inner}), two}), composition.input(2)});
}

void torch_embedding(Composition& composition) {
  composition.require(2);
  composition.finish("Gather", {composition.input(0), composition.input(1)});
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
