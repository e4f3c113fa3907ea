#include <limits>

#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

Node ms(std::string op, AttributeMap attributes = {}) {
  return node(std::move(op), 1, std::move(attributes), "com.microsoft");
}

}  // namespace

TEST_CASE("Inverse undoes square matrices", "[ops][inverse]") {
  check(ms("Inverse"), {tensor<float>({2, 2, 2}, {0, 2, 4, 0, 1, 2, 3, 4})},
        {tensor<float>({2, 2, 2}, {0, 0.25f, 0.5f, 0, -2, 1, 1.5f, -0.5f})});
  check(ms("Inverse"), {tensor<double>({1, 1}, {4})}, {tensor<double>({1, 1}, {0.25})});
  check_fails(ms("Inverse"), {tensor<float>({2, 2}, {1, 2, 2, 4})}, Code::InvalidData);
  check_fails(ms("Inverse"), {tensor<float>({1, 2}, {1, 2})}, Code::ShapeMismatch);
}

TEST_CASE("NGramRepeatBlock hides words that would repeat a run", "[ops][ngram_repeat_block]") {
  const float none = -std::numeric_limits<float>::infinity();
  const Tensor words = tensor<int64_t>({2, 4}, {1, 2, 3, 1, 0, 0, 0, 0}),
               scores = tensor<float>({2, 4}, {1, 1, 1, 1, 2, 2, 2, 2});
  check(ms("NGramRepeatBlock", {{"ngram_size", int64_t{2}}}), {words, scores},
        {tensor<float>({2, 4}, {1, 1, none, 1, none, 2, 2, 2})});
  check(ms("NGramRepeatBlock", {{"ngram_size", int64_t{9}}}), {words, scores}, {scores});
  check_fails(ms("NGramRepeatBlock"), {words, scores}, Code::InvalidModel);
  check_fails(ms("NGramRepeatBlock", {{"ngram_size", int64_t{1}}}), {words, tensor<float>({2, 2}, {0, 0, 0, 0})},
              Code::InvalidData);
}

TEST_CASE("RelativePositionBias is fine near by and coarse far away", "[ops][relative_position_bias]") {
  const Tensor table = tensor<float>({4, 1}, {0, 1, 2, 3});
  const Tensor three = tensor<int64_t>({}, {3});
  const AttributeMap six{{"max_distance", int64_t{6}}};
  check(ms("RelativePositionBias", six), {table, three, three},
        {tensor<float>({1, 1, 3, 3}, {0, 0, 0, 1, 0, 0, 2, 1, 0})});
  AttributeMap both = six;
  both["is_bidirectional"] = int64_t{1};
  check(ms("RelativePositionBias", both), {table, three, three},
        {tensor<float>({1, 1, 3, 3}, {0, 3, 3, 1, 0, 3, 1, 1, 0})});
  check_fails(ms("RelativePositionBias", six), {table, tensor<int64_t>({}, {-1}), three}, Code::InvalidData);
  check_fails(ms("RelativePositionBias"), {table, three, three}, Code::InvalidModel);
}

TEST_CASE("UnfoldTensor shows slices", "[ops][unfold_tensor]") {
  const Tensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  check(ms("UnfoldTensor", {{"size", int64_t{2}}}), {x}, {tensor<float>({2, 2, 2}, {1, 2, 2, 3, 4, 5, 5, 6})});
  check(ms("UnfoldTensor", {{"size", int64_t{2}}, {"dim", int64_t{0}}}), {x},
        {tensor<float>({1, 3, 2}, {1, 4, 2, 5, 3, 6})});
  check_fails(ms("UnfoldTensor", {{"size", int64_t{4}}}), {x}, Code::ShapeMismatch);
  check_fails(ms("UnfoldTensor"), {x}, Code::InvalidModel);
}

TEST_CASE("CropAndResize samples boxes corner on corner", "[ops][crop_and_resize]") {
  const Tensor x = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  const Tensor boxes = tensor<float>({2, 4}, {0, 0, 1, 1, 0, 0, 2, 2});
  const Tensor images = tensor<int32_t>({2}, {0, 0}), size = tensor<int32_t>({2}, {1, 3});
  check(ms("CropAndResize", {{"extrapolation_value", 9.f}}), {x, boxes, images, size},
        {tensor<float>({2, 1, 1, 3}, {2, 2.5f, 3, 3, 4, 9})});
  check(ms("CropAndResize", {{"mode", std::string("nearest")}}),
        {x, tensor<float>({1, 4}, {0, 0, 0.2f, 1}), tensor<int32_t>({1}, {0}), tensor<int32_t>({2}, {1, 2})},
        {tensor<float>({1, 1, 1, 2}, {1, 2})});
  check_fails(ms("CropAndResize"), {x, boxes, tensor<int32_t>({2}, {0, 1}), size}, Code::InvalidData);
  check_fails(ms("CropAndResize"), {x, boxes, images, tensor<int32_t>({2}, {0, 1})}, Code::InvalidData);
  check_fails(ms("CropAndResize", {{"mode", std::string("cubic")}}), {x, boxes, images, size}, Code::InvalidModel);
}

TEST_CASE("MurmurHash3 gives the published hashes", "[ops][murmur_hash]") {
  check(ms("MurmurHash3"), {tensor<std::string>({3}, {"", "hello", "hello, world"})},
        {tensor<uint32_t>({3}, {0, 0x248bfa47u, 0x149bbb7fu})});
  check(ms("MurmurHash3", {{"positive", int64_t{0}}, {"seed", int64_t{1}}}), {tensor<std::string>({1}, {""})},
        {tensor<int32_t>({1}, {0x514e28b7})});
  check_fails(ms("MurmurHash3"), {tensor<uint8_t>({1}, {1})}, Code::TypeMismatch);
}

TEST_CASE("DynamicTimeWarping finds the cheapest way", "[ops][dynamic_time_warping]") {
  check(ms("DynamicTimeWarping"), {tensor<float>({1, 3, 3}, {0, 1, 9, 9, 0, 9, 9, 9, 0})},
        {tensor<int32_t>({2, 3}, {0, 1, 2, 0, 1, 2})});
  check(ms("DynamicTimeWarping"), {tensor<float>({1, 3}, {1, 1, 1})}, {tensor<int32_t>({2, 3}, {0, 0, 0, 0, 1, 2})});
  check_fails(ms("DynamicTimeWarping"), {tensor<float>({2, 1, 1}, {1, 1})}, Code::ShapeMismatch);
}
