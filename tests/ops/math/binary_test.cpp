#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

Tensor matrix() { return tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}); }

TEST_CASE("binary operators broadcast", "[ops][binary]") {
  check(node("Add", 14), {matrix(), matrix()}, {tensor<float>({2, 3}, {2, 4, 6, 8, 10, 12})});
  check(node("Add", 7), {matrix(), tensor<float>({3}, {10, 20, 30})},
        {tensor<float>({2, 3}, {11, 22, 33, 14, 25, 36})});
  check(node("Sub", 13), {matrix(), tensor<float>({2, 1}, {1, 2})}, {tensor<float>({2, 3}, {0, 1, 2, 2, 3, 4})});
  check(node("Sub", 13), {tensor<float>({}, {1}), matrix()}, {tensor<float>({2, 3}, {0, -1, -2, -3, -4, -5})});
  check(node("Mul", 14), {tensor<float>({2, 1}, {1, 2}), tensor<float>({1, 3}, {1, 2, 3})},
        {tensor<float>({2, 3}, {1, 2, 3, 2, 4, 6})});
  check(node("Div", 14), {matrix(), tensor<float>({1}, {2})}, {tensor<float>({2, 3}, {0.5f, 1, 1.5f, 2, 2.5f, 3})});
  check(node("Add", 14), {tensor<float>({0, 3}, {}), tensor<float>({3}, {1, 2, 3})}, {tensor<float>({0, 3}, {})});
  check(node("Mul", 14), {tensor<float>({}, {2}), tensor<float>({}, {4})}, {tensor<float>({}, {8})});
}

TEST_CASE("binary operators of older sets align at an axis", "[ops][binary]") {
  const Tensor x = tensor<float>({2, 2, 1}, {1, 2, 3, 4});
  check(node("Add", 6, {{"broadcast", int64_t{1}}, {"axis", int64_t{0}}}), {x, tensor<float>({2}, {10, 20})},
        {tensor<float>({2, 2, 1}, {11, 12, 23, 24})});
  check(node("Mul", 1, {{"broadcast", int64_t{1}}, {"axis", int64_t{1}}}), {x, tensor<float>({2}, {10, 20})},
        {tensor<float>({2, 2, 1}, {10, 40, 30, 80})});
  check(node("Pow", 1, {{"broadcast", int64_t{1}}, {"axis", int64_t{1}}}), {x, tensor<float>({2}, {1, 2})},
        {tensor<float>({2, 2, 1}, {1, 4, 3, 16})});
  check(node("PRelu", 6), {tensor<float>({1, 2, 2}, {-1, 1, -1, 1}), tensor<float>({2}, {0.5f, 0.25f})},
        {tensor<float>({1, 2, 2}, {-0.5f, 1, -0.25f, 1})});
  check_fails(node("Add", 6, {{"broadcast", int64_t{1}}, {"axis", int64_t{3}}}), {x, tensor<float>({2}, {1, 2})},
              Code::ShapeMismatch);
}

TEST_CASE("binary operators on integers wrap around", "[ops][binary]") {
  check(node("Add", 14), {tensor<int8_t>({2}, {127, 1}), tensor<int8_t>({2}, {1, 1})},
        {tensor<int8_t>({2}, {-128, 2})});
  check(node("Mul", 14), {tensor<uint16_t>({1}, {65535}), tensor<uint16_t>({1}, {65535})},
        {tensor<uint16_t>({1}, {1})});
  check(node("Sub", 14), {tensor<uint32_t>({1}, {0}), tensor<uint32_t>({1}, {1})},
        {tensor<uint32_t>({1}, {UINT32_MAX})});
  check(node("Div", 14), {tensor<int32_t>({3}, {7, -7, INT32_MIN}), tensor<int32_t>({3}, {2, 2, -1})},
        {tensor<int32_t>({3}, {3, -3, INT32_MIN})});
  check(node("Div", 14), {tensor<double>({1}, {1}), tensor<double>({1}, {4})}, {tensor<double>({1}, {0.25})});
  check_fails(node("Div", 14), {tensor<int64_t>({1}, {1}), tensor<int64_t>({1}, {0})}, Code::InvalidData);
}

TEST_CASE("PRelu broadcasts its slope only", "[ops][binary]") {
  check(node("PRelu", 16), {tensor<float>({2, 2}, {-1, -2, 3, -4}), tensor<float>({2}, {0.5f, 2})},
        {tensor<float>({2, 2}, {-0.5f, -4, 3, -8})});
  check_fails(node("PRelu", 16), {tensor<float>({2}, {1, 2}), tensor<float>({2, 2}, {1, 1, 1, 1})},
              Code::ShapeMismatch);
}

TEST_CASE("A slope for each channel of one dimension is refused with the shape that it needs", "[ops][binary]") {
  auto x = Tensor::create(DType::Float32, {1, 3, 2, 5});
  REQUIRE(x.ok());
  auto results = run(node("PRelu", 16), {*x, tensor<float>({3}, {1, 2, 3})});
  REQUIRE(!results.ok());
  CHECK(results.status().message().find("a slope for each channel has shape [3,1,1]") != std::string::npos);
}

