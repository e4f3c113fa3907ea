#include <limits>

#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

TEST_CASE("Fused products are the product and what follows it", "[ops][fused_compositions]") {
  const Tensor a = tensor<float>({1, 2}, {1, -2});
  const Tensor b = tensor<float>({2, 2}, {1, 2, 3, 4});
  const Tensor bias = tensor<float>({2}, {1, 1});
  check(ms("FusedGemm", {{"activation", std::string("LeakyRelu")}, {"activation_alpha", 0.5f}, {"beta", 2.f}}),
        {a, b, bias}, {tensor<float>({1, 2}, {-1.5f, -2})});
  check(ms("FusedMatMulActivation", {{"activation", std::string("Relu")}, {"transB", int64_t{1}}, {"alpha", -1.f}}),
        {a, b}, {tensor<float>({1, 2}, {3, 5})});
  check(ms("TransposeMatMul", {{"transA", int64_t{1}}}), {tensor<float>({2, 1}, {1, -2}), b},
        {tensor<float>({1, 2}, {-5, -6})});
  check(ms("GemmFastGelu"), {tensor<float>({1, 1}, {1}), tensor<float>({1, 1}, {1})},
        {tensor<float>({1, 1}, {0.841192f})});
  check_fails(ms("FusedGemm", {{"activation", std::string("Nonsense")}}), {a, b}, Code::UnsupportedOperator);
}

TEST_CASE("FusedMatMul takes batches from behind the rows", "[ops][fused_compositions]") {
  // [rows, batch, k]
  const Tensor a = tensor<float>({2, 2, 1}, {1, 2, 3, 4});
  const Tensor b = tensor<float>({1, 2, 1}, {5, 7});
  check(ms("FusedMatMul", {{"transBatchA", int64_t{1}}}), {a, tensor<float>({2, 1, 1}, {5, 7})},
        {tensor<float>({2, 2, 1}, {5, 15, 14, 28})});
  check(ms("FusedMatMul", {{"transBatchA", int64_t{1}}, {"transBatchB", int64_t{1}}, {"transB", int64_t{1}}}), {a, b},
        {tensor<float>({2, 2, 1}, {5, 15, 14, 28})});
}

TEST_CASE("Biases with what follows them", "[ops][fused_compositions]") {
  const Tensor x = tensor<float>({1, 1, 4}, {1, 2, 3, 4});
  const Tensor bias = tensor<float>({4}, {1, 0, -3, -4});
  check(ms("BiasAdd"), {x, bias, x}, {tensor<float>({1, 1, 4}, {3, 4, 3, 4})});
  check(ms("BiasSplitGelu"), {x, bias}, {tensor<float>({1, 1, 2}, {0, 0})});
  check(ms("BiasDropout"), {x, bias, x}, {tensor<float>({1, 1, 4}, {3, 4, 3, 4})});
  check(ms("BiasSoftmax", {{"axis", int64_t{2}}, {"is_inner_broadcast", int64_t{0}}}),
        {tensor<float>({1, 2, 1, 2}, {0, 1, 2, 2}), tensor<float>({1, 2}, {1, 0})},
        {tensor<float>({1, 2, 1, 2}, {0.5f, 0.5f, 0.7310586f, 0.2689414f})});
  check(ms("GatedAdd"), {x, x, tensor<float>({1, 1, 1}, {2})}, {tensor<float>({1, 1, 4}, {3, 6, 9, 12})});
  check(ms("ScaledSiLU", {{"alpha", 2.f}}), {tensor<float>({1}, {0.5f})}, {tensor<float>({1}, {0.7310586f})});
}

TEST_CASE("GroupNorm works on either layout and may add and activate", "[ops][fused_compositions]") {
  const Tensor x = tensor<float>({1, 1, 2, 2}, {1, 3, 5, 7});
  const Tensor one = tensor<float>({2}, {1, 1}), zero = tensor<float>({2}, {0, 0});
  AttributeMap attributes{{"groups", int64_t{2}}, {"activation", int64_t{0}}, {"epsilon", 0.f}};
  check(ms("GroupNorm", attributes), {x, one, zero}, {tensor<float>({1, 1, 2, 2}, {-1, -1, 1, 1})});
  attributes["activation"] = int64_t{1};
  check(ms("GroupNorm", attributes), {x, one, zero},
        {tensor<float>({1, 1, 2, 2}, {-0.2689414f, -0.2689414f, 0.7310586f, 0.7310586f})});
  attributes["activation"] = int64_t{0};
  check(ms("SkipGroupNorm", attributes), {x, one, zero, x, tensor<float>({2}, {1, 2})},
        {tensor<float>({1, 1, 2, 2}, {-1, -1, 1, 1}), tensor<float>({1, 1, 2, 2}, {3, 8, 11, 16})});
  attributes["channels_last"] = int64_t{0};
  check(ms("GroupNorm", attributes), {tensor<float>({1, 2, 1, 2}, {1, 3, 5, 9}), one, zero},
        {tensor<float>({1, 2, 1, 2}, {-1, 1, -1, 1})});
}

