#include "tests/ops/operator_test.h"

namespace nm::test {
namespace {

using Axes = std::vector<int64_t>;

AttributeMap how(const char* mode, const char* coordinates, AttributeMap more = {}) {
  more["mode"] = std::string(mode);
  more["coordinate_transformation_mode"] = std::string(coordinates);
  return more;
}

TEST_CASE("Resize", "[ops][resize]") {
  const Tensor x = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  const Tensor twice = tensor<float>({4}, {1, 1, 1, 2});
  SECTION("every form") {
    const Tensor nearest = tensor<float>({1, 1, 2, 4}, {1, 1, 2, 2, 3, 3, 4, 4});
    check(node("Upsample", 7, {{"scales", std::vector<float>{1, 1, 1, 2}}}), {x}, {nearest});
    check(node("Upsample", 1, {{"height_scale", 1.f}, {"width_scale", 2.f}}), {x}, {nearest});
    check(node("Upsample", 9), {x, twice}, {nearest});
    check(node("Resize", 10), {x, twice}, {nearest});
    check(node("Resize", 11), {x, Value(), twice}, {nearest});
    check(node("Resize", 13), {x, tensor<float>({0}, {}), tensor<float>({0}, {}), tensor<int64_t>({4}, {1, 1, 2, 4})},
          {nearest});
    check(node("Resize", 18, {{"axes", Axes{-1}}}), {x, Value(), Value(), tensor<int64_t>({1}, {4})}, {nearest});
  }
  SECTION("coordinates") {
    const struct {
      const char* coordinates;
      std::initializer_list<float> row;
    } rows[] = {{"half_pixel", {1, 1.25f, 1.75f, 2}},
                {"pytorch_half_pixel", {1, 1.25f, 1.75f, 2}},
                {"half_pixel_symmetric", {1, 1.25f, 1.75f, 2}},
                {"align_corners", {1, 1 + 1 / 3.f, 1 + 2 / 3.f, 2}},
                {"asymmetric", {1, 1.5f, 2, 2}}};
    for (const auto& [coordinates, row] : rows) {
      INFO(coordinates);
      check(node("Resize", 19, how("linear", coordinates)),
            {tensor<float>({2}, {1, 2}), Value(), tensor<float>({1}, {2})}, {tensor<float>({4}, row)});
    }
    check(node("Resize", 11, how("nearest", "tf_half_pixel_for_nn", {{"nearest_mode", std::string("floor")}})),
          {tensor<float>({4}, {1, 2, 3, 4}), Value(), tensor<float>({1}, {0.5f})}, {tensor<float>({2}, {2, 4})});
    check(node("Resize", 11, how("linear", "tf_crop_and_resize", {{"extrapolation_value", 9.f}})),
          {tensor<float>({3}, {1, 2, 3}), tensor<float>({2}, {0.5f, 1.5f}), Value(), tensor<int64_t>({1}, {3})},
          {tensor<float>({3}, {2, 3, 9})});
  }
  SECTION("nearest modes") {
    const struct {
      const char* mode;
      std::initializer_list<float> row;
    } rows[] = {{"round_prefer_floor", {1, 1, 2, 2}},
                {"round_prefer_ceil", {1, 2, 2, 2}},
                {"floor", {1, 1, 2, 2}},
                {"ceil", {1, 2, 2, 2}}};
    for (const auto& [mode, row] : rows) {
      INFO(mode);
      check(node("Resize", 13, how("nearest", "asymmetric", {{"nearest_mode", std::string(mode)}})),
            {tensor<float>({2}, {1, 2}), Value(), tensor<float>({1}, {2})}, {tensor<float>({4}, row)});
    }
  }
  SECTION("filters") {
    const Tensor ramp = tensor<float>({4}, {1, 2, 3, 4}), half = tensor<float>({1}, {0.5f});
    check(node("Resize", 13, how("cubic", "half_pixel")), {ramp, Value(), half},
          {tensor<float>({2}, {1.28125f, 3.71875f})}, 0.1, 0.1);
    check(node("Resize", 18, how("linear", "half_pixel", {{"antialias", int64_t{1}}})), {ramp, Value(), half},
          {tensor<float>({2}, {1.625f, 3.375f})});
    check(node("Resize", 18, how("linear", "half_pixel", {{"antialias", int64_t{1}}, {"exclude_outside", int64_t{1}}})),
          {ramp, Value(), half}, {tensor<float>({2}, {12 / 7.f, 23 / 7.f})});
  }
  SECTION("aspect ratio") {
    const auto sizes = tensor<int64_t>({2}, {4, 6});
    const auto policy = [](const char* name) {
      return node("Resize", 18, {{"axes", Axes{2, 3}}, {"keep_aspect_ratio_policy", std::string(name)}});
    };
    auto larger = run(policy("not_smaller"), {x, Value(), Value(), sizes});
    REQUIRE(larger.ok());
    CHECK((*larger)[0].tensor()->shape() == Shape{1, 1, 6, 6});
    auto smaller = run(policy("not_larger"), {x, Value(), Value(), sizes});
    REQUIRE(smaller.ok());
    CHECK((*smaller)[0].tensor()->shape() == Shape{1, 1, 4, 4});
  }
  SECTION("types and layouts") {
    check(node("Resize", 13, how("linear", "asymmetric")),
          {tensor<uint8_t>({2}, {10, 21}), Value(), tensor<float>({1}, {2})}, {tensor<uint8_t>({4}, {10, 15, 21, 21})});
    check(node("Resize", 13), {tensor<int64_t>({2}, {1, 2}), Value(), tensor<float>({1}, {2})},
          {tensor<int64_t>({4}, {1, 1, 2, 2})});
    check(node("Resize", 13, how("linear", "asymmetric")),
          {tensor<double>({2}, {1, 2}), Value(), tensor<float>({1}, {2})}, {tensor<double>({4}, {1, 1.5, 2, 2})});
    check(node("Resize", 13, how("linear", "asymmetric", {{"nm_channels_last", int64_t{1}}})),
          {tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4}), Value(), twice},
          {tensor<float>({1, 1, 4, 2}, {1, 2, 2, 3, 3, 4, 3, 4})});
  }
  SECTION("failures") {
    check_fails(node("Resize", 13), {x}, Code::MissingInput);
    check_fails(node("Resize", 13), {x, Value(), tensor<float>({2}, {1, 2})}, Code::ShapeMismatch);
    check_fails(node("Resize", 13), {x, Value(), tensor<float>({4}, {1, 1, 0, 1})}, Code::InvalidData);
    check_fails(node("Resize", 13), {x, Value(), Value(), tensor<int64_t>({4}, {1, 1, -2, 1})}, Code::InvalidData);
    check_fails(node("Resize", 13, how("linear", "sideways")), {x, Value(), twice}, Code::UnsupportedOperator);
    check_fails(node("Resize", 18, {{"axes", Axes{4}}}), {x, Value(), tensor<float>({1}, {2})}, Code::ShapeMismatch);
    check_fails(node("Upsample", 7), {x}, Code::InvalidModel);
  }
}