TEST_CASE("binary operators refuse what does not go together", "[ops][binary]") {
  check_fails(node("Add", 14), {matrix(), tensor<float>({2}, {1, 2})}, Code::ShapeMismatch);
  check_fails(node("Add", 14), {matrix(), tensor<int32_t>({3}, {1, 2, 3})}, Code::TypeMismatch);
  check_fails(node("Add", 14), {tensor<bool>({1}, {true}), tensor<bool>({1}, {true})}, Code::TypeMismatch);
  check_fails(node("Add", 14), {matrix()}, Code::MissingInput);
}

TEST_CASE("Pow takes exponents of other types", "[ops][power]") {
  check(node("Pow", 13), {tensor<float>({3}, {1, 2, -3}), tensor<int64_t>({3}, {4, 5, 3})},
        {tensor<float>({3}, {1, 32, -27})});
  check(node("Pow", 15), {tensor<int64_t>({2}, {3, -2}), tensor<float>({2}, {2, 3})}, {tensor<int64_t>({2}, {9, -8})});
  check(node("Pow", 15), {tensor<int32_t>({3}, {3, 2, -1}), tensor<int32_t>({3}, {19, -1, -3})},
        {tensor<int32_t>({3}, {1162261467, 0, -1})});
  for (const float e : {2.0f, 0.5f, 3.0f, -1.5f}) {
    check(node("Pow", 7), {tensor<float>({2}, {4, 9}), tensor<float>({}, {e})},
          {tensor<float>({2}, {std::pow(4.0f, e), std::pow(9.0f, e)})});
  }
  check(node("Pow", 13), {tensor<double>({1}, {2}), tensor<double>({1}, {0.5})},
        {tensor<double>({1}, {std::sqrt(2.0)})});
}

TEST_CASE("A power of 0.5 is no root: of -0 and of -∞ they differ", "[ops][power]") {
  const Tensor x = tensor<float>({7}, {4, 0.f, -0.f, INFINITY, -INFINITY, -1, NAN});
  const Tensor y = tensor<float>({7}, {2, 0.f, 0.f, INFINITY, INFINITY, NAN, NAN});
  for (const Feed feed : {Feed::Inputs, Feed::Constants}) {
    auto results = run(node("Pow", 15), {x, tensor<float>({}, {0.5f})}, 1, feed);
    REQUIRE(results.ok());
    check_equal((*results)[0], y);
    for (const int64_t i : {1, 2}) CHECK(!std::signbit((*results)[0].tensor()->data<float>()[i]));
  }
}

TEST_CASE("Mod has the sign of the divisor, or of the dividend with fmod", "[ops][power]") {
  const Tensor x = tensor<int32_t>({6}, {-4, 7, 5, 4, -7, 8});
  const Tensor y = tensor<int32_t>({6}, {2, -3, 8, -2, 3, 5});
  check(node("Mod", 10), {x, y}, {tensor<int32_t>({6}, {0, -2, 5, 0, 2, 3})});
  check(node("Mod", 13, {{"fmod", int64_t{1}}}), {x, y}, {tensor<int32_t>({6}, {0, 1, 5, 0, -1, 3})});
  // A rest of zero has the divisor's sign too.
  const auto rest = run(node("Mod", 13), {tensor<float>({2}, {4, -4}), tensor<float>({2}, {-2, 2})});
  REQUIRE(rest.ok());
  CHECK(std::signbit((*rest)[0].tensor()->data<float>()[0]));
  CHECK(!std::signbit((*rest)[0].tensor()->data<float>()[1]));
  check(node("Mod", 13, {{"fmod", int64_t{1}}}), {tensor<float>({2}, {-4.5f, 5}), tensor<float>({2}, {2, 3})},
        {tensor<float>({2}, {-0.5f, 2})});
  check(node("Mod", 13), {tensor<int64_t>({1}, {INT64_MIN}), tensor<int64_t>({1}, {-1})}, {tensor<int64_t>({1}, {0})});
  check_fails(node("Mod", 13), {x, tensor<int32_t>({}, {0})}, Code::InvalidData);
}

TEST_CASE("variadic operators take one to many inputs", "[ops][variadic]") {
  const Tensor a = tensor<float>({2, 1}, {1, 4});
  const Tensor b = tensor<float>({2}, {3, 2});
  const Tensor s = tensor<float>({1}, {2.5f});
  check(node("Sum", 13), {a}, {a});
  check(node("Sum", 13), {a, b, s}, {tensor<float>({2, 2}, {6.5f, 5.5f, 9.5f, 8.5f})});
  check(node("Sum", 8), {s, s, b}, {tensor<float>({2}, {8, 7})});
  check(node("Mean", 13), {a, b}, {tensor<float>({2, 2}, {2, 1.5f, 3.5f, 3})});
  check(node("Max", 13), {a, b, s}, {tensor<float>({2, 2}, {3, 2.5f, 4, 4})});
  check(node("Min", 6), {b, b}, {b});
  check(node("Max", 12), {tensor<uint64_t>({2}, {1, 9}), tensor<uint64_t>({}, {5})}, {tensor<uint64_t>({2}, {5, 9})});
  const float nan = std::nanf("");
  check(node("Max", 13), {tensor<float>({2}, {nan, 1}), tensor<float>({2}, {1, nan})},
        {tensor<float>({2}, {nan, nan})});
  check_fails(node("Max", 13), {a, tensor<float>({3}, {1, 2, 3}), tensor<float>({2}, {1, 2})}, Code::ShapeMismatch);
  check_fails(node("Sum", 13), {}, Code::MissingInput);
}

}  // namespace
}  // namespace nm::test
