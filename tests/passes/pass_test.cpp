#include "tests/passes/pass_test.h"

#include "engine/program/program.h"

namespace nm::test {

ValueId GraphBuilder::input(const Shape& shape) {
  GraphValue v;
  v.name = "input_" + std::to_string(graph_.inputs.size());
  v.type = ValueType::tensor(DType::Float32);
  v.shape = shape;
  graph_.inputs.push_back(graph_.add_value(std::move(v)));
  return graph_.inputs.back();
}

std::vector<ValueId> GraphBuilder::nodes(std::string op_type, int version, std::vector<ValueId> inputs, size_t outputs,
                                         AttributeMap attributes) {
  Node n = test::node(std::move(op_type), version, std::move(attributes));
  n.name = n.op_type + "_" + std::to_string(graph_.nodes.size());
  n.inputs = std::move(inputs);
  n.explicit_inputs = n.inputs.size();
  for (size_t o = 0; o < outputs; ++o) {
    GraphValue v;
    v.name = n.name + ":" + std::to_string(o);
    n.outputs.push_back(graph_.add_value(std::move(v)));
  }
  std::vector<ValueId> ids = n.outputs;
  graph_.nodes.push_back(std::move(n));
  return ids;
}

ValueId GraphBuilder::node(std::string op_type, int version, std::vector<ValueId> inputs, AttributeMap attributes) {
  return nodes(std::move(op_type), version, std::move(inputs), 1, std::move(attributes))[0];
}

Tensor GraphBuilder::random_tensor(const Shape& shape) {
  auto t = Tensor::create(DType::Float32, shape);
  REQUIRE(t.ok());
  for (float& v : t->span<float>()) {
    seed_ = seed_ * 1664525 + 1013904223;
    v = static_cast<float>(seed_ >> 8) / 8388608.f - 1.f;
  }
  return std::move(*t);
}

Graph GraphBuilder::build() {
  Graph graph = graph_;
  const Status s = infer_types(graph);
  INFO(s.message());
  REQUIRE(s.ok());
  return graph;
}

std::string listing(const Graph& graph) {
  std::string out;
  for (const Node& n : graph.nodes) out += (out.empty() ? "" : " ") + n.op_type;
  return out;
}

std::vector<Value> run_graph(Graph graph, const std::vector<Value>& inputs) {
  RunControl control;
  auto program = Program::compile(std::make_shared<Graph>(std::move(graph)), control, true);
  INFO(program.status().message());
  REQUIRE(program.ok());
  std::vector<Value> outputs;
  const Status s = (*program)->run(inputs, outputs);
  INFO(s.message());
  REQUIRE(s.ok());
  return outputs;
}

Graph check_pass(Result<bool> (*pass)(Graph&), GraphBuilder& builder, bool expect_change, double tolerance) {
  const Graph before = builder.build();
  Graph after = before;
  auto changed = pass(after);
  INFO(changed.status().message());
  REQUIRE(changed.ok());
  CHECK(*changed == expect_change);
  const Status s = infer_types(after);
  INFO("before: " << listing(before) << "; after: " << listing(after) << "; " << s.message());
  REQUIRE(s.ok());
  std::vector<Value> inputs;
  for (const ValueId id : before.inputs) inputs.emplace_back(builder.random_tensor(*before.value(id).shape));
  const std::vector<Value> expected = run_graph(before, inputs), actual = run_graph(after, inputs);
  for (size_t i = 0; i < expected.size(); ++i) check_equal(actual[i], *expected[i].tensor(), tolerance, tolerance);
  return after;
}

}  // namespace nm::test
