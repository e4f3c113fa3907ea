#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

TEST_CASE("EmbedLayerNormalization adds vectors and counts words", "[ops][embed_layer_norm]") {
  const auto embed = node("EmbedLayerNormalization", 1, {{"epsilon", 0.0f}}, "com.microsoft");
  const Tensor ids = tensor<int32_t>({1, 2}, {1, 0}), words = tensor<float>({2, 2}, {0, 0, 1, 3}),
               positions = tensor<float>({2, 2}, {0, 0, 4, 8}), ones = tensor<float>({2}, {1, 1});
  check(embed, {ids, Value(), words, positions, Value(), ones, ones, tensor<int32_t>({1, 2}, {1, 0})},
        {tensor<float>({1, 2, 2}, {0, 2, 0, 2}), tensor<int32_t>({1}, {1})});
  check_fails(embed, {tensor<int32_t>({1, 2}, {2, 0}), Value(), words, positions, Value(), ones, ones},
              Code::InvalidData);
  check_fails(embed, {ids, ids, words, positions, Value(), ones, ones}, Code::MissingInput);
}

}  // namespace
}  // namespace nm::test
