#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

using Ints = std::vector<int64_t>;
const AttributeMap kExact = {{"epsilon", 0.0f}};

AttributeMap with(AttributeMap a, const char* name, Attribute value) {
  a[name] = std::move(value);
  return a;
}

TEST_CASE("LayerNormalization and RMSNormalization", "[ops][layer_norm]") {
  const Tensor x = tensor<float>({2, 2}, {1, 3, 2, 8});
  const Tensor scale = tensor<float>({2}, {2, 3}), bias = tensor<float>({2}, {1, -1});
  check(node("LayerNormalization", 17, kExact), {x, scale, bias},
        {tensor<float>({2, 2}, {-1, 2, -1, 2}), tensor<float>({2, 1}, {2, 5}), tensor<float>({2, 1}, {1, 1.f / 3})});
  check(node("LayerNormalization", 17, with(kExact, "axis", int64_t{0})), {x, tensor<float>({1}, {1})},
        {tensor<float>({2, 2}, {-0.9284767f, -0.1856953f, -0.5570860f, 1.6712580f})});
  check(node("LayerNormalization", 17, kExact), {tensor<double>({1, 2}, {1, 3}), tensor<double>({2}, {2, 3})},
        {tensor<double>({1, 2}, {-2, 3})});
  check(node("RMSNormalization", 23, kExact), {tensor<float>({1, 2}, {1, 7}), scale},
        {tensor<float>({1, 2}, {0.4f, 4.2f})});
  check(node("SimplifiedLayerNormalization", 1, kExact), {tensor<float>({1, 2}, {1, 7}), scale},
        {tensor<float>({1, 2}, {0.4f, 4.2f}), tensor<float>({1, 1}, {0.2f})});
  check_fails(node("LayerNormalization", 17), {x, tensor<float>({3}, {1, 2, 3})}, Code::ShapeMismatch);
  check_fails(node("LayerNormalization", 17, {{"axis", int64_t{2}}}), {x, scale}, Code::ShapeMismatch);
}

TEST_CASE("A norm's scale and bias may differ from row to row", "[ops][layer_norm]") {
  const Tensor x = tensor<float>({2, 2, 2}, {1, 3, 2, 6, -1, 1, 0, 10});  // normalised: -1, 1 in each row
  const Tensor scale = tensor<float>({2, 1, 2}, {1, 2, 3, 4}), bias = tensor<float>({2, 1}, {10, 20});
  check(node("LayerNormalization", 17, {{"epsilon", 0.f}}), {x, scale, bias},
        {tensor<float>({2, 2, 2}, {9, 12, 19, 22, 7, 14, 17, 24})});
  check(node("LayerNormalization", 17, {{"epsilon", 0.f}}), {x, tensor<float>({1, 1, 2}, {1, 2})},
        {tensor<float>({2, 2, 2}, {-1, 2, -1, 2, -1, 2, -1, 2})});
  check_fails(node("LayerNormalization", 17), {x, tensor<float>({3, 1}, {1, 2, 3})}, Code::ShapeMismatch);
}

TEST_CASE("SkipLayerNormalization adds before it normalises", "[ops][layer_norm]") {
  const Tensor x = tensor<float>({1, 2, 2}, {1, 1, 1, 4}), skip = tensor<float>({1, 2, 2}, {0, 1, 1, 3});
  const Tensor gamma = tensor<float>({2}, {2, 3}), beta = tensor<float>({2}, {1, -1}),
               bias = tensor<float>({2}, {0, 1});
  auto results = run(node("SkipLayerNormalization", 1, kExact, "com.microsoft"), {x, skip, gamma, beta, bias}, 4);
  REQUIRE(results.ok());
  check_equal((*results)[0], tensor<float>({1, 2, 2}, {-1, 2, -1, 2}));
  check_equal((*results)[1], tensor<float>({1, 2, 1}, {2, 5}));
  check_equal((*results)[3], tensor<float>({1, 2, 2}, {1, 3, 2, 8}));
  check(node("SkipLayerNormalization", 1, kExact, "com.microsoft"), {x, tensor<float>({2, 2}, {0, 2, 1, 4}), gamma},
        {tensor<float>({1, 2, 2}, {-2, 3, -2, 3})});
  check(node("SkipSimplifiedLayerNormalization", 1, kExact, "com.microsoft"),
        {tensor<float>({1, 2}, {1, 3}), tensor<float>({1, 2}, {0, 4}), gamma}, {tensor<float>({1, 2}, {0.4f, 4.2f})});
}

TEST_CASE("BatchNormalization", "[ops][batch_norm]") {
  const Tensor x = tensor<float>({1, 2, 1, 2}, {1, 2, 3, 4});
  const Tensor scale = tensor<float>({2}, {1, 4}), bias = tensor<float>({2}, {0, 1}), mean = tensor<float>({2}, {1, 2}),
               variance = tensor<float>({2}, {1, 4});
  const Tensor y = tensor<float>({1, 2, 1, 2}, {0, 1, 3, 5});
  for (const int version : {1, 7, 9, 15})
    check(node("BatchNormalization", version, kExact), {x, scale, bias, mean, variance}, {y});
  check(node("BatchNormalization", 15, with(kExact, "nm_channels_last", int64_t{1})),
        {tensor<float>({1, 1, 2, 2}, {1, 3, 2, 4}), scale, bias, mean, variance},
        {tensor<float>({1, 1, 2, 2}, {0, 3, 1, 5})});
  check(node("BatchNormalization", 7, with(kExact, "spatial", int64_t{0})),
        {tensor<float>({1, 1, 2}, {1, 4}), scale, bias, mean, variance}, {tensor<float>({1, 1, 2}, {0, 5})});
  check(node("BatchNormalization", 15, with(with(kExact, "training_mode", int64_t{1}), "momentum", 0.5f)),
        {tensor<float>({2, 1}, {1, 3}), tensor<float>({1}, {2}), tensor<float>({1}, {1}), tensor<float>({1}, {0}),
         tensor<float>({1}, {3})},
        {tensor<float>({2, 1}, {-1, 3}), tensor<float>({1}, {1}), tensor<float>({1}, {2})});
  check_fails(node("BatchNormalization", 15), {x, scale, bias, mean, tensor<float>({1}, {1})}, Code::ShapeMismatch);
  check_fails(node("BatchNormalization", 15), {x, scale, bias, mean}, Code::MissingInput);
}

