#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

TEST_CASE("LabelEncoder translates", "[ops][label_encoder]") {
  const auto encoder = [](int version, AttributeMap a) {
    return node("LabelEncoder", version, std::move(a), "ai.onnx.ml");
  };
  const Tensor words = tensor<std::string>({3}, {"b", "a", "x"});
  check(encoder(1, {{"classes_strings", std::vector<std::string>{"a", "b"}}}), {words},
        {tensor<int64_t>({3}, {1, 0, -1})});
  check(encoder(1, {{"classes_strings", std::vector<std::string>{"a", "b"}}}), {tensor<int64_t>({2}, {1, 7})},
        {tensor<std::string>({2}, {"b", "_Unused"})});
  check(encoder(2, {{"keys_strings", std::vector<std::string>{"b", "a"}},
                    {"values_floats", std::vector<float>{1, 2}},
                    {"default_float", 9.0f}}),
        {words}, {tensor<float>({3}, {1, 2, 9})});
  check(encoder(4,
                {{"keys_floats", std::vector<float>{std::nanf(""), 2}}, {"values_int64s", std::vector<int64_t>{5, 6}}}),
        {tensor<float>({3}, {2, std::nanf(""), 3})}, {tensor<int64_t>({3}, {6, 5, -1})});
  check(encoder(4, {{"keys_tensor", tensor<int64_t>({2}, {3, 4})},
                    {"values_tensor", tensor<double>({2}, {0.5, 1.5})},
                    {"default_tensor", tensor<double>({1}, {-1})}}),
        {tensor<int64_t>({2}, {4, 5})}, {tensor<double>({2}, {1.5, -1})});
  check_fails(
      encoder(2, {{"keys_strings", std::vector<std::string>{"b"}}, {"values_floats", std::vector<float>{1, 2}}}),
      {words}, Code::InvalidModel);
  check_fails(encoder(2, {{"keys_floats", std::vector<float>{1}}, {"values_floats", std::vector<float>{1}}}), {words},
              Code::TypeMismatch);
}

}  // namespace
}  // namespace nm::test
