#include "engine/tensor/cast.h"

#include <limits>

#include "engine/base/number_text.h"
#include "tests/ops/operator_test.h"

using namespace nm;
using namespace nm::test;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

Node to(DType t, int version = 21, bool saturate = true) {
  AttributeMap attributes{{"to", static_cast<int64_t>(t)}};
  if (!saturate) attributes["saturate"] = int64_t{0};
  return node("Cast", version, std::move(attributes));
}

// A tensor of a type without a C++ type, from its bytes.
Tensor raw(DType t, const Shape& shape, std::initializer_list<uint8_t> bytes) {
  Tensor out = Tensor::create(t, shape).value();
  REQUIRE(out.bytes() == bytes.size());
  std::copy(bytes.begin(), bytes.end(), static_cast<uint8_t*>(out.raw()));
  return out;
}

}  // namespace

TEST_CASE("Cast between numbers", "[ops][cast]") {
  const Tensor x = tensor<float>({4}, {-1.75f, 0, 2.5f, 300});
  check(to(DType::Int32), {x}, {tensor<int32_t>({4}, {-1, 0, 2, 300})});
  check(to(DType::Int64), {x}, {tensor<int64_t>({4}, {-1, 0, 2, 300})});
  check(to(DType::UInt8), {x}, {tensor<uint8_t>({4}, {255, 0, 2, 44})});
  check(to(DType::Bool), {x}, {tensor<bool>({4}, {true, false, true, true})});
  check(to(DType::Float64), {x}, {tensor<double>({4}, {-1.75, 0, 2.5, 300})});
  check(to(DType::Float16), {x},
        {tensor<float16>({4}, {float16(-1.75f), float16(0.f), float16(2.5f), float16(300.f)})});
  check(to(DType::Float32), {x}, {x});
  check(to(DType::Float32), {tensor<bool>({2}, {true, false})}, {tensor<float>({2}, {1, 0})});
  check(to(DType::Float32), {tensor<uint64_t>({1}, {UINT64_MAX})}, {tensor<float>({1}, {0x1p64f})});
  check(to(DType::Int32), {tensor<float>({3}, {kNaN, 1e20f, -kInfinity})},
        {tensor<int32_t>({3}, {0, INT32_MAX, INT32_MIN})});
  check(to(DType::UInt64), {tensor<double>({2}, {0x1p63, 1e30})}, {tensor<uint64_t>({2}, {1ull << 63, UINT64_MAX})});
  check(node("Cast", 1, {{"to", "INT64"}}), {x}, {tensor<int64_t>({4}, {-1, 0, 2, 300})});
  check(node("CastLike", 15), {x, tensor<int16_t>({1}, {0})}, {tensor<int16_t>({4}, {-1, 0, 2, 300})});
  // Straight to half: by way of float it would be rounded twice, to 1 + 2^-10.
  check(to(DType::Float16), {tensor<double>({1}, {1 + 0x1p-11 + 0x1p-40})},
        {tensor<float16>({1}, {float16(1 + 0x1p-10f)})}, 0, 0);
  check(to(DType::Float16), {tensor<double>({1}, {1 + 0x1p-11 - 0x1p-40})}, {tensor<float16>({1}, {float16(1.f)})}, 0,
        0);
  check_fails(to(DType::Complex64), {x}, Code::UnsupportedOperator);
  check_fails(to(static_cast<DType>(99)), {x}, Code::InvalidModel);
  check_fails(node("Cast", 13), {x}, Code::InvalidModel);
}

TEST_CASE("Cast to and from text", "[ops][cast]") {
  check(to(DType::String), {tensor<float>({5}, {0.1f, -1000, 1e-5f, kInfinity, kNaN})},
        {tensor<std::string>({5}, {"0.1", "-1000", "1e-05", "inf", "nan"})});
  check(to(DType::String), {tensor<int64_t>({1}, {-7})}, {tensor<std::string>({1}, {"-7"})});
  check(to(DType::Float32), {tensor<std::string>({4}, {"3.25", "1e2", " -INF", "NaN"})},
        {tensor<float>({4}, {3.25f, 100, -kInfinity, kNaN})});
  check(to(DType::Int64), {tensor<std::string>({2}, {"9007199254740993", "-2.9"})},
        {tensor<int64_t>({2}, {9007199254740993, -2})});
  check_fails(to(DType::Float32), {tensor<std::string>({1}, {"three"})}, Code::InvalidData);
  check_fails(to(DType::Int32), {tensor<std::string>({1}, {""})}, Code::InvalidData);
  for (const double x : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789.0}) {
    CHECK(std::strtod(real_text(x, true).c_str(), nullptr) == x);
  }
}

TEST_CASE("Cast to narrow types", "[ops][cast]") {
  const Tensor x = tensor<float>({5}, {0.9375f, -500, kInfinity, kNaN, 0});
  check(to(DType::Float8E4M3FN), {x}, {raw(DType::Float8E4M3FN, {5}, {0x37, 0xfe, 0x7e, 0x7f, 0})});
  check(to(DType::Float8E4M3FN, 21, false), {x}, {raw(DType::Float8E4M3FN, {5}, {0x37, 0xff, 0x7f, 0x7f, 0})});
  check(to(DType::Float8E5M2, 21, false), {x}, {raw(DType::Float8E5M2, {5}, {0x3c, 0xe0, 0x7c, 0x7e, 0})});
  check(to(DType::Float8E5M2FNUZ), {x}, {raw(DType::Float8E5M2FNUZ, {5}, {0x40, 0xe4, 0x7f, 0x80, 0})});
  check(to(DType::Int4), {tensor<int32_t>({3}, {-1, 7, 2})}, {raw(DType::Int4, {3}, {0x7f, 0x02})});
  check(to(DType::Int32), {raw(DType::Int4, {3}, {0x7f, 0x02})}, {tensor<int32_t>({3}, {-1, 7, 2})});
  check(to(DType::Int32), {raw(DType::UInt2, {3}, {0x1b})}, {tensor<int32_t>({3}, {3, 2, 1})});
  check(to(DType::Float4E2M1), {tensor<float>({4}, {-1.5f, 6, 100, 0.5f})},
        {raw(DType::Float4E2M1, {4}, {0x7b, 0x17})});
}

TEST_CASE("BitCast", "[ops][cast]") {
  const AttributeMap as_int{{"to", static_cast<int64_t>(DType::Int32)}};
  check(node("BitCast", 26, as_int), {tensor<float>({2}, {1, -0.0f})}, {tensor<int32_t>({2}, {0x3f800000, INT32_MIN})});
  check_fails(node("BitCast", 26, as_int), {tensor<double>({1}, {1})}, Code::TypeMismatch);
}

TEST_CASE("Every code of the narrow floats survives a round trip", "[ops][cast]") {
  for (const DType t : {DType::Float8E4M3FN, DType::Float8E4M3FNUZ, DType::Float8E5M2, DType::Float8E5M2FNUZ,
                        DType::Float8E8M0, DType::Float4E2M1}) {
    for (int code = 0; code < 1 << dtype_bits(t); ++code) {
      const float x = small_to_float(t, static_cast<uint8_t>(code));
      if (x != x) continue;
      INFO(dtype_name(t) << " code " << code << " is " << x);
      CHECK(small_from_float(t, x, false, Rounding::Up) == code);
    }
  }
}
