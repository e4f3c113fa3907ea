#include "engine/passes/pattern.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "engine/op/registry.h"
#include "engine/passes/pattern_text.h"
#include "engine/passes/rewrite.h"

namespace nm {

namespace {

constexpr int kOperatorSet = 24;  // of the operators that are written
// How often a place is looked at in vain before it is given up: patterns with alternatives may be tried in many ways.
constexpr int kPatience = 500;

bool is_operator(const Node& n, std::string_view op) {
  if (op.starts_with("ms.")) return n.is(op.substr(3), kMicrosoftDomain);
  return n.is(op) && (n.version >= 7 || n.inputs.size() != 2);  // before that, arithmetic did not broadcast
}

// Exporters compute √2 and its like in one precision or another; 2 is 2.
bool same_number(float actual, float meant) {
  const bool is_short = static_cast<float>(bfloat16(meant)) == meant;
  return actual == meant || actual == static_cast<float>(float16(meant)) ||
         actual == static_cast<float>(bfloat16(meant)) ||
         (!is_short && std::abs(actual - meant) <= 2e-5f * std::abs(meant));
}

}  // namespace

ValueId Match::value(std::string_view name) const {
  for (const Binding& b : bindings_) {
    if (b.name == name) return b.id;
  }
  return kNone;
}

float Match::number(std::string_view name, float fallback) const {
  for (const Binding& b : bindings_) {
    if (b.name == name) return b.number;
  }
  return fallback;
}

const Node& Match::node(std::string_view name) const {
  const ValueId id = value(name);
  size_t n = last_;
  while (n > 0 && (graph_.nodes[n].outputs.empty() || graph_.nodes[n].outputs[0] != id)) --n;
  return graph_.nodes[n];
}

ValueId Match::result() const { return last().outputs[0]; }

void Match::bind(std::string_view name, ValueId id) {
  for (Binding& b : bindings_) {
    if (b.name == name) b.id = id;
  }
  if (value(name) != id) bindings_.push_back({name, id});
}

Node Match::make(std::string_view op, std::vector<ValueId> inputs) const {
  Node n;
  n.name = last().name;
  const bool microsoft = op.starts_with("ms.");
  n.op_type = microsoft ? op.substr(3) : op;
  if (microsoft) n.domain = kMicrosoftDomain;
  n.version = microsoft ? 1 : kOperatorSet;
  n.inputs = std::move(inputs);
  n.explicit_inputs = n.inputs.size();
  return n;
}

ValueId Match::add(std::string_view op, std::vector<ValueId> inputs, AttributeMap own) {
  Node n = make(op, std::move(inputs));
  n.attributes = std::move(own);
  GraphValue v;
  v.name = graph_.value(result()).name;
  v.type = ValueType::tensor(DType::Float32);
  n.outputs = {graph_.add_value(std::move(v))};
  added_.push_back(std::move(n));
  return added_.back().outputs[0];
}

// Small: allocation has not failed for what the graph itself needed.
ValueId Match::scalar(float value) {
  auto t = Tensor::from<float>({}, std::span(&value, 1));
  return constant("number", t.ok() ? std::move(*t) : Tensor());
}

ValueId Match::integers(const std::vector<int64_t>& values) {
  auto t = Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
  return constant("integers", t.ok() ? std::move(*t) : Tensor());
}

// Tries a pattern at one place. What is left to be matched stands on a stack; each step takes the top, and when the
// rest cannot be matched, it leaves the stack, the bindings and the nodes as they were before it.
class Matcher {
 public:
  Matcher(const Expression& pattern, const Uses& uses, Match& match)
      : pattern_(pattern), graph_(match.graph_), uses_(uses), match_(match) {}

  bool matches(uint32_t last) {
    match_.last_ = last;
    goals_.push_back({pattern_.whole(), match_.result()});
    return solve() && is_closed();
  }

 private:
  struct Goal {
    uint32_t term;
    ValueId id;
  };

  bool solve() {
    if (goals_.empty()) return true;
    if (--patience_ < 0) return false;
    const Goal goal = goals_.back();
    goals_.pop_back();
    if (meets(goal)) return true;
    goals_.push_back(goal);
    return false;
  }

