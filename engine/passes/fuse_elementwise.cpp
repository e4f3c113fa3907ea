// Elementwise operators of one shape whose results nobody else reads become one operator, so that elements go through
// all of them while they are in the cache.
#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "engine/op/registry.h"
#include "engine/ops/math/elementwise.h"
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

constexpr size_t kNoGroup = SIZE_MAX;

class Groups {
 public:
  explicit Groups(Graph& graph)
      : graph_(graph), uses_(graph), kernel_(graph.nodes.size()), members_(graph.nodes.size()) {}

  Result<bool> run() {
    NM_TRY(find());
    bool changed = false;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (members_[n].size() < 2) continue;
      fuse(n);
      changed = true;
    }
    if (changed) remove_dead_nodes(graph_);
    return changed;
  }

 private:
  // From the end on, so that all readers of a node have a group when its turn comes.
  Status find() {
    std::vector<size_t> group(graph_.nodes.size(), kNoGroup);  // the index of its last node
    std::vector<size_t> steps(graph_.nodes.size());
    for (size_t n = graph_.nodes.size(); n-- > 0;) {
      NM_ASSIGN(kernel_[n], kernel_of(graph_.nodes[n]));
      if (!kernel_[n]) continue;
      const size_t own = step_count(n);
      const size_t joined = group_of_readers(n, group);
      group[n] = joined != kNoGroup && steps[joined] + own <= kMaxElementwiseSteps ? joined : n;
      steps[group[n]] += own;
      members_[group[n]].push_back(n);
    }
    return {};
  }

  Result<std::optional<Pointwise>> kernel_of(const Node& node) const {
    std::optional<Pointwise> none;
    if (node.outputs.size() != 1 || !is_float32(node.outputs[0])) return none;
    if (std::any_of(node.inputs.begin(), node.inputs.end(),
                    [&](ValueId id) { return id != kNone && !is_float32(id); })) {
      return none;
    }
    NM_ASSIGN(const Operator* op, operator_of(node));
    const Inference inference(graph_, node);
    const std::optional<Pointwise> kernel = op->pointwise(inference);
    if (!kernel) return none;
    // What is left out of a function's inputs must not be what gives its result the shape.
    const bool unary = std::holds_alternative<Unary>(kernel->f);
    return !unary || inference.shape(0) == *graph_.value(node.outputs[0]).shape ? kernel : none;
  }

  bool is_float32(ValueId id) const {
    const GraphValue& v = graph_.value(id);
    return v.type.is_tensor() && v.type.dtype == DType::Float32 && v.shape;
  }

  size_t step_count(size_t n) const { return is_unary(n) ? 1 : graph_.nodes[n].inputs.size() - 1; }

  bool is_unary(size_t n) const { return std::holds_alternative<Unary>(kernel_[n]->f); }

  // Dimensions that only a run tells are taken for equal, unless the file gives both a name. Where they turn out not to
  // be, results are the same, since elementwise operators do not mind where their operands are stretched, and only take
  // longer.
  bool may_be_equal(int64_t a, int64_t b) const {
    const auto open = [&](int64_t d) { return d < 0 && graph_.symbols->name(d).empty(); };
    return a == b || (a != 1 && b != 1 && (open(a) || open(b)));
  }
  bool may_be_equal(const Shape& a, const Shape& b) const {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](int64_t x, int64_t y) { return may_be_equal(x, y); });
  }

  // The one group that all who read the node's result are in, when that is of the same shape.
  size_t group_of_readers(size_t n, const std::vector<size_t>& group) const {
    const ValueId y = graph_.nodes[n].outputs[0];
    const auto& readers = uses_.readers[y];
    if (readers.empty() || uses_.is_output[y]) return kNoGroup;
    const size_t g = group[readers[0]];
    if (g == kNoGroup || std::any_of(readers.begin(), readers.end(), [&](uint32_t r) { return group[r] != g; })) {
      return kNoGroup;
    }
    const ValueId result = graph_.nodes[g].outputs[0];
    return may_be_equal(*graph_.value(y).shape, *graph_.value(result).shape) ? g : kNoGroup;
  }

  std::span<const ValueId> operands(size_t n) const {
    return std::span(graph_.nodes[n].inputs).first(is_unary(n) ? 1 : graph_.nodes[n].inputs.size());
  }

  void fuse(size_t last) {
    std::vector<size_t>& nodes = members_[last];
    std::sort(nodes.begin(), nodes.end());
    std::set<ValueId> results;
    std::map<ValueId, size_t> operand;
    std::vector<ValueId> inputs;
    for (const size_t n : nodes) {
      for (const ValueId id : operands(n)) {
        if (!results.contains(id) && operand.try_emplace(id, inputs.size()).second) inputs.push_back(id);
      }
      results.insert(graph_.nodes[n].outputs[0]);
    }
    std::vector<ElementwiseStep> steps;
    const auto last_result = [&] { return inputs.size() + steps.size() - 1; };
    for (const size_t n : nodes) {
      const auto of = operands(n);
      if (is_unary(n)) {
        steps.push_back({*kernel_[n], operand[of[0]]});
      } else {
        for (size_t i = 1; i < of.size(); ++i) {
          const size_t x = i == 1 ? operand[of[0]] : last_result();
          steps.push_back({*kernel_[n], x, operand[of[i]]});
        }
      }
      operand[graph_.nodes[n].outputs[0]] = last_result();
    }
    Node& node = graph_.nodes[last];
    node.op_type = "Elementwise";
    node.domain = kInternalDomain;
    node.version = 1;
    node.explicit_inputs = inputs.size();
    node.inputs = std::move(inputs);
    node.attributes.clear();
    write_steps(steps, node.attributes);
  }

  Graph& graph_;
  Uses uses_;
  std::vector<std::optional<Pointwise>> kernel_;  // by node
  std::vector<std::vector<size_t>> members_;      // of the group that ends with this node
};

}  // namespace

Result<bool> fuse_elementwise(Graph& graph) { return Groups(graph).run(); }

}  // namespace nm
