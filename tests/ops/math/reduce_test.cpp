#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

using Ints = std::vector<int64_t>;
constexpr float kInf = std::numeric_limits<float>::infinity();
Tensor cube() { return tensor<float>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}); }
Tensor axis_1() { return tensor<int64_t>({1}, {1}); }
template <class T>
Tensor filled(const Shape& shape, const std::vector<T>& values) {
  auto t = Tensor::create(dtype_of<T>, shape);
  REQUIRE(t.ok());
  REQUIRE(t->count() == static_cast<int64_t>(values.size()));
  std::copy(values.begin(), values.end(), t->template data<T>());
  return std::move(*t);
}

TEST_CASE("Reduce over any axes", "[ops][reduce]") {
  check(node("ReduceSum", 13), {cube(), axis_1()}, {tensor<float>({2, 1, 2}, {4, 6, 12, 14})});
  check(node("ReduceSum", 11, {{"axes", Ints{-1}}, {"keepdims", int64_t{0}}}), {cube()},
        {tensor<float>({2, 2}, {3, 7, 11, 15})});
  check(node("ReduceSum", 1, {{"axes", Ints{0, 2}}, {"keepdims", int64_t{0}}}), {cube()},
        {tensor<float>({2}, {14, 22})});
  check(node("ReduceSum", 1, {{"axes", Ints{0, 1}}}), {cube()}, {tensor<float>({1, 1, 2}, {16, 20})});
  check(node("ReduceSum", 13, {{"keepdims", int64_t{0}}}), {cube()}, {tensor<float>({}, {36})});
  check(node("ReduceSum", 13), {cube(), tensor<int64_t>({0}, {})}, {tensor<float>({1, 1, 1}, {36})});
  check(node("ReduceSum", 13, {{"noop_with_empty_axes", int64_t{1}}}), {cube(), tensor<int64_t>({0}, {})}, {cube()});
  check(node("ReduceSum", 13), {tensor<float>({}, {3})}, {tensor<float>({}, {3})});
}

TEST_CASE("ReduceProd does not depend on the order of its factors", "[ops][reduce]") {
  // The products on the way are far beyond float32, at either end; the result is not.
  std::vector<float> factors;
  for (int i = 0; i < 40; ++i) factors.push_back(i % 2 == 0 ? 3e38f : 1e-38f);
  const double expected = std::pow(static_cast<double>(3e38f) * static_cast<double>(1e-38f), 20);
  for (const bool sorted : {false, true}) {
    if (sorted) std::sort(factors.begin(), factors.end());
    for (const bool largest_first : {false, true}) {
      if (largest_first) std::reverse(factors.begin(), factors.end());
      const Tensor row = filled<float>({1, 40}, factors), column = filled<float>({40, 1}, factors);
      const Tensor y = tensor<float>({1, 1}, {static_cast<float>(expected)});
      check(node("ReduceProd", 18), {row, axis_1()}, {y});
      check(node("ReduceProd", 18), {column, tensor<int64_t>({1}, {0})}, {y});
    }
  }
  std::vector<float> two_columns;
  for (const float f : factors) two_columns.insert(two_columns.end(), {f, -2});
  check(node("ReduceProd", 18), {filled<float>({40, 2}, two_columns), tensor<int64_t>({1}, {0})},
        {tensor<float>({1, 2}, {static_cast<float>(expected), std::pow(2.f, 40.f)})});
  const Tensor many = filled<float>({2000}, std::vector<float>(2000, -1.0f));
  check(node("ReduceProd", 18), {many}, {tensor<float>({1}, {1})});
  for (const float end : {0.f, kInf, -kInf, 2.f, 0.5f}) {
    const float infinite = std::isinf(end) ? end : end == 2.f ? kInf : 0.f;
    std::vector<float> same(2001, std::isinf(end) ? 1.f : end);
    same[7] = end;
    check(node("ReduceProd", 18), {filled<float>({2001}, same)}, {tensor<float>({1}, {infinite})});
  }
}

// Logarithms and roots of what integers add up to may be no numbers, or none that fit; counts may not fit the type.
template <class T>
void reduces_any_integers(const char* op) {
  using Limits = std::numeric_limits<T>;
  for (const T value : {T{0}, T{1}, Limits::lowest(), Limits::max(), static_cast<T>(-1)}) {
    for (const int64_t n : {int64_t{1}, int64_t{2}, int64_t{128}, int64_t{256}, int64_t{65536}}) {
      INFO(op << " of " << n << " times " << +value << ", " << sizeof(T) << " bytes");
      const auto results = run(node(op, 18), {filled<T>({n}, std::vector<T>(static_cast<size_t>(n), value))});
      if (!results.ok()) {
        CHECK(results.status().code() != Code::Internal);
        continue;
      }
      const bool exact = std::string_view(op) == "ReduceMean" && sizeof(T) < 8;
      if (exact) check_equal((*results)[0], tensor<T>({1}, {value}));
    }
  }
}

