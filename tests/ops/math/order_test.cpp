// Operators that go by the order or the place of elements.
#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor matrix() { return tensor<float>({2, 3}, {3, 1, 3, -2, 5, 0}); }
Tensor number(int64_t n) { return tensor<int64_t>({}, {n}); }

}  // namespace

TEST_CASE("TopK", "[ops][top_k]") {
  const Tensor k = tensor<int64_t>({1}, {2});
  check(node("TopK", 11), {matrix(), k}, {tensor<float>({2, 2}, {3, 3, 5, 0}), tensor<int64_t>({2, 2}, {0, 2, 1, 2})});
  check(node("TopK", 1, {{"k", int64_t{2}}}), {matrix()},
        {tensor<float>({2, 2}, {3, 3, 5, 0}), tensor<int64_t>({2, 2}, {0, 2, 1, 2})});
  check(node("TopK", 24, {{"largest", int64_t{0}}}), {matrix(), k},
        {tensor<float>({2, 2}, {1, 3, -2, 0}), tensor<int64_t>({2, 2}, {1, 0, 0, 2})});
  check(node("TopK", 10, {{"axis", int64_t{0}}}), {matrix(), tensor<int64_t>({1}, {1})},
        {tensor<float>({1, 3}, {3, 5, 3}), tensor<int64_t>({1, 3}, {0, 1, 0})});
  check(node("TopK", 11), {tensor<uint64_t>({3}, {1, UINT64_MAX, 7}), k},
        {tensor<uint64_t>({2}, {UINT64_MAX, 7}), tensor<int64_t>({2}, {1, 2})});
  check(node("TopK", 11), {matrix(), tensor<int64_t>({1}, {0})},
        {tensor<float>({2, 0}, {}), tensor<int64_t>({2, 0}, {})});
  check_fails(node("TopK", 11), {matrix(), tensor<int64_t>({1}, {4})}, Code::InvalidData, 2);
  check_fails(node("TopK", 11), {matrix(), tensor<int64_t>({1}, {-1})}, Code::InvalidData, 2);
  check_fails(node("TopK", 1), {matrix()}, Code::InvalidModel, 2);
}

TEST_CASE("ArgMax and ArgMin", "[ops][arg_max]") {
  check(node("ArgMax", 13), {matrix()}, {tensor<int64_t>({1, 3}, {0, 1, 0})});
  check(node("ArgMax", 13, {{"axis", int64_t{-1}}, {"keepdims", int64_t{0}}}), {matrix()},
        {tensor<int64_t>({2}, {0, 1})});
  check(node("ArgMax", 12, {{"axis", int64_t{1}}, {"select_last_index", int64_t{1}}}), {matrix()},
        {tensor<int64_t>({2, 1}, {2, 1})});
  check(node("ArgMin", 1, {{"axis", int64_t{1}}}), {matrix()}, {tensor<int64_t>({2, 1}, {1, 0})});
  check(node("ArgMin", 13), {tensor<uint8_t>({2}, {200, 100})}, {tensor<int64_t>({1}, {1})});
  check_fails(node("ArgMax", 13), {tensor<float>({0, 2}, {})}, Code::ShapeMismatch);
  check_fails(node("ArgMax", 13, {{"axis", int64_t{2}}}), {matrix()}, Code::ShapeMismatch);
}

TEST_CASE("CumSum and CumProd", "[ops][cum_sum]") {
  check(node("CumSum", 14), {matrix(), number(1)}, {tensor<float>({2, 3}, {3, 4, 7, -2, 3, 3})});
  check(node("CumSum", 11, {{"exclusive", int64_t{1}}}), {matrix(), number(-1)},
        {tensor<float>({2, 3}, {0, 3, 4, 0, -2, 3})});
  check(node("CumSum", 11, {{"reverse", int64_t{1}}}), {matrix(), number(0)},
        {tensor<float>({2, 3}, {1, 6, 3, -2, 5, 0})});
  check(node("CumSum", 11, {{"reverse", int64_t{1}}, {"exclusive", int64_t{1}}}),
        {tensor<int32_t>({3}, {1, 2, 3}), number(0)}, {tensor<int32_t>({3}, {5, 3, 0})});
  check(node("CumProd", 26), {tensor<int32_t>({3}, {1, 2, 3}), number(0)}, {tensor<int32_t>({3}, {1, 2, 6})});
  check_fails(node("CumSum", 14), {matrix(), number(2)}, Code::ShapeMismatch);
}

TEST_CASE("Unique", "[ops][unique]") {
  const Tensor x = tensor<float>({6}, {2, 1, 1, 3, 4, 3});
  check(node("Unique", 11), {x},
        {tensor<float>({4}, {1, 2, 3, 4}), tensor<int64_t>({4}, {1, 0, 3, 4}), tensor<int64_t>({6}, {1, 0, 0, 2, 3, 2}),
         tensor<int64_t>({4}, {2, 1, 2, 1})});
  check(node("Unique", 11, {{"sorted", int64_t{0}}}), {x},
        {tensor<float>({4}, {2, 1, 3, 4}), tensor<int64_t>({4}, {0, 1, 3, 4}), tensor<int64_t>({6}, {0, 1, 1, 2, 3, 2}),
         tensor<int64_t>({4}, {1, 2, 2, 1})});
  check(node("Unique", 11, {{"axis", int64_t{1}}}), {tensor<int32_t>({2, 3}, {1, 0, 1, 1, 5, 1})},
        {tensor<int32_t>({2, 2}, {0, 1, 5, 1}), tensor<int64_t>({2}, {1, 0})});
  check(node("Unique", 11), {tensor<std::string>({3}, {"b", "a", "b"})}, {tensor<std::string>({2}, {"a", "b"})});
  check(node("Unique", 11), {tensor<float>({0}, {})}, {tensor<float>({0}, {})});
}

TEST_CASE("Range, Trilu and EyeLike", "[ops][range][diagonal]") {
  check(node("Range", 11), {number(2), number(9), number(3)}, {tensor<int64_t>({3}, {2, 5, 8})});
  check(node("Range", 11), {number(5), number(0), number(-2)}, {tensor<int64_t>({3}, {5, 3, 1})});
  check(node("Range", 11), {number(5), number(0), number(2)}, {tensor<int64_t>({0}, {})});
  check(node("Range", 11), {tensor<float>({}, {0}), tensor<float>({}, {1}), tensor<float>({}, {0.4f})},
        {tensor<float>({3}, {0, 0.4f, 0.8f})});
  check_fails(node("Range", 11), {number(0), number(1), number(0)}, Code::InvalidData);
  check_fails(node("Range", 11), {number(INT64_MIN), number(INT64_MAX), number(1)}, Code::InvalidData);
  const Tensor square = tensor<int32_t>({2, 2}, {1, 2, 3, 4});
  check(node("Trilu", 14), {square}, {tensor<int32_t>({2, 2}, {1, 2, 0, 4})});
  check(node("Trilu", 14, {{"upper", int64_t{0}}}), {square, number(-1)}, {tensor<int32_t>({2, 2}, {0, 0, 3, 0})});
  check(node("Trilu", 14), {square, number(INT64_MIN)}, {square});
  check_fails(node("Trilu", 14), {tensor<float>({2}, {1, 2})}, Code::ShapeMismatch);
  check(node("EyeLike", 9, {{"k", int64_t{1}}}), {square}, {tensor<int32_t>({2, 2}, {0, 1, 0, 0})});
  check(node("EyeLike", 9, {{"dtype", int64_t{1}}}), {square}, {tensor<float>({2, 2}, {1, 0, 0, 1})});
}
