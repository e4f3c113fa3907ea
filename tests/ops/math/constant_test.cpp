#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Tensor words(std::initializer_list<std::string> values) {
  return tensor<std::string>({static_cast<int64_t>(values.size())}, values);
}

}  // namespace

TEST_CASE("Constants are what their attributes say", "[ops][constant]") {
  check(node("Constant", 13, {{"value_ints", std::vector<int64_t>{1, 2}}}), {}, {tensor<int64_t>({2}, {1, 2})});
  check(node("Constant", 13, {{"value_float", 1.5f}}), {}, {tensor<float>({}, {1.5f})});
  check(node("Constant", 13, {{"value_strings", std::vector<std::string>{"a"}}}), {}, {words({"a"})});
  check(node("Constant", 1, {{"value", tensor<float>({1, 2}, {3, 4})}}), {}, {tensor<float>({1, 2}, {3, 4})});
  check_fails(node("Constant", 13), {}, Code::InvalidModel);
  check(node("ConstantOfShape", 9, {{"value", tensor<int32_t>({1}, {7})}}), {tensor<int64_t>({2}, {1, 2})},
        {tensor<int32_t>({1, 2}, {7, 7})});
  check(node("ConstantOfShape", 9), {tensor<int64_t>({0}, {})}, {tensor<float>({}, {0})});
  check_fails(node("ConstantOfShape", 9), {tensor<int64_t>({1}, {-1})}, Code::InvalidData);
}