  bool meets(const Goal& goal) {
    const Term& t = pattern_[goal.term];
    if (t.kind == Term::Kind::Either) {
      for (const uint32_t child : t.children) {
        goals_.push_back({child, goal.id});
        if (solve()) return true;
        goals_.pop_back();
      }
      return false;
    }
    if (goal.id == kNone) return false;
    if (t.is_number()) {
      const auto v = scalar_constant(graph_, goal.id);
      return v && with_number(t, *v, nullptr, [&] { return solve(); });
    }
    const ValueId bound = t.name.empty() ? kNone : match_.value(t.name);
    if (bound != kNone && bound != goal.id) return false;
    const bool binds = bound == kNone && !t.name.empty();
    if (binds) match_.bindings_.push_back({t.name, goal.id});
    if (t.kind == Term::Kind::Name ? solve() : meets_operator(t, goal.id)) return true;
    if (binds) match_.bindings_.pop_back();
    return false;
  }

  // `inverse`: what stands there is 1/number or -number.
  template <class Rest>
  bool with_number(const Term& t, float v, float (*inverse)(float), Rest rest) {
    if (t.kind == Term::Kind::Number) return same_number(v, inverse ? inverse(t.number) : t.number) && rest();
    match_.bindings_.push_back({t.name, kNone, inverse ? inverse(v) : v});
    if (rest()) return true;
    match_.bindings_.pop_back();
    return false;
  }

  bool meets_operator(const Term& t, ValueId id) {
    // What this sweep has added is not looked into.
    const uint32_t at = uses_.producer.get(id, kNoNode);
    if (at == kNoNode || graph_.nodes[at].outputs[0] != id) return false;
    const Node& n = graph_.nodes[at];
    nodes_.push_back(at);
    const bool product = t.op == "Mul", sum = t.op == "Add";
    bool met = false;
    if (is_operator(n, t.op)) {
      met = meets_inputs(t, n, 0, 1) || ((product || sum) && meets_inputs(t, n, 1, 0));
    } else if ((product && is_operator(n, "Div")) || (sum && is_operator(n, "Sub"))) {
      met = meets_inverse(t, n);
    }
    if (!met) nodes_.pop_back();
    return met;
  }

  // Child 0 is input `first`, child 1 input `second`.
  bool meets_inputs(const Term& t, const Node& n, size_t first, size_t second) {
    const auto input = [&](size_t child) { return child == 0 ? first : child == 1 ? second : child; };
    for (size_t i = 0; i < t.children.size(); ++i) {
      if (pattern_[t.children[i]].is_number() && widens(n, input(i))) return false;
    }
    const size_t goals = goals_.size();
    for (size_t i = 0; i < t.children.size(); ++i) goals_.push_back({t.children[i], n.input(input(i))});
    if (solve()) return true;
    goals_.resize(goals);
    return false;
  }

  // x / 2 where x · 0.5 is meant, x - 2 for x + -2.
  bool meets_inverse(const Term& t, const Node& n) {
    const auto v = scalar_constant(graph_, n.input(1));
    if (!v || widens(n, 1)) return false;
    float (*const inverse)(float) = n.is("Div") ? [](float f) { return 1 / f; } : [](float f) { return -f; };
    for (const size_t other : {0, 1}) {
      const Term& number = pattern_[t.children[1 - other]];
      if (!number.is_number()) continue;
      const bool met = with_number(number, *v, inverse, [&] {
        goals_.push_back({t.children[other], n.input(0)});
        if (solve()) return true;
        goals_.pop_back();
        return false;
      });
      if (met) return true;
    }
    return false;
  }

  // A constant [1,1,1] against [2,3] gives the result more dimensions than the formula says. What the other inputs have
  // is not known of those without a shape.
  bool widens(const Node& n, size_t constant) const {
    const Tensor* c = graph_.constant(n.input(constant));
    int rank = 0;
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      if (i == constant || n.inputs[i] == kNone) continue;
      const auto& shape = graph_.value(n.inputs[i]).shape;
      if (shape) rank = std::max(rank, shape->rank());
    }
    return c != nullptr && c->rank() > rank;
  }

