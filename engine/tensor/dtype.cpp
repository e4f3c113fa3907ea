#include "engine/tensor/dtype.h"

#include <cstdint>
#include <iterator>

#include "engine/base/selection.h"

namespace nm {
namespace {

struct Row {
  std::string_view name;
  int bits;
};

constexpr Row kRows[kDTypeCount] = {
    {"undefined", 0},      {"float32", 32},   {"uint8", 8},
    {"int8", 8},           {"uint16", 16},    {"int16", 16},
    {"int32", 32},         {"int64", 64},     {"string", 8 * static_cast<int>(sizeof(std::string))},
    {"bool", 8},           {"float16", 16},   {"float64", 64},
    {"uint32", 32},        {"uint64", 64},    {"complex64", 64},
    {"complex128", 128},   {"bfloat16", 16},  {"float8e4m3fn", 8},
    {"float8e4m3fnuz", 8}, {"float8e5m2", 8}, {"float8e5m2fnuz", 8},
    {"uint4", 4},          {"int4", 4},       {"float4e2m1", 4},
    {"float8e8m0", 8},     {"uint2", 2},      {"int2", 2},
};

constexpr bool sizes_agree() {
  for (int number = 0; number < kDTypeCount; ++number) {
    const int bits = number == static_cast<int>(DType::String) ? 0 : kRows[number].bits;
    if (selection::kElementBytes[static_cast<size_t>(number)] != (bits % 8 == 0 ? bits / 8 : 0)) return false;
  }
  return std::size(selection::kElementBytes) == kDTypeCount;
}
static_assert(sizes_agree());

}  // namespace

std::string_view dtype_name(DType dtype) { return kRows[static_cast<int>(dtype)].name; }

bool dtype_valid(int64_t number) { return number > 0 && number < kDTypeCount; }

int dtype_bits(DType dtype) { return kRows[static_cast<int>(dtype)].bits; }

Size dtype_bytes(DType dtype, Size count) {
  const int bits = dtype_bits(dtype);
  if (bits % 8 == 0) return count * (bits / 8);
  const Size whole = count * bits + 7;
  return whole == Size(UINT64_MAX) ? whole : Size(whole.number() / 8);
}

int64_t dtype_offset(DType dtype, int64_t index) {
  const int bits = dtype_bits(dtype);
  return bits % 8 == 0 ? index * (bits / 8) : index * bits / 8;
}

}  // namespace nm
