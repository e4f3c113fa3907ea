// If, Loop and Scan over small subgraphs, and the operators that draw numbers.
#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

// A subgraph under construction.
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

Tensor number(float x) { return tensor<float>({}, {x}); }

// Its state becomes the iteration's number, which is also collected; goes on below 3.
std::shared_ptr<Graph> counting_loop() {
  Subgraph b;
  const ValueId i = b.input(DType::Int64);
  b.input(DType::Bool);
  const ValueId sum = b.input(DType::Int64);
  const ValueId next = b.apply("Where", {b.constant(tensor<bool>({}, {true})), i, sum}, DType::Int64);
  const ValueId go_on = b.apply("Less", {next, b.constant(tensor<int64_t>({}, {3}))}, DType::Bool);
  return b.yield({go_on, next, b.apply("Identity", {next}, DType::Int64)});
}

}  // namespace

TEST_CASE("If runs one branch") {
  Subgraph yes;
  auto then_branch = yes.yield({yes.constant(number(1))});
  Subgraph no;
  auto else_branch = no.yield({no.apply("Identity", {no.constant(number(2))}, DType::Float32)});
  const Node spec = node("If", 16, {{"then_branch", then_branch}, {"else_branch", else_branch}});
  check(spec, {tensor<bool>({}, {true})}, {number(1)});
  check(spec, {tensor<bool>({1}, {false})}, {number(2)});
  check_fails(spec, {tensor<bool>({2}, {true, false})}, Code::ShapeMismatch);
  check_fails(spec, {number(1)}, Code::TypeMismatch);
  check_fails(node("If", 16, {{"then_branch", then_branch}}), {tensor<bool>({}, {true})}, Code::InvalidModel);
}

TEST_CASE("FlexAttention hands scores and probabilities to subgraphs") {
  const auto change = [](const char* op, auto value) {
    Subgraph b;
    const DType type = dtype_of<decltype(value)>;
    const ValueId x = b.input(type);
    return b.yield({b.apply(op, {x, b.constant(tensor<decltype(value)>({}, {value}))}, type)});
  };
  const auto flex = [](AttributeMap attributes) {
    return node("FlexAttention", 1, std::move(attributes), "ai.onnx.preview");
  };
  // Two query heads share a head of keys; scores 0 and log 3 weigh 1:3.
  const Tensor q = tensor<float>({1, 2, 1, 1}, {0, 1});
  const Tensor k = tensor<float>({1, 1, 2, 1}, {0, std::log(3.f)});
  const Tensor v = tensor<float>({1, 1, 2, 1}, {4, 8});
  check(flex({}), {q, k, v}, {tensor<float>({1, 2, 1, 1}, {6, 7})});
  check(flex({{"score_mod", change("Mul", 2.f)}}), {q, k, v}, {tensor<float>({1, 2, 1, 1}, {6, 7.6f})});
  check(flex({{"scale", 2.f}}), {q, k, v}, {tensor<float>({1, 2, 1, 1}, {6, 7.6f})});
  check(flex({{"prob_mod", change("Add", 1.f)}}), {q, k, v}, {tensor<float>({1, 2, 1, 1}, {18, 19})});
  check(flex({{"prob_mod", change("Add", 1.0)}, {"softmax_precision", int64_t{11}}}), {q, k, v},
        {tensor<float>({1, 2, 1, 1}, {18, 19})});
  check(flex({{"prob_mod", change("Add", 1.0)}}),
        {tensor<double>({1, 1, 1, 1}, {1}), tensor<double>({1, 1, 2, 1}, {0, std::log(3.)}),
         tensor<double>({1, 1, 2, 1}, {4, 8})},
        {tensor<double>({1, 1, 1, 1}, {19})});
  check_fails(flex({}), {q, v, tensor<float>({1, 1, 1, 1}, {4})}, Code::ShapeMismatch);
  check_fails(flex({}), {tensor<float>({1}, {0}), k, v}, Code::ShapeMismatch);
  check_fails(flex({{"score_mod", counting_loop()}}), {q, k, v}, Code::InvalidModel);
  check_fails(flex({{"score_mod", change("Less", 2.f)}}), {q, k, v}, Code::ShapeMismatch);
}

TEST_CASE("Loop counts, stops by its condition and collects") {
  const Node spec = node("Loop", 16, {{"body", counting_loop()}});
  const auto count = [](int64_t n) { return tensor<int64_t>({}, {n}); };
  check(spec, {count(2), tensor<bool>({}, {true}), count(9)}, {count(1), tensor<int64_t>({2}, {0, 1})});
  check(spec, {Value(), Value(), count(9)}, {count(3), tensor<int64_t>({4}, {0, 1, 2, 3})});
  check(spec, {count(5), tensor<bool>({}, {false}), count(9)}, {count(9), tensor<int64_t>({0}, {})});
  check(spec, {count(0), Value(), count(9)}, {count(9), tensor<int64_t>({0}, {})});
  check_fails(spec, {number(1), Value(), count(9)}, Code::TypeMismatch, 2);
  check_fails(spec, {count(2), Value()}, Code::InvalidModel, 2);
}

