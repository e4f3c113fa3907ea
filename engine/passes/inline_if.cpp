// An If whose condition is known gives way to the branch that it takes.
#include "engine/passes/passes.h"
#include "engine/passes/rewrite.h"

namespace nm {
namespace {

std::shared_ptr<Graph> taken_branch(const Graph& graph, const Node& node) {
  const Tensor* condition = node.is("If") ? graph.constant(node.input(0)) : nullptr;
  if (condition == nullptr || condition->raw() == nullptr || condition->count() != 1 ||
      condition->dtype() != DType::Bool) {
    return nullptr;
  }
  return attribute(node, *condition->data<bool>() ? "then_branch" : "else_branch", std::shared_ptr<Graph>());
}

// Appends the branch's nodes. What the If computed is handed on by an Identity each, since a branch may hand out the
// same value twice, a constant, or one from outside.
void append(Graph& graph, const Node& node, const Graph& branch, std::vector<Node>& nodes) {
  PerValue<ValueId> outer(branch, kNone);
  for (const Capture& c : branch.captures) outer[c.inner] = node.inputs[c.input];
  for (ValueId id = 0; id < branch.value_count(); ++id) {
    if (outer[id] == kNone) outer[id] = graph.add_value(branch.value(id));
  }
  const auto rename = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) {
      if (id != kNone) id = outer[id];
    }
  };
  for (const Node& inner : branch.nodes) {
    nodes.push_back(inner);
    rename(nodes.back().inputs);
    rename(nodes.back().outputs);
  }
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    if (node.outputs[o] == kNone) continue;
    Node identity;
    identity.name = node.name;
    identity.op_type = "Identity";
    identity.version = node.version;
    identity.inputs = {outer[branch.outputs[o]]};
    identity.explicit_inputs = 1;
    identity.outputs = {node.outputs[o]};
    nodes.push_back(std::move(identity));
  }
}

}  // namespace

Result<bool> inline_if(Graph& graph) {
  bool changed = false, again = true;
  while (again) {  // branches may begin with an If of their own
    again = false;
    std::vector<Node> nodes;
    nodes.reserve(graph.nodes.size());
    for (Node& node : graph.nodes) {
      const std::shared_ptr<Graph> branch = taken_branch(graph, node);
      if (branch == nullptr || !branch->inputs.empty() || branch->outputs.size() < node.outputs.size()) {
        nodes.push_back(std::move(node));
        continue;
      }
      append(graph, node, *branch, nodes);
      again = changed = true;
    }
    graph.nodes = std::move(nodes);
  }
  if (changed) remove_dead_nodes(graph);
  return changed;
}

}  // namespace nm