  bool is_closed() const {
    for (const uint32_t n : nodes_) {
      if (n == match_.last_) continue;
      for (const ValueId id : graph_.nodes[n].outputs) {
        if (id == kNone) continue;
        if (uses_.is_output[id]) return false;
        for (const uint32_t reader : uses_.readers[id]) {
          if (std::find(nodes_.begin(), nodes_.end(), reader) == nodes_.end()) return false;
        }
      }
    }
    return true;
  }

  const Expression& pattern_;
  const Graph& graph_;
  const Uses& uses_;
  Match& match_;
  std::vector<Goal> goals_;
  std::vector<uint32_t> nodes_;  // that the pattern stands for so far
  int patience_ = kPatience;
};

class Rewriter {
 public:
  Rewriter(Graph& graph, const Rewrite& rewrite)
      : graph_(graph), rewrite_(rewrite), pattern_(rewrite.pattern), replacement_(rewrite.replacement) {
    add_ends(pattern_[pattern_.whole()]);
  }

  // `uses` are those of the graph as it is.
  bool run(const Uses& uses) {
    bool changed = false;
    for (uint32_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!fits(graph_.nodes[n])) continue;
      Match match(graph_);
      if (!Matcher(pattern_, uses, match).matches(n) || (rewrite_.refine && !rewrite_.refine(match))) continue;
      replace(match);
      if (!match.added_.empty()) added_.emplace_back(n, std::move(match.added_));
      changed = true;
    }
    if (!added_.empty()) insert_added();
    if (changed) remove_dead_nodes(graph_);
    return changed;
  }

 private:
  // What a place may be computed by at all.
  void add_ends(const Term& t) {
    for (const uint32_t child : t.kind == Term::Kind::Either ? t.children : std::vector<uint32_t>()) {
      add_ends(pattern_[child]);
    }
    if (t.op.empty()) return;
    ends_.push_back(t.op.starts_with("ms.") ? t.op.substr(3) : t.op);
    if (t.op == "Mul") ends_.push_back("Div");
    if (t.op == "Add") ends_.push_back("Sub");
  }

  bool fits(const Node& node) const {
    if (std::find(ends_.begin(), ends_.end(), node.op_type) == ends_.end()) return false;
    if (node.outputs.empty() || node.outputs[0] == kNone) return false;
    const ValueType& type = graph_.value(node.outputs[0]).type;
    return type.is_tensor() && type.dtype == DType::Float32;
  }

  // Before the places they were added for. Until then the list keeps its indices for the matches to come.
  void insert_added() {
    std::vector<Node> nodes;
    auto next = added_.begin();
    for (uint32_t n = 0; n < graph_.nodes.size(); ++n) {
      if (next != added_.end() && next->first == n) {
        std::move(next->second.begin(), next->second.end(), std::back_inserter(nodes));
        ++next;
      }
      nodes.push_back(std::move(graph_.nodes[n]));
    }
    graph_.nodes = std::move(nodes);
  }

  void replace(Match& m) {
    const Term& whole = replacement_[replacement_.whole()];
    Node last = m.make(whole.op, written_inputs(m, whole));
    last.attributes = std::move(m.attributes);
    last.outputs = {m.result()};
    graph_.nodes[m.last_] = std::move(last);
  }

  std::vector<ValueId> written_inputs(Match& m, const Term& t) {
    std::vector<ValueId> inputs;
    for (const uint32_t child : t.children) inputs.push_back(written(m, replacement_[child]));
    while (!inputs.empty() && inputs.back() == kNone) inputs.pop_back();
    return inputs;
  }

  ValueId written(Match& m, const Term& t) {
    if (t.kind == Term::Kind::Name) return m.value(t.name);
    return m.add(t.op, written_inputs(m, t));
  }

  Graph& graph_;
  const Rewrite& rewrite_;
  Expression pattern_, replacement_;
  std::vector<std::string_view> ends_;
  std::vector<std::pair<uint32_t, std::vector<Node>>> added_;
};

Result<bool> apply_rewrites(Graph& graph, std::span<const Rewrite> rewrites) {
  bool changed = false;
  std::optional<Uses> uses;
  for (const Rewrite& rewrite : rewrites) {
    if (!uses) uses.emplace(graph);
    if (!Rewriter(graph, rewrite).run(*uses)) continue;
    uses.reset();
    changed = true;
  }
  return changed;
}

}  // namespace nm
