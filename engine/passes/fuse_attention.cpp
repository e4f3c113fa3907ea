// softmax(scale·Q·Kᵀ + mask)·V becomes ai.onnx's Attention, which never holds all scores at once, and then takes the
// splitting and merging of heads with it. The forms are those of torch's exporters (nn.MultiheadAttention, SDPA, and
// transformers' modules), of tf2onnx and of optimum.
#include <cmath>

#include "engine/passes/passes.h"
#include "engine/passes/pattern.h"
#include "engine/passes/rewrite.h"
#include "engine/passes/rewrites.h"

namespace nm {
namespace {

using Axes = std::vector<int64_t>;

const Axes kSwapHeads{0, 2, 1, 3};  // [batch, rows, heads, size] to [batch, heads, rows, size], and back

bool equal(int64_t a, int64_t b) { return a == b && a != kUnknownDim; }

// Adding `v` to scores of that shape, or selecting by it, gives no other shape. Where neither dimension is a number, a
// single query or sample that a mask would multiply is nothing that models do, and Attention refuses it; and so it does
// a single key, where the number of keys is not known.
bool broadcasts_to(const GraphValue& v, const Shape& scores) {
  if (!v.shape || v.shape->rank() > scores.rank()) return false;
  for (int i = 1; i <= v.shape->rank(); ++i) {
    const int64_t d = (*v.shape)[v.shape->rank() - i], s = scores[scores.rank() - i];
    if (d == 1 || equal(d, s)) continue;
    const bool either = d >= 0 || s >= 0, both = d >= 0 && s >= 0;
    if (i == 1 ? both || s == 1 : either) return false;
  }
  return true;
}

bool over_last(const Node& softmax, int rank) {
  const int64_t axis = attribute(softmax, "axis", int64_t{softmax.version < 13 ? 1 : -1});
  return axis == -1 || axis == rank - 1;
}

// The node that computes a value; one of another operator when there is none.
const Node* producer(const Graph& graph, ValueId id, std::string_view op) {
  for (const Node& n : graph.nodes) {
    if (!n.outputs.empty() && n.outputs[0] == id) return n.is(op) ? &n : nullptr;
  }
  return nullptr;
}

// The value of which `id` is the transpose of all matrices, where torch's newer exporter writes it with the heads in
// the batch: Reshape(Transpose(Reshape(k, [-1, rows, size]), [0, 2, 1]), [batch, heads, size, rows]).
ValueId transposed_in_batch(const Graph& graph, ValueId id) {
  const Node* split = producer(graph, id, "Reshape");
  const Node* turn = split != nullptr ? producer(graph, split->inputs[0], "Transpose") : nullptr;
  const Node* merge = turn != nullptr ? producer(graph, turn->inputs[0], "Reshape") : nullptr;
  if (merge == nullptr || attribute(*turn, "perm", Axes()) != Axes{0, 2, 1}) return kNone;
  const auto &from = graph.value(merge->inputs[0]).shape, &merged = graph.value(merge->outputs[0]).shape,
             &to = graph.value(id).shape;
  if (!from || !merged || !to || from->rank() != 4 || merged->rank() != 3 || to->rank() != 4) return kNone;
  const Shape &f = *from, &in = *merged, &t = *to;
  const bool same_matrices = equal(in[1], f[2]) && equal(in[2], f[3]);
  const bool same_heads = equal(t[0], f[0]) && equal(t[1], f[1]) && equal(t[2], f[3]) && equal(t[3], f[2]);
  return same_matrices && same_heads ? merge->inputs[0] : kNone;
}

// Keys whose transpose a value is: the value that is transposed, or another transpose of it.
ValueId keys(Match& m, std::string_view transposed) {
  const Node* n = producer(m.graph(), m.value(transposed), "Transpose");
  if (n == nullptr) return transposed_in_batch(m.graph(), m.value(transposed));
  const ValueId from = n->inputs[0];
  const Axes perm = attribute(*n, "perm", Axes());
  if (perm == Axes{0, 1, 3, 2} || perm == Axes{0, 2, 1}) return from;
  if (perm != Axes{0, 2, 3, 1}) return kNone;
  return m.add("Transpose", {from}, {{"perm", kSwapHeads}});
}

// Llama and its like repeat heads of keys and values for groups of queries, by
// Reshape(Expand(Unsqueeze(few, 2), shape), …) or by Tile with constant repeats in Expand's place.
struct RepeatedHeads {
  ValueId few = kNone;    // [batch, heads, rows, size]; kNone where a value is none of that
  ValueId shape = kNone;  // Expand's, where it might repeat other dimensions, too
  int64_t heads = 0;      // of `few`
};

// Are these Tile's repeats of that dimension alone?
bool repeats_dimension(const Tensor* repeats, size_t axis) {
  if (repeats == nullptr || repeats->dtype() != DType::Int64) return false;
  const auto all = repeats->span<int64_t>();
  for (size_t i = 0; i < all.size(); ++i) {
    if (i != axis && all[i] != 1) return false;
  }
  return axis < all.size();
}

RepeatedHeads repeated_heads(const Graph& graph, ValueId id) {
  const Node* merge = producer(graph, id, "Reshape");
  const Node* expand = merge != nullptr ? producer(graph, merge->inputs[0], "Expand") : nullptr;
  const Node* tile = merge != nullptr ? producer(graph, merge->inputs[0], "Tile") : nullptr;
  if (tile != nullptr && repeats_dimension(graph.constant(tile->inputs[1]), 2)) expand = tile;
  const Node* split = expand != nullptr ? producer(graph, expand->inputs[0], "Unsqueeze") : nullptr;
  if (split == nullptr) return {};
  const auto &from = graph.value(split->inputs[0]).shape, &one = graph.value(split->outputs[0]).shape,
             &list = graph.value(expand->inputs[1]).shape, &many = graph.value(expand->outputs[0]).shape,
             &to = graph.value(id).shape;
  if (!from || !one || !list || !many || !to || from->rank() != 4 || many->rank() != 5 || to->rank() != 4) return {};
  if (list->rank() != 1 || (*list)[0] != 5) return {};
  const Shape &f = *from, &o = *one, &m = *many, &t = *to;
  const bool between = o[2] == 1 && equal(o[1], f[1]) && equal(o[3], f[2]) && equal(o[4], f[3]);
  if (!between || m[2] <= 0 || f[1] <= 0 || m[1] != f[1] || t[1] != f[1] * m[2] || !equal(m[4], t[3])) return {};
  // As many elements: when the batch is the same, the rows are, too.
  if (!equal(t[0], m[0]) && !equal(t[2], m[3])) return {};
  const bool only_heads = expand == tile || (equal(f[0], m[0]) && equal(f[2], m[3]));
  return {split->inputs[0], only_heads ? kNone : expand->inputs[1], f[1]};
}

// What is repeated, with what Expand might do besides: in models' own use nothing, and planning makes it a view.
ValueId before_repeat(Match& m, const RepeatedHeads& r) {
  if (r.shape == kNone) return r.few;
  return m.add("Expand", {r.few, m.add("Gather", {r.shape, m.integers({0, 1, 3, 4})})});
}

// Where(seen, scores, low) and Where(hidden, low, scores) become a mask of bools, with `low` for what it hides; what
// Add(Add(…, mask), more) adds becomes one mask of floats, which is added behind that. Where there is both, `low` must
// be so far below that no sum depends on the order in which it is made.
bool bind_masks(Match& m) {
  const bool adds = m.value("mask") != kNone;
  if (m.value("hidden") != kNone) m.bind("seen", m.add("Not", {m.value("hidden")}));
  if (m.value("more") != kNone) m.bind("mask", m.add("Add", {m.value("mask"), m.value("more")}));
  if (m.value("seen") != kNone) {
    const float low = m.number("low");
    if (adds && !(low <= -1e30f)) return false;
    m.attributes["nm_low"] = low;
    m.bind(adds ? "first" : "mask", m.value("seen"));
  }
  m.attributes["nm_nan_rows"] = std::string(m.value("guard") == kNone ? "kept" : "zero");
  return true;
}

bool attends(Match& m) {
  for (const std::string_view name : {"q", "v", "kt"}) {
    if (!is_float32(m[name]) || !m[name].shape) return false;
  }
  const Shape q = *m["q"].shape, v = *m["v"].shape, kt = *m["kt"].shape;
  const int rank = q.rank();
  if ((rank != 3 && rank != 4) || kt.rank() != rank || v.rank() != rank) return false;
  for (int i = 0; i < rank - 2; ++i) {
    if (!equal(q[i], kt[i]) || !equal(q[i], v[i])) return false;
  }
  if (!over_last(m.node("weights"), rank)) return false;
  Shape scores = q;
  scores[rank - 1] = kt[rank - 1];
  for (const std::string_view name : {"mask", "more", "seen", "hidden"}) {
    if (m.value(name) == kNone) continue;
    if (!broadcasts_to(m[name], scores)) return false;
    // Behind one head for all, a mask's batch would stand where heads are looked for.
    if (rank == 3 && m[name].shape->rank() == 3 && (*m[name].shape)[0] != 1) return false;
    if ((name == "mask" || name == "more") && !is_float32(m[name])) return false;
  }
  float scale = 1;
  for (const std::string_view name : {"scale", "a", "b"}) scale *= m.number(name, 1);
  if (!std::isfinite(scale) || scale == 0) return false;
  const ValueId k = keys(m, "kt");
  if (k == kNone || !bind_masks(m)) return false;
  m.bind("k", k);
  if (rank == 4) {
    const RepeatedHeads few_keys = repeated_heads(m.graph(), k), few_values = repeated_heads(m.graph(), m.value("v"));
    if (few_keys.few != kNone && few_values.few != kNone && few_keys.heads == few_values.heads) {
      m.bind("k", before_repeat(m, few_keys));
      m.bind("v", before_repeat(m, few_values));
    }
  } else {
    m.attributes["q_num_heads"] = m.attributes["kv_num_heads"] = int64_t{1};
  }
  m.attributes["scale"] = scale;
  return true;
}

// [batch, rows, heads, size] as [batch, rows, heads·size]: nothing moves.
ValueId flat(Match& m, std::string_view name, int64_t& heads) {
  const Node* n = producer(m.graph(), m.value(name), "Transpose");
  const auto& shape = m[name].shape;
  if (n == nullptr || attribute(*n, "perm", Axes()) != kSwapHeads || !shape || (*shape)[1] <= 0 || (*shape)[3] <= 0) {
    return kNone;
  }
  heads = (*shape)[1];
  return m.add("Reshape", {n->inputs[0], m.integers({0, 0, heads * (*shape)[3]})});
}

// Heads that are split off before and merged behind need not be moved.
bool moves_heads(Match& m) {
  if (attribute(m.last(), "perm", Axes()) != kSwapHeads) return false;
  const Node& node = m.node("attention");
  const auto& out = m["attention"].shape;
  if (!out || out->rank() != 4 || (*out)[1] <= 0 || (*out)[3] <= 0 || node.outputs.size() > 1) return false;
  for (size_t i = 4; i < 7; ++i) {
    if (node.input(i) != kNone) return false;
  }
  AttributeMap attributes = node.attributes;
  const ValueId mask = node.input(3), first = node.input(7);
  const Shape merged{0, 0, (*out)[1], (*out)[3]};
  int64_t heads = 0, kv_heads = 0, v_heads = 0;
  const ValueId q = flat(m, "q", heads), k = flat(m, "k", kv_heads), v = flat(m, "v", v_heads);
  if (q == kNone || k == kNone || v == kNone || kv_heads != v_heads) return false;
  attributes["q_num_heads"] = heads;
  attributes["kv_num_heads"] = kv_heads;
  std::vector<ValueId> inputs{q, k, v};
  if (mask != kNone) inputs.push_back(mask);
  if (first != kNone) inputs.insert(inputs.end(), {kNone, kNone, kNone, first});
  m.bind("y", m.add("Attention", std::move(inputs), std::move(attributes)));
  m.bind("shape", m.integers({merged[0], merged[1], merged[2], merged[3]}));
  return true;
}

#define NM_SCORES "{Mul(MatMul(q, kt), #scale)|MatMul({Mul(q, #a)|q}, {Mul(kt, #b)|kt})}"
#define NM_SELECTED "{Where(seen, " NM_SCORES ", #low)|Where(hidden, #low, " NM_SCORES ")|" NM_SCORES "}"
#define NM_MASKED "{Add(Add(" NM_SELECTED ", mask), more)|Add(" NM_SELECTED ", mask)|" NM_SELECTED "}"
#define NM_WEIGHTS "weights:Softmax(" NM_MASKED ")"

constexpr Rewrite kAttention[] = {
    // torch's SDPA guards against rows of which nothing is seen.
    {"MatMul({Where(guard:IsNaN(" NM_WEIGHTS "), 0, weights)|" NM_WEIGHTS "}, v)",
     "Attention(q, k, v, mask, past_key, past_value, lengths, first)", attends},
};
constexpr Rewrite kHeads[] = {
    {"Transpose(attention:Attention(q, k, v))", "Reshape(y, shape)", moves_heads},
};

#undef NM_SCORES
#undef NM_SELECTED
#undef NM_MASKED
#undef NM_WEIGHTS

}  // namespace

std::span<const Rewrite> attention_rewrites() { return kAttention; }
std::span<const Rewrite> head_rewrites() { return kHeads; }

Result<bool> fuse_attention(Graph& graph) {
  NM_ASSIGN(const bool attention, apply_rewrites(graph, kAttention));
  if (attention) NM_TRY(infer_types(graph));
  NM_ASSIGN(const bool heads, apply_rewrites(graph, kHeads));
  return attention || heads;
}

}  // namespace nm