TEST_CASE("With sizes, ties for the nearest cell are ties", "[ops][resize]") {
  constexpr int64_t kIn = 9, kOut = 42;
  auto x = Tensor::create(DType::Float32, {kIn}), y = Tensor::create(DType::Float32, {kOut});
  REQUIRE((x.ok() && y.ok()));
  for (int64_t i = 0; i < kIn; ++i) x->data<float>()[i] = static_cast<float>(i);
  for (const bool floor : {true, false}) {
    for (int64_t i = 0; i < kOut; ++i) {  // i·9/42 rounded, exactly
      const int64_t whole = i * kIn / kOut, rest = 2 * (i * kIn % kOut);
      const int64_t cell = rest > kOut || (rest == kOut && !floor) ? whole + 1 : whole;
      y->data<float>()[i] = static_cast<float>(std::min(cell, kIn - 1));
    }
    check(node("Resize", 19,
               {{"nearest_mode", std::string(floor ? "round_prefer_floor" : "round_prefer_ceil")},
                {"coordinate_transformation_mode", std::string("asymmetric")}}),
          {*x, Value(), Value(), tensor<int64_t>({1}, {kOut})}, {*y});
  }
}

TEST_CASE("Corners are those of the image that is made, also where a scale makes no whole one", "[ops][resize]") {
  const Tensor x = tensor<float>({5}, {0, 1, 2, 3, 4});
  check(node("Resize", 19, how("linear", "align_corners")), {x, Value(), tensor<float>({1}, {0.5f})},
        {tensor<float>({2}, {0, 4})});
  check(node("Resize", 19, how("linear", "align_corners")), {x, Value(), tensor<float>({1}, {0.7f})},
        {tensor<float>({3}, {0, 2, 4})});
}

TEST_CASE("Resize decides ties for the nearest cell by float arithmetic", "[ops][resize]") {
  const Tensor x = tensor<float>({1, 1, 5}, {1, 2, 3, 4, 5});
  const AttributeMap floor{{"nearest_mode", "floor"}, {"coordinate_transformation_mode", "half_pixel"}};
  check(node("Resize", 19, floor), {x, Value(), Value(), tensor<int64_t>({3}, {1, 1, 3})},
        {tensor<float>({1, 1, 3}, {1, 3, 4})});
  check(node("Resize", 19, floor), {x, Value(), tensor<float>({3}, {1, 1, 0.6f})},
        {tensor<float>({1, 1, 3}, {1, 3, 4})});
  // A row of one cell is taken from the first, whatever the filter.
  check(node("Resize", 19, {{"mode", "cubic"}, {"coordinate_transformation_mode", "pytorch_half_pixel"}}),
        {tensor<float>({1, 1, 1, 4}, {1, 9, 3, 7}), Value(), Value(), tensor<int64_t>({4}, {1, 1, 1, 1})},
        {tensor<float>({1, 1, 1, 1}, {1})});
}

}  // namespace
}  // namespace nm::test
