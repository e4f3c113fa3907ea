// Sizes, and what is made of them only.
#include "catch_amalgamated.hpp"
#include "engine/base/memory.h"
#include "engine/op/operator.h"
#include "engine/tensor/tensor.h"

using namespace nm;

namespace {

// Memory is handed out for sizes only: plain integers, whose products may have wrapped around, do not compile.
template <class T>
concept GivesScratch = requires(const Execution& execution, T count) {
  execution.scratch<float>(count);
};
static_assert(GivesScratch<Size>);
static_assert(!GivesScratch<int64_t> && !GivesScratch<size_t>);
static_assert(std::is_constructible_v<Buffer, Size>);
static_assert(!std::is_constructible_v<Buffer, int64_t> && !std::is_constructible_v<Buffer, size_t>);
static_assert(!std::is_convertible_v<int64_t, Size>);

}  // namespace

TEST_CASE("sizes saturate instead of wrapping around") {
  CHECK((Size(3) * 4 + 5).value() == 17);
  CHECK_FALSE(Size(-1).addressable());
  CHECK_FALSE((Size(INT64_MAX) * 2).addressable());
  CHECK_FALSE((Size(INT64_MAX) * INT64_MAX * INT64_MAX).addressable());
  CHECK_FALSE((Size(UINT64_MAX) + 1).addressable());
  CHECK_FALSE((Size(uint64_t{1} << 32) * (uint64_t{1} << 32)).addressable());  // 0 in 64 bits
  CHECK((Size(-1) * 0).value() == 0);
  CHECK_FALSE((Size(-1) + 0).addressable());
  CHECK_FALSE((Size(-1) * 1).addressable());
}

TEST_CASE("a size is addressable up to what pointers hold") {
  CHECK(Size(Size::kLargest).addressable());
  CHECK_FALSE(Size(Size::kLargest + 1).addressable());
  CHECK(align_up(Size(Size::kLargest).value()) >= Size(Size::kLargest).value());
  CHECK(allocate(Size(Size::kLargest + 1)) == nullptr);
  CHECK(allocate(Size(-1)) == nullptr);
}

TEST_CASE("bytes of every element type, also where they do not fit") {
  CHECK(dtype_bytes(DType::Float32, Size(3)).value() == 12);
  CHECK(dtype_bytes(DType::Int4, Size(3)).value() == 2);
  CHECK(dtype_bytes(DType::UInt2, Size(5)).value() == 2);
  for (int n = 1; n < kDTypeCount; ++n) {
    const auto dtype = static_cast<DType>(n);
    CHECK(tensor_bytes(dtype, {0, 7}).value() == 0);
    CHECK_FALSE(tensor_bytes(dtype, {INT64_MAX, INT64_MAX}).addressable());
    CHECK_FALSE(tensor_bytes(dtype, {int64_t{1} << 32, int64_t{1} << 32}).addressable());
    const Status s = check_addressable("the value 'x',", dtype, {int64_t{1} << 50});
    CHECK(s.code() == Code::OutOfMemory);
    CHECK(s.message().find("'x'") != std::string::npos);
    CHECK(Tensor::create(dtype, {int64_t{1} << 50}).status().code() == Code::OutOfMemory);
  }
}

TEST_CASE("an empty tensor's other dimensions count as well: code multiplies them") {
  CHECK(check_addressable("", DType::Float32, {0, 1 << 20}).ok());
  CHECK_FALSE(check_addressable("", DType::Float32, {0, INT64_MAX, 2}).ok());
  CHECK_FALSE(check_addressable("", DType::Float32, {kUnknownDim, INT64_MAX, 2}).ok());
}
