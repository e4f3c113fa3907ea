// Functions of one value that exporters write as arithmetic become one operator again.
#include <cmath>

#include "engine/passes/passes.h"
#include "engine/passes/pattern.h"
#include "engine/passes/rewrite.h"
#include "engine/passes/rewrites.h"

namespace nm {
namespace {

bool by_tanh(Match& m) {
  m.attributes["approximate"] = std::string("tanh");
  return true;
}

bool up_to_six(Match& m) {
  const auto bounds = clip_bounds(m.graph(), m.node("clip"));
  return bounds && bounds->low == 0 && bounds->high == 6;
}

bool sixth_and_half(Match& m) {
  const Node& n = m.node("gate");
  return std::abs(attribute(n, "alpha", 0.2f) - 1.f / 6) < 1e-5f && attribute(n, "beta", 0.5f) == 0.5f;
}

bool sixth_of_six(Match& m) {
  m.attributes["alpha"] = 1.f / 6;
  return up_to_six(m);
}

// Adding 0 makes 0 of -0; only adding -0, or subtracting 0, changes nothing.
bool changes_nothing(Match& m) {
  const float zero = m.number("zero");
  return zero == 0 && std::signbit(zero);
}

bool factor(Match& m) {
  m.attributes["alpha"] = m.number("alpha");
  return true;
}

// One spelling for what later patterns look for. A root is none for a power of 0.5: of -0 and of -∞ they differ.
constexpr Rewrite kSpellings[] = {
    {"Pow(x, 2)", "Mul(x, x)"},     {"Pow(x, 3)", "Mul(x, Mul(x, x))"},
    {"Div(1, x)", "Reciprocal(x)"}, {"Add(x, #zero)", "Identity(x)", changes_nothing},
    {"Mul(x, 1)", "Identity(x)"},
};

// 1 + erf(x/√2)
#define NM_ERF "Add(Erf(Mul(x, 0.70710678)), 1)"
// 0.044715·x³
#define NM_CUBE                                                                                                   \
  "{Mul({Mul(x, Mul(x, x))|Mul(Mul(x, x), x)}, 0.044715)|Mul(Mul(x, 0.044715), Mul(x, x))|Mul(Mul(x, x), Mul(x, " \
  "0.044715))|Mul(Mul(Mul(x, 0.044715), x), x)}"
// 1 + 0.044715·x²
#define NM_SQUARE "Add(Mul(Mul(x, x), 0.044715), 1)"
// 1 + tanh(√(2/π)·(x + 0.044715·x³))
#define NM_TANH                                                                                                 \
  "Add(Tanh({Mul(Add(x, " NM_CUBE "), 0.79788456)|Mul(Mul(x, 0.79788456), " NM_SQUARE ")|Mul(x, Mul(" NM_SQUARE \
  ", 0.79788456))|Mul(Mul(x, " NM_SQUARE "), 0.79788456)}), 1)"
// x·0.5·f in all orders.
#define NM_HALF_OF(f) "{Mul(Mul(x, " f "), 0.5)|Mul(Mul(x, 0.5), " f ")|Mul(x, Mul(" f ", 0.5))}"

constexpr Rewrite kFunctions[] = {
    {NM_HALF_OF(NM_ERF), "Gelu(x)"},
    {NM_HALF_OF(NM_TANH), "Gelu(x)", by_tanh},
    {"Mul(x, Sigmoid(x))", "Swish(x)"},
    {"Mul(x, Sigmoid(Mul(x, #alpha)))", "Swish(x)", factor},
    {"Mul(x, Tanh({Softplus(x)|Log(Add(Exp(x), 1))}))", "Mish(x)"},
    {"PRelu(x, #alpha)", "LeakyRelu(x)", factor},
    {"Mul(x, gate:HardSigmoid(x))", "HardSwish(x)", sixth_and_half},
    {"{Mul(Mul(x, clip:Clip(Add(x, 3))), 0.16666667)|Mul(x, Mul(clip:Clip(Add(x, 3)), 0.16666667))|"
     "Mul(Mul(x, 0.16666667), clip:Clip(Add(x, 3)))}",
     "HardSwish(x)", up_to_six},
    {"Mul(clip:Clip(Add(x, 3)), 0.16666667)", "HardSigmoid(x)", sixth_of_six},
};

#undef NM_ERF
#undef NM_CUBE
#undef NM_SQUARE
#undef NM_TANH
#undef NM_HALF_OF

}  // namespace

std::span<const Rewrite> spelling_rewrites() { return kSpellings; }
std::span<const Rewrite> function_rewrites() { return kFunctions; }

Result<bool> fuse_functions(Graph& graph) {
  NM_ASSIGN(const bool spelled, apply_rewrites(graph, kSpellings));
  NM_ASSIGN(const bool fused, apply_rewrites(graph, kFunctions));
  return spelled || fused;
}

}  // namespace nm