TEST_CASE("InstanceNormalization and GroupNormalization", "[ops][instance_norm]") {
  const Tensor x = tensor<float>({1, 2, 2}, {1, 3, 2, 8});
  const Tensor scale = tensor<float>({2}, {2, 3}), bias = tensor<float>({2}, {1, -1});
  check(node("InstanceNormalization", 6, kExact), {x, scale, bias}, {tensor<float>({1, 2, 2}, {-1, 3, -4, 2})});
  check(node("InstanceNormalization", 6, with(kExact, "nm_channels_last", int64_t{1})),
        {tensor<float>({1, 2, 2}, {1, 2, 3, 8}), scale, bias}, {tensor<float>({1, 2, 2}, {-1, -4, 3, 2})});
  check(node("InstanceNormalization", 22, kExact),
        {tensor<double>({1, 1, 2}, {1, 3}), tensor<double>({1}, {2}), tensor<double>({1}, {1})},
        {tensor<double>({1, 1, 2}, {-1, 3})});
  check(node("GroupNormalization", 18, with(kExact, "num_groups", int64_t{2})),
        {tensor<float>({1, 4}, {1, 3, 2, 8}), scale, bias}, {tensor<float>({1, 4}, {-1, 3, -4, 2})});
  check(node("GroupNormalization", 21, with(kExact, "num_groups", int64_t{2})),
        {tensor<float>({1, 4}, {1, 3, 2, 8}), tensor<float>({4}, {1, 2, 3, 4}), tensor<float>({4}, {0, 0, 0, 1})},
        {tensor<float>({1, 4}, {-1, 2, -3, 5})});
  check_fails(node("GroupNormalization", 21, {{"num_groups", int64_t{3}}}), {x, scale, bias}, Code::ShapeMismatch);
  check_fails(node("InstanceNormalization", 6), {x, tensor<float>({1}, {1}), bias}, Code::ShapeMismatch);
}

TEST_CASE("LpNormalization, MeanVarianceNormalization, LRN", "[ops][lp_norm]") {
  check(node("LpNormalization", 1), {tensor<float>({2, 2}, {3, 4, 0, 0})}, {tensor<float>({2, 2}, {0.6f, 0.8f, 0, 0})});
  check(node("LpNormalization", 22, {{"p", int64_t{1}}, {"axis", int64_t{0}}}), {tensor<double>({2, 1}, {1, -3})},
        {tensor<double>({2, 1}, {0.25, -0.75})});
  check(node("MeanVarianceNormalization", 13, {{"axes", Ints{1}}}), {tensor<float>({2, 2}, {1, 3, 2, 8})},
        {tensor<float>({2, 2}, {-1, 1, -1, 1})});
  const AttributeMap lrn = {{"size", int64_t{3}}, {"alpha", 3.0f}, {"beta", 1.0f}, {"bias", 1.0f}};
  check(node("LRN", 13, lrn), {tensor<float>({1, 3, 1}, {1, 2, 3})},
        {tensor<float>({1, 3, 1}, {1.f / 6, 2.f / 15, 3.f / 14})});
  check_fails(node("LRN", 13), {tensor<float>({1, 3, 1}, {1, 2, 3})}, Code::InvalidModel);
  check_fails(node("LpNormalization", 1, {{"p", int64_t{3}}}), {tensor<float>({1}, {1})}, Code::InvalidModel);
}

TEST_CASE("What has no variance normalises to the bias", "[ops][instance_norm]") {
  for (const float value : {1234.f, 1234.567f, -98765.4f, 0.001f}) {
    for (const int64_t size : {7, 97}) {
      const Tensor image = repeated({1, 3, size, size}, value);
      const Tensor ones = repeated({3}, 1), zeros = repeated({3}, 0);
      const auto check_zero = [&](const Node& n, const std::vector<Value>& inputs) {
        auto results = run(n, inputs);
        REQUIRE(results.ok());
        float most = 0;  // NaN stays
        for (const float v : (*results)[0].tensor()->span<float>()) most += std::abs(v);
        INFO(n.op_type << " of " << value << ", size " << size);
        CHECK(most == 0);
      };
      check_zero(node("InstanceNormalization", 6), {image, ones, zeros});
      check_zero(node("InstanceNormalization", 6, {{"nm_channels_last", int64_t{1}}}),
                 {repeated({1, size, size, 3}, value), ones, zeros});
      check_zero(node("GroupNormalization", 21, {{"num_groups", int64_t{1}}}), {image, ones, zeros});
      check_zero(node("LayerNormalization", 17), {image, repeated({size}, 1)});
      check_zero(node("BatchNormalization", 15), {image, ones, zeros, repeated({3}, value), repeated({3}, 0)});
      check_zero(node("MeanVarianceNormalization", 13), {image});
    }
  }
}

}  // namespace
}  // namespace nm::test
