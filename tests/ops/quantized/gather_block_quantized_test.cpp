#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Node lookup(AttributeMap attributes) {
  attributes.emplace("block_size", int64_t{16});
  return node("GatherBlockQuantized", 1, std::move(attributes), "com.microsoft");
}

Tensor bytes(const Shape& shape, uint8_t first, uint8_t second) {  // the first row, then the others
  auto t = Tensor::create(DType::UInt8, shape);
  REQUIRE(t.ok());
  for (int64_t i = 0; i < t->count(); ++i) t->data<uint8_t>()[i] = i < shape.back() ? first : second;
  return std::move(*t);
}

Tensor rows(std::initializer_list<float> values) {
  auto t = Tensor::create(DType::Float32, Shape{static_cast<int64_t>(values.size()), 16});
  REQUIRE(t.ok());
  int64_t r = 0;
  for (const float v : values) std::fill_n(t->data<float>() + r++ * 16, 16, v);
  return std::move(*t);
}

}  // namespace

TEST_CASE("GatherBlockQuantized looks rows up and gives zeros for those that are not there",
          "[ops][gather_block_quantized]") {
  const Tensor four = bytes({2, 8}, 0x99, 0x33);
  const Tensor scales = tensor<float>({2, 1}, {2, 10});
  check(lookup({}), {four, tensor<int64_t>({3}, {1, 0, 5}), scales}, {rows({-50, 2, 0})});
  check(lookup({}), {four, tensor<int32_t>({2}, {-1, -3}), scales, tensor<uint8_t>({2, 1}, {9, 1})}, {rows({20, 0})});
  check(lookup({{"bits", int64_t{8}}}), {bytes({1, 16}, 130, 0), tensor<int64_t>({1}, {0}), tensor<float>({1, 1}, {1})},
        {rows({2})});
  check(lookup({{"bits", int64_t{2}}}),
        {bytes({1, 4}, 0xff, 0), tensor<int64_t>({1}, {0}), tensor<float>({1, 1}, {1}), tensor<uint8_t>({1, 1}, {1})},
        {rows({2})});
  check_fails(lookup({}), {four, tensor<int64_t>({1}, {0}), tensor<float>({2, 2}, {1, 1, 1, 1})}, Code::ShapeMismatch);
  check_fails(lookup({{"bits", int64_t{5}}}), {four, tensor<int64_t>({1}, {0}), scales}, Code::UnsupportedOperator);
  check_fails(lookup({{"gather_axis", int64_t{1}}}), {four, tensor<int64_t>({1}, {0}), scales}, Code::InvalidModel);
}

TEST_CASE("GatherBlockQuantized takes blocks along another axis and 4-bit types", "[ops][gather_block_quantized]") {
  auto table = Tensor::create(DType::Int4, Shape{2, 2});
  REQUIRE(table.ok());
  static_cast<uint8_t*>(table->raw())[0] = 0x1f;  // -1, 1
  static_cast<uint8_t*>(table->raw())[1] = 0x28;  // -8, 2
  check(lookup({{"quantize_axis", int64_t{0}}, {"gather_axis", int64_t{1}}}),
        {*table, tensor<int64_t>({1}, {1}), tensor<float>({1, 2}, {1, 3})}, {tensor<float>({2, 1}, {3, 6})});
}
