#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor words(std::initializer_list<std::string> values) {
  return tensor<std::string>({static_cast<int64_t>(values.size())}, values);
}

}  // namespace

TEST_CASE("Text is joined, split and normalised") {
  check(node("StringConcat", 20), {words({"a", "b"}), tensor<std::string>({}, {"!"})}, {words({"a!", "b!"})});
  check(node("StringSplit", 20, {{"delimiter", "."}}), {words({"a.b.", "c", ""})},
        {tensor<std::string>({3, 3}, {"a", "b", "", "c", "", "", "", "", ""}), tensor<int64_t>({3}, {3, 1, 0})});
  check(node("StringSplit", 20, {{"maxsplit", int64_t{1}}}), {words({"  a  b c "})},
        {tensor<std::string>({1, 2}, {"a", "b c"}), tensor<int64_t>({1}, {2})});
  check(node("StringNormalizer", 10, {{"case_change_action", "UPPER"}, {"stopwords", std::vector<std::string>{"Mon"}}}),
        {words({"mon", "tue"})}, {words({"TUE"})});
  check(
      node("StringNormalizer", 10, {{"is_case_sensitive", int64_t{1}}, {"stopwords", std::vector<std::string>{"mon"}}}),
      {tensor<std::string>({1, 1}, {"mon"})}, {tensor<std::string>({1, 1}, {""})});
  check_fails(node("StringNormalizer", 10, {{"case_change_action", "up"}}), {words({"a"})}, Code::InvalidModel);
  check_fails(node("StringConcat", 20), {words({"a"}), tensor<float>({1}, {1})}, Code::TypeMismatch);
}

TEST_CASE("Constants, dropout and updates") {
  check(node("Constant", 13, {{"value_ints", std::vector<int64_t>{1, 2}}}), {}, {tensor<int64_t>({2}, {1, 2})});
  check(node("Constant", 13, {{"value_float", 1.5f}}), {}, {tensor<float>({}, {1.5f})});
  check(node("Constant", 13, {{"value_strings", std::vector<std::string>{"a"}}}), {}, {words({"a"})});
  check(node("Constant", 1, {{"value", tensor<float>({1, 2}, {3, 4})}}), {}, {tensor<float>({1, 2}, {3, 4})});
  check_fails(node("Constant", 13), {}, Code::InvalidModel);
  check(node("ConstantOfShape", 9, {{"value", tensor<int32_t>({1}, {7})}}), {tensor<int64_t>({2}, {1, 2})},
        {tensor<int32_t>({1, 2}, {7, 7})});
  check(node("ConstantOfShape", 9), {tensor<int64_t>({0}, {})}, {tensor<float>({}, {0})});
  check_fails(node("ConstantOfShape", 9), {tensor<int64_t>({1}, {-1})}, Code::InvalidData);
  const Tensor x = tensor<float>({2}, {1, 2});
  check(node("Dropout", 13), {x}, {x, tensor<bool>({2}, {true, true})});
  check(node("Dropout", 7), {x}, {x, tensor<float>({2}, {1, 1})});
  check(node("Dropout", 13), {x, tensor<float>({}, {0.5f}), tensor<bool>({}, {false})}, {x});
  check_fails(node("Dropout", 13), {x, tensor<float>({}, {0.5f}), tensor<bool>({}, {true})}, Code::UnsupportedOperator);
  const Tensor cache = tensor<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6});
  const Tensor update = tensor<float>({2, 2, 1}, {7, 8, 9, 10});
  check(node("TensorScatter", 24), {cache, update, tensor<int64_t>({2}, {1, 0})},
        {tensor<float>({2, 3, 1}, {1, 7, 8, 9, 10, 6})});
  check(node("TensorScatter", 24, {{"mode", "circular"}}), {cache, update, tensor<int64_t>({2}, {2, 0})},
        {tensor<float>({2, 3, 1}, {8, 2, 7, 9, 10, 6})});
  check_fails(node("TensorScatter", 24), {cache, update, tensor<int64_t>({2}, {2, 0})}, Code::InvalidData);
  check(node("AffineGrid", 20, {{"align_corners", int64_t{1}}}),
        {tensor<float>({1, 2, 3}, {1, 0, 0.5f, 0, 2, 0}), tensor<int64_t>({4}, {1, 1, 2, 2})},
        {tensor<float>({1, 2, 2, 2}, {-0.5f, -2, 1.5f, -2, -0.5f, 2, 1.5f, 2})});
}