TEST_CASE("A loop's counter has the shape that the body declares") {
  for (const Shape& shape : {Shape{}, Shape{1}}) {
    Subgraph b;
    const ValueId i = b.input(DType::Int64);
    b.graph->value(i).shape = shape;
    const ValueId go_on = b.input(DType::Bool);
    auto body = b.yield({b.apply("Identity", {go_on}, DType::Bool), b.apply("Identity", {i}, DType::Int64)});
    auto results = run(node("Loop", 13, {{"body", body}}), {tensor<int64_t>({}, {2}), tensor<bool>({}, {true})});
    REQUIRE(results.ok());
    Shape collected{2};
    for (const int64_t d : shape) collected.push_back(d);
    check_equal((*results)[0], tensor<int64_t>(collected, {0, 1}));
  }
}

TEST_CASE("Scan walks along axes in both directions") {
  const auto body = [] {
    Subgraph b;
    const ValueId last = b.input(DType::Float32);
    const ValueId x = b.input(DType::Float32);
    const ValueId pair = b.apply("Where", {b.apply("Less", {last, x}, DType::Bool), x, last}, DType::Float32);
    return b.yield({pair, b.apply("Identity", {pair}, DType::Float32)});
  };
  const AttributeMap base{{"body", body()}, {"num_scan_inputs", int64_t{1}}};
  const Tensor zero = tensor<float>({2}, {0, 0});
  const Tensor rows = tensor<float>({3, 2}, {1, 6, 5, 2, 3, 4});
  check(node("Scan", 16, base), {zero, rows}, {tensor<float>({2}, {5, 6}), tensor<float>({3, 2}, {1, 6, 5, 6, 5, 6})});
  AttributeMap backwards = base;
  backwards["scan_input_directions"] = std::vector<int64_t>{1};
  check(node("Scan", 16, backwards), {zero, rows},
        {tensor<float>({2}, {5, 6}), tensor<float>({3, 2}, {3, 4, 5, 4, 5, 6})});
  AttributeMap across = base;
  across["scan_input_axes"] = std::vector<int64_t>{-1};
  across["scan_output_axes"] = std::vector<int64_t>{1};
  across["scan_output_directions"] = std::vector<int64_t>{1};
  check(node("Scan", 9, across), {zero, tensor<float>({2, 3}, {1, 5, 3, 6, 2, 4})},
        {tensor<float>({2}, {5, 6}), tensor<float>({2, 3}, {5, 5, 1, 6, 6, 6})});
  check(node("Scan", 8, base), {Value(), tensor<float>({1, 2}, {0, 0}), tensor<float>({1, 3, 2}, {1, 6, 5, 2, 3, 4})},
        {tensor<float>({1, 2}, {5, 6}), tensor<float>({1, 3, 2}, {1, 6, 5, 6, 5, 6})});
  check(node("Scan", 8, base),
        {tensor<int64_t>({1}, {1}), tensor<float>({1, 2}, {0, 0}), tensor<float>({1, 3, 2}, {1, 6, 5, 2, 3, 4})},
        {tensor<float>({1, 2}, {1, 6}), tensor<float>({1, 3, 2}, {1, 6, 0, 0, 0, 0})});
  check_fails(node("Scan", 16, {{"body", body()}, {"num_scan_inputs", int64_t{3}}}), {zero, rows}, Code::InvalidModel,
              2);
  AttributeMap outside = base;
  outside["scan_input_axes"] = std::vector<int64_t>{2};
  check_fails(node("Scan", 16, outside), {zero, rows}, Code::ShapeMismatch, 2);
}

TEST_CASE("Drawn numbers follow their distribution") {
  const std::vector<int64_t> shape{100, 100};
  const auto mean = [](const Node& spec, const std::vector<Value>& inputs) {
    auto results = run(spec, inputs);
    if (!results.ok()) FAIL(results.status().message());
    double sum = 0;
    for (const float x : (*results)[0].tensor()->span<float>()) sum += x;
    return sum / static_cast<double>((*results)[0].tensor()->count());
  };
  CHECK(std::abs(mean(node("RandomNormal", 1, {{"shape", shape}, {"mean", 3.0f}}), {}) - 3) < 0.05);
  CHECK(std::abs(mean(node("RandomUniform", 1, {{"shape", shape}, {"high", 4.0f}, {"seed", 7.0f}}), {}) - 2) < 0.05);
  std::vector<float> quarter(10000, 0.25f);
  const Tensor chance = Tensor::from<float>(Shape{10000}, quarter).value();
  CHECK(std::abs(mean(node("Bernoulli", 15), {chance}) - 0.25) < 0.02);
  CHECK(std::abs(mean(node("RandomUniformLike", 1), {chance}) - 0.5) < 0.02);
  auto drawn = run(node("Multinomial", 7, {{"sample_size", int64_t{5000}}}), {tensor<float>({1, 3}, {0, -100, 0})});
  REQUIRE(drawn.ok());
  int64_t last = 0;
  for (const int32_t k : (*drawn)[0].tensor()->span<int32_t>()) {
    CHECK(k != 1);
    last += k == 2;
  }
  CHECK(std::abs(static_cast<double>(last) / 5000 - 0.5) < 0.05);
  check_fails(node("RandomNormal", 1), {}, Code::InvalidModel);
  check_fails(node("RandomNormal", 1, {{"shape", std::vector<int64_t>{-1}}}), {}, Code::InvalidData);
}
