// If, Loop and Scan over small subgraphs.
#include "tests/ops/subgraph.h"

using namespace nm;
using namespace nm::test;

namespace {

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

TEST_CASE("If runs one branch", "[ops][if]") {
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

TEST_CASE("Loop counts, stops by its condition and collects", "[ops][loop]") {
  const Node spec = node("Loop", 16, {{"body", counting_loop()}});
  const auto count = [](int64_t n) { return tensor<int64_t>({}, {n}); };
  check(spec, {count(2), tensor<bool>({}, {true}), count(9)}, {count(1), tensor<int64_t>({2}, {0, 1})});
  check(spec, {Value(), Value(), count(9)}, {count(3), tensor<int64_t>({4}, {0, 1, 2, 3})});
  check(spec, {count(5), tensor<bool>({}, {false}), count(9)}, {count(9), tensor<int64_t>({0}, {})});
  check(spec, {count(0), Value(), count(9)}, {count(9), tensor<int64_t>({0}, {})});
  check_fails(spec, {number(1), Value(), count(9)}, Code::TypeMismatch, 2);
  check_fails(spec, {count(2), Value()}, Code::InvalidModel, 2);
}

TEST_CASE("A loop's counter has the shape that the body declares", "[ops][loop]") {
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

TEST_CASE("Scan walks along axes in both directions", "[ops][scan]") {
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
