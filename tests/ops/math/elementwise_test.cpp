#include "engine/ops/math/elementwise.h"

#include <cmath>
#include <limits>

#include "engine/base/thread_pool.h"
#include "tests/passes/pass_test.h"

namespace nm::test {
namespace {

Node program(const std::vector<ElementwiseStep>& steps) {
  Node n = node("Elementwise", 1, {}, std::string(kInternalDomain));
  write_steps(steps, n.attributes);
  return n;
}

Value one(const Node& spec, const std::vector<Value>& inputs) {
  auto outputs = run(spec, inputs);
  INFO(spec.op_type << ": " << outputs.status().message());
  REQUIRE(outputs.ok());
  return (*outputs)[0];
}

// Exactly, and signs of zeros too.
void check_same(const std::vector<ElementwiseStep>& steps, const std::vector<Value>& inputs, const Value& expected) {
  check(program(steps), inputs, {*expected.tensor()}, 0, 0);
  const Value actual = one(program(steps), inputs);
  const auto a = actual.tensor()->span<float>(), b = expected.tensor()->span<float>();
  for (size_t i = 0; i < a.size(); ++i) CHECK(std::signbit(a[i]) == std::signbit(b[i]));
}

TEST_CASE("a chain of elementwise operators computes what they do one by one", "[ops][elementwise]") {
  struct Row {
    Shape x, w, b;
  };
  const Row row = GENERATE(as<Row>{},
                           // one shape, of every length about a vector and a piece
                           Row{{1}, {1}, {1}}, Row{{7}, {7}, {7}}, Row{{33}, {33}, {33}}, Row{{1023}, {1023}, {1023}},
                           Row{{1025}, {1025}, {1025}}, Row{{70001}, {70001}, {70001}}, Row{{0}, {0}, {0}},
                           // numbers
                           Row{{3, 700}, {}, {1}}, Row{{}, {}, {}}, Row{{1}, {1, 1}, {}},
                           // a row, short and long
                           Row{{1000, 5}, {5}, {1, 5}}, Row{{3, 2500}, {2500}, {2500}},
                           // a column
                           Row{{1000, 5}, {1000, 1}, {1000, 1}}, Row{{3, 2501}, {3, 1}, {1, 1}},
                           // long runs that end at different places
                           Row{{2, 30, 600}, {2, 1, 1}, {600}}, Row{{7, 1500}, {7, 1}, {1500}},
                           // a channel of an image, a row of one, and all of that together
                           Row{{2, 3, 40, 41}, {3, 1, 1}, {1, 3, 1, 1}}, Row{{2, 3, 40, 41}, {40, 1}, {3, 1, 41}},
                           Row{{2, 1, 40, 1}, {1, 3, 1, 41}, {2, 3, 1, 1}}, Row{{0, 3}, {3}, {1}});
  CAPTURE(to_string(row.x), to_string(row.w), to_string(row.b));
  GraphBuilder g;
  Tensor data = g.random_tensor(row.x);
  const float special[] = {NAN, INFINITY, -INFINITY, -0.f, 0.f, std::numeric_limits<float>::denorm_min()};
  for (size_t i = 0; i < std::size(special) && static_cast<int64_t>(i) + 1 < data.count(); ++i) {
    data.data<float>()[i] = special[i];
  }
  const Value x = data, w = g.random_tensor(row.w), b = g.random_tensor(row.b);
  const Value product = one(node("Mul", 14), {x, w});
  const Value gate = one(node("Sigmoid", 13), {product});
  const Value slope = one(node("LeakyRelu", 16, {{"alpha", 0.25f}}), {product});
  const Value difference = one(node("Sub", 14), {b, slope});
  const Value expected = one(node("Div", 14), {difference, gate});
  const std::vector<ElementwiseStep> steps = {{{Binary::Mul}, 0, 1},
                                              {{Unary::Sigmoid}, 3},
                                              {{Unary::LeakyRelu, 0.25f}, 3},
                                              {{Binary::Sub}, 2, 5},
                                              {{Binary::Div}, 6, 4}};
  for (const int threads : {1, 3}) {
    thread_pool::set_size(threads);
    check_same(steps, {x, w, b}, expected);
  }
  thread_pool::set_size(1);
}

TEST_CASE("a chain may stretch what it has computed", "[ops][elementwise]") {
  // Whoever made the node took x for as large as y.
  const Value x = tensor<float>({2, 1}, {4, 9}), y = tensor<float>({3}, {1, 2, 3});
  const std::vector<ElementwiseStep> steps = {{{Unary::Sqrt}, 0}, {{Unary::Neg}, 2}, {{Binary::Add}, 3, 1}};
  check_same(steps, {x, y}, tensor<float>({2, 3}, {-1, 0, 1, -2, -1, 0}));
  const std::vector<ElementwiseStep> unread = {{{Unary::Sqrt}, 0}};
  check_same(unread, {Value(tensor<float>({1}, {4})), y}, tensor<float>({3}, {2, 2, 2}));
}

TEST_CASE("a chain refuses what does not fit", "[ops][elementwise]") {
  const std::vector<ElementwiseStep> sum = {{{Binary::Add}, 0, 1}};
  check_fails(program(sum), {tensor<float>({2}, {1, 2}), tensor<float>({3}, {1, 2, 3})}, Code::ShapeMismatch);
  check_fails(program(sum), {tensor<float>({1}, {1}), tensor<int64_t>({1}, {1})}, Code::TypeMismatch);
  check_fails(program(sum), {tensor<float>({1}, {1}), Value()}, Code::MissingInput);
  // A model file cannot write a program.
  check_fails(node("Elementwise", 1, {}, std::string(kInternalDomain)), {tensor<float>({1}, {1})}, Code::InvalidModel);
}

}  // namespace
}  // namespace nm::test
