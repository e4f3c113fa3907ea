#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

using Integers = std::vector<int64_t>;

Tensor list(const Integers& values) {
  auto t = Tensor::from<int64_t>(Shape{static_cast<int64_t>(values.size())}, values);
  return std::move(*t);
}

Tensor matrix() { return tensor<int32_t>({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}); }

}  // namespace

TEST_CASE("Slice", "[ops][slice]") {
  struct Row {
    Integers starts, ends, axes, steps;
    Tensor out;
  };
  const int64_t end = INT64_MAX;
  for (const Row& r : {
           Row{{1, 0}, {2, 3}, {0, 1}, {1, 2}, tensor<int32_t>({1, 2}, {5, 7})},
           Row{{0}, {1000}, {1}, {1}, matrix()},
           Row{{1}, {end}, {0}, {1}, tensor<int32_t>({1, 4}, {5, 6, 7, 8})},
           Row{{-1}, {-1000}, {-1}, {-1}, tensor<int32_t>({2, 4}, {4, 3, 2, 1, 8, 7, 6, 5})},
           Row{{20}, {0}, {1}, {-2}, tensor<int32_t>({2, 2}, {4, 2, 8, 6})},
           Row{{2}, {1}, {1}, {1}, tensor<int32_t>({2, 0}, {})},
           Row{{3}, {INT64_MIN}, {1}, {INT64_MIN}, tensor<int32_t>({2, 1}, {4, 8})},
       }) {
    check(node("Slice", 13), {matrix(), list(r.starts), list(r.ends), list(r.axes), list(r.steps)}, {r.out});
    if (r.steps == Integers{1}) {
      check(node("Slice", 1, {{"starts", r.starts}, {"ends", r.ends}, {"axes", r.axes}}), {matrix()}, {r.out});
    }
  }
  check(node("Slice", 10), {matrix(), list({1}), list({2})}, {tensor<int32_t>({1, 4}, {5, 6, 7, 8})});
  const Tensor row = tensor<float>({3}, {1, 2, 3});
  check(node("Slice", 13), {row, list({-9}), list({-9}), list({0}), list({-2})}, {tensor<float>({1}, {1})});
  check(node("Slice", 13), {row, list({9}), list({INT64_MIN}), list({0}), list({-2})}, {tensor<float>({2}, {3, 1})});
  check(node("Slice", 13), {tensor<float>({0}, {}), list({-9}), list({-9}), list({0}), list({-1})},
        {tensor<float>({0}, {})});
  check_fails(node("Slice", 13), {matrix(), list({0}), list({1}), list({2})}, Code::ShapeMismatch);
  check_fails(node("Slice", 13), {matrix(), list({0}), list({1, 1})}, Code::ShapeMismatch);
  check_fails(node("Slice", 13), {matrix(), list({0}), list({1}), list({0}), list({0})}, Code::InvalidData);
  check_fails(node("Slice", 13), {matrix(), list({0, 0, 0}), list({1, 1, 1})}, Code::ShapeMismatch);
}

TEST_CASE("Split", "[ops][split]") {
  const Tensor left = tensor<int32_t>({2, 1}, {1, 5});
  const Tensor right = tensor<int32_t>({2, 3}, {2, 3, 4, 6, 7, 8});
  check(node("Split", 13, {{"axis", int64_t{1}}}), {matrix(), list({1, 3})}, {left, right});
  check(node("Split", 2, {{"axis", int64_t{1}}, {"split", Integers{1, 3}}}), {matrix()}, {left, right});
  const Tensor top = tensor<int32_t>({1, 4}, {1, 2, 3, 4});
  const Tensor bottom = tensor<int32_t>({1, 4}, {5, 6, 7, 8});
  check(node("Split", 13), {matrix()}, {top, bottom});
  check(node("Split", 18, {{"num_outputs", int64_t{3}}, {"axis", int64_t{-1}}}), {matrix()},
        {tensor<int32_t>({2, 2}, {1, 2, 5, 6}), tensor<int32_t>({2, 2}, {3, 4, 7, 8}), tensor<int32_t>({2, 0}, {})});
  check_fails(node("Split", 13, {{"axis", int64_t{1}}}), {matrix(), list({1, 2})}, Code::ShapeMismatch, 2);
  check_fails(node("Split", 13, {{"axis", int64_t{1}}}), {matrix(), list({5, -1})}, Code::ShapeMismatch, 2);
  check_fails(node("Split", 13, {{"axis", int64_t{1}}}), {matrix()}, Code::ShapeMismatch, 3);
}

TEST_CASE("Concat", "[ops][concat]") {
  const Tensor more = tensor<int32_t>({2, 1}, {9, 10});
  const Tensor wide = tensor<int32_t>({2, 5}, {1, 2, 3, 4, 9, 5, 6, 7, 8, 10});
  check(node("Concat", 13, {{"axis", int64_t{1}}}), {matrix(), more}, {wide});
  check(node("Concat", 13, {{"axis", int64_t{-1}}}), {matrix(), more}, {wide});
  check(node("Concat", 1), {matrix(), more}, {wide});
  check(node("Concat", 13, {{"axis", int64_t{0}}}), {matrix()}, {matrix()});
  check_fails(node("Concat", 13), {matrix()}, Code::InvalidModel);
  check_fails(node("Concat", 13, {{"axis", int64_t{0}}}), {matrix(), more}, Code::ShapeMismatch);
  check_fails(node("Concat", 13, {{"axis", int64_t{2}}}), {matrix()}, Code::ShapeMismatch);
  check_fails(node("Concat", 13, {{"axis", int64_t{0}}}), {matrix(), tensor<float>({1, 4}, {1, 2, 3, 4})},
              Code::TypeMismatch);
}

