#include <limits>

#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor truths(const Shape& shape, std::initializer_list<bool> values) { return tensor<bool>(shape, values); }

}  // namespace

TEST_CASE("Comparisons", "[ops][compare]") {
  const Tensor x = tensor<float>({2, 2}, {1, 2, 3, std::nanf("")});
  const Tensor y = tensor<float>({2}, {2, 2});
  struct Row {
    std::string op;
    Tensor out;
  };
  for (const Row& r : {Row{"Equal", truths({2, 2}, {false, true, false, false})},
                       Row{"Less", truths({2, 2}, {true, false, false, false})},
                       Row{"LessOrEqual", truths({2, 2}, {true, true, false, false})},
                       Row{"Greater", truths({2, 2}, {false, false, true, false})},
                       Row{"GreaterOrEqual", truths({2, 2}, {false, true, true, false})}}) {
    check(node(r.op, 16), {x, y}, {r.out});
  }
  check(node("Equal", 19), {tensor<std::string>({2}, {"a", "b"}), tensor<std::string>({}, {"b"})},
        {truths({2}, {false, true})});
  check(node("Equal", 13), {truths({2}, {true, false}), truths({1}, {true})}, {truths({2}, {true, false})});
  check(node("Less", 13), {tensor<uint8_t>({}, {200}), tensor<uint8_t>({2}, {100, 255})}, {truths({2}, {false, true})});
  check(node("Less", 13), {tensor<float16>({1}, {float16(-1.f)}), tensor<float16>({1}, {float16(1.f)})},
        {truths({1}, {true})});
  check(node("Greater", 6, {{"axis", int64_t{0}}, {"broadcast", int64_t{1}}}),
        {tensor<float>({2, 2}, {1, 2, 3, 4}), tensor<float>({2}, {1, 3})},
        {truths({2, 2}, {false, true, false, true})});
  check(node("Equal", 13), {tensor<float>({0, 2}, {}), y}, {truths({0, 2}, {})});
  check_fails(node("Less", 13), {x, tensor<float>({3}, {1, 2, 3})}, Code::ShapeMismatch);
  check_fails(node("Less", 13), {x, tensor<int32_t>({}, {1})}, Code::TypeMismatch);
  check_fails(node("Less", 13), {tensor<std::string>({}, {"a"}), tensor<std::string>({}, {"a"})}, Code::TypeMismatch);
}

TEST_CASE("Logic and bits", "[ops][compare]") {
  const Tensor a = truths({4}, {true, true, false, false});
  const Tensor b = truths({4}, {true, false, true, false});
  check(node("And", 7), {a, b}, {truths({4}, {true, false, false, false})});
  check(node("Or", 7), {a, b}, {truths({4}, {true, true, true, false})});
  check(node("Xor", 7), {a, b}, {truths({4}, {false, true, true, false})});
  check(node("Not", 1), {a}, {truths({4}, {false, false, true, true})});
  const Tensor x = tensor<int16_t>({2}, {12, -1});
  const Tensor y = tensor<int16_t>({}, {10});
  check(node("BitwiseAnd", 18), {x, y}, {tensor<int16_t>({2}, {8, 10})});
  check(node("BitwiseOr", 18), {x, y}, {tensor<int16_t>({2}, {14, -1})});
  check(node("BitwiseXor", 18), {x, y}, {tensor<int16_t>({2}, {6, -11})});
  check(node("BitwiseNot", 18), {x}, {tensor<int16_t>({2}, {-13, 0})});
  const Tensor u = tensor<uint8_t>({3}, {1, 128, 3});
  const Tensor by = tensor<uint8_t>({3}, {1, 7, 9});
  check(node("BitShift", 11, {{"direction", "LEFT"}}), {u, by}, {tensor<uint8_t>({3}, {2, 0, 0})});
  check(node("BitShift", 11, {{"direction", "RIGHT"}}), {u, by}, {tensor<uint8_t>({3}, {0, 1, 0})});
  check(node("BitShift", 28, {{"direction", "RIGHT"}}),
        {tensor<int8_t>({3}, {-8, 4, -1}), tensor<int8_t>({3}, {1, -8, 9})}, {tensor<int8_t>({3}, {-4, 0, -1})});
  check_fails(node("BitShift", 11, {{"direction", "UP"}}), {u, by}, Code::InvalidModel);
  check_fails(node("And", 7), {x, y}, Code::TypeMismatch);
  check_fails(node("Not", 1), {x}, Code::TypeMismatch);
}

TEST_CASE("Where", "[ops][where]") {
  const Tensor condition = truths({2, 1}, {true, false});
  check(node("Where", 16), {condition, tensor<float>({2}, {1, 2}), tensor<float>({}, {9})},
        {tensor<float>({2, 2}, {1, 2, 9, 9})});
  check(node("Where", 9), {condition, tensor<std::string>({}, {"y"}), tensor<std::string>({}, {"n"})},
        {tensor<std::string>({2, 1}, {"y", "n"})});
  check_fails(node("Where", 9), {condition, tensor<float>({3}, {1, 2, 3}), tensor<float>({2}, {1, 2})},
              Code::ShapeMismatch);
  check_fails(node("Where", 9), {condition, tensor<float>({}, {1}), tensor<int32_t>({}, {1})}, Code::TypeMismatch);
}

TEST_CASE("IsNaN and IsInf", "[ops][is_nan]") {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x = tensor<float>({4}, {1, std::nanf(""), inf, -inf});
  check(node("IsNaN", 13), {x}, {truths({4}, {false, true, false, false})});
  check(node("IsInf", 10), {x}, {truths({4}, {false, false, true, true})});
  check(node("IsInf", 20, {{"detect_negative", int64_t{0}}}), {x}, {truths({4}, {false, false, true, false})});
  check(node("IsInf", 20, {{"detect_positive", int64_t{0}}}), {x}, {truths({4}, {false, false, false, true})});
  check(node("IsNaN", 9), {tensor<float16>({2}, {float16(std::nanf("")), float16(inf)})}, {truths({2}, {true, false})});
  check(node("IsInf", 10), {tensor<double>({2}, {-HUGE_VAL, 0})}, {truths({2}, {true, false})});
}
