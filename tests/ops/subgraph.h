// A subgraph under construction, for operators that have one as an attribute.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/ops/operator_test.h"

namespace nm::test {

struct Subgraph {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();

  Subgraph() { graph->symbols = std::make_shared<SymbolTable>(); }

  ValueId value(DType type) {
    GraphValue v;
    v.name = "value_" + std::to_string(graph->values.size());
    v.type = ValueType::tensor(type);
    return graph->add_value(std::move(v));
  }
  ValueId input(DType type) {
    graph->inputs.push_back(value(type));
    return graph->inputs.back();
  }
  ValueId constant(Tensor t) {
    return graph->add_constant("constant_" + std::to_string(graph->values.size()), std::move(t));
  }
  ValueId apply(std::string op, std::vector<ValueId> inputs, DType type) {
    Node n = node(std::move(op), 16);
    n.explicit_inputs = inputs.size();
    n.inputs = std::move(inputs);
    n.outputs = {value(type)};
    graph->nodes.push_back(n);
    return n.outputs[0];
  }
  std::shared_ptr<Graph> yield(std::vector<ValueId> outputs) {
    graph->outputs = std::move(outputs);
    return graph;
  }
};

}  // namespace nm::test