TEST_CASE("Forerunners of standard operators", "[ops][fused_compositions]") {
  check(ms("Range"), {tensor<int32_t>({}, {3}), tensor<int32_t>({}, {6})}, {tensor<int32_t>({3}, {3, 4, 5})});
  check(ms("ExpandDims"), {tensor<float>({2}, {1, 2}), tensor<int32_t>({}, {-1})}, {tensor<float>({2, 1}, {1, 2})});
  check(ms("Pad"), {tensor<float>({1}, {1}), tensor<int64_t>({1, 2}, {1, 0}), tensor<float>({1}, {9})},
        {tensor<float>({2}, {9, 1})});
  check(
      ms("Unique"), {tensor<float>({6}, {2, 1, 1, 3, 4, 3})},
      {tensor<float>({4}, {2, 1, 3, 4}), tensor<int64_t>({6}, {0, 1, 1, 2, 3, 2}), tensor<int64_t>({4}, {1, 2, 2, 1})});
  check(ms("Trilu", {{"upper", int64_t{0}}}), {tensor<float>({2, 2}, {1, 2, 3, 4})},
        {tensor<float>({2, 2}, {1, 0, 3, 4})});
  check(ms("GatherND"), {tensor<float>({2, 2}, {1, 2, 3, 4}), tensor<int64_t>({1, 2}, {1, 0})},
        {tensor<float>({1}, {3})});
}

TEST_CASE("Distances, gates and checks", "[ops][fused_compositions]") {
  const Tensor a = tensor<float>({2, 2}, {0, 0, 3, 4}), b = tensor<float>({1, 2}, {0, 0});
  check(ms("CDist"), {a, b}, {tensor<float>({2, 1}, {0, 25})});
  check(ms("CDist", {{"metric", std::string("euclidean")}}), {a, b}, {tensor<float>({2, 1}, {0, 5})});
  check_fails(ms("CDist", {{"metric", std::string("hamming")}}), {a, b}, Code::UnsupportedOperator);
  check(ms("SwiGLU", {{"activation_beta", 1.f}}), {tensor<float>({1, 2}, {1, 2})},
        {tensor<float>({1, 1}, {3 * 0.7310586f})});
  check(ms("SwiGLU", {{"limit", 1.f}}), {tensor<float>({1}, {5}), tensor<float>({1}, {-9})},
        {tensor<float>({1}, {-0.7310586f})});
  check(ms("GatedRMSNorm", {{"epsilon", 0.f}, {"activation", std::string("sigmoid")}}),
        {tensor<float>({1, 4}, {1, -1, 5, 5}), tensor<float>({2}, {2, 4}), tensor<float>({1, 4}, {0, 0, 0, 0})},
        {tensor<float>({1, 4}, {1, -2, 1, 2})});
  const float inf = std::numeric_limits<float>::infinity();
  check(ms("IsAllFinite"), {a, b}, {tensor<bool>({}, {true})});
  check(ms("IsAllFinite"), {a, tensor<float>({1}, {inf})}, {tensor<bool>({}, {false})});
  check(ms("IsAllFinite", {{"isnan_only", int64_t{1}}}), {tensor<float>({1}, {inf})}, {tensor<bool>({}, {true})});
  check(ms("MatMulInteger16"), {tensor<int16_t>({1, 2}, {300, 200}), tensor<int16_t>({2, 1}, {300, -200})},
        {tensor<int32_t>({1, 1}, {50000})});
  // Gates of 1/2: u·(r·eco - 1) + 2 = 2.
  check(ms("GatedRelativePositionBias", {{"num_heads", int64_t{1}}}),
        {tensor<float>({1, 1, 1}, {3}), tensor<float>({1}, {-3}), tensor<float>({1, 1, 1, 1}, {7}),
         tensor<float>({1, 2}, {1, 1}), tensor<float>({2}, {0, 0}), tensor<float>({1, 1, 1, 1}, {2})},
        {tensor<float>({1, 1, 1, 1}, {14})});
}