TEST_CASE("Reduce: every function on every type of integer", "[ops][reduce]") {
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare",
                         "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"}) {
    reduces_any_integers<int8_t>(op);
    reduces_any_integers<uint8_t>(op);
    reduces_any_integers<int16_t>(op);
    reduces_any_integers<uint16_t>(op);
    reduces_any_integers<int32_t>(op);
    reduces_any_integers<uint32_t>(op);
    reduces_any_integers<int64_t>(op);
    reduces_any_integers<uint64_t>(op);
  }
}

TEST_CASE("The mean of as many inputs as their type cannot count", "[ops][reduce]") {
  const std::vector<Value> ones(256, tensor<uint8_t>({2}, {1, 0}));
  const auto results = run(node("Mean", 13), ones);
  if (results.ok()) check_equal((*results)[0], tensor<uint8_t>({2}, {0, 0}));  // the sum wraps around
}

TEST_CASE("Reduce: every function, old and new form", "[ops][reduce]") {
  const struct {
    const char* op;
    float expected[4];
  } cases[] = {
      {"ReduceMean", {2, 3, 6, 7}},
      {"ReduceMax", {3, 4, 7, 8}},
      {"ReduceMin", {1, 2, 5, 6}},
      {"ReduceProd", {3, 8, 35, 48}},
      {"ReduceSumSquare", {10, 20, 74, 100}},
      {"ReduceL1", {4, 6, 12, 14}},
      {"ReduceL2", {std::sqrt(10.f), std::sqrt(20.f), std::sqrt(74.f), 10}},
      {"ReduceLogSum", {std::log(4.f), std::log(6.f), std::log(12.f), std::log(14.f)}},
      {"ReduceLogSumExp", {3.126928f, 4.126928f, 7.126928f, 8.126928f}},
  };
  for (const auto& t : cases) {
    const Tensor y = tensor<float>({2, 1, 2}, {t.expected[0], t.expected[1], t.expected[2], t.expected[3]});
    check(node(t.op, 11, {{"axes", Ints{1}}}), {cube()}, {y});
    check(node(t.op, 18), {cube(), axis_1()}, {y});
    const Tensor y64 = tensor<double>({2, 1, 2}, {t.expected[0], t.expected[1], t.expected[2], t.expected[3]});
    check(node(t.op, 18), {tensor<double>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}), axis_1()}, {y64});
  }
}

TEST_CASE("Reduce: integers, bools, empty sets", "[ops][reduce]") {
  const Tensor x = tensor<int32_t>({2, 3}, {-1, 2, 4, 3, -4, 4});
  check(node("ReduceSum", 13), {x, axis_1()}, {tensor<int32_t>({2, 1}, {5, 3})});
  check(node("ReduceMean", 18), {x, axis_1()}, {tensor<int32_t>({2, 1}, {1, 1})});
  check(node("ReduceMax", 18), {tensor<int8_t>({3}, {-3, -9, -1})}, {tensor<int8_t>({1}, {-1})});
  check(node("ReduceMin", 20), {tensor<bool>({2, 2}, {true, false, true, true}), axis_1()},
        {tensor<bool>({2, 1}, {false, true})});
  const Tensor none = tensor<float>({2, 0, 1}, {});
  check(node("ReduceSum", 13), {none, axis_1()}, {tensor<float>({2, 1, 1}, {0, 0})});
  check(node("ReduceProd", 18), {none, axis_1()}, {tensor<float>({2, 1, 1}, {1, 1})});
  check(node("ReduceMax", 18), {none, axis_1()}, {tensor<float>({2, 1, 1}, {-kInf, -kInf})});
  check(node("ReduceMin", 18), {none, axis_1()}, {tensor<float>({2, 1, 1}, {kInf, kInf})});
  check(node("ReduceLogSumExp", 18), {none, axis_1()}, {tensor<float>({2, 1, 1}, {-kInf, -kInf})});
  check(node("ReduceSum", 13), {none, tensor<int64_t>({1}, {0})}, {tensor<float>({1, 0, 1}, {})});
}

TEST_CASE("Reduce refuses wrong axes and types", "[ops][reduce]") {
  check_fails(node("ReduceSum", 13), {cube(), tensor<int64_t>({1}, {3})}, Code::ShapeMismatch);
  check_fails(node("ReduceSum", 13), {cube(), tensor<int64_t>({2}, {1, -2})}, Code::ShapeMismatch);
  check_fails(node("ReduceSum", 13), {cube(), tensor<float>({1}, {1})}, Code::TypeMismatch);
  check_fails(node("ReduceSum", 13), {tensor<bool>({1}, {true})}, Code::TypeMismatch);
}

}  // namespace
}  // namespace nm::test