TEST_CASE("Pad", "[ops][pad]") {
  const Tensor row = tensor<int32_t>({1, 3}, {1, 2, 3});
  struct Row {
    std::string mode;
    Integers pads;
    Tensor out;
  };
  for (const Row& r : {
           Row{"constant", {0, 1, 1, 2}, tensor<int32_t>({2, 6}, {0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0})},
           Row{"constant", {0, -1, 0, 1}, tensor<int32_t>({1, 3}, {2, 3, 0})},
           Row{"constant", {0, -5, 0, 4}, tensor<int32_t>({1, 2}, {0, 0})},
           Row{"reflect", {0, 2, 0, 3}, tensor<int32_t>({1, 8}, {3, 2, 1, 2, 3, 2, 1, 2})},
           Row{"edge", {1, 1, 0, 2}, tensor<int32_t>({2, 6}, {1, 1, 2, 3, 3, 3, 1, 1, 2, 3, 3, 3})},
           Row{"wrap", {0, 1, 0, 4}, tensor<int32_t>({1, 8}, {3, 1, 2, 3, 1, 2, 3, 1})},
           Row{"edge", {0, -1, 0, 1}, tensor<int32_t>({1, 3}, {2, 3, 3})},
       }) {
    check(node("Pad", 19, {{"mode", r.mode}}), {row, list(r.pads)}, {r.out});
    check(node("Pad", 2, {{"mode", r.mode}, {"pads", r.pads}}), {row}, {r.out});
  }
  check(node("Pad", 18), {row, list({1, 0}), tensor<int32_t>({}, {7}), list({-1})},
        {tensor<int32_t>({1, 4}, {7, 1, 2, 3})});
  check(node("Pad", 2, {{"pads", Integers{0, 1, 0, 0}}, {"value", 2.5f}}), {tensor<float>({1, 1}, {1})},
        {tensor<float>({1, 2}, {2.5f, 1})});
  check_fails(node("Pad", 13), {row, list({0, 1})}, Code::ShapeMismatch);
  check_fails(node("Pad", 13), {row, list({0, -2, 0, -2})}, Code::ShapeMismatch);
  check_fails(node("Pad", 13, {{"mode", "mirror"}}), {row, list({0, 0, 0, 0})}, Code::InvalidModel);
  check_fails(node("Pad", 13, {{"mode", "edge"}}), {tensor<float>({0}, {}), list({1, 0})}, Code::ShapeMismatch);
}

TEST_CASE("Expand and Tile", "[ops][expand]") {
  const Tensor column = tensor<int32_t>({2, 1}, {1, 2});
  check(node("Expand", 13), {column, list({3})}, {tensor<int32_t>({2, 3}, {1, 1, 1, 2, 2, 2})});
  check(node("Expand", 13), {column, list({1, 1})}, {column});
  check(node("Expand", 8), {column, list({2, 1, 2})}, {tensor<int32_t>({2, 2, 2}, {1, 1, 2, 2, 1, 1, 2, 2})});
  check(node("Expand", 8), {tensor<std::string>({}, {"a"}), list({2})}, {tensor<std::string>({2}, {"a", "a"})});
  check_fails(node("Expand", 13), {column, list({3, 1})}, Code::ShapeMismatch);
  check_fails(node("Expand", 13), {column, list({-1})}, Code::InvalidData);
  check(node("Tile", 13), {column, list({2, 2})}, {tensor<int32_t>({4, 2}, {1, 1, 2, 2, 1, 1, 2, 2})});
  check(node("Tile", 13), {column, list({0, 1})}, {tensor<int32_t>({0, 1}, {})});
  check(node("Tile", 13), {tensor<int32_t>({1, 1, 1, 1, 1, 1, 1, 2}, {1, 2}), list({2, 1, 1, 1, 1, 1, 1, 2})},
        {tensor<int32_t>({2, 1, 1, 1, 1, 1, 1, 4}, {1, 2, 1, 2, 1, 2, 1, 2})});
  check(node("Tile", 1), {tensor<float>({1, 2}, {1, 2}), tensor<float>({}, {2}), tensor<float>({}, {1})},
        {tensor<float>({1, 4}, {1, 2, 1, 2})});
  check_fails(node("Tile", 13), {column, list({2})}, Code::ShapeMismatch);
  check_fails(node("Tile", 13), {column, list({-1, 1})}, Code::InvalidData);
}

TEST_CASE("An empty tensor of other dimensions adds nothing to a Concat", "[ops][concat]") {
  const Tensor empty = tensor<float>({0}, {}), x = tensor<float>({1, 2}, {1, 2});
  for (const int64_t axis : {0, 1, -1}) {
    const AttributeMap along{{"axis", axis}};
    check(node("Concat", 13, along), {empty, x}, {x});
    check(node("Concat", 13, along), {x, empty}, {x});
  }
  check(node("Concat", 13, {{"axis", int64_t{1}}}), {tensor<float>({0, 3}, {}), x}, {x});
  check_fails(node("Concat", 13, {{"axis", int64_t{1}}}), {tensor<float>({3}, {1, 2, 3}), x}, Code::ShapeMismatch);
}
