#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor counted() { return tensor<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6}); }

Tensor list(std::initializer_list<int64_t> values) {
  return tensor<int64_t>({static_cast<int64_t>(values.size())}, values);
}

Tensor cube(const Shape& shape) { return tensor<float>(shape, {1, 2, 3, 4, 5, 6}); }

}  // namespace

TEST_CASE("Reshape", "[ops][reshape]") {
  struct Row {
    std::initializer_list<int64_t> target;
    Shape out;
  };
  for (const Row& r : {Row{{6}, {6}}, Row{{-1, 2}, {3, 2}}, Row{{0, -1}, {2, 3}}, Row{{3, 1, 2}, {3, 1, 2}}}) {
    check(node("Reshape", 21), {counted(), list(r.target)}, {cube(r.out)});
    check(node("Reshape", 1, {{"shape", std::vector<int64_t>(r.target)}}), {counted()}, {cube(r.out)});
  }
  check(node("Reshape", 14, {{"allowzero", int64_t{1}}}), {tensor<float>({0, 3}, {}), list({3, 0})},
        {tensor<float>({3, 0}, {})});
  check(node("Reshape", 13), {tensor<std::string>({1}, {"a"}), list({})}, {tensor<std::string>({}, {"a"})});
  check_fails(node("Reshape", 13), {counted(), list({4})}, Code::ShapeMismatch);
  check_fails(node("Reshape", 13), {counted(), list({-1, 4})}, Code::ShapeMismatch);
  check_fails(node("Reshape", 13), {counted(), list({-1, -1})}, Code::ShapeMismatch);
  check_fails(node("Reshape", 13), {counted(), list({1, 1, 1, 0})}, Code::ShapeMismatch);
  check_fails(node("Reshape", 13), {counted()}, Code::MissingInput);
}

TEST_CASE("Flatten", "[ops][reshape]") {
  check(node("Flatten", 13), {counted()}, {cube({2, 3})});
  check(node("Flatten", 13, {{"axis", int64_t{0}}}), {counted()}, {cube({1, 6})});
  check(node("Flatten", 13, {{"axis", int64_t{3}}}), {counted()}, {cube({6, 1})});
  check(node("Flatten", 13, {{"axis", int64_t{-1}}}), {counted()}, {cube({6, 1})});
  check_fails(node("Flatten", 13, {{"axis", int64_t{4}}}), {counted()}, Code::ShapeMismatch);
}

TEST_CASE("Squeeze and Unsqueeze", "[ops][reshape]") {
  check(node("Squeeze", 13), {counted()}, {cube({2, 3})});
  check(node("Squeeze", 13), {counted(), list({-1})}, {cube({2, 3})});
  check(node("Squeeze", 11, {{"axes", std::vector<int64_t>{2}}}), {counted()}, {cube({2, 3})});
  check_fails(node("Squeeze", 13), {counted(), list({0})}, Code::ShapeMismatch);
  check(node("Unsqueeze", 13), {counted(), list({0, -1})}, {cube({1, 2, 3, 1, 1})});
  check(node("Unsqueeze", 11, {{"axes", std::vector<int64_t>{1}}}), {counted()}, {cube({2, 1, 3, 1})});
  check_fails(node("Unsqueeze", 13), {counted(), list({0, 0})}, Code::ShapeMismatch);
  check_fails(node("Unsqueeze", 13), {counted(), list({5})}, Code::ShapeMismatch);
  check_fails(node("Unsqueeze", 11), {counted()}, Code::InvalidModel);
}

TEST_CASE("Shape and Size", "[ops][shape_of]") {
  check(node("Shape", 13), {counted()}, {list({2, 3, 1})});
  check(node("Shape", 15, {{"start", int64_t{-2}}}), {counted()}, {list({3, 1})});
  check(node("Shape", 15, {{"start", int64_t{1}}, {"end", int64_t{-1}}}), {counted()}, {list({3})});
  check(node("Shape", 15, {{"start", int64_t{2}}, {"end", int64_t{1}}}), {counted()}, {list({})});
  check(node("Shape", 1), {tensor<float>({}, {1})}, {list({})});
  check(node("Size", 13), {counted()}, {tensor<int64_t>({}, {6})});
}

TEST_CASE("Transpose", "[ops][transpose]") {
  const Tensor matrix = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  check(node("Transpose", 13), {matrix}, {tensor<float>({3, 2}, {1, 4, 2, 5, 3, 6})});
  check(node("Transpose", 13, {{"perm", std::vector<int64_t>{0, 1}}}), {matrix}, {matrix});
  check(node("Transpose", 1, {{"perm", std::vector<int64_t>{2, 1, 0}}}), {counted()},
        {tensor<float>({1, 3, 2}, {1, 4, 2, 5, 3, 6})});
  check(node("Transpose", 13), {tensor<std::string>({1, 2}, {"a", "b"})}, {tensor<std::string>({2, 1}, {"a", "b"})});
  check(node("Transpose", 13), {tensor<uint8_t>({2, 2}, {1, 2, 3, 4})}, {tensor<uint8_t>({2, 2}, {1, 3, 2, 4})});
  check_fails(node("Transpose", 13, {{"perm", std::vector<int64_t>{0}}}), {matrix}, Code::ShapeMismatch);
  check_fails(node("Transpose", 13, {{"perm", std::vector<int64_t>{0, 0}}}), {matrix}, Code::ShapeMismatch);
}
