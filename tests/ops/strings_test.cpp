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

TEST_CASE("RegexFullMatch looks at every text") {
  check(node("RegexFullMatch", 20, {{"pattern", "a+|b"}}), {tensor<std::string>({2, 2}, {"aa", "b", "ab", ""})},
        {tensor<bool>({2, 2}, {true, true, false, false})});
  check(node("RegexFullMatch", 20, {{"pattern", ""}}), {tensor<std::string>({}, {""})}, {tensor<bool>({}, {true})});
  check_fails(node("RegexFullMatch", 20, {{"pattern", "("}}), {words({"a"})}, Code::InvalidModel);
  check_fails(node("RegexFullMatch", 20, {{"pattern", "\\pL"}}), {words({"a"})}, Code::UnsupportedOperator);
  check_fails(node("RegexFullMatch", 20), {words({"a"})}, Code::InvalidModel);
  check_fails(node("RegexFullMatch", 20, {{"pattern", "a"}}), {tensor<float>({1}, {1})}, Code::TypeMismatch);
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

TEST_CASE("Dropout in training keeps a share and scales it") {
  constexpr int64_t kCount = 4000;
  auto ones = Tensor::create(DType::Float32, Shape{kCount});
  REQUIRE(ones.ok());
  std::fill_n(ones->data<float>(), kCount, 1.0f);
  const Tensor on = tensor<bool>({}, {true});
  const auto share = [&](const Node& spec, const std::vector<Value>& inputs, float scale) {
    auto results = run(spec, inputs, 2);
    if (!results.ok()) FAIL(results.status().message());
    int64_t kept = 0;
    for (int64_t i = 0; i < kCount; ++i) {
      const float y = (*results)[0].tensor()->data<float>()[i];
      const Tensor& mask = *(*results)[1].tensor();
      const bool said = mask.dtype() == DType::Bool ? mask.data<bool>()[i] : mask.data<float>()[i] == 1;
      if (y != (said ? scale : 0)) CHECK(false);
      kept += said;
    }
    return static_cast<double>(kept) / kCount;
  };
  CHECK(std::abs(share(node("Dropout", 13), {*ones, Value(), on}, 2) - 0.5) < 0.05);
  CHECK(std::abs(share(node("Dropout", 22), {*ones, tensor<double>({}, {0.75}), on}, 4) - 0.25) < 0.05);
  CHECK(std::abs(share(node("Dropout", 6, {{"ratio", 0.5f}}), {*ones}, 2) - 0.5) < 0.05);
  CHECK(share(node("Dropout", 6, {{"is_test", int64_t{1}}}), {*ones}, 1) == 1);
  CHECK(share(node("Dropout", 13), {*ones, tensor<float>({}, {0}), on}, 1) == 1);
  check_fails(node("Dropout", 13), {*ones, tensor<float>({}, {1}), on}, Code::InvalidData);
  check_fails(node("Dropout", 13), {*ones, Value(), tensor<float>({}, {1})}, Code::TypeMismatch);
}

TEST_CASE("Steps of training") {
  const std::string domain = "ai.onnx.preview.training";
  const Tensor rate = tensor<float>({}, {0.1f});
  const Tensor first = tensor<int64_t>({}, {0});
  const Tensor second = tensor<int64_t>({}, {1});
  const Tensor x = tensor<float>({2}, {1, 2});
  const Tensor g = tensor<float>({2}, {-1, -3});
  const Tensor h = tensor<float>({2}, {4, 1});
  const AttributeMap momentum{
      {"alpha", 0.5f}, {"beta", 0.25f}, {"norm_coefficient", 0.0f}, {"mode", std::string("standard")}};
  check(node("Momentum", 1, momentum, domain), {rate, first, x, g, h},
        {tensor<float>({2}, {0.9f, 2.25f}), tensor<float>({2}, {1, -2.5f})});
  check(node("Momentum", 1, momentum, domain), {rate, second, x, g, h},
        {tensor<float>({2}, {0.825f, 2.025f}), tensor<float>({2}, {1.75f, -0.25f})});
  auto nesterov = momentum;
  nesterov["mode"] = "nesterov";
  check(node("Momentum", 1, nesterov, domain), {rate, first, x, g, h},
        {tensor<float>({2}, {1.05f, 2.425f}), tensor<float>({2}, {1, -2.5f})});
  check(node("Adagrad", 1, {{"epsilon", 0.0f}, {"decay_factor", 1.0f}}, domain), {rate, second, x, g, h},
        {tensor<float>({2}, {1 + 0.05f / 2.236068f, 2 + 0.15f / 3.1622777f}), tensor<float>({2}, {5, 10})});
  // Two tensors at a time; the groups follow one another.
  check(node("Adam", 1, {{"alpha", 0.5f}, {"beta", 0.5f}, {"epsilon", 0.0f}}, domain),
        {rate, first, x, x, g, g, h, h, h, h},
        {tensor<float>({2}, {1 - 0.1f * 1.5f / 1.5811388f, 2 + 0.1f / 2.236068f}),
         tensor<float>({2}, {1 - 0.1f * 1.5f / 1.5811388f, 2 + 0.1f / 2.236068f}), tensor<float>({2}, {1.5f, -1}),
         tensor<float>({2}, {1.5f, -1}), tensor<float>({2}, {2.5f, 5}), tensor<float>({2}, {2.5f, 5})});
  check_fails(node("Adam", 1, {}, domain), {rate, first, x, g, h}, Code::MissingInput);
  check_fails(node("Momentum", 1, {}, domain), {rate, first, x, g, h}, Code::InvalidModel);
  check_fails(node("Adagrad", 1, {}, domain), {rate, first, x, g, tensor<float>({1}, {1})}, Code::ShapeMismatch);
  check_fails(node("Adagrad", 1, {}, domain), {rate, first, x, g, tensor<double>({2}, {1, 1})}, Code::TypeMismatch);
}

TEST_CASE("ImageDecoder says who decodes") {
  check_fails(node("ImageDecoder", 20), {tensor<uint8_t>({1}, {0})}, Code::UnsupportedOperator);
}

TEST_CASE("Tokenizer finds tokens or what is between separators", "[ops][tokenizer]") {
  const auto tokenizer = [](AttributeMap a) {
    a.insert(
        {{"pad_value", std::string("#")}, {"mincharnum", a.contains("mincharnum") ? a["mincharnum"] : int64_t{1}}});
    return node("Tokenizer", 1, std::move(a), "com.microsoft");
  };
  const auto by = [](std::vector<std::string> patterns) { return AttributeMap{{"separators", std::move(patterns)}}; };
  const Tensor in = words({"ab,c", "x;yz", ""});
  check(tokenizer({{"tokenexp", std::string("[a-z]+")}}), {in},
        {tensor<std::string>({3, 2}, {"ab", "c", "x", "yz", "#", "#"})});
  check(tokenizer({{"tokenexp", std::string("[a-z]+")}, {"mincharnum", int64_t{2}}}), {in},
        {tensor<std::string>({3, 1}, {"ab", "yz", "#"})});
  // The longest match counts, and word edges see the character before.
  check(
      tokenizer({{"tokenexp", std::string("\\b\\w|\\w\\w")}, {"mark", int64_t{1}}}), {in},
      {tensor<std::string>({3, 4}, {"\x02", "ab", "c", "\x03", "\x02", "x", "yz", "\x03", "\x02", "\x03", "#", "#"})});
  check(tokenizer(by({",", ";"})), {in}, {tensor<std::string>({3, 2}, {"ab", "c", "x", "yz", "#", "#"})});
  // An earlier separator goes before a longer one.
  check(tokenizer(by({"b", "ab"})), {words({"ab,c"})}, {tensor<std::string>({1, 2}, {"a", ",c"})});
  check(tokenizer(by({""})), {words({"aé", "z"})}, {tensor<std::string>({2, 2}, {"a", "é", "z", "#"})});
  check(tokenizer(by({","})), {words({"", ","})}, {tensor<std::string>({2, 0}, {})});
  check_fails(tokenizer(by({"("})), {in}, Code::InvalidModel);
  check_fails(tokenizer({}), {in}, Code::InvalidModel);
}
